"""Ready text: what was worked out for one loop is used in others, and says what it would say anew."""

from __future__ import annotations

import ast
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any
from weakref import ref

import pytest

from streamkit import Keep, Operator, Resume, Stream, ops, step
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit.testing import run


def same(item: Any) -> Any:
    return item


def called(item: Any) -> Any:
    return same(item)


async def awaited(item: Any) -> Any:
    return item


@step(setup="last = None", each="found = [function(each) for each in item]\nemit(found and function(last))")
def knotty(function: Callable[..., Any]) -> Operator[Any, Any]:
    return Operator(knotty, function=function)


@step(each="emit((lambda item_1, other=item: (item_1, other, limit))(item))", uses={"limit": 3})
def with_lambda() -> Operator[Any, Any]:
    return Operator(with_lambda)


@step(setup="ᛟ = 1", each="ᛟ += 1\nemit((item, ᛟ, 'ᛞ'))")
def with_runes() -> Operator[Any, Any]:
    return Operator(with_runes)


STEPS: list[Callable[[], Any]] = [
    *[
        made
        for function in (same, called, awaited, str)
        for made in (
            lambda function=function: ops.map(function),
            lambda function=function: ops.filter(function),
            lambda function=function: ops.map(function, on_error=Resume()),
            lambda function=function: ops.scan(function, 0),
            lambda function=function: knotty(function),
        )
    ],
    lambda: ops.take(3),
    lambda: ops.batch(2),
    lambda: ops.flatten(),
    lambda: ops.broadcast(ops.map(same), ops.filter(called) | ops.batch(2)),
    lambda: ops.group_by(called, ops.take(2), max_groups=4),
    with_lambda,
]
LONGEST = 6


def text(steps: list[Any], kind: Kind, end: End, numbers: Any = count()) -> str:  # noqa: B008 - one for all
    """The text of the loop of `steps`, which is compiled for this."""
    # the first step makes the shape a new one: no two are of one declaration
    space: dict[str, Any] = {"Keep": Keep}
    exec("def fresh():\n    return Keep(fresh)", space)
    fresh = step(each="emit(item)", name=f"fresh{next(numbers)}")(space["fresh"])
    space["fresh"] = fresh
    links = [link for pipe in [fresh(), *steps] for link in pipe.links]
    loop = compiled(kind, tuple([link.key for link in links]), end)
    return loop.text if isinstance(loop, Loop) else str(loop)


def forget(steps: list[Any]) -> None:
    """Drop what is known of the text of `steps`, and of those inside them."""
    open_ = [link.key for pipe in steps for link in pipe.links]
    while open_:
        key = open_.pop()
        key.templates.clear()
        open_ += [inner for branch in key.branches for inner in branch]


@pytest.mark.parametrize("seed", range(40))
def test_a_loop_is_what_it_would_be_if_nothing_were_kept(seed: int) -> None:
    random = Random(seed)
    steps = [random.choice(STEPS)() for _ in range(random.randint(1, LONGEST))]
    end = random.choice([End.STAGE, End.PLAIN, End.PUMP, End.RELAY])
    kind = Kind.ITER if end is End.PLAIN else random.choice([Kind.SLICE, Kind.ASYNC, Kind.CHANNEL])
    text(random.sample(steps, len(steps)), kind, end)  # other places, other items
    kept = text(steps, kind, end)
    forget(steps)
    assert kept == text(steps, kind, end)


def test_a_new_shape_of_known_steps_parses_and_writes_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [ops.map(same), ops.filter(called), ops.take(3), ops.map(awaited), ops.batch(2)]
    for known in (steps, [*reversed(steps)]):
        text(known, Kind.SLICE, End.STAGE)
    asked: list[str] = []

    def noted(name: str) -> Callable[..., Any]:
        function = getattr(ast, name)
        return lambda *given, **named: (asked.append(name), function(*given, **named))[1]

    links = [link for pipe in [*reversed(steps), ops.map(same)] for link in pipe.links]
    with monkeypatch.context() as patch:
        for name in ("parse", "unparse", "walk"):
            patch.setattr(ast, name, noted(name))
        loop = compiled(Kind.SLICE, tuple([link.key for link in links]), End.STAGE)
    assert isinstance(loop, Loop)
    assert asked == []


def test_a_lambda_keeps_its_names_apart_from_those_of_the_loop() -> None:
    source = Stream([1, 2]) | ops.map(str)
    assert list(source | with_lambda()) == [("1", "1", 3), ("2", "2", 3)]
    assert next(iter(source | ops.enumerate() | with_lambda())) == ((0, "1"), (0, "1"), 3)


def test_a_step_whose_own_text_has_the_marks_means_what_it_says() -> None:
    assert list(Stream("ab") | with_runes() | with_runes())[1] == (("b", 3, "ᛞ"), 3, "ᛞ")


def test_what_is_kept_counts_loops_inside_one_another_wherever_it_stands() -> None:
    deep = Stream([[[[1, 2]]]]) | ops.flatten() | ops.flatten()
    for _ in range(14):  # more than one function may hold
        deep = deep | ops.map(lambda item: [item]) | ops.flatten()
    assert run(lambda: deep | ops.flatten() | ops.to_list()) == [1, 2]


@step(each=r'emit(item + "\u16df\N{RUNIC LETTER DAGAZ DAEG D} ᛃ")')
def with_escapes() -> Operator[Any, Any]:
    return Operator(with_escapes)


def test_a_step_may_have_the_marks_in_its_text_and_as_escapes() -> None:
    found = [*(Stream(["a"]) | with_escapes())]
    assert found == ["a\u16df\u16de ᛃ"]


class Thing:
    """What is seen to be gone."""

    def __add__(self, other: int) -> int:
        return other


@step(setup="idle = lambda: None", each="emit(function(item))")
def beside_lambda(function: Callable[..., Any]) -> Operator[Any, Any]:
    return Operator(beside_lambda, function=function)


@pytest.mark.parametrize("operator", [ops.map, beside_lambda])
def test_what_a_callback_has_returned_is_held_once(operator: Callable[..., Any]) -> None:
    """While a later step waits, what another has made of it is held, and not that itself; not so at first."""
    things, held = list[Any](), list[int]()

    def makes(_: int) -> Any:
        thing = Thing()
        things.append(ref(thing))
        return same(thing)

    async def waits(number: int) -> int:
        held.append(sum(each() is not None for each in things))
        return number

    async def main() -> None:
        await (
            Stream([1, 2, 3])
            | operator(makes)
            | ops.map(lambda thing: thing + 5)
            | ops.map(waits)
            | ops.drain()
        )

    run(main)
    assert held[1:] == [0, 0]


def test_a_callback_that_drops_does_so_in_the_first_loop_of_its_kind_and_in_others() -> None:
    def halved(number: int) -> float:
        return 8 // number

    async def later(number: int) -> float:
        return 8 // number

    for function in (halved, later, lambda number: called(8 // number)):
        step = ops.map(function, on_error=Resume())
        for pipe in (step, ops.map(abs) | step, step | ops.filter(bool), ops.skip(1) | step | ops.map(abs)):
            expected = [8.0, 2.0] if "skip" not in str(pipe) else [2.0]
            assert list(Stream([1, 0, 4]) | pipe) == expected
