"""Sources that are filled from outside."""

from __future__ import annotations

import sys
from typing import Any, Literal, TypeVar, get_origin, overload

from streamkit._core.calls import answering
from streamkit._core.markers import ABSENT, Gap
from streamkit._core.places import written
from streamkit._core.show import shown
from streamkit._core.strategy import Collect, Lossy, Strategy, strategy_argument
from streamkit._engine.face.stream import Stream
from streamkit._stages.hold import HoldingChannel
from streamkit._stages.inbox import InboxSource
from streamkit._stages.push import Emitter, PushSource

__all__ = ["inbox", "push"]

A = TypeVar("A")
T = TypeVar("T")


@overload
def push(
    strategy: Collect, *, of: type[T], name: str | None = None
) -> tuple[Stream[list[T]], Emitter[T]]: ...
@overload
def push(
    strategy: Lossy[Literal[False]], *, of: type[T], name: str | None = None
) -> tuple[Stream[T], Emitter[T]]: ...
@overload
def push(
    strategy: Lossy[bool], *, of: type[T], name: str | None = None
) -> tuple[Stream[T | Gap], Emitter[T]]: ...
@overload
def push(strategy: Strategy, *, of: type[T], name: str | None = None) -> tuple[Stream[T], Emitter[T]]: ...
@overload
def push(strategy: Strategy, *, name: str | None = None) -> tuple[Stream[Any], Emitter[Any]]: ...
@answering
def push(strategy: Any, *, of: object = ABSENT, name: str | None = None) -> tuple[Stream[Any], Emitter[Any]]:
    """A stream, and the emitter that fills it: from callbacks, threads and other event loops.

        emitter.offer  --a--b--------c--close()
        stream         --a--b--------c--|

    >>> from streamkit import Suspend, push
    >>> stream, emitter = push(Suspend(2))
    >>> [emitter.offer(item) for item in "abc"]
    [<Offered.ACCEPTED: 'accepted'>, <Offered.ACCEPTED: 'accepted'>, <Offered.FULL: 'full'>]
    >>> emitter.close()
    True
    >>> list(stream)
    ['a', 'b']

    Emits when: an item is held.
    Waits when: none is held, or the consumer does: items are then held, as the strategy says.
    Completes when: the emitter was closed, and the held items were passed on.
    Closes when: it ends, or the consumer leaves; held items are dropped, and counted.

    ``emitter.offer(item)`` says at once what became of the item; ``await emitter.send(item)`` waits for
    room, in any event loop, and ``emitter.send_blocking(item)`` in a thread without one. ``close()`` and
    ``fail(error)`` end the stream after the held items. Items offered before the stream is read are held
    as the strategy says. The stream can be run once. When its consumer leaves, held items are dropped,
    whoever waits to send gets `EmitterClosedError`, and every later offer is answered ``CLOSED``. So it is
    when a run ends that has the stream and did not come to it, and when nobody has the stream any more.

    Args:
        strategy: how many items are held for the consumer, and what happens to one more. There is no
            default: a callback cannot be made to wait, so you must choose.
        of: the type of the items, for type checkers: ``push(Suspend(2), of=int)`` is a ``Stream[int]`` and
            an ``Emitter[int]``. Items are not checked against it.
        name: by which errors, ``explain()`` and ``handle.buffers()`` tell it from others.

    Raises:
        TypeError: `strategy` is not a strategy, `of` not a type, or `name` not a text.
        SourceConsumedError: (when run) the stream was run before.
        BufferOverflowError: (when run) one item too many was offered under ``Fail``.
    """
    _check(of, name)
    channel = HoldingChannel(strategy_argument("strategy", strategy))
    channel.written = written(sys._getframe(1))  # pyright: ignore[reportPrivateUsage] - as in `Pipe`
    return Stream(PushSource(channel, strategy, name)), Emitter(channel)


@overload
def inbox(strategy: Collect, *, of: type[T], name: str | None = None) -> Stream[list[T]]: ...
@overload
def inbox(strategy: Lossy[Literal[False]], *, of: type[T], name: str | None = None) -> Stream[T]: ...
@overload
def inbox(strategy: Lossy[bool], *, of: type[T], name: str | None = None) -> Stream[T | Gap]: ...
@overload
def inbox(strategy: Strategy, *, of: type[T], name: str | None = None) -> Stream[T]: ...
@overload
def inbox(strategy: Strategy, *, name: str | None = None) -> Stream[Any]: ...
@answering
def inbox(strategy: Any, *, of: object = ABSENT, name: str | None = None) -> Stream[Any]:
    """A stream of what a job is handed while it runs in a thread of its own, by ``job.start_in_thread()``.

        running.put  --a--b--------c--finish()
        inbox        --a--b--------c--|

    >>> import streamkit
    >>> from streamkit import Suspend, ops
    >>> job = streamkit.inbox(Suspend(8), of=str) | ops.map(str.upper) | ops.to_list()
    >>> with job.start_in_thread() as running:
    ...     running.put("a")
    ...     running.put("b")
    >>> running.join()
    ['A', 'B']

    Emits when: an item is held.
    Waits when: none is held, or the consumer does: items are then held, as the strategy says.
    Completes when: ``running.finish()`` or ``stop()`` was called, or the ``with`` block has ended, and the
        held items were passed on.
    Closes when: it ends, or the consumer leaves; held items are dropped, and counted.

    It is a place in a pipe, and holds nothing itself: each run has a buffer of its own, which `Running`
    fills. A job may have several, as in ``streamkit.merge(orders, returns)``; then ``put(item, into=orders)``
    says which. In a coroutine, `push` is what to use.

    Args:
        strategy: how many items are held for the job, and what happens to one more. There is no default:
            under ``Suspend(n)`` whoever puts waits, under ``DropOldest(n)`` nobody does.
        of: the type of the items, for type checkers; items are not checked against it.
        name: by which errors, ``explain()`` and ``running.buffers()`` tell it from others.

    Raises:
        TypeError: `strategy` is not a strategy, `of` not a type, or `name` not a text.
        RuntimeError: (when run) the job was started in another way.
        BufferOverflowError: (when run) one item too many was put under ``Fail``.
    """
    _check(of, name)
    place = written(sys._getframe(1))  # pyright: ignore[reportPrivateUsage] - as in `Pipe`
    return Stream(InboxSource(strategy_argument("strategy", strategy), name, place))


def _check(of: object, name: object) -> None:
    if of is not ABSENT and not isinstance(of, type) and get_origin(of) is None:  # list[int] has an origin
        raise TypeError(f"of must be a type such as int, not {shown(of)}")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be a text, not {shown(name)}")
