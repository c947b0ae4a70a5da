"""Strategies: what they tell and call while they run, and what they answer to what cannot be."""

from pathlib import Path
from typing import Any

import pytest

from streamkit import Collect, Conflate, DropOldest, KeepLatest, Spill, Strategy, Suspend
from streamkit._core.strategy import strategy_argument
from tests.core.test_strategy import LOSSY


class Own(Strategy):
    """A strategy of a user's own."""

    def __init__(self, size: int) -> None:
        self._made_of(capacity=size)


class Derived(Suspend):
    """One that takes what another does."""


async def later() -> None: ...


def test_one_of_a_users_own_answers_wrong_arguments_as_ours_do() -> None:
    class Made(Strategy):
        def __init__(self, size: int) -> None:
            self._made_of(capacity=size)

    class Alike(Made): ...

    assert Made(3).limit == Alike(3).limit == 3
    for kind in (Made, Own):
        with pytest.raises(TypeError, match=rf"{kind.__name__}\(size\) takes no nonsense"):
            kind(nonsense=1)
    assert "__init__" not in vars(Alike)
    assert "__init__" not in vars(Derived)


@pytest.mark.parametrize("kind", [*LOSSY, lambda _, **named: KeepLatest(**named)])
def test_what_is_dropped_is_told_with_the_reason(kind: Any) -> None:
    told: list[Any] = []
    kind(1, on_drop=lambda *given: told.append(given)).dropped("item", "full")
    assert told == [("item", "full")]
    kind(1).dropped("item", "full")


def test_a_function_that_returns_an_awaitable_is_an_error_and_that_is_closed() -> None:
    made: list[Any] = []

    def slow(*_: Any) -> Any:
        made.append(later())
        return made[-1]

    held = Conflate(slow).store()
    held.append(1)
    for name, call in (
        ("on_drop", lambda: DropOldest(1, on_drop=slow).dropped(1, "full")),
        ("fold", lambda: Conflate(slow).overflow(held, 2)),
    ):
        with pytest.raises(TypeError) as caught:
            call()
        assert str(caught.value).startswith(f"{name} must return at once, not the awaitable <coroutine ob")
        with pytest.raises(RuntimeError, match="cannot reuse"):
            made[-1].send(None)


def test_a_fold_that_offers_an_item_itself_is_an_error() -> None:
    def meddling(waiting: int, item: int) -> int:
        held[0] = 7  # type: ignore[index] - a deque
        return waiting + item

    strategy = Conflate(meddling)
    held = strategy.store()
    held.append(1)
    with pytest.raises(RuntimeError) as caught:
        strategy.overflow(held, 2)
    assert str(caught.value) == (
        "Conflate(meddling): the fold itself offered an item to the buffer that it folds for"
    )


def test_keep_latest_keeps_what_else_it_was_told_where_it_grows() -> None:
    def on_drop(item: Any, reason: str) -> None: ...

    assert KeepLatest(gaps=True).marks_gaps
    found = KeepLatest(on_drop=on_drop, gaps=True).sized(3)
    assert found == DropOldest(3, on_drop=on_drop, gaps=True)


def test_capacities_add_where_the_second_waits() -> None:
    assert Suspend(4).before(Suspend(8)) == Suspend(12)
    assert Collect(4).sized(9) == Collect(9)


class TestSpill:
    def test_its_items_are_in_the_directory_that_it_was_given(self, tmp_path: Path) -> None:
        assert vars(Spill(1, tmp_path).store())["_directory"] == str(tmp_path)

    def test_what_is_no_directory_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(TypeError) as caught:
            Spill(1, 7)  # type: ignore[arg-type]
        assert str(caught.value) == "directory must be the path of a directory, not 7"
        for name in ("nowhere", "x" * 400):
            with pytest.raises(NotADirectoryError) as missing:
                Spill(1, f"/nowhere/{name}")
            shown = repr(f"/nowhere/{name}")
            shown = shown if len(shown) <= 300 else shown[:297] + "..."
            assert str(missing.value) == f"directory must be a directory that exists, not {shown}"

    @pytest.mark.parametrize("length", [3, 400])
    def test_what_cannot_be_written_to_is_named(self, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []
        path = "/" + "x" * length
        monkeypatch.setattr("streamkit._core.strategy.os.path.isdir", lambda _: True)
        monkeypatch.setattr("streamkit._core.strategy.os.access", lambda _, mode: asked.append(mode))
        with pytest.raises(PermissionError) as caught:
            Spill(1, path)
        shown = repr(path) if length < 300 else repr(path)[:297] + "..."
        assert str(caught.value) == f"directory must be one that can be written to, not {shown}"
        assert asked == [3]  # to write, and to go in


HINTS: list[tuple[Any, str]] = [
    (Suspend, "such as Suspend(capacity), not the class Suspend itself"),
    (KeepLatest, "such as KeepLatest(), not the class KeepLatest itself"),
    (Conflate, "such as Conflate(fold), not the class Conflate itself"),
    (Collect, "such as Collect(limit), not the class Collect itself"),
    (Own, "such as Own(capacity), not the class Own itself"),
    (5, "such as Suspend(16) or DropOldest(16), not 5: to put items into lists, use batch()"),
    ("five", "such as Suspend(16) or DropOldest(16), not 'five'"),
    (None, "such as Suspend(16) or DropOldest(16), not None"),
]


@pytest.mark.parametrize(("value", "hint"), HINTS, ids=[hint for _, hint in HINTS])
def test_what_is_no_strategy_gets_a_hint(value: Any, hint: str) -> None:
    with pytest.raises(TypeError) as caught:
        strategy_argument("strategy", value)
    assert str(caught.value) == f"strategy must be a strategy {hint}"
    assert strategy_argument("strategy", Own(1)) == Own(1)
