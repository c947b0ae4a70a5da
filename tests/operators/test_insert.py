"""start_with, end_with, intersperse."""

import asyncio
from collections.abc import AsyncIterator
from itertools import chain
from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as rx

from streamkit import Stream, Suspend, ops
from streamkit.testing import run
from tests.operators.beside import ours, theirs

ITEMS = st.lists(st.integers())


async def slowly() -> AsyncIterator[int]:
    for number in range(3):
        await asyncio.sleep(1.0)
        yield number


def timed(stream: Any) -> list[tuple[float, Any]]:
    """What comes out, and when."""

    async def main() -> list[tuple[float, Any]]:
        loop = asyncio.get_running_loop()
        async with stream.open() as items:
            return [(loop.time(), item) async for item in items]

    return run(main)


class TestStartWith:
    @given(ITEMS, ITEMS)
    def test_as_chain_and_rxpy(self, own: list[int], items: list[int]) -> None:
        found = ours(items, ops.start_with(*own))
        assert found == (list(chain(own, items)), "end") == theirs(items, rx.start_with(*own))

    @given(ITEMS, ITEMS)
    def test_they_come_before_an_error(self, own: list[int], items: list[int]) -> None:
        assert ours(items, ops.start_with(*own), fails=True) == theirs(items, rx.start_with(*own), fails=True)

    @pytest.mark.parametrize(
        "behind",
        [
            ops.map(str),
            ops.map(str, concurrency=2),
            ops.buffer(Suspend(1)),
            ops.merge(),
            ops.concat([]),
            ops.flat_map(lambda item: [item], concurrency=2),
            ops.broadcast(ops.map(str)),
            ops.group_by(lambda _: 0, ops.map(str), max_groups=1),
        ],
        ids=repr,
    )
    def test_they_come_before_the_source_has_given_anything(self, behind: Any) -> None:
        assert [time for time, _ in timed(Stream(slowly) | ops.start_with("a") | behind)] == [0, 1, 2, 3]

    def test_nothing_is_pulled_where_they_are_enough(self) -> None:
        def source() -> Any:
            raise AssertionError("pulled")
            yield

        assert list(Stream(source) | ops.start_with("a", "b") | ops.take(2)) == ["a", "b"]

    def test_one_behind_another_comes_before_it(self) -> None:
        assert list(Stream("c") | ops.start_with("b") | ops.start_with("a")) == ["a", "b", "c"]

    def test_a_stream_that_has_ended_begins_with_them_too(self) -> None:
        assert list(Stream("c") | ops.take(0) | ops.start_with("a")) == ["a"]
        assert list(Stream("c") | ops.start_with("a") | ops.take(0)) == []

    def test_steps_behind_it_are_ready_for_them(self) -> None:
        stream = Stream("cd") | ops.start_with("a", "b") | ops.enumerate() | ops.pairwise() | ops.batch(2)
        assert list(stream | ops.map(len)) == [2, 1]

    def test_each_branch_and_each_group_begins_with_its_own(self) -> None:
        branches = ops.broadcast(ops.start_with("a"), ops.start_with("b"))
        assert list(Stream("c") | branches | ops.take(9)) == ["a", "b", "c", "c"]
        groups = ops.group_by(str.lower, ops.start_with("-"), max_groups=2)
        assert list(Stream("xY") | groups) == [("x", "-"), ("x", "x"), ("y", "-"), ("y", "Y")]
        ends = ops.group_by(str.lower, ops.start_with("-") | ops.take(1), max_groups=2)
        assert list(Stream("xXY") | ends) == [("x", "-"), ("y", "-")]

    def test_what_is_held_comes_before_an_error_that_one_of_them_has_caused(self) -> None:
        seen: list[Any] = []
        with pytest.raises(ZeroDivisionError) as caught:
            (
                Stream([1])
                | ops.start_with(1, 0)
                | ops.map(lambda x: 1 // x)
                | ops.batch(3)
                | ops.for_each(seen.append)
            ).run()
        assert seen == [[1]]
        assert caught.value.__notes__[0].startswith("in map(<lambda>)")

    def test_none(self) -> None:
        assert list(Stream("ab") | ops.start_with()) == ["a", "b"]


class TestEndWith:
    @given(ITEMS, ITEMS)
    def test_as_chain(self, items: list[int], own: list[int]) -> None:
        assert ours(items, ops.end_with(*own)) == (list(chain(items, own)), "end")

    def test_not_after_an_error(self) -> None:
        assert ours([1], ops.end_with(2), fails=True) == ([1], "Failed")

    def test_where_a_step_before_it_has_ended_the_stream(self) -> None:
        assert list(Stream(range(9)) | ops.take(1) | ops.end_with("a", "b")) == [0, "a", "b"]
        assert list(Stream(range(9)) | ops.end_with("a") | ops.take(1)) == [0]

    def test_none(self) -> None:
        assert list(Stream("ab") | ops.end_with()) == ["a", "b"]


class TestIntersperse:
    @given(ITEMS)
    def test_as_join(self, items: list[int]) -> None:
        found, end = ours(map(str, items), ops.intersperse(", "))
        assert ("".join(found), end) == (", ".join(map(str, items)), "end")

    def test_no_separator_is_left_over_before_an_error_or_an_end(self) -> None:
        assert ours([1, 2], ops.intersperse(0), fails=True) == ([1, 0, 2], "Failed")
        assert list(Stream("abc") | ops.intersperse("-") | ops.take(2)) == ["a", "-"]

    def test_the_separator_comes_with_the_next_item(self) -> None:
        assert timed(Stream(slowly) | ops.intersperse("-")) == [(1, 0), (2, "-"), (2, 1), (3, "-"), (3, 2)]

    def test_one_behind_another(self) -> None:
        assert "".join(Stream("abc") | ops.intersperse("-") | ops.intersperse(".")) == "a.-.b.-.c"
