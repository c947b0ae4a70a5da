"""Law 12: what the consumer has dropped is let go of, while the source waits for the next item."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.testing import run
from streamkit.testing.conformance.keeping import COUNT, drained as consume, nothing_of_a_run, still_alive
from tests.laws.lab import Case, Sample, trying
from tests.samples import SAMPLES
from tests.tiers import stride

KINDS = ("sync", "async", "lambda", "object")
HELD = {
    "distinct_until_changed": 1,  # what the next item is compared with
    "distinct": COUNT,  # those are its keys
    "batch": 1,
    "batch-uneven": 1,
    "batch_within": 1,
    "batch_within-weight": 1,
    "group_by-key": 1,  # a batch of one of the groups
    "group_by-evict": 1,  # the state of a fold
    "group_by-stage-sink": 1,
    "expand-streams": 2 * COUNT,  # what waits to be expanded
    "extrapolate": 1,  # what it would make more of
    "aiostream-operator": 1,  # in a generator of aiostream's
    "broadcast-buffer": 1,  # a batch
    **dict.fromkeys(["on", "on-unordered", "map-on-chunks", "map-on-lasting"], 1),  # a chunk
    "pairwise": 1,
    "take_last": 2,
    "aggregate": 1,  # the state of a fold
    "aggregate-stage": 1,
    "skip_last": 2,
    "sliding": 2,
    "sliding-apart": 1,
    "scan": 1,
    "share-replay": 2,
    "hub-sink": 2,  # in the hub, where a consumer would get them
    "partition-sinks": COUNT // 2,
    "scan-initial": 1,
    "merge_sorted": 1,  # it waits for what comes of the other source
    "merge_sorted-lookahead": 3,
    "interleave-count": 1,
    "combine_latest": 2,  # the latest of each source
    "combine_latest-lookahead": 3,
    "with_latest_from": 2,
    "zip_latest": 1,
    "fork_join": 2,
    "own-switch_map": 1,
    "own-switch_map-streams": 1,
    "own-with_latest_from": 2,
    "own-take_last": 2,
    "window-until": 1,  # a batch
    "window-sliding": 1,  # what the next window begins with
    "window-time": 1,
    "window-hopping": 1,  # the state of a fold
    "window-session": 2,  # what waits for the watermark
    "to_list": COUNT,
    "fold": 1,
    "last": 1,
    "to_queue": COUNT,
    "to_dict": COUNT,
    "to_dict-key": COUNT,
    "reduce": 1,
    "min-key": 1,
    "max-key": 1,
    "broadcast-sinks": COUNT,
    "broadcast-sinks-calls": 1,
    "pipe-sink": 2 * COUNT,
}
"""How many of `COUNT` items a sample keeps, by its contract; those that are not here keep none."""


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_nothing_is_kept_that_no_contract_keeps(sample: Sample) -> None:
    every = stride(len(KINDS))  # another kind of callback for each sample; together they try them all
    kinds = KINDS[SAMPLES.index(sample) % every :: every] if sample.calls else KINDS[:1]
    for style in ("turn", "ready"):
        for kind in kinds:
            with trying(style, kind):
                assert still_alive(sample, Case(style, kind)) <= HELD.get(sample.name, 0)


# what each step makes ---------------------------------------------------------------------------------------


class Block:
    """What a step makes of an item: large, as users' are."""

    alive = 0

    def __init__(self) -> None:
        Block.alive += 1

    def __del__(self) -> None:
        Block.alive -= 1


async def blocks() -> AsyncIterator[Block]:
    for _ in range(3):
        yield Block()
    await asyncio.get_running_loop().create_future()


def wrapped(_: Any) -> list[Block]:
    return [Block()]


def made(_: Any) -> Block:
    return Block()


async def waited(_: Any) -> Block:
    await asyncio.sleep(0)
    return Block()


async def streamed(item: Any) -> AsyncIterator[Block]:
    del item
    yield Block()


def promised(_: Any) -> Awaitable[Block]:
    return waited(_)


def submitted(_: Any) -> Any:
    future: Future[Block] = Future()
    future.set_result(Block())
    return future


class Mixed:
    """Returns a value now and an awaitable then."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, item: Any) -> Any:
        self.calls += 1
        return waited(item) if self.calls % 2 else Block()


GROWS: dict[str, Callable[[], Any]] = {
    "class": lambda: ops.map(lambda _: Block()),
    "function": lambda: ops.map(made),
    "coroutine": lambda: ops.map(waited),
    "lambda": lambda: ops.map(promised),
    "future": lambda: ops.map(submitted),
    "mixed": lambda: ops.map(Mixed()),
    "flatten": lambda: ops.map(wrapped) | ops.flatten(),
    "filter": lambda: ops.map(made) | ops.filter(lambda _: True) | ops.filter(lambda _: [Block()]),
    "concurrent": lambda: ops.map(waited, concurrency=2),
    "spread": lambda: ops.map(wrapped) | ops.flatten() | ops.map(made, concurrency=2),
    "buffer": lambda: ops.map(made) | ops.buffer(Suspend(2)),
    "hand-over": lambda: ops.map(made) | ops.merge(),
    "dropped": lambda: ops.map(made) | ops.filter(lambda _: not [Block()]),
}


async def seen(_: Any) -> None:
    await asyncio.sleep(0)


ENDS: dict[str, Callable[[], Any]] = {
    "iterated": lambda: ops.filter(lambda _: True),
    "for_each": lambda: ops.for_each(lambda _: None),
    "for_each-async": lambda: ops.for_each(seen),
    "for_each-concurrent": lambda: ops.for_each(seen, concurrency=2),
    "drain": lambda: ops.drain(),
}


@pytest.mark.parametrize("grows", GROWS.values(), ids=GROWS)
def test_what_steps_make_is_let_go_of(grows: Callable[[], Any]) -> None:
    for name, end in ENDS.items():
        for steps in (1, 3):

            async def main(end: Callable[[], Any] = end, steps: int = steps) -> int:
                built: Any = Stream(blocks)
                for _ in range(steps):
                    built = built | grows()
                consumer = asyncio.ensure_future(consume(built | end()))
                await asyncio.sleep(1)
                alive = Block.alive
                consumer.cancel()
                await asyncio.gather(consumer, return_exceptions=True)
                return alive

            with trying(name, steps):
                assert run(main) == 0
                assert Block.alive == 0


REPLACE: dict[str, Any] = {
    "function": ops.map(made) | ops.map(made) | ops.map(made),
    "lambda": ops.map(promised) | ops.map(promised) | ops.map(promised),
    "coroutine": ops.map(waited) | ops.map(waited) | ops.map(waited),
    "the last branch": ops.broadcast(ops.ignore_items(), ops.map(made) | ops.map(made)),
    "a branch that is picked": ops.partition(bool, ops.map(made) | ops.map(made), ops.map(made)),
    "a group": ops.group_by(bool, ops.map(made) | ops.map(made), max_groups=1),
    "a stream of each": ops.concat_map(streamed) | ops.map(made) | ops.map(made),
}


@pytest.mark.parametrize("name", REPLACE)
def test_a_consumer_at_work_has_the_only_one(name: str) -> None:
    """What a step makes of an item takes its place, where nothing else has to do with that."""

    async def main() -> int:
        async with (Stream(blocks) | REPLACE[name]).open() as items:
            item = await anext(items)
            alive = Block.alive
            del item
            return alive

    assert run(main) == 1


def test_what_was_taken_out_of_a_buffer_is_not_kept_by_its_pump() -> None:
    async def main() -> list[int]:
        found: list[int] = []
        stream = Stream(blocks) | ops.map(made) | ops.merge()
        async with stream.open() as items:
            for _ in range(3):
                item = await anext(items)
                del item
                await asyncio.sleep(1)  # the pump may have the next one ready
                found.append(Block.alive)
        return found

    assert max(run(main)) <= 2


def test_a_consumer_at_work_has_no_earlier_result_beside_it() -> None:
    async def main() -> int:
        stream = Stream(blocks) | ops.map(made) | ops.map(promised) | ops.map(made) | ops.map(lambda _: 1 + 1)
        async with stream.open() as items:
            for _ in range(2):
                await anext(items)
            return Block.alive

    assert run(main) == 0


def test_a_plain_for_keeps_nothing_while_the_source_waits() -> None:
    alive: list[int] = []

    async def source() -> AsyncIterator[Block]:
        for _ in range(3):
            yield Block()
            await asyncio.sleep(0)
            alive.append(Block.alive)

    for item in Stream(source) | ops.map(made) | ops.map(promised):
        del item
    assert alive == [0, 0, 0]


# runs that have ended ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [each for each in SAMPLES if not each.sink], ids=lambda each: each.name)
def test_of_a_run_that_has_ended_nothing_is_kept(sample: Sample) -> None:
    nothing_of_a_run(sample, Case())
