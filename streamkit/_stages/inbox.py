"""Inboxes: what a stream begins with that a running job is handed items for; each run has a push source."""

from __future__ import annotations

from typing import NoReturn

from streamkit._core.strategy import Strategy
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.run import Run
from streamkit._stages.hold import HoldingChannel
from streamkit._stages.push import PushSource

__all__ = ["InboxSource"]


class InboxSource(Source):
    """Stands where each run that is started with one reads a push source of its own."""

    __slots__ = ("_name", "_written", "strategy")

    def __init__(self, strategy: Strategy, name: str | None, written: tuple[str, int]) -> None:
        self.value = None
        self._consumed = self._makes = False
        self.strategy: Strategy | None = strategy
        self._name = name
        self._written = written

    def made_for_run(self) -> PushSource:
        """The push source of one run."""
        assert self.strategy is not None
        channel = HoldingChannel(self.strategy)
        channel.written = self._written
        return PushSource(channel, self.strategy, self._name, "inbox")

    def open(self, *, blocking: bool = False) -> Opened:
        self._unfilled()

    def attached(self, run: Run) -> Source:
        self._unfilled()

    def _unfilled(self) -> NoReturn:
        raise RuntimeError(
            f"nobody can fill {self!r} here: start the job by job.start_in_thread(), which returns what has "
            "put(item); in a coroutine, use stream, emitter = push(strategy)"
        )

    @property
    def blocking(self) -> bool:
        return False

    @property
    def kind(self) -> str:
        return "inbox"

    def __repr__(self) -> str:
        return f"inbox({self.strategy!r}{'' if self._name is None else f', name={self._name!r}'})"
