"""A throttle whose items take their tokens in the loop that reads it: it is a step there, and no generator.

That is so where the bucket is its own, each item costs one token, and no buffer before it may still replace
an item. ``throttle`` in ``benchmarks/workloads/timers.py`` measures it; it is guarded in
``tests/compile/test_opcodes_timed.py``.
"""

from __future__ import annotations

from typing import Any

from streamkit._core.contract import PASSED_ON
from streamkit._engine.buffer.clock import clock_of
from streamkit._engine.compile.pace import Pace
from streamkit._engine.compile.pieces import Pieces, StepDeclaration
from streamkit._engine.plan.link import Inlet
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.own import own
from streamkit._engine.run.run import Run
from streamkit._engine.run.start import begin
from streamkit._stages.throttle import Bucket, Tokens, held_back, pays

__all__ = ["paced"]


class Till:
    """Where an item pays that must wait, or fails."""

    pace: Pace
    """That of the loop in which it is."""

    def __init__(self, run: Run, bucket: Bucket, rate: float, *, failing: bool) -> None:
        self._run = run
        self._bucket = bucket
        self._rate = rate
        self._failing = failing

    async def __call__(self, item: Any) -> None:
        await pays(self._run, item, self._bucket, None, self.pace, rate=self._rate, failing=self._failing)


def _passed(tokens: Tokens, pay: Any) -> None:
    """What stands for such a throttle in the loop."""


_SETUP = """
clock, rate, begun = tokens.clock, tokens.rate, tokens.then
apart, ahead, late = 1.0 / rate, (tokens.burst - 1.0) / rate, 0.0
full = tokens.full - begun
"""
_EACH = """
now = clock() - begun
if now > full + late:
    full, late = now + apart, 0.0
elif full - now <= ahead:
    full += apart
else:
    tokens.at(now + begun, full + begun)
    pay(item)
    full, late = tokens.full - begun, tokens.spare / rate
emit(item)
"""
"""What `Tokens.lacking` does where nothing lacks: one number says when the bucket is full again.

It is counted from the beginning: it could not take up a millionth of a second otherwise, on a machine that
has run for months.
"""


class _Paid(StepDeclaration):
    @property
    def rescues(self) -> str:
        return "pay"


_STEP = _Paid(
    "throttle",
    _passed,
    PASSED_ON,
    pieces=Pieces(setup=_SETUP, each=_EACH),
    parameters=("tokens", "pay"),
)


def paced(run: Run, inlet: Inlet[Any], rate: float, burst: float, *, failing: bool) -> Opened | None:
    """What is before the throttle, opened, and its step; None where it must be a generator."""
    bucket = Bucket(Tokens(clock_of(run.loop), rate, burst))
    if burst < 1.0 or (not failing and held_back(run, inlet, bucket, None) is not inlet):
        return None
    run.claims.take(inlet)
    opened, links, relays = begin(inlet.source, inlet.links, run.book and run.book.chapter())
    own(opened.items)
    till = Till(run, bucket, rate, failing=failing)
    link = run.link.but({"tokens": bucket.tokens, "pay": till}, _STEP)
    link.blamed = run.link

    async def close() -> None:
        try:
            if (closing := opened.release()) is not None:
                await closing
        finally:
            await run.leave()

    return Opened(
        opened.kind,
        opened.items,
        close,
        blame=opened.blame,
        unreached=opened.unreached,
        halt=opened.halt,
        follows=opened.follows,
        relay=_nothing if relays else None,
        steps=(*links, link),
    )


def _nothing() -> None:
    """What is before it was told already that it relays."""
