"""Sources that note all that is done to them: in which task each was begun, stepped and cleaned up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from streamkit.testing.conformance.items import Item

if TYPE_CHECKING:
    from streamkit.testing.conformance.lab import Lab

__all__ = ["STYLES", "Boom", "Feed", "Visit", "current"]

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


@dataclass
class Visit:
    """One iteration of a source: in which task it began, went on and was cleaned up."""

    source: Feed
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


class Feed:
    """A source that makes `lab.count` items, in one of the `STYLES`, and then ends, fails or hangs."""

    lab: Lab
    name: str
    shape: Callable[[Item], Any]

    def __init__(self, lab: Lab, name: str, shape: Callable[[Item], Any]) -> None:
        self.lab = lab
        self.name = name
        self.shape = shape

    def __repr__(self) -> str:
        return self.name

    def __call__(self) -> Any:
        return self._plain() if self.lab.style == "plain" else self._async()

    async def _async(self) -> AsyncIterator[Any]:
        lab = self.lab
        visit = lab.visit(self)
        try:
            for number in range(lab.count):
                visit.step("a step")
                await lab.pause()
                visit.check("a step that waited")
                visit.taken += 1
                yield self.shape(lab.item(number))
            visit.step("the last step")
            await lab.pause()
            if lab.hang is not None and self.name in lab.hang:
                await asyncio.get_running_loop().create_future()
            visit.ended = True
            self._fail()
        finally:
            visit.cleaned += 1
            visit.check("the clean-up")
            await lab.pause()
            visit.finished = True
            lab.fail_in_clean_up(visit)

    def _plain(self) -> Iterator[Any]:
        lab = self.lab
        visit = lab.visit(self)
        try:
            for number in range(lab.count):
                visit.step("a step")
                visit.taken += 1
                yield self.shape(lab.item(number))
            visit.step("the last step")
            visit.ended = True
            self._fail()
        finally:
            visit.cleaned += 1
            visit.check("the clean-up")
            visit.finished = True
            lab.fail_in_clean_up(visit)

    def _fail(self) -> None:
        if self.name in self.lab.failing and self.lab.failed < self.lab.failures:
            self.lab.failed += 1
            error = self.lab.source_error(self.name)
            self.lab.raised = self.lab.raised or error
            raise error
