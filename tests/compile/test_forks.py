"""Forks: a branch that is picked stands in an arm of an `if`, and few numbers are compared for an item."""

import ast
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from streamkit import Sink, Stream, Suspend, attached, ops, step
from streamkit.testing import run

LETTERS = "abcdefghijklmnop"


def first(word: str) -> str:
    return word[0]


def loop_of(job: Any) -> str:
    (text,) = (Stream(["a"]) | job).explain(code=True).code
    return str(text)


def deepest(block: list[ast.stmt]) -> int:
    """How many comparisons of a picked number stand around the innermost statement."""
    found = 0
    for statement in block:
        picked = isinstance(statement, ast.If) and "picked_" in ast.unparse(statement.test)
        inner = [getattr(statement, name, []) for name in ("body", "orelse", "handlers", "finalbody")]
        found = max([found, *(picked + deepest(each) for each in inner)])
    return found


class TestOfTwo:
    def test_the_value_itself_is_tested(self) -> None:
        text = loop_of(ops.partition(bool, ops.count(), ops.to_list()))
        assert "if not key_0(item):" in text
        assert "picked" not in text

    def test_a_branch_that_filters_goes_on_to_the_next_item(self) -> None:
        text = loop_of(ops.partition(bool, ops.filter(str.isupper) | ops.count(), ops.to_list()))
        assert "continue" in text


@pytest.mark.parametrize(("many", "compared"), [(1, 0), (3, 2), (4, 2), (8, 3), (16, 4)])
def test_of_many_few_numbers_are_compared(many: int, compared: int) -> None:
    text = loop_of(ops.route(first, {letter: ops.count() for letter in LETTERS[:many]}))
    assert deepest(ast.parse(text).body) == compared


def test_they_nest_and_stand_in_groups() -> None:
    inner = ops.partition(
        lambda number: number > 4, ops.count(), ops.route(bool, {True: ops.count(), False: ops.count()})
    )
    job = Stream(range(9)) | ops.group_by(lambda number: number % 2, inner, max_groups=2) | ops.to_list()
    assert job.run() == [(0, (2, {True: 2, False: 1})), (1, (2, {True: 2, False: 0}))]
    assert len(job.explain(code=True).code) == 1


def test_behind_what_makes_many_items_of_one() -> None:
    parts = ops.partition(lambda number: number % 2, ops.map(str), ops.skip(1))
    assert list(Stream([[1, 2, 3], [4]]) | ops.flatten() | parts | ops.map(repr)) == ["'1'", "'3'", "4"]


@step(each="pass", result="1 // zero", uses={"zero": 0})
def failing() -> Sink[Any, int]:
    return Sink(failing)


@pytest.mark.parametrize(
    "fork",
    [
        ops.route(abs, {1: failing()}, otherwise=ops.count()),
        ops.broadcast(ops.count(), failing()),
        ops.partition(bool, failing(), ops.count()),
    ],
    ids=["route", "broadcast", "partition"],
)
def test_a_result_of_a_branch_that_fails_names_the_fork(fork: Any) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        (Stream([1]) | fork).run()
    assert caught.value.__notes__[0].startswith(f"in {fork.links[0].declaration.name}(")


def broken() -> Iterator[int]:
    yield 1
    yield 2
    raise OSError("source")


def fails(_: object) -> None:
    raise ValueError("branch")


BRANCHES: dict[str, Any] = {
    "passes on what it holds": ops.batch(9),
    "fails in that": ops.batch(9) | ops.map(fails),
    "has enough in that": ops.batch(9) | ops.take(1),
    "has enough, and fails": ops.batch(9) | ops.map(fails) | ops.take(1),
    "holds nothing": ops.map(lambda item: item),
    "branches": ops.broadcast(ops.batch(9) | ops.map(fails), ops.batch(3)),
}


def outcome(branches: Any) -> Any:
    """What came out of them, in whatever order, and the errors in the order in which they came."""
    found: list[str] = []
    try:
        run(lambda: Stream(broken) | branches | ops.for_each(lambda item: found.append(repr(item))))
    except OSError as error:
        return sorted(found), [repr(late) for late in attached(error)]
    return sorted(found), None


def test_after_an_error_each_branch_passes_on_what_it_holds_whatever_the_others_do() -> None:
    """As it does where each has a task of its own."""
    for one, other in product(BRANCHES, BRANCHES):
        branches = BRANCHES[one], BRANCHES[other]
        tasks = [ops.buffer(Suspend(1)) | branch for branch in branches]
        assert outcome(ops.broadcast(*branches)) == outcome(ops.broadcast(*tasks)), (one, other)
        parted = outcome(ops.partition(lambda item: item == 1, *branches))
        assert parted == outcome(ops.partition(lambda item: item == 1, *tasks)), (one, other)
