"""Observables as streams: `from_observable`."""

from __future__ import annotations

import asyncio
from threading import get_ident
from typing import Any, Literal, TypeVar, overload

from reactivex import Observable, abc
from reactivex.disposable import Disposable
from reactivex.scheduler import CurrentThreadScheduler

from streamkit._core.errors import BufferOverflowError, ObservableError
from streamkit._core.markers import Gap
from streamkit._core.show import shown
from streamkit._core.strategy import Collect, Lossy, Strategy, strategy_argument
from streamkit._engine.buffer.threads import Offered, SharedChannel, Waiter
from streamkit._engine.compile.key import Kind
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.run import Run
from streamkit._stages.push import ThreadWaiter

__all__ = ["Observed", "from_observable"]

T = TypeVar("T")

_CURE = (
    "it emits on the event loop's own thread, or inside subscribe, where nobody can hold it: put "
    "reactivex.operators.subscribe_on(a thread scheduler) behind it, or choose a strategy that drops"
)


class _CannotHoldError(Exception):
    """An event loop runs in this thread, and blocking the thread would block that loop."""


_PATIENCE = 1_000
"""How many items may come after the disposal before the emitter gets an error. Some are under way then."""


class Observed(SharedChannel, abc.ObserverBase[Any]):
    """A channel that observes an observable, for one run."""

    def __init__(self, observable: Any, strategy: Strategy) -> None:
        super().__init__(strategy)
        self._observable = observable
        self._subscription: Any = None
        self._subscribing = False
        self._disposed = False
        self._late = 0
        """How many items came after the disposal."""

    def subscribed(self) -> Observed:
        """Begin to read, and subscribe as ``Observable.subscribe`` does, but without RxPY's own observer.

        RxPY's observer swallows what is emitted after the disposal. This one has to see it, to end a thread
        that never stops emitting (`_count_late`).
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
            self.end(error)
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
        if taken:
            if size >= self._known:
                self._noted(size + 1)
            return
        outcome = self.offer(value) if get_ident() == self.thread else self._offer_elsewhere(value)
        if outcome is not Offered.ACCEPTED:
            self._not_accepted(outcome)

    def on_error(self, error: Any) -> None:
        self.end(error if isinstance(error, BaseException) else ObservableError(error))

    def on_completed(self) -> None:
        self.end()

    def _offer_elsewhere(self, value: Any) -> Offered:
        try:
            outcome = self.offer(value, _waiter)
        except _CannotHoldError:
            outcome = self.offer(value)
        if isinstance(outcome, Waiter):
            assert isinstance(outcome, ThreadWaiter)
            outcome.free.wait()
            assert outcome.outcome is not None
            return outcome.outcome
        return outcome

    def _not_accepted(self, outcome: Offered | Waiter) -> None:
        if outcome is Offered.DROPPED:
            return
        if outcome is Offered.FULL:
            strategy = self.lanes[0].strategy
            self.end(BufferOverflowError(f"{strategy!r} was offered more than it holds, and {_CURE}"))
        if self._subscribing and get_ident() == self.thread:
            raise ObservableError("the stream takes no more")  # otherwise `subscribe` might never return
        loop = self.loop
        if self._disposed:
            self._count_late()
        elif get_ident() == self.thread or loop is None or loop.is_closed():
            self.dispose()
        else:
            loop.call_soon_threadsafe(self.dispose)

    def _count_late(self) -> None:
        self._late += 1
        if self._late > _PATIENCE:
            raise ObservableError("the observable goes on and on, although its subscription was disposed")

    # the end -------------------------------------------------------------------------------

    def dispose(self) -> None:
        """Dispose the subscription, once."""
        with self.lock:
            subscription, self._subscription = self._subscription, None
            self._disposed = True
        self.released()
        if subscription is not None:
            subscription.dispose()

    def leave(self) -> None:
        try:
            super().leave()
        finally:
            self.dispose()


def _waiter(item: Any) -> Waiter:
    if asyncio._get_running_loop() is not None:
        raise _CannotHoldError
    return ThreadWaiter(item)


class _ObservableSource(Source):
    """An observable, subscribed anew by each run."""

    __slots__ = ("strategy",)

    def __init__(self, observable: Any, strategy: Strategy) -> None:
        self.value = observable
        self._consumed = False
        self.strategy: Strategy | None = strategy

    def open(self, *, blocking: bool = False) -> Opened:
        channel = self._subscribed()
        return Opened(Kind.CHANNEL, lambda: channel, None, channel.leave, channel)

    def attached(self, run: Run) -> Source:
        return run.reading(run.adopt(self._subscribed())).source

    def _subscribed(self) -> Observed:
        assert self.strategy is not None
        channel = Observed(self.value, self.strategy)
        channel.name = repr(self)
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
    if not isinstance(observable, Observable):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"observable must be an RxPY observable, not {shown(observable)}")
    return Stream(_ObservableSource(observable, strategy_argument("strategy", strategy)))
