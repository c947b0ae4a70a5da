"""What a piece says means what it means in Python: random pieces, beside the same text as a generator.

The generator has the step's text for its body, with ``yield`` for ``emit`` and ``return`` for ``stop()``.
Compared are the items, the calls and their order, and the error that ends it; with callbacks of every kind,
in loops of several kinds. One callback changes a global of the module that the pieces read.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from random import Random
from textwrap import indent
from typing import Any

import pytest

from streamkit import Operator, Stream, ops, step
from streamkit.testing import run
from tests.tiers import stride

# texts -----------------------------------------------------------------------------------------------------

ANYWHERE = [
    "(_ + _)",
    "(_ and _)",
    "(_ or _ or _)",
    "(_ if _ else _)",
    "(_ < _)",
    "(_ < _ <= _ != _)",
    "(not _)",
    "[_, _][_ % 2]",
    "max(*[_, _], _)",
    "max(_, 1, key=lambda a: a - _)",
    "{1: _, 2: _}[1 + _ % 2]",
    "len(f'{(_)}:{(_)!r:>{abs(_) % 9}}')",
    "len([1, 2, 3][abs(_) % 2:abs(_) % 4])",
    "(seen.append(_) or _)",
    "sum([_ for x in range(abs(_) % 3)])",
    "sum([_ for item in range(abs(_) % 3) if _])",
    "sum({_ for a in range(abs(_) % 3)})",
    "sum({_: _ for x in range(abs(_) % 3)}.values())",
    "sum([_ for x in range(abs(_) % 3) for a in [_, x] if _ if _])",
    "len([[_ for x in [x]] for x in range(abs(_) % 3)])",
]
"""Expressions for whole numbers; each ``_`` is another."""
CALLS = ["f(_)", "g(_, _)", "f(*[_])", "g(**dict(a=_), b=_)"] * 4
LAZY = ["sum(_ for x in range(3))", "(lambda a, *, b=2: a + _)(1, b=3)", "(lambda item: _)(1)"]
NAMING = ["(w := _)", "((a := _) + a)"]
STATEMENTS = [
    *("a = _", "b += _", "p = _", "c = _", "_", "a, b = _, _", "seen[b % 1] += _", "a = b = _"),
    *["emit(_)"] * 5,
    "if _:\n    raise KeyError(_)",
    "if _:\n    stop()",
]
BLOCKS = ["if _:\n    #", "if _:\n    #\nelse:\n    #", "for x in [_, _]:\n    #\nelse:\n    #"]


class Author:
    """Writes pieces at random. The variable ``c`` may not be there when it is read."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def number(self, depth: int, names: tuple[str, ...], without: tuple[str, ...] = ()) -> str:
        """An expression, in which no text is one of those `without`."""
        pick = self.random.choice
        if not depth or self.random.random() < 0.2:
            return "c" if self.random.random() < 0.02 else pick(names)
        text = pick([each for each in [*ANYWHERE, *CALLS, *LAZY, *NAMING] if each not in without])
        if text in LAZY or "lambda" in text:
            without += (*CALLS, *NAMING)
        if " for " in text:
            without += (*NAMING,)
        if "f'" in text:
            without += (text,)  # Python 3.11 cannot have one inside another
        return re.sub(r"\b_\b", lambda _: self.number(depth - 1, names, without), text)

    def block(self, depth: int, names: tuple[str, ...], longest: int) -> str:
        return "\n".join(self.statement(depth, names) for _ in range(self.random.randint(1, longest)))

    def statement(self, depth: int, names: tuple[str, ...]) -> str:
        text = self.random.choice(STATEMENTS)
        if depth and self.random.random() < 0.4:
            text = self.random.choice(BLOCKS)
        text = re.sub(r"\b_\b", lambda _: self.number(self.random.choice((1, 2, 2, 3)), names), text)
        return re.sub("    #", lambda _: indent(self.block(depth - 1, names, 2), "    "), text)

    def pieces(self) -> dict[str, str]:
        """Those of one step."""
        names = ("1", "2", "-3", "a", "b", "p", "x", "RATE")
        more = ("\n" + self.block(1, names, 1)) if self.random.random() < 0.3 else ""
        return {
            "setup": "a, b, x, seen = 0, 1, 2, [0]" + more,
            "each": self.block(2, (*names, "item", "item"), 4),
            "finish": self.block(1, names, 1),
        }


# both sides ------------------------------------------------------------------------------------------------


class Side:
    """A module with the step and the generator in it, and what its callbacks are called with."""

    def __init__(self, pieces: dict[str, str]) -> None:
        self.module: dict[str, Any] = {"RATE": 1, "step": step, "Operator": Operator, "__name__": "pieces"}
        self.module["PIECES"] = pieces
        header = "@step(**PIECES)\ndef stepped(f, g, p):\n    return Operator(stepped, f=f, g=g, p=p)\n"
        each = indent(pieces["each"], "    ")
        body = f"{pieces['setup']}\nfor item in items:\n{each}\n{pieces['finish']}\nif 0: emit(0)"
        body = re.sub(r"\bemit\(", "yield (", body.replace("stop()", "return"))
        exec(f"def plain(items, f, g, p):\n{indent(body, '    ')}\n", self.module)
        self.refused = ""
        try:
            exec(header, self.module)
        except SyntaxError as error:
            self.refused = str(error)
        self.calls: list[Any] = []

    def f(self, a: Any = 0) -> Any:
        self.calls.append(("f", a))
        if len(self.calls) == 20:
            raise ArithmeticError
        return a

    def g(self, a: Any, b: Any = 0) -> Any:
        self.module["RATE"] += 1
        self.calls.append(("g", a, b))
        return a - b

    async def stepwise(self, stream: Any) -> Any:
        """What comes of `stream`, the calls, and the error."""
        found: list[Any] = []
        try:
            async for item in stream:
                found.append(item)
        except Exception as error:
            return found, self.calls, _kind(error)
        return found, self.calls, None

    def plainly(self, items: list[int], steps: int) -> Any:
        """The same, of the generator."""
        found: list[Any] = []
        made: Iterator[Any] = iter(items)
        for _ in range(steps):
            made = self.module["plain"](made, self.f, self.g, 5)
        try:
            for item in made:
                found.append(item)
        except Exception as error:
            return found, self.calls, _kind(error)
        return found, self.calls, None

    def ends_with_the_first(self, items: list[int]) -> bool:
        """Whether the generator fails for want of a variable, or else handles one item at most."""
        left: Any = iter(items)
        _, _, error = self.plainly(left, 1)
        return error is NameError or len([*left]) >= len(items) - 1


def _kind(error: Exception) -> type[Exception]:
    return NameError if isinstance(error, NameError) else type(error)


async def later(value: Any) -> Any:
    return value


def as_it_is(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


def waiting(function: Callable[..., Any]) -> Callable[..., Any]:
    async def call(*values: Any, **named: Any) -> Any:
        return function(*values, **named)

    return call


def handing(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values, **named: later(function(*values, **named))


def source_of(items: list[int]) -> Callable[[], AsyncIterator[int]]:
    async def source() -> AsyncIterator[int]:
        for item in items:
            yield item

    return source


SEEDS = 6
"""How many steps are tried with each kind of callback and source."""

SOURCES: dict[str, Callable[[list[int]], Any]] = {
    "slice": Stream,
    "iter": lambda items: Stream(lambda: iter(items)),
    "async": lambda items: Stream(source_of(items)),
    "channel": lambda items: Stream(items) | ops.concat([]),
}


@pytest.mark.parametrize("kind", [as_it_is, waiting, handing])
@pytest.mark.parametrize("source", SOURCES)
def test_a_step_does_what_its_text_does_as_a_generator(kind: Any, source: str) -> None:
    first = 100 * [*SOURCES].index(source) + 1000 * [as_it_is, waiting, handing].index(kind)
    seeds = range(first, first + SEEDS)
    for seed in seeds[stride(2) - 1 :: stride(3)]:  # none of the fewer is without items
        pieces = Author(seed).pieces()
        items = [Random(seed).randint(-2, 5) for _ in range(seed % 5)]
        plain, stepped = Side(pieces), Side(pieces)
        if stepped.refused:
            assert "nothing has assigned to c before" in stepped.refused
            assert plain.ends_with_the_first(items), (seed, items, pieces)
            continue
        stream = SOURCES[source](items)
        steps = 1 + seed % 2
        for _ in range(steps):
            stream = stream | stepped.module["stepped"](kind(stepped.f), kind(stepped.g), 5)
        expected = plain.plainly(items, steps)
        assert run(lambda: stepped.stepwise(stream)) == expected, (seed, items, steps, pieces)  # noqa: B023 - run now
