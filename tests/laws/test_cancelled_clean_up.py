"""Law 5: a cancellation that an error of a clean-up has replaced is not swallowed either.

A source that is cancelled and fails in its clean-up raises that error instead of the cancellation. No
operator takes it for an error of the source: it passes on nothing that it holds, and no step that has enough
then ends the stream well.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import ops
from streamkit.testing.conformance.exits import MOST, consume, virtual_loop
from tests.laws.lab import Case, Lab, Sample, play, trying
from tests.samples import OPERATORS, SINKS
from tests.tiers import stride

BEHIND: dict[str, Callable[[Any], Any]] = {
    "before a step that has enough": lambda stream: stream | ops.batch(99) | ops.take(1),
    "before a sink that has enough": lambda stream: stream | ops.batch(99) | ops.first(default=None),
    "in a task": lambda stream: stream | ops.merge([]) | ops.batch(99) | ops.take(1),
}
"""What stands behind an operator: steps that would end the stream well if they were told of an error."""


def cancelled(sample: Sample, case: Case, behind: Callable[[Any], Any], dirty: tuple[str, ...]) -> None:
    """Cancel the reader at each step of the loop in turn."""
    for number in case.steps():
        lab = case.lab(count=2, kind="async" if sample.calls else "sync", dirty=dirty)

        async def main(lab: Lab = lab, number: int = number) -> bool:
            loop = virtual_loop()
            built = behind(sample.built(lab))
            hash(built)  # a job that was used does not warn where it is cancelled before it begins
            work = loop.create_task(consume(built))
            cancels: list[bool] = []
            loop.call_at_step(number, lambda: cancels.append(work.cancel()))
            await asyncio.wait([work])
            was_cancelled = any(cancels)
            if was_cancelled and not work.cancelled():
                error = work.exception()
                assert error is not None, (
                    f"cancelled at step {number}: swallowed, it ended with {work.result()}"
                )
                assert error in lab.dirt, f"cancelled at step {number}: {error!r} is no error of a clean-up"
            elif not work.cancelled():
                work.exception()
            lab.check_clean()
            return was_cancelled

        if not play(main) or number >= MOST:
            break


@pytest.mark.spread
@pytest.mark.parametrize("dirty", [("main",), ("main", "other")], ids="-".join)
@pytest.mark.parametrize("style", ["turn", "clock"])
@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("sample", OPERATORS, ids=repr)
def test_behind_every_operator(sample: Sample, behind: str, style: str, dirty: tuple[str, ...]) -> None:
    every = stride(5)  # another fifth of the steps for each sample
    case = Case(style, every=every, first=1 + OPERATORS.index(sample) % every)
    with trying(case):
        cancelled(sample, case, BEHIND[behind], dirty)


@pytest.mark.spread
@pytest.mark.parametrize("style", ["turn", "clock"])
@pytest.mark.parametrize("sample", SINKS, ids=repr)
def test_in_every_sink(sample: Sample, style: str) -> None:
    every = stride(3)
    case = Case(style, every=every, first=1 + SINKS.index(sample) % every)
    with trying(case):
        cancelled(sample, case, lambda job: job, ("main", "other"))
