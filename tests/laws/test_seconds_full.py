"""Law 8: `seconds_full` is how long a buffer held as many items as it may, as one sees who looks at it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import accumulate, repeat
from random import Random
from typing import Any

import pytest

import streamkit
from streamkit import BufferStats, Conflate, DropOldest, KeepLatest, Stream, Suspend, ops
from streamkit.testing import run

STEP = 0.25
"""All that happens, happens at a multiple of this; who looks does so in between."""
LONG = 160
Source = Callable[[], AsyncIterator[int]]


def sources(random: Random) -> Source:
    """What comes in bursts, after any time; or all at once."""

    def source() -> AsyncIterator[int]:
        plan = [(random.randint(0, 6) * STEP, random.randint(1, 5)) for _ in range(random.randint(1, 5))]
        return bursts(plan)

    return source


async def bursts(plan: list[tuple[float, int]]) -> AsyncIterator[int]:
    number = 0
    for wait, many in plan:
        if wait:
            await asyncio.sleep(wait)
        for _ in range(many):
            number += 1
            yield number


async def slowly(item: int) -> int:
    await asyncio.sleep(2 * STEP)
    return item


def over(step: Any) -> Callable[[Source], Stream[Any]]:
    return lambda source: Stream(source) | step


def inside(operator: Any, **named: Any) -> Callable[[Source], Stream[Any]]:
    return lambda source: Stream(range(4)) | operator(lambda _: source(), **named)


PIPES: dict[str, Callable[[Source], Stream[Any]]] = {
    "zip": lambda source: streamkit.zip(source, source),
    "zip, 2 ahead": lambda source: streamkit.zip(source, source, source, lookahead=2),
    "zip, 4 ahead": lambda source: streamkit.zip(source, source, lookahead=4),
    "merge, 4 ahead": lambda source: streamkit.merge(source, source, lookahead=4),
    "interleave": lambda source: streamkit.interleave(source, source, lookahead=2),
    "combine_latest": lambda source: streamkit.combine_latest(source, source, lookahead=3),
    "merge_sorted": lambda source: streamkit.merge_sorted(source, source, lookahead=3),
    "flat_map": inside(ops.flat_map, concurrency=3),
    "flat_map, 2 ahead": inside(ops.flat_map, concurrency=2, lookahead=2),
    "flat_map, 4 ahead": inside(ops.flat_map, concurrency=3, lookahead=4),
    "concat_map": inside(ops.concat_map, lookahead=2),
    "buffer": over(ops.buffer(Suspend(3))),
    "latest": over(ops.buffer(KeepLatest())),
    "fold": over(ops.buffer(Conflate(lambda one, other: one + other))),
    "oldest": over(ops.buffer(DropOldest(2))),
    "map": over(ops.buffer(Suspend(2)) | ops.map(slowly, concurrency=2)),
    "batch_within": over(ops.batch_within(3, seconds=4 * STEP, weight=lambda _: 1.0, heaviest=9.0)),
    "throttle": over(ops.throttle(1.0, key=lambda number: number % 2, max_keys=2, lookahead=3)),
    "group_by": over(ops.group_by(lambda number: number % 2, ops.map(slowly), max_groups=2)),
}


def is_full(stats: BufferStats) -> bool:
    limit = 1 if stats.strategy is None else stats.strategy.limit
    return stats.place is not None and limit is not None and stats.held >= limit


@pytest.mark.parametrize("pipe", PIPES.values(), ids=PIPES)
def test_it_is_what_one_sees(pipe: Callable[[Source], Stream[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(random: Random, looks: bool) -> tuple[float, float]:
        async def take(_: Any) -> None:
            if turns := random.choice((0, 0, 0, 1, 2, 6)):
                await asyncio.sleep(turns * STEP)

        handle = (pipe(sources(random)) | ops.for_each(take)).start()
        seen = 0.0
        await asyncio.sleep(STEP / 2)
        for _ in range(LONG):
            if looks:  # which brings counts up to date
                seen += STEP * sum(map(is_full, handle.buffers()))
            if handle.done:
                break
            await asyncio.sleep(STEP)
        await handle
        return sum(each.seconds_full for each in handle.buffers()), seen

    for seed in range(6):
        times = accumulate(repeat(0.001))
        with monkeypatch.context() as patched:  # it is often time to let others run
            patched.setattr("streamkit._engine.compile.pace.perf_counter", lambda times=times: next(times))
            found, seen = run(lambda seed=seed: main(Random(seed), looks=True))
        assert found == pytest.approx(seen), f"{seed}, busy"
        with monkeypatch.context() as patched:  # it never is
            patched.setattr("streamkit._engine.compile.pace.perf_counter", lambda: 0.0)
            found, seen = run(lambda seed=seed: main(Random(seed), looks=True))
            assert found == pytest.approx(seen), seed
            found, _ = run(lambda seed=seed: main(Random(seed), looks=False))
            assert found == pytest.approx(seen), f"{seed}, where nobody looks"
