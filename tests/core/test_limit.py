"""Limits by themselves: what they allow, and how an adaptive one finds its number."""

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Adaptive, Limit
from streamkit.testing import run


class TestLimit:
    def test_can_be_changed_up_to_its_most(self) -> None:
        limit = Limit(4, most=8)
        assert (limit.value, limit.most, limit.in_flight) == (4, 8, 0)
        limit.set(8)
        limit.set(1)
        assert (limit.value, limit.most) == (1, 8)

    def test_without_most_goes_down_and_up_again(self) -> None:
        limit = Limit(4)
        limit.set(1)
        limit.set(4)
        with pytest.raises(ValueError, match=r"value must be a whole number of at most 4, not 5: .* most="):
            limit.set(5)
        assert limit.value == 4

    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            ({"value": 0}, ValueError, "value must be .* at least 1, not 0"),
            ({"value": -1}, ValueError, "value must be .*, not -1"),
            ({"value": 1.5}, TypeError, "value must be .*, not 1.5"),
            ({"value": "8"}, TypeError, "value must be .*, not '8'"),
            ({"value": True}, TypeError, "value must be .*, not True"),
            ({"value": float("nan")}, TypeError, "value must be .*, not nan"),
            ({"value": 4, "most": 3}, ValueError, "most must be .* at least 4, not 3"),
            ({"value": 4, "most": 8.0}, TypeError, "most must be .*, not 8.0"),
        ],
    )
    def test_is_made_of_whole_numbers(self, arguments: Any, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            Limit(**arguments)

    @pytest.mark.parametrize(
        ("value", "error"), [(0, ValueError), (-3, ValueError), (2.0, TypeError), (None, TypeError)]
    )
    def test_is_set_to_whole_numbers(self, value: Any, error: type[Exception]) -> None:
        limit = Limit(4)
        with pytest.raises(error, match=f"value must be .*, not {value}"):
            limit.set(value)
        assert limit.value == 4

    def test_is_one_thing_also_in_copies(self) -> None:
        limit = Limit(4)
        assert copy.deepcopy(limit) is copy.copy(limit) is limit
        assert limit != Limit(4)
        assert repr(limit) == "Limit(4)"
        assert repr(Limit(4, most=8)) == "Limit(4, most=8)"

    def test_can_go_to_another_process_where_it_is_another(self) -> None:
        limit = pickle.loads(pickle.dumps(Limit(4, most=8)))
        assert (limit.value, limit.most) == (4, 8)


class Caller:
    """A run that asks a gate before each call."""

    def __init__(self, *, wants: bool = True) -> None:
        self.wants = wants
        self.places = 0

    def resized(self, more: int) -> None: ...

    def granted(self) -> bool:
        self.places += self.wants
        return self.wants


def test_a_place_that_is_not_wanted_any_more_goes_to_who_waits_behind() -> None:
    async def main() -> None:
        limit = Limit(1)
        first, second, third = callers = Caller(), Caller(wants=False), Caller()
        for caller in callers:
            limit.gate.join(caller)
        assert [limit.gate.enter(caller) for caller in callers] == [True, False, False]
        limit.gate.exit()
        assert [caller.places for caller in (first, second, third)] == [0, 0, 1]
        assert limit.in_flight == 1
        limit.gate.exit()
        assert limit.in_flight == 0

    run(main)


class TestAdaptive:
    def test_grows_by_one_for_as_many_good_calls_as_it_is(self) -> None:
        limit = Adaptive(1, 9, latency=1.0)
        found: list[int] = []
        for _ in range(10):
            limit.note(0.0, 1.0, busy=9)
            found.append(limit.value)
        assert found == [2, 2, 3, 3, 3, 4, 4, 4, 4, 5]

    def test_grows_no_further_than_most(self) -> None:
        limit = Adaptive(1, 3, latency=1.0)
        for _ in range(99):
            limit.note(0.0, 1.0, busy=9)
        assert limit.value == 3

    def test_does_not_grow_where_it_is_not_used(self) -> None:
        limit = Adaptive(4, 9, latency=1.0)
        for _ in range(99):
            limit.note(0.0, 1.0, busy=1)
        assert limit.value == 4

    def test_grows_from_half_of_it_being_in_use_on(self) -> None:
        limit = Adaptive(5, 9, latency=1.0)
        for busy, value in ((2, 5), (3, 7), (4, 9)):  # 6 is twice 3, and 7 is more
            for _ in range(99):
                limit.note(0.0, 1.0, busy=busy)
            assert limit.value == value

    def test_shrinks_to_three_quarters_and_no_further_than_least(self) -> None:
        limit = Adaptive(2, 100, latency=1.0)
        limit.set(100)
        found: list[int] = []
        for second in range(0, 100, 2):
            limit.note(float(second), second + 1.5, busy=9)
            found.append(limit.value)
        assert found[:4] == [75, 56, 42, 31]
        assert found[-1] == 2

    def test_of_calls_that_were_under_way_together_one_counts(self) -> None:
        limit = Adaptive(1, 100, latency=1.0)
        limit.set(100)
        for _ in range(100):
            limit.note(0.0, 2.0, busy=100)
        assert limit.value == 75
        limit.note(1.9, 4.0, busy=100)
        assert limit.value == 75
        limit.note(2.0, 4.0, busy=75)
        assert limit.value == 56

    def test_counts_the_errors_that_it_is_told(self) -> None:
        limit = Adaptive(1, 100, errors=(TimeoutError, OSError))
        limit.set(100)
        limit.note(0.0, 99.0, busy=100)
        assert limit.value == 100
        limit.note(0.0, 1.0, busy=100, error=ValueError())
        assert limit.value == 100
        limit.note(0.0, 1.0, busy=100, error=ConnectionError())
        assert limit.value == 75

    @given(st.integers(1, 5), st.integers(0, 60), st.lists(st.tuples(st.booleans(), st.integers(0, 70))))
    def test_stays_between_its_ends(self, least: int, more: int, calls: list[tuple[bool, int]]) -> None:
        limit = Adaptive(least, least + more, latency=1.0)
        for number, (good, busy) in enumerate(calls):
            limit.note(float(number), number + (0.5 if good else 2.0), busy)
            assert least <= limit.value <= least + more

    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            ({}, TypeError, "latency or errors must be given"),
            ({"least": 0, "latency": 1.0}, ValueError, "least must be .* at least 1, not 0"),
            ({"least": 9, "latency": 1.0}, ValueError, "most must be .* at least 9, not 8"),
            ({"most": 8.0, "latency": 1.0}, TypeError, "most must be .*, not 8.0"),
            ({"latency": 0}, ValueError, "latency must be .* above 0, not 0"),
            ({"latency": -1.0}, ValueError, "latency must be .* above 0, not -1.0"),
            ({"latency": float("nan")}, ValueError, "latency must be a finite number"),
            ({"latency": "1"}, TypeError, "latency must be .*, not '1'"),
            ({"errors": "TimeoutError"}, TypeError, "errors must be a type of Exception"),
            ({"errors": (OSError, 5)}, TypeError, "errors must be a type of Exception"),
            ({"errors": BaseException}, TypeError, "errors must be a type of Exception"),
            ({"errors": ()}, TypeError, "errors must be a type of Exception"),
        ],
    )
    def test_bad_arguments(self, arguments: Any, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words):
            Adaptive(**{"least": 1, "most": 8, **arguments})

    def test_is_set_no_lower_than_least(self) -> None:
        limit = Adaptive(2, 8, latency=1.0)
        with pytest.raises(ValueError, match=r"value must be .* at least 2, not 1"):
            limit.set(1)

    def test_what_it_says_of_itself(self) -> None:
        assert repr(Adaptive(1, 8, latency=0.5)) == "Adaptive(1, 8, latency=0.5)"
        assert repr(Adaptive(1, 8, errors=(OSError, KeyError))) == "Adaptive(1, 8, errors=OSError | KeyError)"
