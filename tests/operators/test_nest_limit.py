"""flat_map and expand whose limit changes while they run."""

import asyncio
from typing import Any

import pytest

from streamkit import Adaptive, BufferOverflowError, Limit, Stream, Suspend, ops
from streamkit.testing import run
from tests.marbles import Noted, note
from tests.nests import Inner


def most_open(inner: Inner) -> list[int]:
    """How many streams are open as each is opened."""
    return [
        sum(opened <= time for opened in inner.opened) - sum(closed <= time for closed in inner.closed)
        for time in inner.opened
    ]


def turned(stream: Any, limit: Limit, *changes: tuple[float, int]) -> Noted:
    async def main() -> Noted:
        for seconds, value in changes:
            asyncio.get_running_loop().call_later(seconds, limit.set, value)
        return await note(stream)

    return run(main)


class TestFlatMap:
    def test_reads_more_streams_at_once_when_the_limit_is_raised(self) -> None:
        inner, limit = Inner(1, 2, 3), Limit(1, most=3)
        found = turned(Stream("abcd") | ops.flat_map(inner, concurrency=limit), limit, (0.5, 3))
        assert inner.opened == [0.0, 0.5, 0.5, 3.0]
        assert len(found) == 4 * 3 + 1
        assert max(most_open(inner)) == 3

    def test_opens_none_until_enough_have_ended_when_it_is_lowered(self) -> None:
        inner, limit = Inner(1, 2), Limit(3)
        turned(Stream("abcdef") | ops.flat_map(inner, concurrency=limit), limit, (0.5, 1))
        assert inner.opened == [0.0, 0.0, 0.0, 2.0, 4.0, 6.0]

    def test_has_so_many_places_beside_another_that_has_the_same_limit(self) -> None:
        limit = Limit(2)
        inner = Inner(1)
        twice = ops.flat_map(inner, concurrency=limit) | ops.flat_map(inner, concurrency=limit)
        found = turned(Stream("abcd") | twice, limit)
        assert len(found) == 4 + 1

    def test_of_pages_has_the_limit_too(self) -> None:
        limit = Limit(1, most=2)

        def page(number: int) -> Any:
            following = [number + 1] if number < 50 else []
            return Stream([number]) | ops.concat(Stream(following) | ops.flat_map(page, concurrency=limit))

        found = turned(Stream([0]) | ops.flat_map(page, concurrency=limit), limit, (0.0, 2))
        assert [item for _, item in found] == [*range(51), "|"]

    def test_is_explained_with_the_most(self) -> None:
        explained = (Stream("a") | ops.flat_map(iter, concurrency=Limit(2, most=5), lookahead=2)).explain()
        assert explained.bound == 15


class TestExpand:
    def test_expands_more_at_once_when_the_limit_is_raised(self) -> None:
        limit = Limit(1, most=4)

        async def slow(item: str) -> list[str]:
            await asyncio.sleep(1.0)
            return [item + "1", item + "2"] if len(item) < 3 else []

        found = turned(Stream("a") | ops.expand(slow, concurrency=limit), limit, (2.5, 4))
        assert len(found) == 1 + 2 + 4 + 1
        assert found[-1] == (4.0, "|")  # and not 7.0

    def test_can_go_on_where_a_place_more_makes_room(self) -> None:
        def wide(item: int) -> Any:
            return range(1, 50) if item == 0 else []

        for value in (1, 2):
            limit = Limit(value, most=2)
            crawl = ops.expand(wide, concurrency=limit, frontier=Suspend(3))
            if value == 1:
                with pytest.raises(BufferOverflowError, match=r"\(1 at once\)"):
                    list(Stream([0]) | crawl)
            else:
                assert sorted(Stream([0]) | crawl) == [*range(50)]


@pytest.mark.parametrize("operator", [ops.flat_map, ops.expand])
def test_an_adaptive_limit_is_for_calls(operator: Any) -> None:
    with pytest.raises(TypeError, match=r"a whole number or a Limit, not Adaptive\(1, 8, latency=1\)"):
        operator(iter, concurrency=Adaptive(1, 8, latency=1.0))


@pytest.mark.parametrize("operator", [ops.flat_map, ops.expand])
@pytest.mark.parametrize("value", [Limit, "8", None, 2.5])
def test_what_is_none_is_refused(operator: Any, value: Any) -> None:
    with pytest.raises(TypeError, match="concurrency must be"):
        operator(iter, concurrency=value)
