"""Operators that are steered from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from threading import RLock
from types import TracebackType
from typing import Any

from streamkit._core.again import origin, throw
from streamkit._core.contract import Contract
from streamkit._core.errors import attach
from streamkit._core.markers import EMPTY
from streamkit._core.show import shown
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run

__all__ = ["Valve", "valve"]


class Valve:
    """Pauses, resumes, drains or aborts every run whose stream goes through ``ops.valve(this)``.

    Every method may be called from any thread, before, during and after a run. A valve that was drained or
    aborted stays so: a later run through it ends at once.

    >>> from streamkit import Stream, Valve, ops
    >>> tap = Valve()
    >>> stream = Stream([1, 2, 3]) | ops.valve(tap)
    >>> list(stream)
    [1, 2, 3]
    >>> tap.drain()
    >>> list(stream)
    []
    """

    def __init__(self) -> None:
        self._lock = RLock()  # a signal handler may interrupt another of its methods
        self._paused = False
        self._drained = False
        self._error: BaseException | None = None
        self._trace: TracebackType | None = None
        self._turns = 0
        """How often a method has changed its state."""
        self._runs: list[tuple[Run, Channel]] = []

    @property
    def paused(self) -> bool:
        """Whether items are held."""
        return self._paused

    @property
    def ended(self) -> bool:
        """Whether it was drained or aborted."""
        return self._drained or self._error is not None

    def pause(self) -> None:
        """Let nothing pass until `resume`; the source stalls, with one item in hand at most."""
        with self._lock:
            self._paused = not self.ended
        self._tell()

    def resume(self) -> None:
        """Let items pass again."""
        with self._lock:
            self._paused = False
        self._tell()

    def drain(self) -> None:
        """Take in no more: close the stream before the valve, let held items pass, and complete.

        The valve holds what a ``buffer`` directly before it holds. Other operators before it drop their held
        items, as at every early end. To lose none, put the valve before operators that hold items.
        The sink `ops.drain` is something else: it runs a stream for its effects.
        """
        with self._lock:
            self._paused = False
            self._drained = True
        self._tell()

    def abort(self, error: BaseException) -> None:
        """Close the stream before the valve now, and raise `error` when next asked for an item.

        Held items are dropped, and counted.

        Raises:
            TypeError: `error` is not an exception.
        """
        if not isinstance(error, BaseException):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"error must be an exception, not {shown(error)}")
        with self._lock:
            self._paused = False
            if self._error is None:
                self._error, self._trace = error, origin(error)
        self._tell()

    def _tell(self) -> None:
        with self._lock:
            self._turns += 1
            runs = [*self._runs]
        for run, channel in runs:
            with suppress(RuntimeError):  # the event loop of the run was closed meanwhile
                if self.ended:
                    run.loop.call_soon_threadsafe(run.halt)
                run.loop.call_soon_threadsafe(channel.wake)

    def __repr__(self) -> str:
        ended = "aborted" if self._error is not None else "drained" if self._drained else None
        return f"<Valve {ended or ('paused' if self._paused else 'open')}>"

    async def _passes(self, channel: Channel) -> bool:
        """Wait while the valve is paused. Return False if it was drained, raise if it was aborted."""
        await channel.until(lambda: not self._paused, asks=False)
        if self._error is not None:
            if channel.error is not None:
                attach(self._error, channel.error)
            throw(self._error, self._trace)
        return not self._drained

    @staticmethod
    async def _run(run: Run, source: Inlet[Any], *, control: Valve) -> AsyncIterator[Any]:
        channel = run.channel()
        entry = (run, channel)
        with control._lock:  # whenever the valve changes, it wakes the channel
            control._runs.append(entry)
        try:
            if not await control._passes(channel):
                return
            run.feed(channel, source)
            draining = False
            while True:
                seen = control._turns
                if not await control._passes(channel) and not draining:
                    draining = True
                    run.halt()
                item = channel.pop()
                if item is not EMPTY:
                    yield item
                elif not channel.over:
                    await channel.until(lambda: channel.ready or channel.over or control._turns != seen)  # noqa: B023
                elif not await channel.wait():  # pragma: no branch - at the end it gives False, or raises
                    return
        finally:
            with control._lock:
                control._runs.remove(entry)


@stage(
    Valve._run,  # pyright: ignore[reportPrivateUsage]
    pairs=followed_anyway,
    contract=Contract(keeps="True"),
)
def valve(control: Valve) -> Keep:
    """Pass items on as `control` says: pause, resume, drain or abort the stream.

        items   --a--b--c--d--e--f--|
        control -----pause----resume--drain
        valve   --a-----------b-c-d-|

    >>> from streamkit import Stream, Valve, ops
    >>> list(Stream("ab") | ops.valve(Valve()))
    ['a', 'b']

    Emits when: an item comes, and the valve is not paused.
    Waits when: the consumer does, or the valve is paused; the source then waits too.
    Completes when: the source does, or the valve was drained and its held items have passed.
    Closes when: it ends, is drained or aborted, or the consumer leaves.

    Args:
        control: the `Valve` that is turned from outside, from any thread.

    Raises:
        TypeError: `control` is not a `Valve`.
    """
    if not isinstance(control, Valve):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"control must be a Valve, not {shown(control)}")
    return Keep(valve, control=control)
