"""The two tiers: what `make test` leaves out is repetition, and every operator and every way stays in."""

from collections.abc import Hashable
from itertools import product
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tests import tiers
from tests.laws import test_close
from tests.laws.lab import Sample
from tests.packs import cases_of
from tests.samples import SAMPLES
from tests.tiers import Case, kept, key, of_test, spread, thin

CASES = st.lists(st.fixed_dictionaries({"a": st.integers(0, 5), "b": st.integers(0, 3), "c": st.booleans()}))


def values(cases: list[Any], strength: int) -> set[Any]:
    """The values of `cases`, or their pairs."""
    if strength == 1:
        return {(name, value) for case in cases for name, value in case.items()}
    return {frozenset([one, other]) for case in cases for one, other in product(case.items(), case.items())}


@pytest.mark.parametrize("strength", [1, 2])
@given(cases=CASES)
def test_each_value_stays_and_the_order_too(cases: list[Any], strength: int) -> None:
    chosen = spread(cases, strength)
    assert chosen == sorted(set(chosen))
    assert values([cases[number] for number in chosen], strength) == values(cases, strength)
    assert chosen == spread(cases, strength)


def test_a_table_is_met_along_its_diagonal() -> None:
    table = [{"row": row, "column": column} for row, column in product(range(6), range(3))]
    chosen = [table[number] for number in spread(table)]
    assert [case["row"] for case in chosen] == [*range(6)]
    assert sorted(case["column"] for case in chosen) == [0, 0, 1, 1, 2, 2]


def test_of_three_parameters_the_pairs_are_fewer_than_the_product() -> None:
    cube = [dict(zip("abc", each, strict=True)) for each in product(range(5), repeat=3)]
    assert len(spread(cube)) == 5
    assert 25 <= len(spread(cube, 2)) < 50


def test_values_that_are_equal_but_of_another_type_are_told_apart() -> None:
    assert spread([{"a": 1}, {"a": True}, {"a": 1.0}, {"a": 1}]) == [0, 1, 2]


def test_values_that_cannot_be_hashed_are_themselves() -> None:
    same: list[int] = []
    assert spread([{"a": same}, {"a": same}, {"a": []}]) == [0, 2]


def test_the_close_matrix_keeps_each_sample_and_each_exit() -> None:
    matrix = test_close.MATRIX
    chosen = [matrix[number] for number in spread([{"sample": s, "leave": leave} for s, leave in matrix])]
    assert {sample for sample, _ in chosen} == {*SAMPLES}
    assert {leave for _, leave in chosen} == {*test_close.EXITS, *test_close.STREAM_EXITS}


def tiers_of(request: pytest.FixtureRequest) -> tuple[list[Any], list[Any]]:
    """The cases of this session that are in the default tier, and the others: none, where that tier runs."""
    items = [item for item in request.session.items if item.get_closest_marker("full") is None]
    if request.config.getoption("--full"):
        return thin(items)
    return [(of_test(item), case.params) for item in items for case in cases_of(item)], []


def test_of_each_thinned_test_here_every_value_is_in_the_default_tier(request: pytest.FixtureRequest) -> None:
    """But of samples, which all tests meet together."""
    stays, left = tiers_of(request)
    thinned = {test for test, _ in left}
    there = {value for test, case in stays if test in thinned for value in met(test, case)}
    for test, case in left:
        assert not met(test, case) - there, (test, case)


def met(test: str, case: Case) -> set[Hashable]:
    """The values with which a test is met in a case."""
    return {(test, name, key(value)) for name, value in case.items() if not isinstance(value, Sample)}


def test_all_tests_together_meet_each_sample(request: pytest.FixtureRequest) -> None:
    given = [case["sample"].name for _, case in tiers_of(request)[0] if "sample" in case]
    if len(given) > 5 * len(SAMPLES):  # it is no small part of the tests that was asked for
        assert {*given} >= {each.name for each in SAMPLES}


@pytest.mark.spread
@pytest.mark.parametrize("number", [1, pytest.param(1, marks=kept)])
def test_a_case_with_a_mark_of_its_own_is_kept(request: pytest.FixtureRequest, number: int) -> None:
    mine = [item for item in request.session.items if of_test(item) == of_test(request.node)]
    assert [case["number"] for _, case in thin(mine)[0]] == [1, 1]


def test_hypothesis_tries_fewer_examples_in_the_default_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(tiers._tier, "full", False)
    assert [tiers.examples(count) for count in (3, 21, 49, 140)] == [2, 3, 7, 20]
    assert tiers.stride(5) == 5
    monkeypatch.setitem(tiers._tier, "full", True)
    assert [tiers.examples(count) for count in (3, 20, 50, 150)] == [3, 20, 50, 150]
    assert tiers.stride(5) == 1


class Call:
    """A case of a test, as pytest has it before it makes an item of it."""

    marks = ()

    def __init__(self, number: int, name: str) -> None:
        self.params = {"number": number, "name": name}
        self._idlist = [str(number), name]
        self.id = f"{number}-{name}"


def test_shares_have_the_default_tier_and_together_all(request: pytest.FixtureRequest) -> None:
    calls = [Call(number, name) for number, name in product(range(20), "abcdef")]
    few, seen = {*tiers.fewer(request.node, calls)}, set[Call]()
    assert len(few) < len(calls) / 4
    for turn in range(60):
        taken = tiers.shared(request.node, calls, 8, str(turn))
        assert few <= {*taken}
        assert len(taken) < len(few) + len(calls) / 3
        assert taken == [each for each in calls if each in taken]
        seen.update(taken)
    assert seen == {*calls}
