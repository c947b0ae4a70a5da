"""Values and records: made of what they say, by keyword, equal and hashed by it, and never changed."""

import copy
import pickle
from threading import Lock
from typing import Any

import pytest

from streamkit import Contract
from streamkit._core.value import Record, alike, copied, hashed


class Point(Record):
    x: int
    y: int = 0


class TestRecord:
    def test_has_its_parts_and_the_defaults_of_others(self) -> None:
        assert (Point(x=1).x, Point(x=1).y, Point(x=1, y=2).y) == (1, 0, 2)

    def test_shows_what_it_is_made_of(self) -> None:
        assert repr(Point(x=1)) == "Point(x=1, y=0)"

    def test_is_equal_and_hashed_alike_however_it_was_made(self) -> None:
        assert Point(x=1, y=2) == Point(y=2, x=1) != Point(x=2, y=1)
        assert len({Point(x=1, y=2), Point(y=2, x=1), Point(x=1).but(y=2)}) == 1
        assert Point(x=1) != (1, 0)

    @pytest.mark.parametrize(("parts", "wrong"), [({}, "x"), ({"x": 1, "z": 2}, "z"), ({"y": 1}, "x")])
    def test_says_which_part_is_missing_or_unknown(self, parts: dict[str, Any], wrong: str) -> None:
        with pytest.raises(TypeError, match=f"unknown or missing: {wrong}$"):
            Point(**parts)

    def test_says_which_parts_are_missing_or_unknown_and_which_there_are(self) -> None:
        with pytest.raises(TypeError) as caught:
            Point(y=1, z=2)
        assert str(caught.value) == "Point is made of x, y; unknown or missing: x, z"

    def test_is_hashed_by_its_kind_and_parts(self) -> None:
        class Other(Record):
            x: int
            y: int = 0

        assert hash(Point(x=1)) != hash(Point(x=2))
        assert hash(Point(x=1)) != hash(Other(x=1))
        assert hashed(1) != hashed(2)
        assert hashed([1]) == hashed([2]) == 0

    def test_cannot_be_changed(self) -> None:
        point = Point(x=1)
        with pytest.raises(AttributeError, match="make another"):
            point.x = 2  # type: ignore[misc] - which is what must fail
        with pytest.raises(AttributeError, match="make another"):
            del point.x
        assert (point.but(x=2), point) == (Point(x=2), Point(x=1))

    def test_a_contract_with_a_formula_that_there_is_not_is_an_error(self) -> None:
        with pytest.raises(TypeError, match=r"unknown or missing: hold$"):
            Contract(hold="1")  # type: ignore[call-arg]


class Array:
    """As those of NumPy: ``==`` gives no truth, and it has no hash."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> Any:
        return Truthless()


class Truthless:
    def __bool__(self) -> bool:
        raise ValueError("the truth value of an array is ambiguous")


class TestAlike:
    def test_what_cannot_be_compared_is_equal_to_itself_only(self) -> None:
        array = Array()
        assert alike(array, array)
        assert not alike(array, Array())
        assert Point(x=array) == Point(x=array) != Point(x=Array())
        assert Point(x=[array]) == Point(x=[array])

    def test_what_is_equal_has_one_hash(self) -> None:
        for one, other in ((Array(), Array()), ([1], [1]), (1, 1.0), (1, True), ({1}, frozenset({1}))):
            assert not alike(one, other) or hashed(one) == hashed(other)
            assert Point(x=one) != Point(x=other) or hash(Point(x=one)) == hash(Point(x=other))
        assert hash(Point(x=[1])) == hash(Point(x=[1]))
        assert Point(x=[1]) == Point(x=[1])

    def test_shows_a_part_as_long_as_a_line_whole(self) -> None:
        text = "a long line of " + "words " * 20
        assert repr(Point(x=text)) == f"Point(x={text!r}, y=0)"

    def test_shows_any_part_in_few_words(self) -> None:
        assert len(repr(Point(x=b"0" * 10**6))) < 300

    @pytest.mark.parametrize(
        "twin", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
    )
    def test_is_copied(self, twin: Any) -> None:
        assert twin(Point(x=[1])) == Point(x=[1])


class TestCopied:
    def test_what_is_inside_is_copied_too_and_once_for_one_memo(self) -> None:
        inner = [1]
        memo: dict[int, Any] = {}
        found, again = copied([inner], memo), copied(inner, memo)
        assert found == [[1]]
        assert found[0] is not inner
        assert found[0] is again

    def test_what_cannot_be_copied_is_shared_with_all_around_it(self) -> None:
        value = [Lock()]
        assert copied(value, {}) is value
