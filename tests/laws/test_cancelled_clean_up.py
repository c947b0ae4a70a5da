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
    "before a step that has enough of one": lambda stream: stream | ops.take(1),
    "before a step that has enough": lambda stream: stream | ops.batch(99) | ops.take(1),
    "before a sink that has enough": lambda stream: stream | ops.batch(99) | ops.first(default=None),
    "in a task": lambda stream: stream | ops.merge([]) | ops.batch(99) | ops.take(1),
}
"""What stands behind an operator: steps that would end the stream well if they were told of an error."""


class StubbornLab(Lab):
    """Its callbacks wait, and where they are cancelled, they fail."""

    def callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
        async def waits(*arguments: Any) -> Any:
            try:
                await asyncio.sleep(0.5)
            except asyncio.CancelledError:
                self.dirt.append(OSError("clean-up of a callback"))
                raise self.dirt[-1]  # noqa: B904 - not from it: that would be meant
            return function(*arguments)

        return waits


def cancelled(sample: Sample, case: Case, behind: Callable[[Any], Any], make: Callable[[], Lab]) -> None:
    """Cancel the reader at each step of the loop in turn."""
    for number in case.steps():
        lab = make()

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


def dirty_lab(sample: Sample, case: Case, dirty: tuple[str, ...]) -> Lab:
    """One whose sources fail in their clean-up."""
    return case.lab(count=2, kind="async" if sample.calls else "sync", dirty=dirty)


@pytest.mark.spread(full=2)
@pytest.mark.parametrize("dirty", [("main",), ("main", "other")], ids="-".join)
@pytest.mark.parametrize("style", ["turn", "clock"])
@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("sample", OPERATORS, ids=repr)
def test_behind_every_operator(sample: Sample, behind: str, style: str, dirty: tuple[str, ...]) -> None:
    every = stride(5)  # another fifth of the steps for each sample
    case = Case(style, every=every, first=1 + OPERATORS.index(sample) % every)
    with trying(case):
        cancelled(sample, case, BEHIND[behind], lambda: dirty_lab(sample, case, dirty))


@pytest.mark.spread
@pytest.mark.parametrize("style", ["turn", "clock"])
@pytest.mark.parametrize("sample", SINKS, ids=repr)
def test_in_every_sink(sample: Sample, style: str) -> None:
    every = stride(3)
    case = Case(style, every=every, first=1 + SINKS.index(sample) % every)
    with trying(case):
        cancelled(sample, case, lambda job: job, lambda: dirty_lab(sample, case, ("main", "other")))


@pytest.mark.spread
@pytest.mark.parametrize("behind", BEHIND)
@pytest.mark.parametrize("sample", [each for each in OPERATORS if each.calls], ids=repr)
def test_where_a_callback_fails_in_its_clean_up(sample: Sample, behind: str) -> None:
    every = stride(3)
    case = Case(every=every, first=1 + OPERATORS.index(sample) % every)
    with trying(case):
        cancelled(sample, case, BEHIND[behind], lambda: StubbornLab("turn", count=2))
