"""Law 6: two pulls never meet in a source, and one that can run only once runs once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import SourceConsumedError, Stream, Suspend, ops
from tests.laws.lab import Lab, Sample, play, trying
from tests.samples import OPERATORS, SAMPLES

LONG = 60.0

# Two pulls at once ----------------------------------------------------------------------------------------


@pytest.mark.spread
@pytest.mark.parametrize("sample", OPERATORS, ids=repr)
@pytest.mark.parametrize("form", ["open", "bare"])
def test_two_pulls_at_once_are_refused_and_the_first_goes_on(sample: Sample, form: str) -> None:
    async def main() -> None:
        lab = Lab("clock", "async", count=9)
        stream = sample.built(lab)
        async with stream.open() as opened:
            items: Any = opened if form == "open" else aiter(stream)
            first = asyncio.ensure_future(pull(items))
            await asyncio.sleep(0.5)
            if not first.done():  # some end before they wait
                with pytest.raises(RuntimeError, match="already running"):
                    await pull(items)
            await asyncio.wait([first], timeout=10 * LONG)
            assert first.exception() is None
            if form == "bare":
                await items.aclose()
        assert all(visit.cleaned == 1 for visit in lab.visits)

    async def pull(items: Any) -> Any:
        return await anext(items, None)

    play(main)


def test_pulls_one_after_the_other_may_come_from_several_tasks() -> None:
    async def main() -> None:
        async with (Stream(range(6)) | ops.buffer(Suspend(1)) | ops.map(str)).open() as items:

            async def pull() -> str:
                return await anext(items)

            assert [await asyncio.ensure_future(pull()) for _ in range(6)] == list("012345")

    play(main)


# One-shot sources -----------------------------------------------------------------------------------------


async def once() -> AsyncIterator[int]:
    for number in range(9):
        await asyncio.sleep(0)
        yield number


ONE_SHOT: dict[str, Callable[[], Any]] = {
    "generator": lambda: (number for number in range(9)),
    "iterator": lambda: iter(range(9)),
    "async generator": once,
}


@pytest.mark.spread
@pytest.mark.parametrize("source", ONE_SHOT.values(), ids=ONE_SHOT)
@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_all_streams_derived_from_a_one_shot_source_share_its_one_run(
    sample: Sample, source: Callable[[], Any]
) -> None:
    lab = Lab("ready")

    async def consume(built: Any) -> None:
        if hasattr(built, "open"):
            async with built.open() as items:
                async for _ in items:
                    pass
        else:
            await built

    async def main() -> None:
        stream = Stream(source()) | ops.map(lambda number: sample.shape(lab.item(number)))
        await consume(stream | ops.drain())
        for derived in (stream, Stream(stream), stream | ops.take(1), stream | sample.make(lab)):
            with pytest.raises(SourceConsumedError, match="can be run only once, and was"):
                await consume(derived)

    with trying(sample.name):
        play(main)


def test_a_callable_makes_a_fresh_source_for_each_run() -> None:
    for source in ONE_SHOT.values():
        stream = Stream(source) | ops.take(3)
        assert list(stream) == list(stream) == [0, 1, 2]


@pytest.mark.parametrize("source", ONE_SHOT.values(), ids=ONE_SHOT)
@pytest.mark.parametrize("operator", [ops.merge, ops.zip, ops.concat])
def test_a_one_shot_source_cannot_stand_twice_in_one_pipe(source: Callable[[], Any], operator: Any) -> None:
    stream = Stream(source())

    async def main() -> None:
        async for _ in stream | operator(stream | ops.map(abs)):
            pass

    with pytest.raises(SourceConsumedError):
        play(main)


def test_a_one_shot_source_that_was_left_early_is_not_taken_up_again() -> None:
    stream = Stream(number for number in range(9))
    assert list(stream | ops.take(2)) == [0, 1]
    with pytest.raises(SourceConsumedError):
        list(stream)
