"""Iterations of sources: in which task each was begun, stepped and cleaned up."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = ["STYLES", "Boom", "Named", "Visit", "current"]

STYLES = ("turn", "clock", "ready", "plain")
"""Kinds of source: waits a turn, or a second, at every step and at its end; never waits; is sync."""


class Boom(Exception):  # noqa: N818
    """The error that a source, a callback or a consumer of a check raises."""


def current() -> asyncio.Task[Any] | None:
    """The task that runs; None without a loop."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _step_variable() -> ContextVar[int]:
    return ContextVar("step", default=0)


def _nobody() -> list[str]:
    return []


class Named(Protocol):
    """A source that has a name."""

    name: str


@dataclass
class Visit:
    """One iteration of a source: in which task it began, went on and was cleaned up."""

    source: Named
    begun: asyncio.Task[Any] | None
    taken: int = 0
    """How many items were pulled out of it."""
    wanted: int = 0
    """How many steps it was asked for."""
    cleaned: int = 0
    """How often its clean-up began."""
    ended: bool = False
    """Whether it came to its own end."""
    finished: bool = False
    context: ContextVar[int] = field(default_factory=_step_variable)
    strangers: list[str] = field(default_factory=_nobody)
    """Steps that were made in another task, or did not see the context of the step before."""

    def check(self, where: str) -> None:
        """Note if this is another task, or another context, than that of the step before."""
        task = current()
        if task is not self.begun:
            self.strangers.append(f"{where} ran in {_named(task)}, begun in {_named(self.begun)}")
        if self.context.get() != self.wanted:
            self.strangers.append(f"{where} lost its context variables")

    def step(self, where: str) -> None:
        """Check, and set the context of the next step."""
        if self.wanted:
            self.check(where)
        self.wanted += 1
        self.context.set(self.wanted)


def _named(task: asyncio.Task[Any] | None) -> str:
    return "no task" if task is None else f"task {task.get_name()!r}"
