"""Loops: how large one may be, and what is said of a step that is larger."""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streamkit import Contract, Keep, Stream, Suspend, ops, step
from streamkit.testing import run


def repeated(each: str) -> Callable[[], Any]:
    """A step that is no other yet."""

    def again() -> Keep:
        return Keep(again)

    return step(each=each)(again)


def nested(depth: int) -> str:
    headers = [f"{'    ' * number}for a{number} in [item]:" for number in range(depth)]
    return "\n".join([*headers, f"{'    ' * depth}emit(item)"])


def branching(depth: int) -> str:
    indents = ["    " * number for number in range(depth)]
    headers = [f"{indent}if item > {number}:" for number, indent in enumerate(indents)]
    others = [f"{indent}else:\n{indent}    pass" for indent in reversed(indents)]
    return "\n".join([*headers, f"{'    ' * depth}emit(item)", *others])


class TestTooLarge:
    """Python allows more loops inside one another than a step may have: others stand around its own."""

    @pytest.mark.parametrize("source", [[1], iter([1])], ids=["list", "iterator"])
    def test_a_step_is_told_what_to_do(self, source: Any) -> None:
        with pytest.raises(SyntaxError, match=r"^step again: it is too large for one loop: put a part of it"):
            list(Stream(source) | repeated(nested(13))())

    def test_so_it_is_among_others(self) -> None:
        async def main() -> None:
            await (Stream([1]) | ops.map(str) | repeated(nested(13))() | ops.buffer(Suspend(4)) | ops.drain())

        with pytest.raises(SyntaxError, match=r"^step again: it is too large"):
            run(main)

    def test_so_is_one_whose_ifs_are_too_deep_in_one_another(self) -> None:
        assert list(Stream([99, 3]) | ops.map(abs) | repeated(branching(57))() | ops.map(str)) == ["99"]
        with pytest.raises(SyntaxError, match=r"^step again: it is too large"):
            list(Stream([99]) | repeated(branching(58))())

    def test_one_that_just_fits_runs_among_others(self) -> None:
        pipe = Stream([1, 2]) | ops.map(str) | repeated(nested(12))() | ops.map(int)
        assert list(pipe) == [1, 2]


def test_a_program_that_is_too_deep_in_calls_is_told_that() -> None:
    def below(calls: int, pipe: Any) -> list[Any]:
        return below(calls - 1, pipe) if calls else list(pipe)

    found: list[Any] = []
    calls = sys.getrecursionlimit()
    while not found:
        calls -= 5
        try:
            found = below(calls, Stream([1]) | repeated("emit([[[[[[[[item + 1]]]]]]]])")())
        except RecursionError:
            continue
    assert found == [[[[[[[[[2]]]]]]]]]


REGROUPS = Contract(holds="unbounded", regroups=True)


@step(each="emit(item)", contract=REGROUPS)
def _idle() -> Keep:
    return Keep(_idle)


@step(
    setup="held = []",
    each="held.append(item)",
    finish="for each in held:\n    emit(each)",
    contract=REGROUPS,
)
def _holding() -> Keep:
    return Keep(_holding)


@pytest.mark.parametrize("pipe", [_idle() | _idle(), _holding() | _idle() | _idle(), _idle() | _holding()])
def test_an_error_comes_behind_what_is_held_though_a_step_beside_it_holds_nothing(pipe: Any) -> None:
    def source() -> Iterator[int]:
        yield from range(3)
        raise LookupError("at the end")

    found: list[int] = []
    with pytest.raises(LookupError, match=r"^at the end$"):
        for item in Stream(source) | pipe:
            found.append(item)
    assert found == [0, 1, 2]
