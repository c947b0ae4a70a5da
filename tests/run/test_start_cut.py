"""Loops too large for one function are cut in two, and do what one would; whose clean-up an error is of."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import reduce
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit._engine.run.leave import is_of_clean_up
from streamkit.testing import run

DEPTHS = [3, 99, 250]
"""Levels of nested steps: for one loop, for two and for several."""


def behind_filters(depth: int, stream: Any) -> Any:
    return reduce(lambda stream, _: stream | ops.filter(lambda _: True), range(depth), stream)


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_plain_for_reads_them_and_closes_the_source_once(depth: int) -> None:
    log: list[str] = []

    def source() -> Iterator[int]:
        try:
            yield from range(5)
        finally:
            log.append("closed")

    assert list(behind_filters(depth, Stream(source))) == [*range(5)]
    assert log == ["closed"]
    items: Any = iter(behind_filters(depth, Stream(source)))
    assert [next(items), next(items)] == [0, 1]
    items.close()
    assert log == ["closed"] * 2


@pytest.mark.parametrize("depth", DEPTHS)
def test_a_scope_of_the_source_that_fires_while_there_is_no_room_is_its_own(depth: int) -> None:
    async def source() -> AsyncIterator[Any]:
        for number in range(4):
            try:
                async with asyncio.timeout(1.0):
                    yield number
            except TimeoutError:
                yield f"late {number}"

    async def main() -> list[Any]:
        found: list[Any] = []
        async for item in behind_filters(depth, Stream(source)) | ops.buffer(Suspend(1)):
            found.append(item)
            await asyncio.sleep(2.5)
        return found

    assert run(main) == [0, 1, "late 1", 2, "late 2", 3, "late 3"]


@pytest.mark.parametrize(("at", "expected"), [(9, True), (1, False)])
def test_an_error_of_clean_up_is_told_from_others(at: int, expected: bool) -> None:
    async def source() -> AsyncIterator[int]:
        try:
            for number in range(3):
                if number == at:
                    raise OSError
                yield number
        finally:
            if at == 9:
                raise OSError

    with pytest.raises(OSError) as caught:  # noqa: PT011 - it has no text
        run(lambda: Stream(source) | ops.take(2) | ops.drain())
    assert is_of_clean_up(caught.value) == expected
