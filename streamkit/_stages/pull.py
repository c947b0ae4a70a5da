"""Pulling: a loop in pull form, which stands still between two items, until anyone takes the next one out."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from types import GeneratorType
from typing import Any

from streamkit._core.awaiting import let_go
from streamkit._core.markers import EMPTY
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Link, flattened
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.leave import Segment

__all__ = ["PullLoop", "pulls"]


def pulls(links: Sequence[Link]) -> bool:
    """Whether `links` can run as one loop in pull form: they are some, small enough, and none must wait.

    Nor may one hold items back: the pump would have to tell the loop of an error of the source.
    """
    if not links or any(link.waits for link in links):
        return False
    loop = _compiled(links)
    return isinstance(loop, Loop) and not loop.holds


def _compiled(links: Sequence[Link]) -> Loop | int:
    return compiled(Kind.PULL, tuple([link.key for link in links]), End.STAGE)


class PullLoop:
    """The loop of some steps, which is given items, and gives out what comes of them, or EMPTY."""

    def __init__(self, links: Sequence[Link]) -> None:
        self.given: deque[Any] = deque()
        """What it is to work on next, in iterables."""
        self.over = False
        """It will be given no more."""
        self.dry = False
        """It has nothing to give out before `given`, `over`, or what it waits for has changed."""
        self.asks = False
        """It is dry because it needs more items."""
        self._waiting: Any = None
        """What a callback has returned, and is to be awaited."""
        self._settled: tuple[Any, BaseException | None] = (None, None)
        """What became of that."""
        loop = _compiled(links)
        assert isinstance(loop, Loop)
        links = flattened(links) if loop.forks else links
        pace = Pace()
        leave = Segment(loop, links, Opened(Kind.PULL, self), pace).leave_now
        arguments = [links[place].arguments[name] for place, name in loop.wanted]
        self.items: GeneratorType[Any, None, None] = loop.function(self, leave, pace, *arguments)
        """Gives the next item, or EMPTY where it is dry; in whichever task it is asked."""

    @property
    def waits(self) -> bool:
        """Whether something is to be awaited before it goes on: see `settle`."""
        return self._waiting is not None

    @property
    def ended(self) -> bool:
        """Whether it will give out nothing more."""
        return self.items.gi_frame is None

    def finish(self) -> None:
        """It will be given no more: when it has worked off what it has, it ends."""
        self.over = True

    def run_on(self) -> None:
        """It is about to be asked, after something has changed."""
        self.dry = self.asks = False

    def ran_dry(self) -> None:
        """It was asked, and gave EMPTY, or has ended."""
        self.dry = True
        self.asks = self._waiting is None and self.items.gi_frame is not None

    async def settle(self) -> bool:
        """Await what a callback has returned; False if that has failed, which the loop will hear of."""
        value = failed = None
        try:
            value = await self._waiting
        except BaseException as error:
            failed = error
        self._settled = value, failed
        self._waiting = None
        return failed is None

    def settled(self, waiting: Any) -> Generator[Any, None, Any]:
        """What `waiting` gives: the generated loop yields from this where a callback must be awaited."""
        self._waiting = waiting
        while self._waiting is not None:
            yield EMPTY
        (value, failed), self._settled = self._settled, (None, None)
        if failed is not None:
            raise failed
        return value

    def close(self) -> None:
        """Let go of what it waits for, and of the loop."""
        waiting, self._waiting = self._waiting, None
        let_go(waiting)
        self._settled = (None, None)
        self.items.close()
