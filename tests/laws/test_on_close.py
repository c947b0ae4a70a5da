"""Law 3 in the middle of a pipe: ``on_close`` is called when all that stands before it was cleaned up."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from tests.laws.account import check_sum
from tests.laws.lab import STYLES, Boom, Lab, Sample, play, trying
from tests.samples import OPERATORS
from tests.tiers import stride

BEFORE = {
    "": [],
    "repeat": [ops.repeat(2)],
    "retry": [ops.retry(2, when=lambda _: False)],
    "concat": [ops.concat([])],
    "buffer": [ops.buffer(Suspend(3))],
    "buffer, repeat": [ops.buffer(Suspend(3)), ops.repeat(2)],
}
BEHIND = {
    "": [],
    "map": [ops.map(lambda item: item)],
    "buffer": [ops.buffer(Suspend(2))],
    "repeat": [ops.repeat(2)],
    "catch": [ops.catch(lambda _: [])],
    "repeat, map, concat": [ops.repeat(2), ops.map(lambda item: item), ops.concat([])],
}


def fail(_: object) -> None:
    raise Boom


ENDS: dict[str, Callable[[], Any]] = {
    "exhausted": ops.drain,
    "left": lambda: ops.take(1) | ops.drain(),
    "failed behind": lambda: ops.for_each(fail),
    "cancelled": lambda: ops.for_each(lambda _: asyncio.sleep(9.0)),
}


def closes(sample: Sample, style: str, before: str, behind: str, end: str) -> None:
    lab, left = Lab(style), list[str]()

    def closed() -> None:
        left.extend(f"{visit.source}" for visit in lab.visits if not visit.finished)

    async def main() -> None:
        stream: Any = Stream(lab.source(sample.shape)) | sample.make(lab)
        for operator in (*BEFORE[before], ops.on_close(closed), *BEHIND[behind]):
            stream = stream | operator
        handle = (stream | ENDS[end]()).start()
        with suppress(Boom, TimeoutError):
            async with asyncio.timeout(3.5 if end == "cancelled" else None):
                await handle
        assert not left, f"not cleaned up when on_close was called: {left}"
        lab.check_finished()
        for stats in handle.buffers():
            check_sum(stats)
            assert stats.held == 0, stats

    play(main)


@pytest.mark.spread
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("sample", OPERATORS, ids=repr)
def test_all_before_it_was_cleaned_up(sample: Sample, end: str) -> None:
    turn = OPERATORS.index(sample)  # each operator meets others, and another style of source
    every = stride(2)  # another half of them for each operator
    for place, behind in [*enumerate(BEHIND)][turn % every :: every]:
        before = [*BEFORE][(turn + place) % len(BEFORE)]
        style = STYLES[(turn // len(BEFORE) + place) % len(STYLES)]
        with trying(style, before, behind):
            closes(sample, style, before, behind, end)


@pytest.mark.parametrize("end", ENDS)
def test_all_is_dropped_that_a_buffer_holds_between_streams_that_follow_each_other(end: str) -> None:
    closes(Sample("skip", lambda _: ops.skip(0)), "ready", "buffer, repeat", "repeat", end)
