"""Law 9: what a callback returns is awaited if it is awaitable, each time, in every operator."""

from __future__ import annotations

import asyncio
import concurrent.futures
import types
from collections.abc import Callable, Generator
from functools import partial
from itertools import count
from typing import Any

from streamkit._core.show import shown
from streamkit.testing.conformance.exits import consume
from streamkit.testing.conformance.items import plain
from streamkit.testing.conformance.lab import Lab, play
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.subject import Case, Subject

__all__ = ["TURNS", "WAYS", "Mixing", "each_kind", "mixed_results"]


def value(result: Any) -> Any:
    """As it is."""
    return result


async def coroutine(result: Any) -> Any:
    """A coroutine that is done at once."""
    return result


async def waiting(result: Any) -> Any:
    """A coroutine that waits."""
    await asyncio.sleep(0)
    return result


def future(result: Any) -> Any:
    """A future of asyncio that is done."""
    made = asyncio.get_running_loop().create_future()
    made.set_result(result)
    return made


def of_executor(result: Any) -> Any:
    """A future of an executor that is done."""
    made: concurrent.futures.Future[Any] = concurrent.futures.Future()
    made.set_result(result)
    return made


@types.coroutine
def generator(result: Any) -> Generator[None, None, Any]:
    """A coroutine that is a generator."""
    yield
    return result


class Awaitable:
    """An object with a method `__await__`."""

    result: Any

    def __init__(self, result: Any) -> None:
        self.result = result

    def __await__(self) -> Generator[Any, None, Any]:
        yield from asyncio.sleep(0).__await__()
        return self.result


WAYS: tuple[Callable[[Any], Any], ...] = (
    *(value, coroutine, waiting, future, of_executor, generator, Awaitable),
)
"""How a callback hands over its result."""
TURNS: dict[str, tuple[Callable[[Any], Any], ...]] = {
    "a value first": (value, value, coroutine, waiting, value),
    "an awaitable first": (waiting, value, value, of_executor),
    "of an executor": (of_executor,),
    "all": (value, coroutine, generator, value, Awaitable, future, of_executor, waiting),
}


class Mixing(Lab):
    """A lab whose callbacks hand over their results in one way after the other."""

    turns: tuple[Callable[[Any], Any], ...] = (value,)

    def callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, whose results are handed over in turns."""
        call, made = super().callback(function), count()
        return lambda *arguments: self.turns[next(made) % len(self.turns)](call(*arguments))


async def _results(built: Any) -> Any:
    return [plain(each) for each in await consume(built)]


def mixed_results(subject: Subject, case: Case) -> None:
    """Callbacks return a value now and an awaitable then: all comes out as if they were all values."""
    most = 9 if case.most is None else min(9, case.most)

    def lab(turns: tuple[Callable[[Any], Any], ...]) -> Lab:
        made = Mixing(case.style, "sync", count=most)
        made.turns = turns
        return made

    expected = play(lambda: _results(subject.built(lab((value,)))))
    for name, turns in TURNS.items():
        found = play(partial(_results, subject.built(lab(turns))))
        if subject.timed:
            expect(Law.AWAITABLES, found or not expected, f"something with {name}", "nothing")
            continue
        if not subject.ordered:
            found, expected = sorted(found, key=repr), sorted(expected, key=repr)
        expect(Law.AWAITABLES, found == expected, f"{shown(expected)} with {name}", shown(found))


def each_kind(subject: Subject, case: Case) -> None:
    """Callbacks are functions, coroutine functions, lambdas, partials and objects: the same comes out."""
    expected = play(lambda: _results(subject.built(case.lab(kind="sync"))))
    found = play(lambda: _results(subject.built(case.lab())))
    if subject.timed:
        return
    if not subject.ordered:
        found, expected = sorted(found, key=repr), sorted(expected, key=repr)
    expect(Law.AWAITABLES, found == expected, f"{shown(expected)}, as of a plain function", shown(found))
