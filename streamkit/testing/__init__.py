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
from streamkit.testing.leaks import LeakError
from streamkit.testing.running import run
from streamkit.testing.schedules import Exhaustive, Faults, ScheduleError
from streamkit.testing.waits import DeadlockError, LivelockError

__all__ = [
    "DeadlockError",
    "Exhaustive",
    "Faults",
    "LeakError",
    "LivelockError",
    "ScheduleError",
    "VirtualLoop",
    "run",
]
