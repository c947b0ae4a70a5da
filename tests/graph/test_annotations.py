"""Type mismatches are told where annotations are sure of them, and only there."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import pytest

from streamkit.graph import Graph, Registry
from streamkit.graph.annotations import fits


class Animal: ...


class Cat(Animal): ...


class Speaks(Protocol):
    def speak(self) -> str: ...


@runtime_checkable
class Has(Protocol):
    """Of which no class can be asked whether it is one."""

    name: str


@pytest.mark.parametrize(
    ("given", "wanted", "fit"),
    [
        (int, int, True),
        (bool, int, True),
        (int, float, True),
        (float, int, False),
        (str, int, False),
        (Cat, Animal, True),
        (Animal, Cat, True),
        (Any, int, True),
        (str, Any, True),
        (str, object, True),
        (list[int], Sequence[int], True),
        (list[int], str, False),
        (int | None, int, True),
        (str | None, int, False),
        (int, str | bytes, False),
        (None, int, False),
        (Cat, Speaks, True),
        (Cat, Has, True),
        (tuple[int, str], tuple[int, str], True),
        (tuple[int, str], tuple[int, int], False),
        (tuple[int, int], tuple[int, int, int], False),
        (tuple[int, int], tuple[int, ...], True),
        (tuple[int, int], tuple, True),
    ],
)
def test_what_fits(given: Any, wanted: Any, fit: bool) -> None:
    assert fits(given, wanted) is fit


def numbers() -> Iterator[int]:
    yield 1


async def later() -> AsyncIterator[str]:
    yield "a"


def half(number: int) -> float:
    return number / 2


async def upper(text: str) -> str:
    return text.upper()


def pair(both: tuple[int, str]) -> str:
    return str(both)


def anything(item):  # type: ignore[no-untyped-def]
    return item


def forgotten(item: "Nowhere") -> int:  # type: ignore[name-defined]  # noqa: F821 - what is not there at run time
    return len(item)


NAMED = {each.__name__: each for each in (numbers, later, half, upper, pair, anything, forgotten)}
NAMED["max"] = max  # a builtin without a signature


def told(**nodes: Any) -> list[tuple[str, str]]:
    graph = Graph({"nodes": nodes}, registry=Registry(NAMED))
    return [(each.where, each.message) for each in graph.check()]


def test_a_mismatch_is_told_at_the_input_that_brings_it() -> None:
    found = told(
        n={"source": "numbers"},
        t={"take": 3, "input": "n"},
        h={"map": "half", "input": "t"},
        u={"map": "upper", "input": "h"},
        out={"sink": "upper", "input": "u"},
    )
    assert found == [("nodes.u.input", "upper takes str, and gets float")]


def test_joins_give_tuples() -> None:
    given: dict[str, Any] = {"n": {"source": "numbers"}, "l": {"source": "later"}}
    given["out"] = {"sink": "anything", "input": "p"}
    assert told(**given, p={"map": "pair", "input": ["n", "l"]}) == []
    found = told(**given, p={"map": "pair", "input": ["l", "n"]})
    assert found == [("nodes.p", "pair takes tuple[int, str], and gets tuple[str, int]")]
    assert told(**given, p={"map": "half", "input": ["l", "n"], "join": "merge"}) == []


def test_what_is_not_annotated_is_not_known() -> None:
    given: dict[str, Any] = {"n": {"source": "numbers"}, "a": {"map": "anything", "input": "n"}}
    assert told(**given, u={"map": "upper", "input": "a"}, out={"count": True, "input": "u"}) == []
    given = {"n": {"source": "numbers"}, "u": {"map": "forgotten", "input": "n"}}
    assert told(**given, m={"map": "max", "input": "u"}, out={"count": True, "input": "m"}) == []
