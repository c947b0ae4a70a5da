"""Seeded schedules: a program is run in many orders of what is ready, and the one in which it fails comes again.

    tokens      a schedule as data, and as text
    orders      given and drawn orders
    lanes       which callbacks stay in order
    naming      what a callback is called
    ready       the queue that stands in for that of the event loop
    outcome     what came of a run
    shrink      fewer switches
    search      which schedules are tried, and how a failure is told

`streamkit.testing.run` is the door to it.
"""

from streamkit.testing.schedules.outcome import Outcome, ScheduleError, is_verdict
from streamkit.testing.schedules.ready import Ready
from streamkit.testing.schedules.search import Exhaustive, Once, Search, replayed
from streamkit.testing.schedules.tokens import Faults

__all__ = [
    "Exhaustive",
    "Faults",
    "Once",
    "Outcome",
    "Ready",
    "ScheduleError",
    "Search",
    "is_verdict",
    "replayed",
]
