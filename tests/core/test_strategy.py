"""Strategies as values: what they look like, what they accept, and what they do when full."""

import asyncio
import pickle
from collections import deque
from collections.abc import AsyncIterator
from operator import add
from pathlib import Path
from typing import Any

import pytest

from streamkit import (
    BufferOverflowError,
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    Gap,
    KeepLatest,
    Spill,
    Strategy,
    Stream,
    Suspend,
    Unbounded,
    ops,
)
from streamkit.testing import run
from tests.core.strategies import ALL, SHOWN, noted

SIZED = [Suspend, Fail, DropIncoming, DropOldest, DropYoungest, DropAll, Collect, Spill]
LOSSY = [DropIncoming, DropOldest, DropYoungest, DropAll]


# values ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", SHOWN)
def test_a_strategy_shows_as_it_is_written(text: str) -> None:
    assert repr(SHOWN[text]) == text


@pytest.mark.spread
@pytest.mark.parametrize("first", ALL, ids=repr)
@pytest.mark.parametrize("second", ALL, ids=repr)
def test_strategies_are_equal_if_they_are_written_alike(first: Strategy, second: Strategy) -> None:
    assert (first == second) is (repr(first) == repr(second))


def test_strategies_that_differ_in_one_argument_differ() -> None:
    pairs = [
        (Suspend(4), Suspend(5)),
        (DropOldest(4), DropOldest(4, gaps=True)),
        (DropOldest(4), DropOldest(4, on_drop=noted)),
        (DropOldest(1), KeepLatest()),
        (Conflate(add), Conflate(max)),
        (Spill(4), Spill(4, directory=".")),
    ]
    assert all(first != second for first, second in pairs)


@pytest.mark.parametrize("strategy", ALL, ids=repr)
def test_a_strategy_survives_pickling_and_hashes_alike(strategy: Strategy) -> None:
    twin = pickle.loads(pickle.dumps(strategy))
    assert (twin, hash(twin)) == (strategy, hash(strategy))
    assert type(twin) is type(strategy)
    assert {strategy: "found"}[twin] == "found"


@pytest.mark.parametrize("strategy", ALL, ids=repr)
def test_a_strategy_cannot_be_changed(strategy: Strategy) -> None:
    with pytest.raises(AttributeError):
        strategy.capacity = 9  # type: ignore[attr-defined]


def test_what_each_strategy_holds_at_most() -> None:
    limits = [strategy.limit for strategy in ALL]
    assert limits == [4, 4, 4, 4, 4, 4, 1, 1, 1, 1, 4, 4, None]
    assert [strategy for strategy in ALL if strategy.waits] == [Suspend(4), Collect(4)]
    assert [strategy for strategy in ALL if not strategy.overflows] == [Spill(4), Unbounded()]


# validation --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", SIZED)
@pytest.mark.parametrize("capacity", [0, -1, -(10**9)])
def test_a_capacity_below_one_is_refused(kind: Any, capacity: int) -> None:
    with pytest.raises(ValueError, match=rf"(capacity|limit) must be .* at least 1, not {capacity}"):
        kind(capacity)


@pytest.mark.spread
@pytest.mark.parametrize("kind", SIZED)
@pytest.mark.parametrize("capacity", [True, False, 1.0, 2.5, "3", None])
def test_a_capacity_that_is_no_whole_number_is_refused(kind: Any, capacity: Any) -> None:
    with pytest.raises(TypeError, match=rf"(capacity|limit) must be .*, not {capacity!r}"):
        kind(capacity)


@pytest.mark.parametrize("kind", LOSSY)
@pytest.mark.parametrize("gaps", [1, 0, None, "yes"])
def test_gaps_must_be_true_or_false(kind: Any, gaps: Any) -> None:
    with pytest.raises(TypeError, match="gaps must be True or False"):
        kind(1, gaps=gaps)


@pytest.mark.parametrize("kind", LOSSY)
@pytest.mark.parametrize("on_drop", [3, "print", []])
def test_on_drop_must_be_callable(kind: Any, on_drop: Any) -> None:
    with pytest.raises(TypeError, match="on_drop must be a callable"):
        kind(1, on_drop=on_drop)


async def later(*_: Any) -> None: ...


def test_functions_that_a_strategy_calls_cannot_be_coroutine_functions() -> None:
    with pytest.raises(TypeError, match="on_drop must be a plain function"):
        DropOldest(1, on_drop=later)
    with pytest.raises(TypeError, match="fold must be a plain function"):
        Conflate(later)
    with pytest.raises(TypeError, match="fold must be a callable"):
        Conflate(3)  # type: ignore[arg-type]


def test_what_they_return_is_there_at_once() -> None:
    """Of a lambda that is known only when it is called; its coroutine is closed."""
    with pytest.raises(TypeError, match="fold must return at once, not the awaitable"):
        Conflate(lambda waiting, item: later(waiting, item)).overflow(deque([1]), 2)
    with pytest.raises(TypeError, match="on_drop must return at once, not the awaitable"):
        DropOldest(1, on_drop=lambda item, reason: later(item, reason)).dropped(1, "full")


def test_a_fold_that_changes_itself_what_waits_is_refused() -> None:
    held = deque([1])

    def fold(waiting: int, item: int) -> int:
        held[0] = 5
        return waiting + item

    with pytest.raises(RuntimeError, match=r"Conflate\(.*fold\): the fold itself offered an item"):
        Conflate(fold).overflow(held, 2)
    assert held == deque([5])


def test_what_belongs_to_one_strategy_is_no_argument_of_others() -> None:
    for call in (
        lambda: Suspend(1, gaps=True),
        lambda: Fail(1, on_drop=noted),
        lambda: KeepLatest(3),
        lambda: DropOldest(1, noted),
        lambda: Unbounded(3),
        lambda: Collect(),
    ):
        with pytest.raises(TypeError):
            call()


@pytest.mark.parametrize("kind", SIZED, ids=lambda kind: kind.__name__)
def test_one_of_another_size_is_the_same_but_for_that(kind: Any) -> None:
    assert kind(3).sized(5) == kind(5)


@pytest.mark.parametrize("value", [*SIZED, KeepLatest, Conflate, Unbounded], ids=lambda kind: kind.__name__)
def test_a_class_in_place_of_a_strategy_is_refused_with_a_hint(value: Any) -> None:
    with pytest.raises(TypeError, match=rf"strategy such as {value.__name__}\(.*not the class") as caught:
        ops.buffer(value)
    assert "strategy must be" in str(caught.value)


@pytest.mark.parametrize("value", [16, None, "Suspend", Strategy, object()])
def test_what_is_no_strategy_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="strategy must be a strategy such as"):
        ops.buffer(value)


def test_a_spill_wants_a_directory_that_is_there(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    for path in (tmp_path / "nowhere", file):
        with pytest.raises(NotADirectoryError, match="directory must be a directory that exists"):
            Spill(1, directory=str(path))
    with pytest.raises(TypeError, match="directory must be the path of a directory, not 3"):
        Spill(1, directory=3)  # type: ignore[arg-type]
    assert Spill(1, directory=tmp_path) == Spill(1, directory=str(tmp_path))  # type: ignore[arg-type]


# overflow ----------------------------------------------------------------------------------


def overflowed(strategy: Strategy) -> tuple[list[Any], tuple[Any, ...]]:
    """What is held, and what was dropped, when 4 is offered where 1, 2 and 3 are held."""
    held = strategy.store()
    for item in (1, 2, 3):
        held.append(item)
    dropped = strategy.overflow(held, 4)
    return [held.popleft() for _ in range(len(held))], dropped


def test_a_full_buffer_under_each_lossy_strategy() -> None:
    assert overflowed(DropIncoming(3)) == ([1, 2, 3], (4,))
    assert overflowed(DropOldest(3)) == ([2, 3, 4], (1,))
    assert overflowed(DropYoungest(3)) == ([1, 2, 4], (3,))
    assert overflowed(DropAll(3)) == ([4], (1, 2, 3))


def test_a_full_buffer_under_fail_names_the_strategy_and_the_item() -> None:
    with pytest.raises(BufferOverflowError, match=r"Fail\(capacity=3\) .* 4") as caught:
        overflowed(Fail(3))
    assert isinstance(caught.value, BufferError)


def test_conflate_folds_what_waits_with_the_new_item() -> None:
    held = Conflate(lambda waiting, item: [waiting, item]).store()
    held.append("a")
    assert Conflate(lambda waiting, item: [waiting, item]).overflow(held, "b") == ()
    assert [*held] == [["a", "b"]]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Suspend(2), [0, 1, 2, 3, 4, 5]),
        (DropIncoming(2), [0, 1, 2]),
        (DropOldest(2), [0, 4, 5]),
        (DropYoungest(2), [0, 1, 5]),
        (DropAll(2), [0, 5]),
        (KeepLatest(), [0, 5]),
        (Conflate(lambda waiting, item: 10 * waiting + item), [0, 12345]),
        (Collect(9), [[0], [1, 2, 3, 4, 5]]),
        (Collect(2), [[0], [1, 2], [3, 4], [5]]),
        (Spill(2), [0, 1, 2, 3, 4, 5]),
        (Unbounded(), [0, 1, 2, 3, 4, 5]),
        (DropIncoming(2, gaps=True), [0, 1, 2, Gap(3)]),
        (DropOldest(2, gaps=True), [0, Gap(3), 4, 5]),
        (DropYoungest(2, gaps=True), [0, 1, Gap(3), 5]),
        (KeepLatest(gaps=True), [0, Gap(4), 5]),
    ],
    ids=repr,
)
def test_what_a_consumer_that_stalls_once_gets(strategy: Strategy, expected: list[Any]) -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(6):
            yield number
            await asyncio.sleep(1.0 if number == 0 else 0)

    async def main() -> list[Any]:
        found: list[Any] = []
        async with (Stream(source) | ops.buffer(strategy)).open() as items:
            async for item in items:
                found.append(item)
                await asyncio.sleep(9.0)
        return found

    assert run(main) == expected
