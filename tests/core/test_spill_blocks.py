"""Spilling to disk: small items are written and read in blocks, for which room is taken before."""

import os
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit._core import spill
from streamkit._core.spill import SpillStore


@given(st.lists(st.sampled_from([0, 1, 100, 30_000, 65_530, 70_000]), max_size=12), st.data())
def test_items_of_any_size_come_back_from_blocks(sizes: list[int], data: st.DataObject) -> None:
    store, model = SpillStore(1, None), deque[bytes]()
    try:
        for number, size in enumerate(sizes):
            item = bytes([number]) * size
            store.append(item)
            model.append(item)
            for _ in range(data.draw(st.integers(0, 2))):
                if model:
                    assert store.popleft() == model.popleft()
        assert [store.popleft() for _ in range(len(store))] == [*model]
    finally:
        store.close()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the system was asked to read, and to write."""
    count = Counter[str]()

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counts(*arguments: Any) -> Any:
            count[name] += 1
            return call(*arguments)

        return counts

    for name in ("read", "write"):
        monkeypatch.setattr(spill, f"_{name}_at", counted(name, getattr(spill, f"_{name}_at")))
    return count


def test_small_items_are_written_and_read_in_blocks(calls: Counter[str]) -> None:
    store = SpillStore(1, None)
    for item in range(10_000):
        store.append(item)
    assert [store.popleft() for _ in range(10_000)] == [*range(10_000)]
    assert calls == {"write": 7, "read": 3}  # room for four blocks, and three of them: the last is in memory
    store.close()


@pytest.mark.parametrize(
    ("sizes", "end", "reads"),
    [
        ([1016] * 64, 65_536, 0),
        ([1016] * 129, 3 * 65_536, 2),
        ([1017, *[1016] * 64], 1025 + 62 * 1024 + 65_536, 1),
        ([65_528, 10], 2 * 65_536, 1),
        ([1000] * 140, None, 2),
        ([10, *range(65_529, 65_546)], None, None),
        ([10, *[100_000] * 3], None, None),
    ],
    ids=[
        "a block",
        "two and an item",
        "a byte more",
        "one item",
        "two and a few",
        "hardly too large",
        "large",
    ],
)
def test_there_is_room_in_the_file_for_all_that_was_taken_in(
    sizes: list[int], end: int | None, reads: int | None, calls: Counter[str]
) -> None:
    items = [bytes([number]) * size for number, size in enumerate(sizes)]
    file, taken = spill._File(None), 0
    for item in items:
        file.write(item)
        taken += 8 + len(item)
        assert os.fstat(file._file.fileno()).st_size >= taken
    assert end in (None, os.fstat(file._file.fileno()).st_size)
    assert [file.read() for _ in items] == items
    assert reads in (None, calls["read"])
    file.close()


def test_the_rest_of_a_block_is_read_from_where_its_first_item_was_taken() -> None:
    file = spill._File(None)
    items = [bytes(1000 + number) for number in range(100)]
    file.write(b"first")
    assert file.read() == b"first"
    for item in items:
        file.write(item)
    assert [file.read() for _ in items] == items
    file.close()


@pytest.mark.parametrize("cut", [0, 40_000])
def test_a_block_that_cannot_be_read_back_is_told_for_each_of_its_items(cut: int) -> None:
    store = SpillStore(1, None)
    for item in range(12_000):
        store.append(item)
    os.truncate(store._files[0]._file.fileno(), cut)
    good = bad = 0
    try:
        for number in range(12_000):
            try:
                assert store.popleft() == number
                good += 1
            except EOFError:
                bad += 1
        assert good + bad == 12_000
        assert bad >= 4_000
        assert good >= cut // 25
    finally:
        store.close()
