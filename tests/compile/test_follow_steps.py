"""Following: which steps keep deliveries, which are refused, and what a sink says that keeps too many."""

from __future__ import annotations

import asyncio
import math
from types import SimpleNamespace
from typing import Any, cast

import pytest

from streamkit import Operator, Resume, guarded, ops, step
from streamkit._engine.compile.follow import CANNOT, Follower, most_of, overfull, unfollowed
from streamkit._engine.compile.key import Pairs
from streamkit._engine.compile.lines import Lines
from streamkit._engine.compile.pieces import parsed
from streamkit.testing import run
from tests.run.ledger import MANY, Trial


@step(each="emit(item)", keeps="0")
def once() -> Operator[Any, Any]:
    return Operator(once)


@step(each="if item: emit(item)", keeps="0")
def perhaps() -> Operator[Any, Any]:
    return Operator(perhaps)


@step(setup="held = []", each="held.append(item)\nif item: emit(held)", keeps="len(held)")
def whole() -> Operator[Any, Any]:
    return Operator(whole)


@step(setup="held = []", each="held.append(1)\nif item: emit(held)", keeps="len(held)")
def others() -> Operator[Any, Any]:
    return Operator(others)


@step(
    setup="held = []",
    each="held.append(item)\nif len(held) == 2: held.clear()",
    finish="emit(held)",
    keeps="len(held)",
)
def dropping() -> Operator[Any, Any]:
    return Operator(dropping)


def test_a_step_that_emits_in_each_turn_keeps_no_delivery_beyond_it() -> None:
    for each, kept, trims in (once, 0, 0), (perhaps, 1, 1), (whole, 1, 0), (others, 1, 1), (dropping, 1, 1):
        text = (Trial().stream() | each() | ops.drain()).explain(code=True).code[0]
        assert (text.count("kept_0_ = []"), text.count("trimmed(")) == (kept, trims), each.__name__


@step(
    setup="held = []",
    each="held.append(item)",
    finish="for _ in range(len(held)):\n    emit(held.pop(0))",
    failed="emit(held.pop(0))",
    keeps="len(held)",
)
def at_the_end() -> Operator[Any, Any]:
    return Operator(at_the_end)


def settled(pipe: Any) -> list[int]:
    """Which of four items are acknowledged, by their number."""
    trial = Trial(4)

    async def main() -> None:
        await (trial.stream() | pipe | ops.drain())

    run(main)
    return [item - MANY for item in trial.settled]


def test_each_item_that_comes_at_the_end_is_settled_where_the_next_step_leaves_it_out() -> None:
    for kept in (bool, lambda _: False, lambda item: item % 2):
        assert settled(at_the_end() | ops.filter(kept)) == [0, 1, 2, 3]


def test_what_a_step_makes_of_an_error_stands_for_no_more_than_it_says() -> None:
    def fails(item: int) -> int:
        return 1 // (MANY + 3 - item)

    assert settled(ops.map(fails) | at_the_end()) == [0]


@step(setup="held = []", each="held.append(item)\nif len(held) > 1: emit(held.pop(0))", keeps="many(held)")
def counted(many: Any) -> Operator[Any, Any]:
    return Operator(counted, many=many)


def test_a_callback_that_says_how_many_are_kept_is_awaited_if_it_must_be() -> None:
    async def later(held: list[Any]) -> int:
        await asyncio.sleep(0)
        return len(held)

    for many in (len, lambda held: len(held), later, lambda held: later(held)):
        assert settled(counted(many)) == [0, 1, 2, 3]
    with pytest.raises(TypeError, match="many of counted is called where there is no item"):
        counted(guarded("many", later, Resume()))


def test_of_how_many_deliveries_a_sink_may_wait_for_the_last() -> None:
    few, many = SimpleNamespace(most=3), SimpleNamespace(most=40)
    for ledgers, most in (None, math.inf), ([few], 3), ([few, many], 43):
        assert most_of(SimpleNamespace(book=SimpleNamespace(ledgers=ledgers))) == most
    assert most_of(SimpleNamespace(book=None)) == math.inf
    assert str(overfull("last", 8)) == (
        "last() keeps the deliveries of all items until the job returns, and 8 is all that its source "
        "hands out before one is acknowledged: put take(7) behind the source, or hand out "
        "more, with a larger prefetch"
    )


@step(setup="held = []", each="held.append(item)\nif len(held) > 1: emit(held.pop(0))")
def delayed() -> Operator[Any, Any]:
    return Operator(delayed)


class Waits:
    """The declaration of a step that waits in a way of its own."""

    rescues = "pay"


def test_why_a_step_is_refused() -> None:
    said = "makes something of earlier items, too, and does not say of how many (keeps= of the step)"
    for each, why in (delayed, said), (whole, None), (once, None), (ops.last, None):
        declaration = each().links[0].declaration
        assert [unfollowed(declaration) for _ in range(2)] == [why] * 2, each
    assert unfollowed(cast(Any, Waits())) == CANNOT == "cannot say what became of an item"


def test_a_loop_with_such_a_step_is_not_written() -> None:
    declaration: Any = delayed().links[0].declaration
    steps = [SimpleNamespace(declaration=declaration)]
    layout: Any = SimpleNamespace(
        steps=steps, parsed=[parsed(declaration)], emitting=set(), inside=set(), forks=set()
    )
    names: Any = SimpleNamespace(constants={"PLAIN": 1})
    with pytest.raises(TypeError, match=r"^delayed makes something of earlier items"):
        Follower(layout, Lines(), names, Pairs.TAKES, hands=True)
    assert {"PLAIN", "NO_DELIVERY", "settled", "together", "trimmed"} <= names.constants.keys()
