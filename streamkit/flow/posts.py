"""Posts: the place of a child in a running flow, through all of its lives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from streamkit._core.backoff import waits
from streamkit.flow.faults import Action, Fault, fault_of
from streamkit.flow.lives import Life
from streamkit.flow.report import State
from streamkit.flow.rules import Restart
from streamkit.flow.tree import Child

__all__ = ["Post"]


class Post:
    """One child of a flow that runs: its life, and what came of those before."""

    def __init__(self, child: Child, flow: str) -> None:
        self.child = child
        self.flow = flow
        """The path of the flow; empty for the outermost, which is in none."""
        self.life: Life | None = None
        """The present one, or the last."""
        self.restarts = 0
        self.error: BaseException | None = None
        self.held: bool = False
        """Whether it was ended by hand: it stays so until it is started by hand."""
        self.removed: bool = False
        self.paused: bool = False
        self.fallen: Fault | None = None
        """With what its life has failed when it was being stopped."""
        self._waits: Iterator[float] = waits(child.backoff)
        self._begun = 0.0
        self._state = (State.WAITING, asyncio.get_running_loop().time())

    @property
    def name(self) -> str:
        return self.child.name

    @property
    def path(self) -> str:
        return f"{self.flow}/{self.name}" if self.flow else self.name

    @property
    def live(self) -> bool:
        """Whether it has a life that has not ended."""
        return self.life is not None and not self.life.over

    @property
    def told(self) -> bool:
        """Whether its life was told to end."""
        return self.life is not None and self.life.told

    @property
    def cut(self) -> bool:
        """Whether its life was cancelled."""
        return self.life is not None and self.life.cut

    @property
    def state(self) -> State:
        return self._state[0]

    @property
    def since(self) -> float:
        """The time of the event loop at which it came into its state."""
        return self._state[1]

    def enter(self, state: State) -> None:
        """Be in that state from now on."""
        if state is not self.state:
            self._state = (state, asyncio.get_running_loop().time())

    def begin(self, life: Life) -> None:
        """A new life has begun."""
        self.life, self.fallen = life, None
        self._begun = asyncio.get_running_loop().time()
        self.enter(State.PAUSED if self.paused else State.RUNNING)

    def drain(self, until: float) -> None:
        """Have its life end until then."""
        if self.life is not None and self.live:
            self.enter(State.STOPPING)
            self.life.drain(until)

    def cancel(self) -> None:
        """End its life now."""
        assert self.life is not None
        self.enter(State.STOPPING)
        self.life.cancel()

    def pause(self, paused: bool) -> None:
        """Hold it, and each later life, or let it go on."""
        self.paused = paused
        if self.life is not None and self.live and not self.told:
            self.life.pause(paused)
            if self.state in (State.RUNNING, State.PAUSED):
                self.enter(State.PAUSED if paused else State.RUNNING)

    def again(self, error: BaseException | None) -> bool:
        """Whether it is started again after it has ended, or failed with `error`."""
        rule = self.child.restart
        return rule is Restart.PERMANENT or (rule is Restart.TRANSIENT and error is not None)

    def wait(self) -> float:
        """Seconds until it is started again; the first of its backoff, if its life was long enough."""
        now, lasting = asyncio.get_running_loop().time(), self.child.reset_after
        if lasting is not None and now - self._begun >= lasting:
            self._waits = waits(self.child.backoff)
        return next(self._waits)

    def fault(self, error: BaseException, action: Action, seconds: float | None = None) -> Fault:
        """Its life has failed with `error`."""
        self.error = error
        return fault_of(error, self.flow, self.name, action, restarts=self.restarts, seconds=seconds)
