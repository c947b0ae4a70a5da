"""Contracts: formulas are worked out from arguments, and those of every operator can be."""

import math
from typing import Any

import pytest

from streamkit import ABSENT, Contract, Limit, Stream, Suspend, ops
from streamkit._core.catalogue import Declaration, catalogue
from streamkit._core.contract import UNBOUNDED, Behaviour, amount
from streamkit._engine.compile.formulas import check_contract
from tests.files import over
from tests.laws.lab import Lab
from tests.samples import SAMPLES

FORMULAS = ("holds", "lookahead", "weight", "ordered", "loses")


LINKS = [(sample.name, link) for sample in SAMPLES for link in sample.make(Lab()).links]
every_link = over(LINKS, named=lambda each: each[0])
STEPS = [
    each for each in catalogue() if each.stage is None and each.function.__module__.startswith("streamkit.")
]


class TestAmount:
    @pytest.mark.parametrize(
        ("formula", "arguments", "result"),
        [
            ("0", {}, 0),
            ("size - 1", {"size": 3}, 2),
            ("2 * concurrency + lookahead", {"concurrency": 4, "lookahead": 1}, 9),
            ("len(branches)", {"branches": (1, 2, 3)}, 3),
            ("unbounded", {}, UNBOUNDED),
            ("unbounded if limit is None else limit", {"limit": None}, math.inf),
            ("'nothing' if key is ABSENT else 'keys'", {"key": ABSENT}, "nothing"),
            ("'nothing' if key is ABSENT else 'keys'", {"key": None}, "keys"),
            ("sum(each for each in sizes)", {"sizes": [1, 2]}, 3),
            ("2 * concurrency", {"concurrency": Limit(2, most=8)}, 16),
            ("max(unbounded, size)", {"size": 3}, math.inf),
        ],
    )
    def test_is_what_the_formula_says(self, formula: str, arguments: dict[str, Any], result: Any) -> None:
        assert amount(formula, arguments) == result

    def test_of_a_name_that_is_no_argument_is_an_error(self) -> None:
        with pytest.raises(NameError, match="size"):
            amount("size", {"count": 1})

    def test_of_what_is_no_python_is_an_error(self) -> None:
        with pytest.raises(SyntaxError):
            amount("size -", {"size": 1})

    def test_does_not_change_the_arguments(self) -> None:
        arguments = {"size": 3}
        amount("[size := 5]", arguments)
        assert arguments == {"size": 3}

    def test_does_not_remember_the_arguments_of_another_call(self) -> None:
        assert [amount("size * 2", {"size": size}) for size in (1, 2, 3)] == [2, 4, 6]


class TestContract:
    def test_promises_by_default_to_hold_nothing_and_to_lose_nothing(self) -> None:
        contract = Contract()
        assert [amount(getattr(contract, name), {}) for name in FORMULAS] == [0, 0, 1, True, "nothing"]
        assert contract.result == ""
        assert {contract.per_source, contract.together, contract.spreads} == {False}

    def test_cannot_be_changed(self) -> None:
        with pytest.raises(AttributeError):
            Contract().holds = "1"  # type: ignore[misc]

    def test_is_written_by_name(self) -> None:
        with pytest.raises(TypeError):
            Contract("1")  # type: ignore[misc]

    def test_of_equal_promises_are_equal(self) -> None:
        assert Contract(holds="1") == Contract(holds="1") != Contract(holds="2")


BEHAVIOURS: list[tuple[Contract, Behaviour]] = [
    (Contract(), Behaviour.PASS_THROUGH),
    (Contract(holds="size - 3"), Behaviour.PASS_THROUGH),
    (Contract(holds="size"), Behaviour.BOUNDED),
    (Contract(lookahead="1"), Behaviour.BOUNDED),
    (Contract(keys="size"), Behaviour.BOUNDED),
    (Contract(holds="unbounded"), Behaviour.UNBOUNDED),
    (Contract(keys="unbounded"), Behaviour.UNBOUNDED),
    (Contract(lookahead="unbounded"), Behaviour.BOUNDED),  # it keeps none of them
    (Contract(others_hold="1"), Behaviour.BOUNDED),
    (Contract(others_lookahead="1"), Behaviour.BOUNDED),
    (Contract(holds="1", others_hold="0"), Behaviour.BOUNDED),
    (Contract(lookahead="1", others_lookahead="0"), Behaviour.BOUNDED),
    (Contract(others_hold="unbounded"), Behaviour.UNBOUNDED),
    (Contract(holds="unbounded", others_hold="1"), Behaviour.UNBOUNDED),
    (Contract(others_hold="0"), Behaviour.PASS_THROUGH),
    (Contract(loses="'late items'"), Behaviour.LOSSY),
    (Contract(loses="'late items' if size > 3 else 'nothing'"), Behaviour.PASS_THROUGH),
    (Contract(loses="'late items'", holds="unbounded"), Behaviour.LOSSY),
]


@pytest.mark.parametrize(("contract", "behaviour"), BEHAVIOURS, ids=repr)
def test_a_contract_in_one_word(contract: Contract, behaviour: Behaviour) -> None:
    assert contract.behaviour({"size": 3}) is behaviour


class TestOfEveryOperator:
    @every_link
    def test_its_formulas_can_be_worked_out_from_its_arguments(self, each: tuple[str, Any]) -> None:
        _, link = each
        contract = link.declaration.contract
        found = {name: amount(getattr(contract, name), link.arguments) for name in FORMULAS}
        assert found["holds"] >= 0
        assert found["lookahead"] >= 0
        assert found["weight"] >= 1
        assert isinstance(found["ordered"], (bool, str))
        assert isinstance(found["loses"], str)
        assert found["loses"]

    @every_link
    def test_what_is_read_ahead_is_held(self, each: tuple[str, Any]) -> None:
        _, link = each
        contract = link.declaration.contract
        ahead, holds = (amount(each, link.arguments) for each in (contract.lookahead, contract.holds))
        strategies = [value for value in link.arguments.values() if hasattr(value, "overflows")]
        if all(strategy.waits for strategy in strategies) and math.isfinite(ahead):
            assert ahead <= holds + 1  # one more may be in the hand of what reads

    @every_link
    def test_its_arguments_are_the_parameters_that_formulas_may_name(self, each: tuple[str, Any]) -> None:
        _, link = each
        assert set(link.arguments) <= set(link.declaration.parameters)

    @over(STEPS, named=lambda each: each.function.__qualname__)
    def test_a_step_reads_nothing_ahead(self, declaration: Declaration) -> None:
        assert declaration.contract.lookahead == "0"


class TestBounds:
    @pytest.mark.parametrize(
        ("make", "bound"),
        [
            (lambda: ops.batch(5), 5),
            (lambda: ops.pairwise(), 2),
            (lambda: ops.map(abs, concurrency=4), 4),
            (lambda: ops.buffer(Suspend(3)) | ops.map(abs), 4),
        ],
    )
    def test_grow_with_the_arguments_as_the_contract_says(self, make: Any, bound: int) -> None:
        assert (Stream([1]) | make()).explain().bound == bound


def test_words_where_a_formula_stands_are_told_to_need_quotes() -> None:
    """`result` is plain words, and `loses`, which reads like it, a formula."""
    with pytest.raises(SyntaxError, match=r"""no Python expression: .* quotes of their own: loses="'late"""):
        check_contract(Contract(loses="items that are late"), "late", ())
    with pytest.raises(SyntaxError) as caught:
        check_contract(Contract(holds="count +"), "late", ("count",))
    assert "quotes" not in str(caught.value)
    check_contract(Contract(loses="'items that are late'", result="the best of each key"), "late", ())
