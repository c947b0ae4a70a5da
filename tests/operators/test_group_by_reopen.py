"""group_by: a group whose pipe has ended, and its key afterwards."""

import asyncio
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import OnFull, Stream, ops
from streamkit.testing import run
from tests.operators.grouping import awaited, forms, third, upper


def by_hand(numbers: list[int], size: int) -> dict[int, list[list[int]]]:
    found: dict[int, list[list[int]]] = {}
    for number in numbers:
        parts = found.setdefault(third(number), [])
        if not parts or len(parts[-1]) == size:
            parts.append([])
        parts[-1].append(number)
    return found


@given(st.lists(st.integers(0, 99)), st.integers(1, 4), st.sampled_from([OnFull.FAIL, OnFull.EVICT]))
def test_each_key_begins_anew(numbers: list[int], size: int, on_full: OnFull) -> None:
    grouped = ops.group_by(third, ops.take(size) | ops.to_list(), max_groups=3, on_full=on_full, reopen=True)
    found: dict[int, list[list[int]]] = {}
    for key, part in Stream(numbers) | grouped:
        found.setdefault(key, []).append(part)
    assert found == by_hand(numbers, size)


def test_without_it_later_items_of_the_key_are_dropped() -> None:
    grouped = ops.group_by(upper, ops.take(1), max_groups=2)
    assert list(Stream("aAba") | grouped) == [("A", "a"), ("B", "b")]


@pytest.mark.parametrize("pipe", forms(ops.first()), ids=str)
def test_its_place_is_free(pipe: Any) -> None:
    async def source() -> Any:
        for letter in "abcabc":
            yield letter
            await asyncio.sleep(9.0)

    stream = Stream(source) | ops.group_by(upper, pipe, max_groups=1, reopen=True)
    found = run(lambda: awaited(stream | ops.to_list()))
    assert found == [(upper(letter), letter) for letter in "abcabc"]


@pytest.mark.parametrize("pipe", forms(ops.take(1)), ids=str)
def test_a_group_that_is_idle_before_its_pipe_has_ended_ends_once(pipe: Any) -> None:
    async def source() -> Any:
        for letter in "aa":
            yield letter
            await asyncio.sleep(9.0)

    stream = Stream(source) | ops.group_by(upper, pipe, max_groups=1, idle=3.0, reopen=True)
    assert run(lambda: awaited(stream | ops.to_list())) == [("A", "a"), ("A", "a")]


def test_a_pipe_that_takes_nothing_begins_with_each_item() -> None:
    grouped = ops.group_by(upper, ops.take(0) | ops.count(), max_groups=1, reopen=True)
    assert list(Stream("ab") | grouped) == [("A", 0), ("B", 0)]


def test_what_a_pipe_with_tasks_has_read_ahead_is_dropped_and_counted() -> None:
    async def later(letter: str) -> str:
        await asyncio.sleep(1.0)
        return letter

    async def main() -> None:
        pipe = ops.map(later) | ops.take(1)
        handle = (
            Stream("aaaa") | ops.group_by(upper, pipe, max_groups=1, reopen=True) | ops.to_list()
        ).start()
        found = await handle
        dropped = sum(stats.dropped for stats in handle.buffers())
        assert found
        assert len(found) + dropped == 4

    run(main)


def test_many_short_groups_leave_none() -> None:
    grouped = ops.group_by(lambda number: number // 2, ops.take(2) | ops.count(), max_groups=1, reopen=True)
    found = (Stream(range(100_000)) | grouped | ops.count()).run()
    assert found == 50_000


@pytest.mark.parametrize("wrong", [1, None, "yes"])
def test_reopen_is_true_or_false(wrong: Any) -> None:
    with pytest.raises(TypeError, match=f"reopen must be True or False, not {wrong!r}"):
        ops.group_by(upper, ops.count(), max_groups=1, reopen=wrong)
