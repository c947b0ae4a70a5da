"""Operators whose work is done elsewhere: by threads, by processes, on a cluster."""

from __future__ import annotations

from typing import Any, TypeVar, overload

from streamkit._core.arguments import flag
from streamkit._core.calls import answering
from streamkit._core.guarded import guarded
from streamkit._core.on_error import OnError, on_error_argument
from streamkit._core.show import shown
from streamkit._core.workers import Lasting, Workers, chunk_argument, workers_argument
from streamkit._engine.face.shapes import Lists
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep, Operator, Pipe, Shape
from streamkit._engine.run.paired import followed_anyway
from streamkit._stages.chunks import CHUNKED, in_chunks
from streamkit._stages.shipping import shipped_chunks

__all__ = ["on"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


@stage(shipped_chunks, pairs=followed_anyway, name="on", contract=CHUNKED)
def _on(on: Workers, pipe: Any, *, ordered: bool, _policy: Any) -> Lists:
    return Lists(_on, on=on, pipe=pipe, ordered=ordered, _policy=_policy)


@overload
def on(
    executor: Workers,
    one: Operator[A, B],
    /,
    *,
    chunk: int | Lasting = ...,
    ordered: bool = ...,
    on_lost: OnError | None = ...,
) -> Operator[A, B]: ...
@overload
def on(
    executor: Workers,
    one: Operator[A, B],
    two: Operator[B, C],
    /,
    *,
    chunk: int | Lasting = ...,
    ordered: bool = ...,
    on_lost: OnError | None = ...,
) -> Operator[A, C]: ...
@overload
def on(
    executor: Workers,
    one: Operator[A, B],
    two: Operator[B, C],
    three: Operator[C, D],
    /,
    *,
    chunk: int | Lasting = ...,
    ordered: bool = ...,
    on_lost: OnError | None = ...,
) -> Operator[A, D]: ...
@overload
def on(
    executor: Workers,
    /,
    *operators: Operator[Any, Any] | Keep | Shape,
    chunk: int | Lasting = ...,
    ordered: bool = ...,
    on_lost: OnError | None = ...,
) -> Operator[Any, Any]: ...
@answering
def on(
    executor: Workers,
    /,
    *operators: Any,
    chunk: int | Lasting = 64,
    ordered: bool = True,
    on_lost: OnError | None = None,
) -> Any:
    """Send chunks of the items through a pipe that workers run, and pass on what comes out of it.

        items                          --1--2--3-----4--|
        on(pool, map(x*2), chunk=2)    -----------2-4---6-8|

    >>> from streamkit import Stream, ops
    >>> from streamkit.executors import Threads
    >>> list(Stream(range(6)) | ops.on(Threads(2), ops.filter(lambda x: x % 2), ops.map(str), chunk=3))
    ['1', '3', '5']

    The operators run as they do in one process: their steps are one loop, over a chunk at a time. Each chunk
    goes through the pipe anew, so what an operator keeps (``batch``, ``distinct``, ``take``) is of one chunk.

    Emits when: a chunk comes back; with `ordered`, when every earlier one has.
    Waits when: the consumer does, or as many chunks are in flight as the executor takes at once.
    Completes when: the source does, and every chunk has come back.
    Closes when: it ends, or the consumer leaves; chunks in flight are stopped first.

    Args:
        executor: threads, processes, or another of ``streamkit.executors``. One that is not open is opened
            for each run, and closed with it.
        operators: what a chunk goes through: operators, and no sink.
        chunk: how many items are sent together; or ``Lasting(seconds)``, which finds out.
        ordered: whether chunks keep their order, or come as they are ready.
        on_lost: what is done with an item whose worker has died of it: the error is a
            ``WorkerCrashedError``. By default, and for every other error, the stream fails; operators in the
            pipe have an `on_error` of their own.

    Raises:
        TypeError: `executor` is none, one of `operators` is no operator, or another argument has the wrong
            type; (when run) the pipe, an item or a result cannot be pickled, where that must be.
        ValueError: there are no operators, or `chunk` is less than 1.
    """
    workers = workers_argument("executor", executor)
    pipe = _joined(operators)
    flag("ordered", ordered)
    chunk = chunk_argument(chunk)
    policy = guarded("function", _unreached, on_error_argument(on_lost, "on_lost"))
    return in_chunks(chunk, _on(workers, pipe, ordered=ordered, _policy=policy))


def _joined(operators: tuple[Any, ...]) -> Operator[Any, Any]:
    if not operators:
        raise ValueError("operators must be given: write ops.on(executor, ops.map(function))")
    for each in operators:
        if not isinstance(each, Pipe) or each.links[-1].declaration.sink:
            raise TypeError(f"operators must be operators, and no sink, not {shown(each)}")
    pipe: Operator[Any, Any] = operators[0]
    for each in operators[1:]:
        pipe |= each
    return pipe


def _unreached(item: Any) -> Any:
    """Stands for what no worker could be asked."""
    raise AssertionError(item)  # pragma: no cover - a chunk is sent through the pipe, and never this
