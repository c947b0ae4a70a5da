"""Rules: the entries of the suite, each with its check or with the reason why it has none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from streamkit.testing.reactive_streams.cases import Case

__all__ = ["Registry", "Rule"]

C = TypeVar("C", bound=Case)
Check = Callable[[C], Awaitable[None]]


@dataclass(frozen=True)
class Rule:
    """One of the 43 rules of the specification 1.0.4."""

    number: str
    """The number in the specification, such as ``"1.1"``."""
    text: str
    """What it asks for, in short."""
    case: type[Case]
    """The kind of case that its check takes."""
    function: Callable[[Any], Awaitable[None]] | None = None
    untested: str = ""
    """Why it has no check; empty if it has one."""

    def __str__(self) -> str:
        return self.number

    async def check(self, case: Case) -> None:
        """Raise `AssertionError` unless `case` keeps the rule. What the check has begun is ended.

        Raises:
            AssertionError: the rule is broken; the message says how.
            ValueError: the rule is one that no test can check.
            TypeError: the rule is one for another kind of case.
            RuntimeError: Python runs with ``-O``, which leaves the checks out.
        """
        if not __debug__:
            raise RuntimeError("the checks are assertions, which python -O leaves out: run them without -O")
        if self.function is None:
            raise ValueError(f"rule {self.number} cannot be tested: {self.untested}")
        if not isinstance(case, self.case):
            raise TypeError(f"rule {self.number} is checked on a {self.case.__name__}, not on {case!r}")
        broken: Exception | None = None
        try:
            await self.function(case)
        except Exception as error:
            broken = error
        try:
            await case.close()
        except Exception as error:
            broken = broken or error
        if broken is not None:
            why = broken if isinstance(broken, AssertionError) else f"what should not raise raised {broken!r}"
            raise AssertionError(f"rule {self.number} ({self.text}) is broken: {why}") from broken


class Registry(list[Rule]):
    """The rules of one section of the specification, in the order of their checks."""

    def __init__(self, case: type[Case]) -> None:
        super().__init__()
        self._case = case

    def rule(self, number: str, text: str) -> Callable[[Check[C]], Check[C]]:
        """Enter the decorated function as the check of rule `number`."""

        def enter(check: Check[C]) -> Check[C]:
            self.append(Rule(number, text, self._case, check))
            return check

        return enter

    def untested(self, number: str, text: str, because: str) -> None:
        """Enter a rule that no test can check."""
        self.append(Rule(number, text, self._case, None, because))
