"""Laws 3 and 5: what a neighbour cuts short ends quietly: no cancellation of it reaches the reader."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from streamkit import BufferOverflowError, EmptyStreamError, Stream, Suspend, ops
from tests.laws.lab import Lab, Sample, play
from tests.samples import OPERATORS


def same(item: Any) -> Any:
    return item


BEFORE: dict[str, Callable[[], Any]] = {
    "branches with tasks": lambda: ops.broadcast(
        ops.map(same, concurrency=2), ops.map(same, concurrency=2) | ops.buffer(Suspend(1))
    ),
    "groups with tasks": lambda: ops.group_by(lambda _: 1, ops.map(same, concurrency=2), max_groups=1),
    "a window with tasks": lambda: ops.aggregate(ops.map(same, concurrency=2) | ops.to_list()),
    "streams": lambda: ops.flat_map(lambda item: [item], concurrency=2),
}


@pytest.mark.spread(full=2)
@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("style", ["turn", "ready"])
@pytest.mark.parametrize("sample", OPERATORS, ids=lambda sample: sample.name)
def test_by_a_shorter_source_of_zip(sample: Sample, style: str, before: str) -> None:
    lab = Lab(style, count=9)

    async def main() -> None:
        shaped = Stream(lab.source()) | BEFORE[before]() | ops.map(lambda _: sample.shape(lab.item(0)))
        stream = shaped | sample.make(lab) | ops.merge([]) | ops.zip(lab.source() | ops.take(1))
        with suppress(EmptyStreamError, BufferOverflowError, ValueError):  # all items are the same one
            async with stream.open() as items:
                async for _ in items:
                    pass
        lab.check_finished()

    play(main)
