"""race as a source."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import streamkit
from streamkit import Stream, ops
from streamkit.testing import run


def test_the_first_to_emit_wins() -> None:
    async def slow() -> AsyncIterator[str]:
        await asyncio.sleep(9.0)
        yield "slow"

    async def fast() -> AsyncIterator[str]:
        for text in ("one", "two"):
            await asyncio.sleep(1.0)
            yield text

    async def main() -> list[str]:
        return await (streamkit.race(slow, fast, slow) | ops.to_list())

    assert run(main) == ["one", "two"]


def test_it_is_the_operator_over_the_first_source() -> None:
    assert repr(streamkit.race("ab", [1])) == repr(Stream("ab") | ops.race([1]))


@pytest.mark.parametrize("sources", [(5,), ([1], 5)])
def test_a_source_that_cannot_be_iterated(sources: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"source must be an iterable.*, not 5"):
        streamkit.race(*sources)


def test_a_list_of_streams_is_no_source() -> None:
    with pytest.raises(TypeError, match=r"write streamkit.race\(\*sources\)"):
        streamkit.race([Stream("a"), Stream("b")])
