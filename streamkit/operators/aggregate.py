"""Operators that make one item of all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar, overload

from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.show import shown
from streamkit._engine.compile.loop import fits
from streamkit._engine.face.job import Job
from streamkit._engine.face.mistakes import instead
from streamkit._engine.face.shapes import Always, Joined, ListOf, Lists, One, OneOf
from streamkit._engine.face.stage import stage
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Keep, Operator, Pipe, Sink, Stream
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.forks import stops

__all__ = ["aggregate"]

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")


@step(each="pass", name="aggregate", forks=True, contract=Contract(at_end=True))
def _at_the_end(*branches: Pipe) -> Operator[Any, Any]:
    return Operator(_at_the_end, branches=branches)


@step(each="pass", name="aggregate", forks=True)
def _as_soon_as_it_has_enough(*branches: Pipe) -> Operator[Any, Any]:
    return Operator(_as_soon_as_it_has_enough, branches=branches)


async def _apart(run: Run, source: Inlet[Any], *, sink: Pipe) -> AsyncIterator[Any]:
    job: Job[Any] = Job(source, sink.links)
    yield await run.part(job, run.book and run.book.chapter(after=True))


@stage(_apart, name="aggregate", pumps=False)
def _with_stages(sink: Pipe) -> Operator[Any, Any]:
    return Operator(_with_stages, sink=sink)


@overload  # a sink of any shape is a callable too; the first overload that fits counts, so these come first
def aggregate(sink: ListOf) -> Lists: ...  # type: ignore[overload-overlap]  # pyright: ignore[reportOverlappingOverload]
@overload
def aggregate(sink: One) -> Keep: ...  # type: ignore[overload-overlap]
@overload
def aggregate(sink: OneOf[T]) -> Joined[T]: ...  # type: ignore[overload-overlap]
@overload
def aggregate(sink: Always[R]) -> Operator[Any, R]: ...
@overload
def aggregate(sink: Sink[A, R]) -> Operator[A, R]: ...
@overload
def aggregate(sink: Callable[[Stream[A]], Job[R]]) -> Operator[A, R]: ...
@answering
def aggregate(sink: Any) -> Any:
    """Pass on the result of `sink` as the one item.

        items              --3--1--5--|
        aggregate(count()) -----------(3|)

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.aggregate(ops.count()))
    [3]
    >>> list(Stream("abc") | ops.aggregate(ops.map(str.upper) | ops.to_list()) | ops.concat(["end"]))
    [['A', 'B', 'C'], 'end']

    So a pipe can go on behind what would end it. All sinks of `ops` can stand here, with operators before
    them, and users' own. A sink of steps runs in the loop that reads the source.

    Emits when: the sink has its result: at the end of the source, or when it has enough, as ``first`` has.
    Waits when: the sink does.
    Completes when: the result was passed on.
    Closes when: the sink has its result, or the consumer leaves.

    Where the sink fails, as ``first`` does without an item, the stream does.

    Args:
        sink: a sink, or operators and a sink.

    Raises:
        TypeError: `sink` is something else.
    """
    if not isinstance(sink, Pipe) or not sink.links[-1].declaration.sink:
        hint = instead(sink) if not isinstance(sink, Pipe) else ""
        raise TypeError(f"sink must be a sink, or operators and a sink, not {shown(sink)}{hint}")
    if any(link.declaration.stage is not None or link.declaration.nests for link in sink.links):
        return _with_stages(sink)
    early = any(stops(link) for link in sink.links)
    spliced = (_as_soon_as_it_has_enough if early else _at_the_end)(sink)
    return spliced if fits(spliced.links[0].key) else _with_stages(sink)
