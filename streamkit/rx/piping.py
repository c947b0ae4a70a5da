"""RxPY's operators inside our pipes (`operator`), and ours inside RxPY's pipes (`pipeable`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reactivex import Observable
from reactivex.subject import Subject

from streamkit._core.arguments import callback
from streamkit._core.contract import Contract
from streamkit._core.errors import ObservableError
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy, strategy_argument
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.target import Rescue, Target
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Operator, Pipe, Stream
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.run.run import Run
from streamkit.rx.incoming import Observed, from_observable
from streamkit.rx.outgoing import StreamObservable

__all__ = ["operator", "pipeable"]


class _Feeder(Target):
    """What goes in goes into a subject at once. It is full while the buffer of the results is full."""

    def __init__(self, told: _Fed, subject: Subject[Any], out: Observed, room: float) -> None:
        super().__init__(told)
        self._subject = subject
        self._out = out
        self._lane = out.lanes[0]
        self._room = room
        self._closed = False

    def put(self, item: Any) -> bool:
        try:
            self._subject.on_next(item)
        except ObservableError:
            if self._lane.open:
                raise
        return self.full()

    def full(self) -> bool:
        # a closed lane is full too: the pump then waits until the run cancels it, which cleans up the source
        return not self._lane.open or (self._lane.waits and len(self._lane.held) >= self._room)

    async def room(self, rescue: Rescue | None = None) -> None:
        self._out.roomy = self.wake
        self._lane.watch()
        try:
            await super().room(rescue)
        finally:
            self._out.roomy = None

    def close(self) -> None:
        closed, self._closed = self._closed, True
        if not closed and self.channel.error is None:
            self._subject.on_completed()


class _Fed(Channel):
    """The channel of a `_Feeder`: an error of the pump goes to the subject's observers."""

    def __init__(self, subject: Subject[Any]) -> None:
        super().__init__()
        self._subject = subject

    def fail(self, error: BaseException) -> None:
        super().fail(error)
        self._subject.on_error(error)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def _rx(run: Run, source: Inlet[Any], *, operators: tuple[Any, ...], strategy: Strategy) -> Channel:
    room = strategy.limit or 0
    if strategy.waits:  # the item that fills the last place may make up to `room` results
        strategy = strategy.sized(2 * room - 1)
    subject: Subject[Any] = Subject()
    out = run.adopt(Observed(subject.pipe(*operators), strategy)).subscribed()
    run.pump(source, into=_Feeder(run.adopt(_Fed(subject)), subject, out, room))
    return out


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
        TypeError: an operator is not callable, or `strategy` is not a strategy.
        ValueError: there is no operator.
        BufferOverflowError: (when run) one item made more results than there is room for.
    """
    if not operators:
        raise ValueError("operators must be one or more, not none")
    for each in operators:
        callback("operators", each)
    return Operator(operator, operators=operators, strategy=strategy_argument("strategy", strategy))


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

    def piped(observable: Observable[Any]) -> StreamObservable[Any]:
        stream = from_observable(observable, strategy=checked)
        return StreamObservable(Stream(stream.source, all_links), None)

    return piped
