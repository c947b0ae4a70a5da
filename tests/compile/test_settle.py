"""The parts of a line keep their order where a callback in it may have to be awaited.

Each text is compared with itself as the body of a generator: the items, and the order of calls and accesses.
"""

from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Keep, Stream, step
from streamkit.testing import run
from tests.compile.test_pieces_meaning import SOURCES, Side, as_it_is, handing, later, waiting


class Noting:
    """Notes whatever is read of it, and written to it."""

    def __init__(self, calls: list[Any]) -> None:
        self.__dict__["calls"] = calls
        self.__dict__["kept"] = {}

    def __getattr__(self, name: str) -> Any:
        self.calls.append(("read", name))
        return self.kept.get(name, 1)

    def __setattr__(self, name: str, value: Any) -> None:
        self.calls.append(("write", name, value))
        self.kept[name] = value

    def __getitem__(self, key: Any) -> Any:
        self.calls.append(("get", str(key)))
        return self.kept.get(str(key), 1)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.calls.append(("set", str(key), value))
        self.kept[str(key)] = value


TEXTS = {
    "an attribute is read before what is added": "noting.x += f(item)\nemit(noting.x)",
    "so is an item": "noting[RATE] += g(item, 1)\nemit(noting[1])",
    "and a variable that nothing else changes": "b += f(item)\nemit(b)",
    "and one that the line itself changes": "a += (a := f(item))\nemit(a)",
    "what a generator goes through is got at once": "emit(sum(x + RATE for x in [RATE, g(item, 1)]))",
    "keywords are in order": "emit([*dict(a=noting.x, b=RATE, c=g(item, 1), d=RATE).items()])",
    "also where some are unpacked": "emit([*dict(a=noting.x, **{'b': noting.y}, c=g(item, 1)).items()])",
    "so is what is unpacked": "emit(max(*[noting.x, RATE], g(item, 1), RATE))",
    "and a slice": "emit(noting[RATE:noting.x, g(item, 1)])",
    "and one with no beginning": "emit(noting[:RATE, g(item, 1)])",
    "a dict that is unpacked comes first": "emit([*{**{1: noting.x}, 2: g(item, 1), **{3: RATE}}.items()])",
    "a choice may be in a choice": "emit(1 if not b else f(item) if g(item, 1) else f(f(1) if b else 2))",
    "an or, or an and, may end early": "emit((f(item) > 1 and g(item, 1), f(0) or g(RATE, 1)))",
    "nor does the rest of a chain": "emit((f(item) < g(item, 5) < f(noting.x), f(0) < g(item, 0) < f(RATE)))",
    "so are comprehensions": "emit([[f(x) for x in [RATE, g(item, 1)] if g(x, 1)], {f(item): g(item, 0)}])",
    "and those of sets and dicts": "emit([{f(x) for x in [1, g(item, 1)]}, {f(x): g(x, 1) for x in [RATE]}])",
    "so are the parts of a text": "emit(f'{noting.x}{g(item, 1)!r:>{f(3)}}{RATE}')",
    "constants need no order": "emit((1, 'a', g(item, 1), RATE))",
    "a lambda is made, and not called": "emit([(lambda x, y=noting.x: x + y)(1), g(item, RATE)])",
}
"""By what they show, what a step does with each item."""


class Owed:
    """What comes of a callback, before something is added to it."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __add__(self, other: Any) -> Any:
        return later(self.value + other)


# of functions that end in an operator, the first result decides: until then, calls are lines of their own


def adding(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values, **named: function(*values, **named) + 0


def owing(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values, **named: Owed(function(*values, **named)) + 0


KINDS = pytest.mark.parametrize("kind", [as_it_is, waiting, handing, adding, owing])


def side(each: str) -> Side:
    made = Side({"setup": "a = 0\nb = 1\nnoting = Noting()", "each": each, "finish": "emit((a, b))"})
    made.module["Noting"] = lambda: Noting(made.calls)
    return made


@pytest.mark.spread(2)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@KINDS
@pytest.mark.parametrize("source", ["slice", "async"])
def test_what_is_around_a_call_keeps_its_order(text: str, kind: Callable[[Any], Any], source: str) -> None:
    plain, stepped = side(text), side(text)
    assert not stepped.refused
    stream = SOURCES[source]([3, 1, 2]) | stepped.module["stepped"](kind(stepped.f), kind(stepped.g), 5)
    expected = plain.plainly([3, 1, 2], 1)
    assert len(expected[0]) == 4
    assert run(lambda: stepped.stepwise(stream)) == expected


@step(each="emit(await later(f(item)) + await later(1))", uses=(later,))
def _awaiting(f: Callable[[Any], Any]) -> Keep:
    return Keep(_awaiting, f=f)


@KINDS
def test_a_call_within_what_a_step_awaits_is_awaited_before(kind: Callable[[Any], Any]) -> None:
    async def main() -> list[int]:
        return [item async for item in Stream([1, 2, 3]) | _awaiting(kind(lambda number: 2 * number))]

    assert run(main) == [3, 5, 7]


@step(each="emit(f(await later(item)))", uses=(later,))
def _after_awaiting(f: Callable[[Any], Any]) -> Keep:
    return Keep(_after_awaiting, f=f)


@pytest.mark.parametrize("function", [str, str.__str__, lambda item: item + "", waiting(str)])
def test_what_a_call_is_given_is_awaited_before_it_begins(function: Callable[[Any], Any]) -> None:
    async def main() -> list[Any]:
        return [item async for item in Stream("abc") | _after_awaiting(function)]

    assert run(main) == ["a", "b", "c"]


@step(setup="begin = f(1)", each="emit(begin + item)", finish="emit(f(2))")
def _around(f: Callable[[Any], Any]) -> Keep:
    return Keep(_around, f=f)


@KINDS
def test_a_callback_that_is_called_before_and_behind_the_items_only(kind: Callable[[Any], Any]) -> None:
    def doubled(number: int) -> int:
        return 2 * number

    async def main() -> list[int]:
        return [item async for item in Stream([10, 20]) | _around(kind(doubled))]

    assert run(main) == list(Stream([10, 20]) | _around(kind(doubled))) == [12, 22, 4]
