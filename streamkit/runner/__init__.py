"""Runs jobs for code that has no event loop: in a thread of their own, or as what a program does.

>>> from streamkit import Stream, ops, runner
>>> runner.run(Stream("ab") | ops.for_each(print))
a
b
0

``job.start_in_thread()`` gives a `Running`, for programs that block; `run` is for programs that are jobs, and
knows what signals ask for.
"""

from streamkit.runner.background import Running
from streamkit.runner.program import run
from streamkit.runner.tally import Rate

__all__ = ["Rate", "Running", "run"]
