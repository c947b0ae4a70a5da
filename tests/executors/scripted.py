"""A pool whose hands do nothing by themselves: a test says what becomes of each, and when."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from streamkit import Retry
from streamkit._core.markers import ABSENT
from streamkit._core.workers import Outcomes, Work
from streamkit.executors import Event
from streamkit.executors.functions import Packed
from streamkit.executors.hand import Call, Hand, Master
from streamkit.executors.pool import Pool
from streamkit.executors.remote import Setup
from streamkit.executors.terms import Terms, each_argument

__all__ = ["Scripted", "Told", "turn"]


async def turn() -> None:
    """Let others run, as often as they need it."""
    for _ in range(5):
        await asyncio.sleep(0)


class Told(Hand):
    """A hand that notes what it is told."""

    stays = False
    """Whether it ends when the test says so, and not as it is told."""

    def __init__(self, master: Master, index: int, arguments: Mapping[str, Any]) -> None:
        super().__init__(master, index, arguments)
        self.given: list[Call] = []
        self.stopped: list[Call] = []

    def start(self) -> None:
        pass

    def give(self, call: Call) -> None:
        self.given.append(call)

    def stop(self, call: Call, *, first: bool) -> None:
        self.stopped.append(call)

    def close(self) -> None:
        self.ending: bool = True
        if not self.stays:
            self.master.loop.call_soon(self.ends)

    def kill(self) -> bool:
        if not self.stays:
            self.ending = True
            self.dies()
        return not self.stays

    # what becomes of it ------------------------------------------------------------------------

    def begins(self) -> None:
        self.master.prepared(self, 0.0)

    def answers(self, *outcomes: Any, seconds: float = 0.0) -> None:
        self.master.done(self, self.given.pop(0), Outcomes(outcomes), seconds, 0)

    def dies(self) -> None:
        self.master.lost(self)
        self.ends()

    def ends(self) -> None:
        self.exited.set_result(None)
        self.master.gone(self, None)


class Scripted(Pool):
    """The pool. Its `hands` are in the order in which they were made."""

    def __init__(
        self,
        count: int = 1,
        *,
        spare: int = 0,
        on_crash: Retry | None = None,
        recycle_after: int | None = None,
    ) -> None:
        self.hands: list[Told] = []
        self.events: list[Event] = []
        self.refuses: Exception | None = None
        """What making another hand raises."""
        super().__init__(
            Terms(
                setup=Setup(ABSENT, None),
                arguments=each_argument(None, count),
                most=count + 1,
                prefetch=3,
                on_event=self.events.append,
                timeout=60.0,
                spare=spare,
                on_crash=on_crash,
                recycle_after=recycle_after,
            )
        )

    def _recruiter(self, setup: Setup) -> Any:
        def recruit(master: Master, index: int, arguments: Mapping[str, Any]) -> Hand:
            if self.refuses is not None:
                raise self.refuses
            self.hands.append(Told(master, index, arguments))
            return self.hands[-1]

        return recruit

    def _packed(self, work: Work) -> Packed:
        return Packed(work)

    def _payload(self, items: Sequence[Any], work: Packed) -> Any:
        return items
