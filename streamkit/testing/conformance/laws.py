"""The laws that operators, sources and sinks keep to, as data: docs/laws.md has them in full.

>>> Law.CLOSE.number, Law.CLOSE.title
(3, 'Close')
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from streamkit._core.arguments import iterable

__all__ = ["Broken", "Law", "Spins", "chosen", "expect"]


class Law(Enum):
    """One of the laws of docs/laws.md: its number, its title, and what it says in a sentence or two.

    >>> from streamkit.testing import Law
    >>> print(Law.CANCELLATION)
    Law 5, Cancellation: Never swallowed, never invented. No item is lost in a hand-over.
    """

    DEMAND = (
        1,
        "Demand",
        "A step pulls nothing before it is asked, a stage at most its declared lookahead. "
        "A stalled consumer stalls the source.",
    )
    BOUND = 2, "Bound", "Items inside a pipeline never exceed the bound that explain() prints."
    CLOSE = 3, "Close", "Every exit finishes each source's clean-up once, and leaves nothing behind."
    ERRORS = (
        4,
        "Errors",
        "What is held already is delivered, and then the first error comes as itself. "
        "Errors of clean-up hang on it. An operator never catches its consumer's error.",
    )
    CANCELLATION = 5, "Cancellation", "Never swallowed, never invented. No item is lost in a hand-over."
    ONE_TASK = (
        6,
        "One task per source",
        "A source is started, stepped and closed in one task, so timeouts and context variables in it work.",
    )
    FAIRNESS = 7, "Fairness", "A pipeline whose items are always ready lets the event loop breathe."
    ACCOUNTING = (
        8,
        "Accounting",
        "Each item that is offered is delivered, dropped, folded, refused or held, once.",
    )
    AWAITABLES = (
        9,
        "Awaitables",
        "A callback that returns an awaitable is awaited, whatever kind of callable it is.",
    )
    VALIDATION = (
        10,
        "Validation",
        "A bad argument raises at the call that takes it, naming the argument.",
    )
    DEPTH = (
        11,
        "Depth",
        "Time, memory and stack do not grow with how often a pipe was restarted. "
        "No operator swallows a RecursionError.",
    )
    NOTHING_PINNED = (
        12,
        "Nothing pinned",
        "An item, a result or an error that has left is not kept alive.",
    )

    number: int
    """Its number in docs/laws.md."""
    title: str
    """Its name there."""
    words: str
    """What it says, shortly."""

    def __init__(self, number: int, title: str, words: str) -> None:
        self.number = number
        self.title = title
        self.words = words

    def __str__(self) -> str:
        return f"Law {self.number}, {self.title}: {self.words}"


class Broken(AssertionError):  # noqa: N818 - a verdict
    """A check has found that a law is broken: which, what was expected, and what was seen.

    >>> print(Broken(Law.CLOSE, "one clean-up of the source", "none"))
    law 3, Close: expected one clean-up of the source; seen: none
    """

    law: Law
    expected: str
    seen: str

    def __init__(self, law: Law, expected: str, seen: object) -> None:
        self.law = law
        self.expected = expected
        self.seen = str(seen)
        super().__init__(f"law {law.number}, {law.title}: expected {expected}; seen: {seen}")


class Spins(Broken):
    """A run goes on and on without an end, and without waiting for anything."""

    def __init__(self, steps: int) -> None:
        super().__init__(Law.FAIRNESS, "an end, or a wait", f"still running after {steps} steps of the loop")


def expect(law: Law, condition: object, expected: str, seen: object) -> None:
    """Raise `Broken` unless `condition` is true."""
    if not condition:
        raise Broken(law, expected, seen)


def chosen(laws: Iterable[Law] | Law) -> tuple[Law, ...]:
    """`laws` as a tuple; what is no law is refused."""
    found: tuple[Any, ...] = (laws,) if isinstance(laws, Law | str) else tuple(iterable("laws", laws))
    for each in found:
        if not isinstance(each, Law):
            allowed = ", ".join(law.name for law in Law)
            raise TypeError(f"laws must be of Law ({allowed}), not {each!r}")
    if not found:
        raise ValueError("laws must name at least one law, not ()")
    return found
