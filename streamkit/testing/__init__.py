"""Tools for tests of streams: virtual time, and a check that nothing is left behind.

>>> import asyncio
>>> from streamkit.testing import run
>>> async def main() -> float:
...     await asyncio.sleep(3600.0)
...     return asyncio.get_running_loop().time()
>>> run(main)
3600.0
"""

from streamkit.testing.clock import VirtualLoop
from streamkit.testing.conformance import Again, Law, LawError, Report, check_operator, check_sink, check_source
from streamkit.testing.consumers import Consumed, Leave, consume
from streamkit.testing.drops import Drops
from streamkit.testing.expectations import Expectation, expect
from streamkit.testing.leaks import LeakError
from streamkit.testing.marbles import Drawn, DrawnError, check_marbles, draw_marbles, drawn
from streamkit.testing.probes import ProbeError, SinkProbe, SourceProbe
from streamkit.testing.running import run
from streamkit.testing.schedules import Exhaustive, Faults, ScheduleError
from streamkit.testing.sources import AfterEnd, FaultySource
from streamkit.testing.steps import Step
from streamkit.testing.visits import Visit
from streamkit.testing.waits import DeadlockError, LivelockError

__all__ = [
    "AfterEnd",
    "Again",
    "Consumed",
    "DeadlockError",
    "Drawn",
    "DrawnError",
    "Drops",
    "Exhaustive",
    "Expectation",
    "Faults",
    "FaultySource",
    "Law",
    "LawError",
    "LeakError",
    "Leave",
    "LivelockError",
    "ProbeError",
    "Report",
    "ScheduleError",
    "SinkProbe",
    "SourceProbe",
    "Step",
    "VirtualLoop",
    "Visit",
    "check_marbles",
    "check_operator",
    "check_sink",
    "check_source",
    "consume",
    "draw_marbles",
    "drawn",
    "expect",
    "run",
]
