"""aiostream: its streams as sources here, ours as sources there, and its operators in our pipe.

aiostream warns if one of its streams is iterated without ``stream()``; `from_aiostream` calls that. Our
streams are async iterables, so its operators take them as arguments; only its ``|`` needs `to_aiostream`.
The package is an extra: ``pip install streamkit[aiostream]``. Its licence is the GPL-3.0.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from functools import reduce
from typing import Any, TypeVar

import aiostream

from streamkit._core.arguments import callback
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.show import shown
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Operator, Stream
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run

__all__ = ["from_aiostream", "operator", "to_aiostream"]

T = TypeVar("T")


@answering
def from_aiostream(source: AsyncIterable[T]) -> Stream[T]:
    """A stream of the items of `source`, an aiostream stream. Each run opens and closes it.

    >>> from aiostream import stream
    >>> from streamkit import aiostream
    >>> list(aiostream.from_aiostream(stream.range(3)))
    [0, 1, 2]

    Raises:
        TypeError: `source` is not a stream of aiostream.
    """
    if not hasattr(source, "stream"):
        raise TypeError(f"source must be a stream of aiostream, not {shown(source)}")
    return Stream(lambda: _opened(source))


@answering
def to_aiostream(stream: Stream[T]) -> Any:
    """`stream` as a stream of aiostream; each time it is opened, a run begins.

    >>> import asyncio
    >>> from aiostream import pipe, stream
    >>> from streamkit import Stream, aiostream
    >>> async def main():
    ...     return await stream.list(aiostream.to_aiostream(Stream([1, 2, 3])) | pipe.take(2))
    >>> asyncio.run(main())
    [1, 2]

    Raises:
        TypeError: `stream` is not a stream of streamkit.
    """
    if not isinstance(stream, Stream):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"stream must be a stream of streamkit, not {shown(stream)}")
    return aiostream.stream.iterate(stream)


async def _opened(source: Any) -> AsyncIterator[Any]:
    async with source.stream() as items:
        async for item in items:
            yield item
            del item  # nothing is held while the source waits


async def _through(
    run: Run, source: Inlet[Any], *, operators: tuple[Callable[[Any], Any], ...]
) -> AsyncIterator[Any]:
    passed: list[Exception] = []
    joined: Any = reduce(_joined, operators, aiostream.stream.iterate(_noting(run.open(source), passed)))
    try:
        async for item in run.open(Inlet[Any](lambda: _opened(joined))):
            yield item
            del item
    except Exception as error:
        if any(error is each for each in passed):
            raise
        run.reraise(error)
    finally:
        passed.clear()


async def _noting(items: AsyncIterator[Any], passed: list[Exception]) -> AsyncIterator[Any]:
    """`items`; an error of theirs is noted in `passed`, since it is not the operators'."""
    while True:
        try:
            item = await anext(items)
        except StopAsyncIteration:
            return
        except Exception as error:
            passed.append(error)
            raise
        yield item  # aiostream throws errors of its operators in here
        del item


def _joined(items: Any, operator: Callable[[Any], Any]) -> Any:
    return operator(items)


@stage(
    _through,
    pumps=False,
    contract=Contract(holds="unbounded", lookahead="unbounded", ordered="'as the operators say'"),
)
def operator(*operators: Callable[[Any], Any]) -> Operator[Any, Any]:
    """Use operators of aiostream, as ``aiostream.pipe`` makes them, inside a pipe.

        items                 --1--2--3--|
        operator(pipe.take(2))--1--2|

    >>> from aiostream import pipe
    >>> from streamkit import Stream, aiostream
    >>> list(Stream([1, 2, 3]) | aiostream.operator(pipe.take(2)))
    [1, 2]

    Emits when: the operators do.
    Waits when: the operators do. What they hold is not known, so the contract says unbounded.
    Completes when: the operators do.
    Closes when: it completes, fails, or the consumer leaves: the streamer is closed, then the source.

    Args:
        operators: what functions of ``aiostream.pipe`` return.

    Raises:
        TypeError: an operator is not callable.
        ValueError: there is no operator.
    """
    if not operators:
        raise ValueError("operators must be one or more, not none")
    for each in operators:
        callback("operators", each)
    return Operator(operator, operators=operators)
