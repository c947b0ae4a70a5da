"""RxPY's operators inside our pipes (`operator`), and ours inside RxPY's pipes (`pipeable`)."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from time import monotonic
from types import FunctionType
from typing import Any

from reactivex import Observable, abc
from reactivex.subject import Subject

from streamkit._core.arguments import callback
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.errors import ObservableError, SourceConsumedError
from streamkit._core.names import NESTING
from streamkit._core.places import written
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy, strategy_argument
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.target import Abandoned, Rescue, Target
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Operator, Pipe, Stream
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.run.run import Run
from streamkit.rx.incoming import Observed, observed
from streamkit.rx.outgoing import StreamObservable

__all__ = ["operator", "pipeable"]


class _Named:
    """An operator of RxPY under the name that it has there; RxPY gives all of them the same."""

    def __init__(self, operator: Callable[[Any], Any]) -> None:
        self.operator = operator
        self.__name__ = _name(operator)

    def __call__(self, observable: Any) -> Any:
        return self.operator(observable)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Named) and self.operator == other.operator

    def __hash__(self) -> int:
        return hash(self.operator)


def _name(operator: Callable[[Any], Any]) -> str:
    made: Any = operator
    if isinstance(operator, FunctionType):
        within = inspect.getclosurevars(operator).nonlocals.get("fun")
        made = within if isinstance(within, FunctionType) else operator
    name = getattr(made, "__qualname__", None) or type(made).__name__
    rxpy = str(getattr(made, "__module__", "")).startswith(Observable.__module__.partition(".")[0])
    return name.partition(".")[0].strip("_") if rxpy else name.rpartition(".")[2]


class _Feeder(Target):
    """What goes in goes into a subject at once. It is full while the buffer of the results is full."""

    def __init__(self, run: Run, told: _Fed, out: Observed, room: float) -> None:
        super().__init__(told)
        self._run = run
        self._told = told
        self._out = out
        self._lane = out.lanes[0]
        self._room = room
        self._closed = False

    def put(self, item: Any) -> bool:
        try:
            self._out.letting(self._told.subject.on_next, item)
        except ObservableError:
            if self._lane.open:
                raise
        full = self.full()
        if full and self._run.stopping:  # the source has ignored that it was cancelled: not again
            raise Abandoned
        return full

    def full(self) -> bool:
        # a closed lane is full too: the pump then waits until the run cancels it, which cleans up the source
        over = self._told.ended or not self._lane.open
        return over or (self._lane.waits and len(self._lane.held) >= self._room)

    async def room(self, rescue: Rescue | None = None) -> None:
        self._out.roomy = self.wake
        self._lane.watch()
        try:
            await super().room(rescue)
        finally:
            self._out.roomy = None

    def close(self) -> None:
        closed, self._closed = self._closed, True
        if not closed and not self._told.ended:
            self._told.ended = True
            self._out.letting(self._told.subject.on_completed)


class _Fed(Channel):
    """The channel of a `_Feeder`: an error of the pump goes to the subject's observers."""

    def __init__(self, out: Observed, passed: list[BaseException]) -> None:
        super().__init__(clock=monotonic)
        self.subject: Subject[Any] = Subject()
        self.ended = False
        """Whether this run of the source is over, or nobody observes it any more."""
        self.feeder: _Feeder | None = None
        self._out = out
        self._passed = passed
        """The latest error of the source."""

    def fail(self, error: BaseException) -> None:
        super().fail(error)
        if self.ended:
            self._out.end(error)
            return
        self.ended = True
        before = self._passed[-1] if self._passed else None
        self._passed[:] = [error]
        if isinstance(error, SourceConsumedError):  # a `retry` would begin again and again
            error.__cause__ = error.__cause__ or before
            self._out.end(error)
            return
        self._out.letting(self.subject.on_error, error)


class _Fresh(Observable[Any]):
    """The source as the operators see it: cold, so that ``retry`` and ``repeat`` can subscribe anew.

    Those that subscribe while it runs share one run of the source. Who subscribes when it has ended, or when
    all others have left, begins another. A source that can be run only once goes on where it was.
    """

    def __init__(self, run: Run, source: Inlet[Any], room: float) -> None:
        super().__init__()
        self.out: Observed
        self._passed: list[BaseException] = []
        self._run = run
        self._source: Inlet[Any] = source
        self._room = room
        self._once = source.source.origin is None and isinstance(
            source.source.value, (Iterator, AsyncIterator, Channel)
        )
        self._fed: _Fed | None = None

    def blame(self, error: BaseException) -> BaseException:
        """`error`, which came out of the operators: theirs, if the source did not raise it."""
        return error if any(error is each for each in self._passed) else self._run.blame(error)

    def _subscribe_core(
        self, observer: abc.ObserverBase[Any], scheduler: abc.SchedulerBase | None = None
    ) -> abc.DisposableBase:
        with self.lock:
            fed = before = self._fed
            if fed is None or fed.ended or not (self._once or fed.subject.observers):
                fed = self._fed = _Fed(self.out, self._passed)
                if before is not None:
                    before.ended = True
        subscription = fed.subject.subscribe(observer, scheduler=scheduler)
        if fed is not before:
            self._begin(partial(self._pump, fed, before))
        return subscription

    def _begin(self, pump: Callable[[], None]) -> None:
        if self._run.loop is asyncio._get_running_loop():
            pump()
            return
        with contextlib.suppress(RuntimeError):  # the loop was closed, and has ended the run
            self._run.loop.call_soon_threadsafe(pump)

    def _pump(self, fed: _Fed, before: _Fed | None) -> None:
        if self.out.left or self._run.ending:
            return
        if before is not None and isinstance(self._source.source.value, Channel) and not self._anew():
            fed.fail(SourceConsumedError(f"{self._source.source.value.name} can be run only once, and was"))
            return
        if before is not None and before.feeder is not None:
            self._run.spawn(partial(self._run.stop, before.feeder), fed)
            self._run.channels.remove(before)
        fed.feeder = _Feeder(self._run, self._run.adopt(fed), self.out, self._room)
        self._run.pump(self._source, into=fed.feeder)

    def _anew(self) -> bool:
        """Attach the source again, as an observable is subscribed; False if it can be run only once.

        Its account goes on, so that one that is run again and again leaves no more than one.
        """
        attached, run = self._source.source, self._run
        if attached.origin is None:
            return False
        channel: Channel = attached.value
        self._source = Inlet[Any](attached.origin.attached(run), self._source.links)
        anew: Channel = self._source.source.value
        anew.lanes[0].follow(channel.lanes[0])
        run.channels.remove(anew)
        run.channels[run.channels.index(channel)] = anew
        if run.book is not None:
            run.book.replace(channel, anew)
        return True


def _rx(run: Run, source: Inlet[Any], *, operators: tuple[Any, ...], strategy: Strategy) -> Channel:
    room = strategy.limit or 0
    if strategy.waits:  # the item that fills the last place may make up to `room` results
        strategy = strategy.sized(2 * room - 1)
    fresh = _Fresh(run, source, room)
    fresh.out = out = run.adopt(Observed(fresh.pipe(*operators), strategy, fresh.blame))
    return out.subscribed()


@stage(
    _rx,
    contract=Contract(
        holds="strategy.limit * (1 + strategy.waits) - strategy.waits if strategy.overflows else unbounded",
        lookahead="2 * strategy.limit - 1 if strategy.waits else unbounded",
        result="what the operators keep",
        ordered="'as the operators say'",
        loses="strategy.loses",
    ),
)
def operator(
    *operators: Callable[[Observable[Any]], Observable[Any]], strategy: Strategy
) -> Operator[Any, Any]:
    """Use operators of RxPY inside a pipe.

        items                     --1--2--3--|
        operator(rx map(x * 10))  --10-20-30-|

    >>> from reactivex import operators as of
    >>> from streamkit import Stream, Suspend, rx
    >>> list(Stream([1, 2, 3]) | rx.operator(of.map(lambda x: x * 10), strategy=Suspend(8)))
    [10, 20, 30]

    Emits when: the operators do, from any thread.
    Waits when: the results fill the buffer, under a strategy that waits. No more is pulled then.
    Completes when: the operators do. The end of the source is ``on_completed`` for them.
    Closes when: it completes, fails, or the consumer leaves; the subscription is disposed once.

    Args:
        operators: of RxPY, as in ``observable.pipe(...)``.
        strategy: how many of their results are held. One item that makes more results than that overflows
            a strategy that waits.

    Raises:
        TypeError: an operator is not callable, or `strategy` is not a strategy; or the last operator is one
            that emits observables, as ``window`` and ``group_by`` do.
        ValueError: there is no operator.
        BufferOverflowError: (when run) one item made more results than there is room for.
    """
    if not operators:
        raise ValueError("operators must be one or more, not none")
    for each in operators:
        callback("operators", each)
    named = tuple([_Named(each) for each in operators])
    if (last := named[-1].__name__) in NESTING:
        raise TypeError(
            f"operators must not end in {last}, whose observables are over before a stream can read them: "
            "put reactivex.operators.flat_map(lambda inner: inner.pipe(...)) behind it"
        )
    return Operator(operator, operators=named, strategy=strategy_argument("strategy", strategy))


@answering
def pipeable(
    *operators: Pipe, strategy: Strategy | None = None
) -> Callable[[Observable[Any]], StreamObservable[Any]]:
    """Use operators of streamkit inside ``observable.pipe(...)``.

    >>> import asyncio, reactivex
    >>> from streamkit import Suspend, ops, rx
    >>> async def main():
    ...     pairs = reactivex.of(1, 2, 3).pipe(rx.pipeable(ops.pairwise(), strategy=Suspend(8)))
    ...     pairs.subscribe(print)
    ...     await pairs.closed()
    >>> asyncio.run(main())
    (1, 2)
    (2, 3)

    Args:
        operators: of streamkit, but no sinks.
        strategy: of the buffer that the observable fills; not needed where ``buffer(strategy)`` comes first.

    Raises:
        TypeError: an operator is none, or a sink; or there is no strategy.
    """
    for each in operators:
        links: tuple[Link, ...] = getattr(each, "links", ())
        if not links or links[-1].declaration.sink:
            raise TypeError(f"operators must be operators of streamkit, not {shown(each)}")
    all_links = tuple([link for each in operators for link in each.links])
    if strategy is None and all_links and all_links[0].declaration.buffers:
        strategy, all_links = all_links[0].arguments["strategy"], all_links[1:]
    checked = strategy_argument("strategy", strategy)
    place = written(sys._getframe(1))  # pyright: ignore[reportPrivateUsage] - as in `Pipe`

    def piped(observable: Observable[Any]) -> StreamObservable[Any]:
        stream = observed(observable, checked, place)
        return StreamObservable(Stream(stream.source, all_links), None)

    return piped
