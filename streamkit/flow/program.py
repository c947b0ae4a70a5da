"""Programs that are flows: signals end them within a time."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from threading import current_thread, main_thread

from streamkit.flow.handle import FlowHandle
from streamkit.flow.report import Report
from streamkit.flow.tree import Tree
from streamkit.runner.interrupts import Interrupts

__all__ = ["run"]


def run(tree: Tree, deadline: float | None) -> Report:
    """Run a flow to its end on an event loop of its own; signals stop it, where the main thread runs it."""
    program = _Program(tree, deadline)
    handling = program.interrupts.handled() if current_thread() is main_thread() else nullcontext()
    with handling, asyncio.Runner() as runner:
        return runner.run(program.main())


class _Program:
    """A flow, and what signals do to it."""

    def __init__(self, tree: Tree, deadline: float | None) -> None:
        self._tree = tree
        self._deadline = deadline
        self.interrupts = Interrupts(self._obey)

    async def main(self) -> Report:
        """Run the flow to its end."""
        self._handle = FlowHandle(self._tree)
        self.interrupts.begin()
        await self._handle
        return self._handle.report()

    def _obey(self) -> None:
        if caught := len(self.interrupts.caught):
            self._handle.end(self._deadline if caught == 1 else 0.0)
