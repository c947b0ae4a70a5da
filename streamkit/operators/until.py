"""Operators that a signal stops, or lets begin."""

from __future__ import annotations

from asyncio import Event, isfuture, wait
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Future
from typing import Any, TypeAlias

from streamkit._core.again import throw
from streamkit._core.arguments import makes_coroutine
from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.contract import Contract
from streamkit._core.show import named, shown
from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep, SourceLike, Stream
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run

__all__ = ["Signal", "skip_until", "take_until"]

Signal: TypeAlias = (
    SourceLike[Any] | Awaitable[Any] | Event | Callable[[], Awaitable[Any]] | Callable[[], Event]
)
"""What may stop a stream, or let it begin."""

_ALLOWED = (
    "a stream, an iterable, an async iterable, an awaitable, an asyncio.Event, or a callable that makes "
    "one of these"
)
_ONE_SIGNAL = Contract(others_hold="1", others_lookahead="1", keeps="True")


class _Once:
    """A source of one item: an event that is set, or an awaitable that is done, has no other."""

    __slots__ = ("signal",)

    def __init__(self, signal: Any) -> None:
        self.signal = signal

    def __call__(self) -> Any:
        """What a run reads. A callable is called for each run."""
        found = self.signal
        if not isinstance(found, Event) and not is_awaitable(found):
            found = found()
        if isinstance(found, Event):
            return _set(found)
        return _done(found) if is_awaitable(found) else found

    def __repr__(self) -> str:
        return named(self.signal)


async def _set(event: Event) -> AsyncIterator[None]:
    await event.wait()
    yield None


async def _done(awaitable: Any) -> AsyncIterator[None]:
    if isfuture(awaitable) or isinstance(awaitable, Future):
        future = pending(awaitable)
        if not future.done():
            await wait({future})  # to await it would cancel it with this run, and it belongs to others
        future.result()
    else:
        await awaitable
    yield None


def _signal(signal: Any) -> Stream[Any]:
    """`signal` as a stream, of which the first item counts."""
    if isinstance(signal, Event) or is_awaitable(signal) or makes_coroutine(signal):
        return Stream(_Once(signal))
    try:
        stream = Stream[Any](signal)
    except TypeError as error:
        raise TypeError(f"signal must be {_ALLOWED}, not {shown(signal)}") from error
    return Stream(_Once(signal)) if stream.source.makes and stream.source.value is signal else stream


def _begun(run: Run, source: Inlet[Any], signal: Inlet[Any]) -> tuple[Channel, Lane, Lane]:
    """A channel with a lane for the signal, which begins first, and one for the items."""
    channel = run.channel()
    comes = channel.lane(Suspend(1))
    run.pump(signal, into=comes)
    return channel, comes, run.feed(channel, source)


async def _take_until(run: Run, source: Inlet[Any], *, signal: Inlet[Any]) -> AsyncIterator[Any]:
    channel, comes, items = _begun(run, source, signal)
    while not comes.held:
        error = channel.error  # looked at first: nothing comes after it
        if items.held:
            yield items.pop()
        elif error is not None:
            throw(error, channel.trace)
        elif items.exhausted:
            return
        else:
            await channel.change()


@stage(_take_until, pairs=followed_anyway, contract=_ONE_SIGNAL)
def take_until(signal: Signal) -> Keep:
    """Pass items on until `signal` comes.

        items               --a--b--c--d--|
        signal              --------x
        take_until(signal)  --a--b--|

    >>> from asyncio import Event
    >>> from streamkit import Stream, ops
    >>> stop = Event()
    >>> job = Stream("abc") | ops.take_until(stop) | ops.tap(lambda _: stop.set()) | ops.to_list()
    >>> job.run()
    ['a']

    The signal is looked at first: one that is there at the start lets nothing pass, and an item that comes in
    the same turn of the event loop does not pass either. Nothing is read ahead; a pull that is pending when
    the signal comes is cancelled.

    Emits when: an item comes.
    Waits when: the consumer does.
    Completes when: the signal comes, or the source ends. A stream of signals that ends without an item never
        gives one; if it fails, this fails with its error.
    Closes when: it ends, or the consumer leaves: the source and the signal at once, each in its own task.

    Args:
        signal: a stream, or whatever one can begin with, whose first item is the signal; an ``asyncio.Event``
            that is set; an awaitable that is done; or a callable that makes one of these, for each run. A
            future or task is only waited for; a coroutine serves one run, and is cancelled when that ends.

    Raises:
        TypeError: `signal` is none of these.
    """
    return Keep(take_until, signal=_signal(signal))


async def _skip_until(run: Run, source: Inlet[Any], *, signal: Inlet[Any]) -> AsyncIterator[Any]:
    channel, comes, items = _begun(run, source, signal)
    came = False
    while True:
        error = channel.error  # looked at first: nothing comes after it
        if not came and comes.held:
            came = True
            run.cut(comes)
        if items.held and came:
            yield items.pop()
        elif items.held:
            run.form.left_out(items.pop())
        elif error is not None:
            throw(error, channel.trace)
        elif items.exhausted or (comes.exhausted and not came):
            return
        else:
            await channel.change()


@stage(_skip_until, pairs=followed_anyway, contract=_ONE_SIGNAL)
def skip_until(signal: Signal) -> Keep:
    """Leave items out until `signal` comes; pass on those that come then.

        items               --a--b--c--d--|
        signal              --------x
        skip_until(signal)  --------c--d--|

    >>> from asyncio import Event
    >>> from streamkit import Stream, ops
    >>> start = Event()
    >>> begin = ops.tap(lambda item: start.set() if item == "b" else None)
    >>> list(Stream("abc") | begin | ops.skip_until(start))
    ['b', 'c']

    The signal is looked at first: an item that comes in the same turn of the event loop passes.

    Emits when: an item comes, and the signal has.
    Waits when: the signal has not come, or the consumer does. From the first pull on, the source is read
        until the signal comes.
    Completes when: the source does, or a stream of signals ends without an item: nothing can pass then. If it
        fails before it gives one, this fails with its error. (In RxPY, it does not end before the signal.)
    Closes when: it ends, or the consumer leaves: the source and the signal at once, each in its own task; the
        signal when it has come.

    Args:
        signal: what it may be for `take_until`.

    Raises:
        TypeError: `signal` is none of these.
    """
    return Keep(skip_until, signal=_signal(signal))
