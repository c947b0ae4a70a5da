"""The formulas of a contract: what is said of one that cannot be worked out from the operator's arguments."""

import operator
from typing import Any

import pytest

from streamkit import Contract
from streamkit._engine.compile.callables import computes
from streamkit._engine.compile.formulas import check_contract

PARAMETERS = ("capacity", "lookahead")


def refused(contract: Any, parameters: tuple[str, ...] = PARAMETERS) -> str:
    """What is raised: its type and its words."""
    with pytest.raises((TypeError, SyntaxError, NameError)) as raised:
        check_contract(contract, "hold", parameters)
    return f"{type(raised.value).__name__}: {raised.value}"


@pytest.mark.parametrize(
    "contract",
    [
        Contract(),
        Contract(holds="capacity", lookahead="1"),
        Contract(holds="max(capacity, lookahead or 0)"),
        Contract(holds="unbounded", loses="'late items'"),
        Contract(holds="sum(n for n in range(capacity))"),
    ],
)
def test_one_that_can_be_worked_out_is_taken(contract: Contract) -> None:
    check_contract(contract, "hold", PARAMETERS)


def test_what_is_no_contract() -> None:
    assert refused(3) == 'TypeError: contract must be a Contract such as Contract(holds="1"), not 3'


def test_a_formula_that_is_no_text() -> None:
    made: Any = Contract
    assert refused(made(holds=3)) == "TypeError: contract of hold: holds must be a formula in quotes, not 3"


def test_a_name_that_is_no_argument() -> None:
    contract = Contract(holds="size + capacity + many")
    words = "NameError: contract of hold: holds='size + capacity + many' names many, size, but "
    assert refused(contract) == words + "its arguments are capacity, lookahead"
    none = "NameError: contract of hold: holds='size' names size, but it has no arguments"
    assert refused(Contract(holds="size"), ()) == none


@pytest.mark.parametrize("part", ["holds", "lookahead", "loses"])
@pytest.mark.parametrize("formula", ["late items", "capacity = 1", "1 +"])
def test_what_is_no_expression(part: str, formula: str) -> None:
    made: Any = Contract
    with pytest.raises(SyntaxError) as of_python:
        compile(formula, "<formula>", "eval")
    hint = ", and words stand in quotes of their own: loses=\"'late items'\"" if part == "loses" else ""
    words = f"SyntaxError: contract of hold: {part}={formula!r} is no Python expression: "
    assert refused(made(**{part: formula})) == f"{words}{of_python.value.msg}{hint}"


@pytest.mark.parametrize(
    ("function", "computed"),
    [
        (str.upper, True),
        (bytes.split, True),
        (list.pop, False),
        (dict.get, False),
        ("a".join, True),
        ([].pop, False),
        (len, True),
        (next, False),
        (operator.add, True),
        (operator.getitem, False),
        (int, False),
    ],
)
def test_which_callables_in_c_make_what_they_return(function: Any, computed: bool) -> None:
    assert computes(function) is computed
