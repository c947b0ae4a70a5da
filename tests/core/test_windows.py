"""Kinds of windows: what each says of itself, how many are open at once, and what is refused."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Hopping, Session, Sliding, Tumbling, Until, Window
from streamkit._core.windows import MOST, Windows, windows_argument

KINDS: list[tuple[Windows, str, bool, bool]] = [
    (Tumbling(count=2), "Tumbling(count=2)", False, False),
    (Tumbling(seconds=2), "Tumbling(seconds=2.0)", True, False),
    (Hopping(count=3, every=2), "Hopping(count=3, every=2)", False, False),
    (Hopping(seconds=3, every=2), "Hopping(seconds=3.0, every=2.0)", True, False),
    (Sliding(count=2), "Sliding(count=2)", False, False),
    (Sliding(seconds=2), "Sliding(seconds=2.0)", True, True),
    (Session(gap=5), "Session(gap=5.0)", True, True),
    (Until(str.isspace), "Until(isspace)", False, False),
]


@pytest.mark.parametrize(("kind", "text", "timed", "in_order"), KINDS, ids=[text for _, text, *_ in KINDS])
def test_a_kind_says_what_decides_where_an_item_belongs(
    kind: Windows, text: str, timed: bool, in_order: bool
) -> None:
    assert (repr(kind), kind.timed, kind.in_order) == (text, timed, in_order)


def test_the_other_measure_of_a_kind_is_none() -> None:
    assert (Tumbling(count=2).count, Tumbling(count=2).seconds) == (2, None)
    assert (Tumbling(seconds=2).count, Tumbling(seconds=2).seconds) == (None, 2.0)
    assert (Session(gap=1).count, Session(gap=1).seconds) == (None, None)
    kind: Any
    for kind in (Hopping(count=3, every=2), Hopping(seconds=3, every=2)):
        assert (kind.every, {kind.count, kind.seconds}) == (2, {None, 3})


@pytest.mark.parametrize(
    ("kind", "lateness", "most"),
    [
        (Tumbling(count=9), 0.0, 1),
        (Tumbling(count=9), 5.0, 1),
        (Tumbling(seconds=2), 0.0, 1),
        (Tumbling(seconds=2), 2.0, 2),
        (Tumbling(seconds=2), 2.5, 3),
        (Tumbling(seconds=2), 9.0, 6),
        (Hopping(count=10, every=3), 0.0, 4),
        (Hopping(count=10, every=3), 5.0, 4),  # the number of an item does not come late
        (Hopping(count=2, every=5), 0.0, 1),
        (Hopping(seconds=10, every=5), 0.0, 2),
        (Hopping(seconds=10, every=5), 1.0, 3),
        (Hopping(seconds=0.5, every=0.25), 0.5, 4),
        (Hopping(seconds=1e300, every=1e-300), 0.0, MOST + 1),
        (Hopping(count=MOST, every=1), 0.0, MOST),
        (Hopping(count=MOST + 1, every=1), 0.0, MOST + 1),
        (Hopping(count=MOST + 2, every=1), 0.0, MOST + 1),
        (Sliding(count=3), 0.0, 1),
        (Sliding(seconds=3), 9.0, 1),
        (Session(gap=3), 9.0, 1),
        (Until(bool), 0.0, 1),
    ],
    ids=str,
)
def test_so_many_windows_are_open_at_once(kind: Windows, lateness: float, most: int) -> None:
    assert kind.most(lateness) == most


class TestWindow:
    def test_comes_before_one_that_begins_later_or_ends_later(self) -> None:
        windows = [Window(0, 1), Window(0, 2), Window(1, 1), Window(1, 2)]
        for place, one in enumerate(windows):
            assert [one < other for other in windows] == [place < number for number in range(4)]

    def test_is_unpacked_and_shown_as_its_bounds(self) -> None:
        window = Window(1.0, 2.5)
        assert [*window] == [window.start, window.end] == [1.0, 2.5]
        assert repr(window) == "Window(start=1.0, end=2.5)"


given_wrongly: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (Tumbling, {}, "Tumbling must have one of count= and seconds=, not neither"),
    (Sliding, {}, "Sliding must have one of count= and seconds=, not neither"),
    (
        Hopping,
        {"count": 1, "seconds": 2, "every": 1},
        "Hopping must have one of count= and seconds=, not count=1, seconds=2",
    ),
    (Tumbling, {"count": 0}, "count must be a whole number of at least 1, not 0"),
    (Hopping, {"count": 2, "every": 0}, "every must be a whole number of at least 1, not 0"),
    (Tumbling, {"seconds": 0}, "seconds must be a finite number of seconds above 0, not 0"),
    (Hopping, {"seconds": 2, "every": 0}, "every must be a finite number of seconds above 0, not 0"),
    (Session, {"gap": 0}, "gap must be a finite number of seconds above 0, not 0"),
    (Until, {"predicate": 5}, "predicate must be a callable, not 5"),
]


@pytest.mark.parametrize(
    ("make", "given", "words"), given_wrongly, ids=[words for *_, words in given_wrongly]
)
def test_what_is_refused(make: Callable[..., Any], given: dict[str, Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        make(**given)
    assert str(caught.value) == words


def test_a_call_that_a_kind_does_not_take_is_answered_for_kinds_of_users_too() -> None:
    class Mine(Windows):
        def __init__(self, *, width: int) -> None:
            self._made_of(width=width)

    assert repr(Mine(width=3)) == "Mine(width=3)"
    assert [*inspect.signature(Mine).parameters] == ["width"]
    made: Any = Mine
    with pytest.raises(TypeError) as caught:
        made()
    assert str(caught.value) == "Mine(*, width) needs width"


WRITE = "windows such as Tumbling(seconds=60)"
HINT = ": write Tumbling(count=...) or Tumbling(seconds=...)"


class Unnamed(Tumbling):
    """A kind that has no example of its own."""


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (10, f"{WRITE}, not 10{HINT}"),
        (1.5, f"{WRITE}, not 1.5{HINT}"),
        ("10", f"{WRITE}, not '10'"),
        (None, f"{WRITE}, not None"),
        (int, f"{WRITE}, not <class 'int'>"),
        (Tumbling, f"{WRITE}, not the class Tumbling itself"),
        (Unnamed, f"{WRITE}, not the class Unnamed itself"),
        (Hopping, "windows such as Hopping(seconds=60, every=10), not the class Hopping itself"),
        (Sliding, "windows such as Sliding(count=3), not the class Sliding itself"),
        (Session, "windows such as Session(gap=30), not the class Session itself"),
        (Until, "windows such as Until(predicate), not the class Until itself"),
    ],
    ids=repr,
)
def test_what_is_no_kind_gets_an_example(value: Any, words: str) -> None:
    with pytest.raises(TypeError) as caught:
        windows_argument("kind", value)
    assert str(caught.value) == f"kind must be {words}"


@pytest.mark.parametrize("kind", [kind for kind, *_ in KINDS], ids=str)
def test_what_is_one_is_taken(kind: Windows) -> None:
    assert windows_argument("kind", kind) is kind
