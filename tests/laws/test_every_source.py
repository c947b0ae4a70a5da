"""The laws, over every source: what it gives, when it is asked, and that nothing of it is left."""

import asyncio
import gc
import pickle
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from typing import Any, TypeVar

import pytest

import streamkit
from streamkit import Missed, SourceConsumedError, Stream, Suspend, ops
from streamkit.testing import VirtualLoop, run
from tests.laws.items import plain
from tests.laws.lab import Lab, trying
from tests.laws.source_lab import Again, SourceSample, read
from tests.samples.sources import SOURCES
from tests.tiers import stride

LONG = 60.0
MOST = 60
"""Steps that are tried of a source that never ends."""
T = TypeVar("T")

every_source = pytest.mark.parametrize("sample", SOURCES, ids=lambda each: each.name)
endings = pytest.mark.parametrize(
    "sample", [each for each in SOURCES if each.ends and each.error is None], ids=lambda each: each.name
)


def play(sample: SourceSample, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return run(main, threads=sample.threads)


def labs(sample: SourceSample) -> list[Lab]:
    return [Lab("turn", kind) for kind in sample.kinds]


def most(sample: SourceSample) -> int | None:
    """How many items to read of it: all, if it ends."""
    return None if sample.ends else len(sample.first)


# what comes ----------------------------------------------------------------------------------------------


async def outcome(sample: SourceSample, stream: Stream[Any]) -> list[Any]:
    """Its items, and the class of its error, if it fails."""
    if sample.error is None:
        return await read(stream, most(sample))
    with pytest.raises(sample.error):
        await read(stream)
    return []


WAYS: dict[str, Callable[[Stream[Any]], Stream[Any]]] = {
    "alone": lambda stream: stream,
    "behind a step": lambda stream: stream | ops.filter(lambda _: True),
    "behind a buffer": lambda stream: stream | ops.buffer(Suspend(2)),
    "in a merge": lambda stream: stream | ops.merge([]),
    "in a concat": lambda stream: streamkit.concat([], stream),
    "in a flat_map": lambda stream: Stream([stream]) | ops.flat_map(lambda each: each, concurrency=1),
    "behind workers": lambda stream: stream | ops.map(lambda item: item, concurrency=3),
    "made by a callable": lambda stream: Stream(lambda: stream),
}


@pytest.mark.spread
@pytest.mark.parametrize("way", WAYS)
@every_source
def test_gives_its_items_wherever_it_stands(sample: SourceSample, way: str) -> None:
    for lab in labs(sample):
        found = play(sample, lambda lab=lab: outcome(sample, WAYS[way](sample.make(lab))))
        assert found == [*sample.first]


@endings
def test_gives_them_in_a_plain_for(sample: SourceSample) -> None:
    for lab in labs(sample):
        lab.style = "ready"  # it runs in real time
        if sample.name != "timer":
            assert plain([*sample.make(lab)]) == [*sample.first]


# runs ----------------------------------------------------------------------------------------------------


@every_source
def test_each_run_is_its_own(sample: SourceSample) -> None:
    async def main(stream: Stream[Any]) -> None:
        expected = [*sample.first]
        if sample.again is Again.SAME:
            for _ in range(2):
                assert await outcome(sample, stream) == expected
            both = await asyncio.gather(outcome(sample, stream), outcome(sample, stream))
            assert both == [expected, expected]
        elif sample.again is Again.NEVER:
            await read(stream, 1)
            with pytest.raises(SourceConsumedError, match="can be run only once, and was"):
                await read(stream)
        else:
            assert await read(stream, 1) + await read(stream) == expected

    for lab in labs(sample):
        play(sample, lambda lab=lab: main(sample.make(lab)))


@pytest.mark.parametrize("sample", [each for each in SOURCES if each.pickles], ids=lambda each: each.name)
def test_a_copy_gives_the_same(sample: SourceSample) -> None:
    lab = Lab("ready")
    stream = sample.make(lab)
    try:
        packed = pickle.dumps(stream)
    except (AttributeError, TypeError, pickle.PicklingError) as error:
        assert "lab" in str(error).lower() or "local object" in str(error)  # it is an argument
        return
    assert play(sample, lambda: outcome(sample, pickle.loads(packed))) == [*sample.first]


@every_source
def test_can_be_named_and_explained(sample: SourceSample) -> None:
    stream = sample.make(Lab("ready"))
    assert sample.name.split("-")[0] in repr(stream) or sample.name.startswith(("of", "empty"))
    assert "bound: " in str((stream | ops.take(1)).explain(code=True))
    assert stream == Stream(stream)

    async def main() -> None:
        await read(stream, 0)

    play(sample, main)
    if sample.wasted:
        play(sample, lambda: read(stream))


# demand --------------------------------------------------------------------------------------------------


@every_source
def test_does_nothing_before_it_is_asked(sample: SourceSample) -> None:
    async def main(lab: Lab) -> None:
        stream = sample.make(lab)
        made = lab.made
        async with stream.open() as items:
            await asyncio.sleep(LONG)
            assert (lab.calls, lab.visits, lab.made) == (0, [], made)
            if sample.first:
                await anext(items)
                ahead = stream.explain().lookahead
                await asyncio.sleep(LONG)
                assert lab.calls <= 1 + ahead
                assert lab.taken <= 1 + ahead

    for lab in labs(sample):
        play(sample, lambda lab=lab: main(lab))


# fairness ------------------------------------------------------------------------------------------------

READY = {
    "count": lambda: streamkit.count(),
    "repeat": lambda: streamkit.repeat("a"),
    "range": lambda: streamkit.range(10**9),
    "iterate": lambda: streamkit.iterate(lambda number: number + 1, 0),
    "defer": lambda: streamkit.defer(lambda: streamkit.count()),
    "using": lambda: streamkit.using(lambda: suppress(OSError), lambda _: streamkit.count()),
    "interval": lambda: streamkit.interval(1e-320, missed=Missed.CATCH_UP),
}
"""Sources whose items are always ready, or nearly."""


@pytest.mark.parametrize("busy", [True], indirect=True)
@pytest.mark.parametrize("make", READY.values(), ids=READY)
def test_what_is_always_ready_lets_others_run(make: Callable[[], Stream[Any]], busy: bool) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        await (make() | ops.take(2_000) | ops.drain())
        assert loop.steps > 100

    run(main)


# ends ----------------------------------------------------------------------------------------------------


@every_source
def test_is_closed_after_any_item(sample: SourceSample) -> None:
    async def main(lab: Lab, number: int) -> None:
        assert len(await read(sample.make(lab), number)) == number
        lab.check_finished()
        stream = sample.make(lab)
        if number:
            async for _ in stream | ops.take(number):
                pass
            lab.check_finished()
        else:
            async with stream.open():
                pass

    for number in range(sample.wasted, len(sample.first) + 1):
        for lab in labs(sample):
            play(sample, lambda lab=lab, number=number: main(lab, number))


async def reading(sample: SourceSample, lab: Lab) -> None:
    stream = sample.make(lab)
    try:
        await read(stream, None if sample.ends else len(sample.first) + 1)
    except Exception as error:
        assert sample.error is not None
        assert isinstance(error, sample.error)


@every_source
def test_is_cancelled_at_every_step(sample: SourceSample) -> None:
    for number in count(1, stride(3)):

        async def main(number: int = number) -> bool:
            lab = Lab("turn", sample.kinds[number % len(sample.kinds)])
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            work = loop.create_task(reading(sample, lab))
            fired: list[bool] = []
            loop.call_at_step(number, lambda: fired.append(work.cancel()))
            await asyncio.wait([work], timeout=LONG)  # what never comes, and never ends
            work.cancel()
            await asyncio.wait([work])
            if not work.cancelled():
                assert not any(fired), "the cancellation was swallowed"
                await work
                lab.check_finished()
            lab.check_clean()
            return any(fired)

        with trying(f"step {number}"):
            if not play(sample, main):
                break


@every_source
def test_is_closed_while_a_pull_is_pending_at_every_step(sample: SourceSample) -> None:
    for number in count(1, stride(3)):

        async def main(number: int = number) -> bool:
            lab = Lab("turn", sample.kinds[number % len(sample.kinds)])
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            items: Any = aiter(sample.make(lab))
            fired = asyncio.Event()
            loop.call_at_step(number, fired.set)

            async def pull() -> None:
                try:
                    async for item in items:
                        del item
                        if fired.is_set():
                            return
                except Exception as error:
                    assert sample.error is not None
                    assert isinstance(error, sample.error)

            work, waits = loop.create_task(pull()), loop.create_task(fired.wait())
            await asyncio.wait([work, waits], return_when=asyncio.FIRST_COMPLETED, timeout=LONG)
            pending = not work.done()
            waits.cancel()
            await items.aclose()
            await work
            lab.check_finished()
            return pending and fired.is_set()

        with trying(f"step {number}"):
            if not play(sample, main) or number > MOST:
                break


# nothing pinned ------------------------------------------------------------------------------------------


@endings
def test_lets_go_of_what_its_consumer_has_dropped(sample: SourceSample) -> None:
    async def main(lab: Lab) -> None:
        stream = sample.make(lab)
        async with stream.open() as items:
            for _ in sample.first:
                await anext(items)
            gc.collect()
            assert len(lab.alive) <= sample.keeps + stream.explain().lookahead
        del items
        assert len(lab.alive) <= sample.keeps

    for lab in labs(sample):
        with trying(lab.kind):
            play(sample, lambda lab=lab: main(lab))
