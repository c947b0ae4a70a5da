"""Words for values of users, to the letter: each kind as ``repr`` has it, and where it is cut."""

import array
import collections
import dataclasses
import functools
import types
from collections.abc import Callable
from typing import Any

import pytest

from streamkit._core.show import cut, named, shown, told
from tests.files import over


@dataclasses.dataclass
class Point:
    x: Any
    y: Any = dataclasses.field(default=0, repr=False)


@dataclasses.dataclass(repr=False)
class Quiet:
    x: Any

    def __repr__(self) -> str:
        return "quiet"


Pair = collections.namedtuple("Pair", "one other")


class Own(Pair):
    __slots__ = ()

    def __repr__(self) -> str:
        return "own"


class Fielded(tuple[int, ...]):
    """It has fields, as a namedtuple has, and is none."""

    __slots__ = ()
    _fields = ("one",)


class Rows(list[Any]):
    """A list that asks a database when it is iterated."""

    def __iter__(self) -> Any:
        raise RuntimeError("would query")


class Many:
    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __repr__(self) -> str:
        return f"Many({self.count})"


class Big(int):
    __slots__ = ()


class WordlessError(Exception):
    def __str__(self) -> str:
        raise OSError("no words")


WHOLE: list[Any] = [
    *([], [1], [1, "two", [3.0]], (), (1,), (1, 2), {}, {"a": 1}, {"a": [1], 2: {"b": ()}}),
    *("", "text", "it's", b"", b"bytes", bytearray(b"array"), 5, -5, True, None, 1.5),
    *(set(), {1}, frozenset({1}), collections.deque([1, 2]), collections.deque([1], maxlen=3)),
    *(Point(1), Point([Point(2)]), Quiet(1), Pair(1, "two"), Own(1, 2), Fielded((1, 2))),
    *(ValueError("text"), ValueError(1, [2]), types.SimpleNamespace(a=1, b="c")),
    *(functools.partial(int, "7", base=8), Point(1).__eq__, Many(100), array.array("b", [0] * 100)),
    *({("a", 1): "pair"}, [{"a": {"b": [{"c": 1}]}}]),
]


@over(WHOLE, named=lambda value: type(value).__name__)
def test_with_room_it_is_what_repr_says(value: Any) -> None:
    assert shown(value, 1000) == repr(value)


NUMBERS = [*range(10**6)]
CUT: list[tuple[Any, int, str]] = [
    ([0] * 10**6, 20, "[0, 0, 0, 0, 0, 0..."),
    (Rows([0] * 10**6), 20, "[0, 0, 0, 0, 0, 0..."),
    (Rows([1]), 20, "[1]"),
    (tuple(NUMBERS), 20, "(0, 1, 2, 3, 4, 5..."),
    ({"key": [*range(100)]}, 20, "{'key': [0, 1, 2,..."),
    (dict.fromkeys(range(10**5), 0), 20, "{0: 0, 1: 0, 2: 0..."),
    ({"k" * 100: 1}, 10, "{'kkkkk..."),
    ("x" * 10**6, 10, "'xxxxxx..."),
    ("x" * 10**3 + "'", 10, "'xxxxxx..."),
    (b"x" * 10**6, 10, "b'xxxxx..."),
    (b"x" * 10**3 + b"'", 10, "b'xxxxx..."),
    (bytearray(b"x" * 10**3 + b"'"), 20, "bytearray(b'xxxxx..."),
    ("12345678", 10, "'12345678'"),
    ("123456789", 10, "'123456..."),
    (b"1234567", 10, "b'1234567'"),
    ([11, 22, 33], 12, "[11, 22, 33]"),
    ([11, 22, 33], 11, "[11, 22,..."),
    (Point("x" * 99), 20, "Point(x='xxxxxxxx..."),
    (Pair("x" * 99, 1), 20, "Pair(one='xxxxxxx..."),
    (Many(101), 99, "<Many of 101 items>"),
    (array.array("d", [0.0]) * 10**6, 99, "<array of 1000000 items>"),
    (1 << 511, 999, repr(1 << 511)),
    (1 << 512, 999, "<int of 513 bits>"),
    (Big(1 << 512), 999, "<Big of 513 bits>"),
    (types.MethodType(functools.partial(print), 5), 99, "<bound method print of 5>"),
]


@pytest.mark.parametrize(("value", "limit", "text"), CUT, ids=[text[:20] for _, _, text in CUT])
def test_without_it_is_cut_there(value: Any, limit: int, text: str) -> None:
    assert shown(value, limit) == text


class Failing:
    def __repr__(self) -> str:
        raise OSError("no")


FAILED = "<Failing object: its __repr__ failed with OSError>"


def test_a_part_that_cannot_be_shown_leaves_the_others() -> None:
    assert shown([1, Failing()], 999) == f"[1, {FAILED}]"
    assert shown(Point(Failing()), 999) == f"Point(x={FAILED})"
    assert shown(Pair(Failing(), 2), 999) == f"Pair(one={FAILED}, other=2)"
    assert shown(Quiet(Failing()), 999) == "quiet"
    assert shown(Own(Failing(), 2), 999) == "own"
    assert shown(Fielded((Failing(), 2)), 999) == f"({FAILED}, 2)"  # type: ignore[arg-type]


class Asked:
    """Eight characters, and how often they were asked for."""

    def __init__(self) -> None:
        self.times = 0

    def __repr__(self) -> str:
        self.times += 1
        return "12345678"


@pytest.mark.parametrize(
    ("put", "limit", "times"),
    [
        (lambda item: [item] * 9, 21, 2),
        (lambda item: [item] * 9, 22, 3),
        (lambda item: [item, item], 99, 2),
        (lambda item: ["x" * 8, [item] * 9], 23, 1),
        (lambda item: ["x" * 8, [item] * 9], 25, 2),
        (lambda item: [[], [], [item] * 9], 9, 0),
        (lambda item: Pair([item] * 9, item), 20, 2),
        (lambda item: dict.fromkeys(range(9), item), 25, 2),
    ],
)
def test_what_would_stand_behind_the_cut_is_not_asked(put: Any, limit: int, times: int) -> None:
    item = Asked()
    assert len(shown(put(item), limit)) <= limit
    assert item.times == times


DEEP: dict[str, tuple[Callable[[Any], Any], str]] = {
    "lists": (lambda inner: [inner], "[[[[[[[...]]]]]]]"),
    "dicts": (lambda inner: {0: inner}, "{0: {0: {0: {0: {0: {0: {...: ...}}}}}}}"),
    "methods": (
        lambda inner: types.MethodType(abs, inner),
        "<bound method abs of " * 7 + "..." + ">" * 7,
    ),
}


@pytest.mark.parametrize("name", DEEP)
def test_containers_in_containers_are_shown_seven_deep(name: str) -> None:
    put, text = DEEP[name]
    value: Any = 0
    for _ in range(9):
        value = put(value)
    assert shown(value, 999) == text


def test_a_key_is_as_deep_as_a_value() -> None:
    inner: Any = (((((((1,),),),),),),)
    assert shown({inner: 0}, 999) == "{((((((...,),),),),),): 0}"
    assert shown({0: inner}, 999) == "{0: ((((((...,),),),),),)}"


def test_a_text_is_cut_at_the_limit_60_unless_said_otherwise() -> None:
    assert (cut("x" * 60), cut("x" * 61)) == ("x" * 60, "x" * 57 + "...")
    assert (cut("xxxxx", 5), cut("xxxxxx", 5), cut("xxxxx", 2)) == ("xxxxx", "xx...", "...")
    assert shown("x" * 58) == f"'{'x' * 58}'"
    assert shown("x" * 59) == f"'{'x' * 56}..."


class TestNamed:
    def test_what_a_partial_of_a_partial_has_wrapped(self) -> None:
        inner: Any = functools.partial(int, base=2)
        inner.attribute = "with it, Python does not make one of both"
        assert type(functools.partial(inner).func) is functools.partial
        assert named(functools.partial(inner)) == "int"

    def test_a_name_is_cut_at_the_limit_too(self) -> None:
        def function() -> None: ...

        function.__name__ = "f" * 99
        assert named(function) == "f" * 57 + "..."
        assert named(function, 10) == "fffffff..."
        assert named(function, 99) == "f" * 99

    def test_so_is_what_has_none(self) -> None:
        assert named("x" * 99, 10) == "'xxxxxx..."
        assert named("x" * 90, 99) == repr("x" * 90)


class TestTold:
    def test_what_its_words_failed_with(self) -> None:
        assert told(WordlessError()) == "WordlessError: <its __str__ failed with OSError>"

    def test_arguments_have_as_much_room_as_words(self) -> None:
        assert told(ValueError("x" * 90, 1)) == f"ValueError: {('x' * 90, 1)!r}"
        assert told(ValueError(["x" * 90])) == f"ValueError: {['x' * 90]!r}"
        assert told(KeyError("x" * 90)) == f"KeyError: {'x' * 90!r}"

    @pytest.mark.parametrize("limit", [10, 20, 300])
    def test_is_cut_at_its_limit(self, limit: int) -> None:
        for error in (ValueError("x" * 999), ValueError("x" * 999, 1), OSError(2, "x" * 999)):
            text = f"{type(error).__name__}: {error}"
            assert told(error, limit) == text[: limit - 3] + "..."
        assert told(ValueError("x" * 999)) == "ValueError: " + "x" * 285 + "..."
