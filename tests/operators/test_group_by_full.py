"""group_by: when all groups are taken, and when one is idle."""

import asyncio
from typing import Any

import pytest

from streamkit import DropOldest, GroupsFullError, OnFull, Stream, StreamkitError, ops
from streamkit.testing import run
from tests.marbles import drawn, note, noted
from tests.operators.grouping import awaited, forms, later, seconds, upper


class TestFull:
    @pytest.mark.parametrize("pipe", forms(ops.to_list()), ids=str)
    def test_fails_and_names_the_key_and_the_limit(self, pipe: Any) -> None:
        stream = Stream("aAb") | ops.group_by(upper, pipe, max_groups=1)
        with pytest.raises(GroupsFullError, match=r"'B'.*max_groups=1") as caught:
            run(lambda: awaited(stream | ops.to_list()))
        assert isinstance(caught.value, StreamkitError)
        assert isinstance(caught.value, BufferError)
        (place,) = [each for each in caught.value.__notes__ if each.startswith("in ")]
        assert place.startswith("in group_by(upper, ")

    @pytest.mark.parametrize("pipe", forms(ops.to_list()), ids=str)
    def test_the_idlest_group_is_evicted_and_its_key_begins_anew(self, pipe: Any) -> None:
        stream = Stream("abAcb") | ops.group_by(upper, pipe, max_groups=2, on_full=OnFull.EVICT)
        found = run(lambda: awaited(stream | ops.to_list()))
        assert found[:2] == [("B", ["b"]), ("A", ["a", "A"])]
        assert sorted(found[2:]) == [("B", ["b"]), ("C", ["c"])]

    @pytest.mark.parametrize("pipe", forms(ops.take(1) | ops.to_list()), ids=str)
    def test_a_group_that_ended_early_can_be_evicted_too(self, pipe: Any) -> None:
        stream = Stream("aAba") | ops.group_by(upper, pipe, max_groups=1, on_full=OnFull.EVICT)
        found = run(lambda: awaited(stream | ops.to_list()))
        assert found == [("A", ["a"]), ("B", ["b"]), ("A", ["a"])]

    def test_the_source_waits_until_a_group_is_idle(self) -> None:
        stream = Stream(drawn("abA|")) | ops.group_by(
            upper, ops.to_list(), max_groups=1, on_full=OnFull.WAIT, idle=5.0
        )
        assert seconds(noted(stream)) == [(5.0, ("A", ["a"])), (10.0, ("B", ["b"])), (10.0, ("A", ["A"]))]

    @pytest.mark.spread(full=2)
    @pytest.mark.parametrize("length", [2, 3, 30])
    @pytest.mark.parametrize("most", [1, 2])
    @pytest.mark.parametrize("on_full", OnFull)
    @pytest.mark.parametrize(
        "pipe",
        [
            each
            for pipe in (ops.map(str), ops.batch(2), ops.take(1), ops.first(), ops.count(), ops.take(0))
            for each in (
                *forms(pipe),
                ops.map(later, concurrency=2) | pipe,
                ops.buffer(DropOldest(1)) | pipe,
                ops.timeout(99.0) | pipe,
                ops.merge("z") | pipe,
            )
        ],
        ids=str,
    )
    def test_never_deadlocks(self, pipe: Any, on_full: OnFull, most: int, length: int) -> None:
        given: dict[str, Any] = {"idle": 1.0} if on_full is OnFull.WAIT else {}

        async def main() -> list[Any]:
            keys = [number * number % 11 for number in range(length)]
            operator = ops.group_by(lambda number: number, pipe, max_groups=most, on_full=on_full, **given)
            async with asyncio.timeout(1000.0):
                return await note(Stream(keys) | operator, 0.5, 0.0, 5.0)

        end = run(main)[-1][1]
        if on_full is OnFull.FAIL and length > most:
            assert isinstance(end, GroupsFullError)
        else:
            assert end == "|"


class TestIdle:
    def test_ends_groups_that_had_no_item_for_so_long(self) -> None:
        stream = Stream(drawn("ab-A----a-|")) | ops.group_by(upper, ops.to_list(), max_groups=9, idle=3.0)
        assert seconds(noted(stream)) == [
            (4.0, ("B", ["b"])),
            (6.0, ("A", ["a", "A"])),
            (10.0, ("A", ["a"])),
        ]

    def test_a_group_for_which_an_item_waits_is_not_idle(self) -> None:
        async def slow(item: str) -> str:
            await asyncio.sleep(10.0)
            return item

        stream = Stream("aaaa") | ops.group_by(upper, ops.map(slow) | ops.to_list(), max_groups=1, idle=3.0)
        # the last item has found its place at 20
        assert seconds(noted(stream)) == [(40.0, ("A", ["a", "a", "a", "a"]))]

    def test_nothing_is_left_when_the_consumer_leaves(self) -> None:
        async def main() -> None:
            stream = Stream(drawn("ab")) | ops.group_by(upper, ops.map(str), max_groups=9, idle=3.0)
            async with stream.open() as items:
                async for _ in items:
                    break

        run(main)
