"""Seeded schedules: a program runs in many orders of what is ready; one in which it fails comes again.

    faults      what is done to a program: cancelled, shut down
    tokens      a schedule as data, and as text
    orders      given and drawn orders
    lanes       which callbacks stay in order
    naming      what a callback is called
    course      what was chosen in one run
    ready       the queue that stands in for that of the event loop
    outcome     what came of a run
    shrink      fewer switches
    search      which schedules are tried, and how a failure is told

`streamkit.testing.run` is the door to it.
"""

from streamkit.testing.schedules.faults import Faults
from streamkit.testing.schedules.outcome import Outcome, ScheduleError, is_verdict
from streamkit.testing.schedules.ready import Ready
from streamkit.testing.schedules.search import Exhaustive, Once, Search, replayed

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
