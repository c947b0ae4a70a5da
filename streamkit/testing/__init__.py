"""Tools for tests of streams: virtual time, and a check that nothing is left behind.

>>> import asyncio
>>> from streamkit.testing import run
>>> async def main() -> float:
...     await asyncio.sleep(3600.0)
...     return asyncio.get_running_loop().time()
>>> run(main)
3600.0
"""

from streamkit.testing.clock import VirtualLoop, run
from streamkit.testing.drops import Drops
from streamkit.testing.expectations import Expectation, expect
from streamkit.testing.leaks import LeakError
from streamkit.testing.marbles import Drawn, DrawnError, check_marbles, draw_marbles, drawn
from streamkit.testing.steps import Step
from streamkit.testing.waits import DeadlockError

__all__ = [
    "DeadlockError",
    "Drawn",
    "DrawnError",
    "Drops",
    "Expectation",
    "LeakError",
    "Step",
    "VirtualLoop",
    "check_marbles",
    "draw_marbles",
    "drawn",
    "expect",
    "run",
]
