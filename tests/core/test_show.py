"""Words for values of users: as ``repr`` says them, but short, soon, and whatever the value does."""

import array
import collections
import dataclasses
import enum
import functools
import types
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit._core.show import named, shown, told
from tests.files import over

BIG = b"\0" * 3_000_000
LIMIT = 60


class Refusing:
    """Nothing can be done with it; each attempt raises."""

    def _refuse(self, *arguments: Any) -> Any:
        raise RuntimeError("refused")

    __repr__ = __str__ = __bool__ = __len__ = __iter__ = __getattr__ = __format__ = _refuse
    __eq__ = __hash__ = _refuse  # type: ignore[assignment]


class Leaving(Refusing):
    def __repr__(self) -> str:
        raise GeneratorExit


class Long:
    def __repr__(self) -> str:
        return "x" * 1_000_000


class Words(str):
    __slots__ = ()

    def __getitem__(self, key: Any) -> str:
        raise RuntimeError

    def __len__(self) -> int:
        raise RuntimeError


class Says:
    def __repr__(self) -> str:
        return Words("said")


class Rows(list[Any]):
    def __iter__(self) -> Any:
        raise RuntimeError("would query")


class Meta(type):
    __name__ = property(Refusing._refuse)  # type: ignore[assignment]

    def __repr__(cls) -> str:
        raise RuntimeError


class Made(metaclass=Meta): ...


class Colour(enum.Enum):
    RED = 1


@dataclasses.dataclass
class Point:
    x: Any
    y: Any = dataclasses.field(default=0, repr=False)


@dataclasses.dataclass
class Own:
    x: Any

    def __repr__(self) -> str:
        return "own"


Pair = collections.namedtuple("Pair", "one other")

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner)
        | st.builds(Point, inner)
        | st.builds(Pair, inner, inner)
        | st.builds(lambda item: collections.deque([item], maxlen=3), inner)
        | st.builds(ValueError, inner)
        | st.builds(lambda item: types.SimpleNamespace(a=item), inner)
    ),
    max_leaves=4,
)
BROUGHT = [
    *(True, set(), frozenset(), frozenset({1}), {1}, (1,), Colour.RED, Own(BIG), len, Point, range(3)),
    *(slice(1), bytearray(b"a"), functools.partial(int, base=2), collections.deque("a"), Point(1).__eq__),
]
HARD = [
    Refusing(),
    Leaving(),
    Long(),
    Made,
    Made(),
    BIG,
    bytearray(BIG),
    memoryview(BIG),
    BIG.decode(),
    10**5000,
    1 << 10**7,
    [Refusing()],
    {"key": Refusing()},
    Point(Refusing()),
    Pair(Refusing(), 1),
    ValueError(Refusing()),
    [0] * 1_000_000,
    Rows([0] * 1_000_000),
    Rows([1]),
    dict.fromkeys(range(100_000)),
    set(range(100_000)),
    collections.Counter(range(100_000)),
    collections.OrderedDict.fromkeys(range(100_000)),
    collections.deque([BIG]),
    array.array("d", [0.0]) * 1_000_000,
    Point(BIG),
    Pair(BIG, BIG),
    ValueError(BIG),
    types.SimpleNamespace(a=BIG),
    functools.partial(print, BIG, end=BIG),
    Point(BIG).__eq__,
]


class TestShown:
    @given(VALUES)
    def test_says_what_repr_says_where_that_is_short(self, value: Any) -> None:
        text = repr(value)
        assert shown(value, len(text)) in {text, shown(value, 10**6)}
        if "..." not in shown(value, 10**6):
            assert shown(value, 10**6) == text

    @pytest.mark.parametrize(
        "value",
        BROUGHT,
        ids=lambda value: type(value).__name__,
    )
    def test_says_what_repr_says_of_what_python_brings_along(self, value: Any) -> None:
        assert shown(value, 1000) == repr(value)

    @over(HARD, named=lambda value: type(value).__qualname__)
    def test_is_short_whatever_the_value_is_and_does(self, value: Any) -> None:
        for say in (shown, named):
            assert 0 < len(say(value)) <= LIMIT
            assert type(say(value)) is str

    @given(VALUES, st.integers(3, 80))
    def test_no_more_than_the_limit(self, value: Any, limit: int) -> None:
        assert len(shown(value, limit)) <= limit

    def test_what_failed_is_told(self) -> None:
        assert shown(Refusing(), 99) == "<Refusing object: its __repr__ failed with RuntimeError>"

    def test_what_holds_itself_ends(self) -> None:
        held: list[Any] = []
        held.append(held)
        assert len(shown(held)) <= LIMIT

    def test_a_string_of_a_kind_of_its_own_becomes_a_plain_one(self) -> None:
        assert type(shown(Says())) is str
        assert shown(Says()) == "said"

    def test_a_wish_of_the_user_to_leave_is_not_kept_back(self) -> None:
        class Interrupted:
            def __repr__(self) -> str:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            shown([Interrupted()])

    def test_nor_is_it_where_a_name_or_an_error_is_told(self) -> None:
        class LeavingError(Exception):
            def __str__(self) -> str:
                raise KeyboardInterrupt

            def __call__(self) -> None: ...

            @property
            def __name__(self) -> str:
                raise SystemExit(3)

        with pytest.raises(KeyboardInterrupt):
            told(LeavingError())
        with pytest.raises(SystemExit, match="3"):
            named(LeavingError())


class TestNamed:
    def test_functions_and_classes_by_their_names(self) -> None:
        assert [named(each) for each in (len, Point, Made, functools.partial(print, 1), 5)] == [
            "len",
            "Point",
            named(Made),
            "print",
            "5",
        ]


class TestTold:
    @pytest.mark.parametrize(
        "error", [ValueError("text"), ValueError(1, 2), KeyError("key"), OSError(2, "no file"), ValueError()]
    )
    def test_says_what_a_traceback_says(self, error: Exception) -> None:
        words = f": {error}" if str(error) else ""
        assert told(error) == f"{type(error).__name__}{words}"

    def test_is_short_whatever_the_error_is(self) -> None:
        class WordlessError(Exception):
            def __str__(self) -> str:
                raise GeneratorExit

        for error in (
            WordlessError(),
            ValueError(BIG),
            ValueError(BIG.decode()),
            ValueError(Refusing()),
            OSError(BIG),
        ):
            assert told(error).startswith(type(error).__name__)
            assert len(told(error)) <= 300
