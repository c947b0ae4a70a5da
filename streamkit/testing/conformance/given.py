"""What users give to be checked: made into a `Subject`, or refused with what is allowed."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from streamkit._core.arguments import Composed, flag, iterable, mapping, whole
from streamkit._core.show import named, shown
from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Pipe
from streamkit.testing.conformance.items import Item, followed, followed_kind
from streamkit.testing.conformance.keeping import drained
from streamkit.testing.conformance.lab import Lab, play
from streamkit.testing.conformance.subject import Applied, Subject
from streamkit.testing.waits import DeadlockError

__all__ = [
    "MOST_ITEMS",
    "MOST_OTHERS",
    "Given",
    "callables",
    "checked",
    "error_class",
    "listed",
    "makes",
    "refusals",
    "shaped",
    "tried_out",
]

MOST_ITEMS = 1000
"""Items that a check takes at most."""
MOST_OTHERS = 100
"""Sources besides the first at most: each of the many hundred runs makes all of them."""


@dataclass(frozen=True)
class Given(Subject):
    """What a user has given: it may declare no contract, and say what it holds in the call instead."""

    lookahead: int | None = None
    holds: int | None = None

    def ahead(self, built: Any) -> float:
        """What its contract says, or the call."""
        return super().ahead(built) if self.lookahead is None else float(self.lookahead)

    def ahead_of_main(self, built: Any) -> float:
        """What its contract says, or the call."""
        return super().ahead_of_main(built) if self.lookahead is None else float(self.lookahead)

    def bound(self, built: Any) -> float:
        """What its contract says, or the call; without either, there is no bound."""
        if self.holds is not None:
            return super().bound(built) + self.holds + 1  # it has one in hand, and the stream around it
        return super().bound(built) if self._declares(built) else float("inf")

    def in_hand(self, built: Any) -> int:
        """A function of a user's has an item in a variable, also when it has passed on what it made of it."""
        return 0 if self._declares(built) else 1

    def _declares(self, built: Any) -> bool:
        """Whether a contract says what it holds."""
        return isinstance(built, Job) or bool(built.links)


def checked(known: dict[str, Any]) -> dict[str, Any]:
    """What a user says of an operator, if it can be so."""
    for name, value in known.items():
        if name in _COUNTS:
            if value is not None:
                whole(name, value, least=0, most=sys.maxsize)
        elif name in _FLAGS:
            flag(name, value)
        else:  # on_empty
            error_class(name, value)
    return known


_COUNTS = frozenset({"needs", "lookahead", "holds"})
_FLAGS = frozenset({"catches", "lossless", "ordered", "timed"})


def error_class(name: str, value: Any) -> None:
    """Refuse what is no class of exceptions."""
    given: Any = value  # pyright would narrow `value` to a class of something unknown
    if not (isinstance(value, type) and issubclass(value, Exception)):
        raise TypeError(f"{name} must be a class of exceptions, not {shown(given)}")


def callables(callbacks: Iterable[Callable[..., Any]]) -> tuple[Callable[..., Any], ...]:
    """`callbacks`, if each can be called."""
    if callable(callbacks):
        raise TypeError(
            f"callbacks must be a list of functions, not one: write callbacks=[{named(callbacks)}]"
        )
    found = tuple(iterable("callbacks", callbacks))
    for function in found:
        if not callable(function):
            raise TypeError(f"callbacks must be callables, not {shown(function)}")
    return found


def refusals(
    refuses: Mapping[str, Callable[[], object]] | None,
) -> dict[str, Callable[[], object]]:
    """The calls that are to be refused, by the names of their bad arguments."""
    found = {} if refuses is None else dict(mapping("refuses", refuses))
    for name, call in found.items():
        said: Any = name
        if not isinstance(said, str):
            raise TypeError(f"refuses must have names of arguments as keys, not {shown(name)}")
        made: Any = call
        if not callable(made) or isinstance(made, Composed):  # a call of that would raise for another reason
            raise TypeError(
                f"refuses must have a call without arguments for {name!r}, as in lambda: take(-1), "
                f"not {shown(call)}"
            )
    return found


def makes(
    operator: Any,
    argument: str,
    callbacks: Sequence[Callable[..., Any]],
    others: int,
    shape: Callable[[Item], Any],
) -> Callable[[Lab], Any]:
    """What makes the operator anew for each run, with the callbacks and sources of a lab."""
    if isinstance(operator, Pipe):
        if callbacks or others:
            raise TypeError(
                f"{argument} must be a callable that makes it, where callbacks or others are given; "
                f"not {shown(operator)}"
            )
        return lambda lab: operator
    if not callable(operator):
        raise TypeError(
            f"{argument} must be an operator, a callable that makes one, or a function of a stream, "
            f"not {shown(operator)}"
        )
    if not callbacks and not others and _takes_a_stream(operator):
        if hasattr(operator, "__streamkit__"):  # made by `step` or `stage`: its argument is no stream
            name = named(operator)
            raise TypeError(
                f"{argument} must be an operator, or make one: {name} takes arguments, so write "
                f"lambda: {name}(...); callbacks= and others= are what it is called with here"
            )
        return lambda lab: Applied(operator)

    def make(lab: Lab) -> Any:
        given = [lab.callback(function) for function in callbacks]
        made: Any = operator(*given, *(lab.source(shape) for _ in range(others)))
        if isinstance(made, Pipe):
            return made
        if not callable(made):
            raise TypeError(
                f"{argument}() must return an operator or a function of a stream, not {shown(made)}"
            )
        return Applied(made)

    return make


def _takes_a_stream(function: Callable[..., Any]) -> bool:
    """Whether a call needs an argument: then it is no factory."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function of C that does not say what it takes
        return False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return any(each.kind in positional and each.default is inspect.Parameter.empty for each in parameters)


def listed(items: Iterable[Any] | None) -> list[Any] | None:
    """`items` as a list; none at all, and too many, are refused."""
    if items is None:
        return None
    found = [*islice(iterable("items", items), MOST_ITEMS + 1)]
    if not 1 <= len(found) <= MOST_ITEMS:
        count = len(found) or "none"
        raise ValueError(f"items must be 1 to {MOST_ITEMS} items, not {count if not found else 'more'}")
    return found


def shaped(items: list[Any] | None) -> Callable[[Item], Any]:
    """What an item of the sources looks like: the next of `items`, over and over, or its number."""
    if items is None:
        return lambda item: followed(item.number, item)
    return lambda item: followed(items[item.number % len(items)], item)


def unfollowed(items: list[Any] | None) -> str:
    """Why items cannot be followed; empty if they can."""
    for each in items or [0]:
        if why := followed_kind(each):
            return why
    return ""


def tried_out(subject: Given, count: int) -> Given:
    """`subject`, with what a run over a plain iterable tells of it: whether it lets time pass.

    An error here is no finding: it cannot take the items.
    """

    async def main() -> bool:
        await drained(subject.built(Lab("plain", count=count)))
        return asyncio.get_running_loop().time() > 0.0

    try:
        return replace(subject, waits=play(main))
    except (AssertionError, DeadlockError):
        return subject  # it is what a check finds, and says better
    except Exception as error:
        error.add_note(f"raised by {subject.name} with the items of the check: give others with items=")
        if isinstance(subject.make(Lab()), Applied):
            error.add_note(
                f"{subject.name} was called with a stream: if it is to be called with callbacks, or other "
                "sources, and to return an operator, say callbacks= or others="
            )
        raise


def name_of(operator: Any, make: Callable[[Lab], Any]) -> str:
    """What it is called in a report."""
    if isinstance(operator, Pipe):
        return shown(operator)
    made = make(Lab())
    return named(made.function) if isinstance(made, Applied) else shown(made)
