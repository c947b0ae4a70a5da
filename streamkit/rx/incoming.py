"""Observables as streams: `from_observable`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from threading import get_ident
from time import monotonic, thread_time
from typing import Any, Literal, TypeVar, cast, overload

from reactivex import Observable, abc
from reactivex.disposable import Disposable
from reactivex.scheduler import CurrentThreadScheduler

from streamkit._core.calls import answering
from streamkit._core.errors import BufferOverflowError, ObservableError
from streamkit._core.markers import Gap
from streamkit._core.places import written
from streamkit._core.show import shown
from streamkit._core.strategy import Collect, Lossy, Strategy, strategy_argument
from streamkit._engine.buffer.threads import Offered, Waiter
from streamkit._engine.compile.key import Kind
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.run import Run
from streamkit._stages.hold import HoldingChannel, ThreadWaiter

__all__ = ["Observed", "from_observable", "observed"]

T = TypeVar("T")

_CURE = (
    "it emits on the event loop's own thread, or inside subscribe, where nobody can hold it: put "
    "reactivex.operators.subscribe_on(a thread scheduler) behind it, or choose a strategy that drops"
)

_LATE = 1_000
"""How many items may come after the disposal in any case. Some are under way then."""
_LEAST, _MOST = 0.1, 60.0
"""The seconds that a queue of RxPY's may take to run dry after the disposal, at least and at most."""


class _CannotHoldError(Exception):
    """An event loop runs in this thread, and blocking the thread would block that loop."""


class Observed(HoldingChannel, abc.ObserverBase[Any]):
    """A channel that observes an observable, for one run."""

    appended: int

    def __init__(
        self,
        observable: Any,
        strategy: Strategy,
        blame: Callable[[BaseException], BaseException] = lambda error: error,
    ) -> None:
        super().__init__(strategy)
        self._observable = observable
        self._blame = blame
        """Notes on an error of the observable whose it is."""
        self._subscription: Any = None
        self._subscribing = False
        self._disposal = _Disposal()
        self._letting = 0
        """How often the loop is inside what a held thread may have locked, so that none is held."""
        self._pressed = False
        """Whether items are held beyond the capacity, since a thread was let go."""
        self._burst = (0, 0)
        """How many items the reader had taken, and how many the loop's thread has added beyond since."""

    def subscribed(self) -> Observed:
        """Begin to read, and subscribe as ``Observable.subscribe`` does, but without RxPY's own observer.

        RxPY's observer swallows what is emitted after the disposal. This one has to see it, to end a thread
        that never stops emitting (`_Disposal`).
        """
        self.begin()
        self._subscribing = True
        scheduler = CurrentThreadScheduler.singleton()
        try:
            if scheduler.schedule_required():
                scheduler.schedule(self._subscribe)
            else:
                self._subscribe()
        except Exception as error:
            self.end(self._blame(error))
        finally:
            self._subscribing = False
        return self

    def _subscribe(self, _: Any = None, __: Any = None) -> None:
        subscribe = self._observable._subscribe_core
        found = subscribe(self, None)
        self._subscription = found if hasattr(found, "dispose") else Disposable(found)

    # what the observable calls, from any thread --------------------------------------------

    def on_next(self, value: Any) -> None:
        with self.lock:  # `SharedChannel.take`, written out: a call would cost more than all of this
            held = self._held
            size = len(held)
            taken = 0 < size < self._easy
            if taken:
                held.append(value)
                self.appended += 1
                if size == self.known:
                    self.known: int = size + 1
        if taken:
            if size >= self.known:
                self._noted(size + 1)
            return
        if self._disposal.begun and not self._subscribing:
            self._refuse_late()
            return
        outcome = self._offer_here(value) if get_ident() == self.thread else self._offer_elsewhere(value)
        if outcome is not Offered.ACCEPTED:
            self._not_accepted(outcome)

    def on_error(self, error: Any) -> None:
        self.end(self._blame(error if isinstance(error, BaseException) else ObservableError(error)))

    def on_completed(self) -> None:
        self.end()

    def _offer_here(self, value: Any) -> Offered:
        """Offer an item of the loop's own thread.

        Where other threads fill the buffer, there would never be room for it. So as many as the capacity are
        taken in beyond that, each time that the reader takes something; the threads are held meanwhile.
        """
        lane = self._lane
        taken, burst = self._burst
        if not (self._waiters or self._pressed) or (burst >= lane.limit and taken == lane.delivered):
            return cast("Offered", self.offer(value))
        outcome = self.offer(value, ThreadWaiter)
        if not isinstance(outcome, ThreadWaiter):
            self._pressed = False
            return cast("Offered", outcome)
        self._burst = lane.delivered, burst + 1 if taken == lane.delivered else 1
        self.let_in(outcome)
        assert outcome.outcome is not None
        return outcome.outcome

    def _offer_elsewhere(self, value: Any) -> Offered:
        if self._disposal.first is None:
            self._disposal.first = monotonic()
        try:
            outcome = self.offer(value, _waiter)
        except _CannotHoldError:
            outcome = self.offer(value)
        return self._held_back(outcome) if isinstance(outcome, ThreadWaiter) else cast("Offered", outcome)

    def _not_accepted(self, outcome: Offered) -> None:
        if outcome is Offered.DROPPED:
            return
        if outcome is Offered.FULL:
            strategy = self.lanes[0].strategy
            self.overflow(f"{strategy!r} was offered more than it holds, and {_CURE}")
        if self._subscribing and get_ident() == self.thread:
            raise ObservableError("the stream takes no more")  # otherwise `subscribe` might never return
        if self._disposal.asked():
            return
        if get_ident() == self.thread or (loop := self.loop) is None or loop.is_closed():
            self.dispose()
        else:
            try:
                loop.call_soon_threadsafe(self.dispose)
            except RuntimeError:  # pragma: no cover - it was closed between that line and this
                self.dispose()

    def _refuse_late(self) -> None:
        """An item has come after the disposal: a short way, so that a queue of RxPY's soon runs dry."""
        with self.lock:
            self._refused(Offered.CLOSED)
        self.released()
        self._disposal.count()

    def overflow(self, message: str) -> None:
        self.end(self._blame(BufferOverflowError(message)))

    # threads that are held -----------------------------------------------------------------

    def _held_back(self, waiter: ThreadWaiter) -> Offered:
        """Hold this thread until there is room, or the loop wants what it may have locked."""
        if self._letting:
            self.let_in(waiter)
        self.hold_thread(waiter)
        assert waiter.outcome is not None
        return waiter.outcome

    def let_in(self, waiter: Waiter) -> bool:
        taken = super().let_in(waiter)
        self._pressed = self._pressed or taken
        return taken

    def letting(self, call: Callable[..., object], *arguments: Any) -> None:
        """Call, in this thread, the loop's, what a held thread may have locked: hold none meanwhile."""
        with self.lock:
            self._letting += 1
            for waiter in (*self._waiters,):
                self.let_in(waiter)
        try:
            call(*arguments)
        finally:
            self._letting -= 1

    # the end -------------------------------------------------------------------------------

    def dispose(self) -> None:
        """Dispose the subscription, once."""
        with self.lock:
            subscription, self._subscription = self._subscription, None
            self._disposal.asked()
        self.released()
        if subscription is not None:
            subscription.dispose()

    def leave(self) -> None:
        try:
            super().leave()
        finally:
            self.dispose()


class _Disposal:
    """The end of a subscription, and what an emitter does after it.

    A queue of RxPY's (``observe_on``) runs dry after the disposal. It was filled between the first item and
    the disposal, and nobody holds up who empties it now, so that takes no longer. What goes on for longer
    does not look at the disposal at all, and only an error ends it. The time is the emitting thread's own,
    since on a busy machine any thread may stand still for long.
    """

    def __init__(self) -> None:
        self.begun = False
        """Whether it was asked for."""
        self.first: float | None = None
        """When the first item came from another thread."""
        self._patience = _MOST
        """How long an emitter may go on."""
        self._late: dict[int, tuple[int, float]] = {}
        """How many items a thread has emitted since, and when it began, on its own clock."""

    def asked(self) -> bool:
        """Note that the disposal is asked for; whether it was before."""
        if self.begun:
            return True
        filled = 0.0 if self.first is None else monotonic() - self.first
        self._patience = min(max(filled, _LEAST), _MOST)
        self.begun = True
        return False

    def count(self) -> None:
        """An item has come after the disposal.

        Raises:
            ObservableError: they come on and on.
        """
        count, since = self._late.get(get_ident(), (0, 0.0))
        self._late[get_ident()] = count + 1, since or thread_time()
        if count >= _LATE and thread_time() - since > self._patience:
            raise ObservableError("the observable goes on and on, although its subscription was disposed")


def _waiter(item: Any) -> Waiter:
    if asyncio._get_running_loop() is not None:
        raise _CannotHoldError
    return ThreadWaiter(item)


class _ObservableSource(Source):
    """An observable, subscribed anew by each run."""

    __slots__ = ("_written", "strategy")

    def __init__(self, observable: Any, strategy: Strategy, written: tuple[str, int]) -> None:
        self.value = observable
        self._written = written
        self._consumed = False
        self.strategy: Strategy | None = strategy

    def open(self, *, blocking: bool = False) -> Opened:
        channel = self._subscribed()
        return Opened(Kind.CHANNEL, lambda: channel, None, channel.leave, channel)

    def attached(self, run: Run) -> Source:
        return run.reading(run.adopt(self._subscribed()), self).source

    def _subscribed(self) -> Observed:
        assert self.strategy is not None
        channel = Observed(self.value, self.strategy)
        channel.name, channel.written = repr(self), self._written
        return channel.subscribed()

    @property
    def blocking(self) -> bool:
        return False

    def __repr__(self) -> str:
        return f"from_observable({shown(self.value)}, strategy={self.strategy!r})"


@overload
def from_observable(observable: Observable[T], *, strategy: Collect) -> Stream[list[T]]: ...
@overload
def from_observable(observable: Observable[T], *, strategy: Lossy[Literal[False]]) -> Stream[T]: ...
@overload
def from_observable(observable: Observable[T], *, strategy: Lossy[bool]) -> Stream[T | Gap]: ...
@overload
def from_observable(observable: Observable[T], *, strategy: Strategy) -> Stream[T]: ...
@answering
def from_observable(observable: Observable[Any], *, strategy: Strategy) -> Stream[Any]:
    """A stream of what `observable` emits; each run subscribes anew, and disposes when it ends.

        observable  --a--b--c--|
        stream      --a--b--c--|

    >>> import reactivex
    >>> from streamkit import Suspend, rx
    >>> list(rx.from_observable(reactivex.of(1, 2, 3), strategy=Suspend(16)))
    [1, 2, 3]

    It subscribes at the first pull, or on entering ``stream.open()``. Items may come from any thread.
    Under a strategy that waits, a thread that emits is blocked while the buffer is full, until the run
    ends. An emitter on the event loop's own thread cannot be blocked, and overflows the buffer. A
    connectable observable is not connected.

    Args:
        observable: an RxPY observable.
        strategy: how many items are held for the consumer, and what happens to one more.

    Raises:
        TypeError: `observable` is not an observable, or `strategy` not a strategy.
        BufferOverflowError: (when run) an item that cannot be held came under a strategy that waits, or
            one too many under ``Fail``.
        ObservableError: (when run) the observable failed with something that is no exception.
    """
    place = written(sys._getframe(1))  # pyright: ignore[reportPrivateUsage] - as in `Pipe`
    return observed(observable, strategy_argument("strategy", strategy), place)


def observed(observable: Observable[Any], strategy: Strategy, place: tuple[str, int]) -> Stream[Any]:
    """As `from_observable`, written in this `place`: a file and line."""
    if not isinstance(observable, Observable):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"observable must be an RxPY observable, not {shown(observable)}")
    return Stream(_ObservableSource(observable, strategy, place))
