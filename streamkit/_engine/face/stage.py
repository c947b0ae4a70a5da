"""Stages: operators that own tasks, a buffer or a clock, and the decorator that declares them.

A stage is an async generator function that is handed the run, the stream before it, and the operator's
arguments. The run opens, pumps and closes; the stage only says what happens with the items:

>>> from streamkit import Operator, Stream, Suspend, stage
>>> async def _doubled(run, source, *, times):
...     channel = run.channel()
...     run.pump(source, into=channel.lane(Suspend(1)))
...     async for item in channel:
...         for _ in range(times):
...             yield item
>>> @stage(_doubled)
... def doubled(times: int = 2) -> Operator:
...     return Operator(doubled, times=times)
>>> list(Stream("ab") | doubled())
['a', 'a', 'b', 'b']

A plain function that fills a channel and returns it saves a generator; a coroutine function that
returns a result makes a sink.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from streamkit._core.catalogue import parameters_of, register
from streamkit._core.contract import NOTHING_HELD, Contract
from streamkit._engine.buffer.book import Book
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.leave import combine
from streamkit._engine.run.run import Run

__all__ = ["stage"]

F = TypeVar("F", bound=Callable[..., Any])


class _Stage(StageDeclaration):
    """A stage whose function is handed a `Run`."""

    def begin(self, link: Link, inlet: Inlet[Any], book: Book | None) -> Opened:
        return Run(link, book).begin(inlet)

    async def result(self, link: Link, inlet: Inlet[Any], book: Book | None) -> Any:
        run = Run(link, book)
        try:
            result = await self.runs(run, inlet, **link.arguments)
        except BaseException as error:
            blamed = run.blame_own(error)
            try:
                await run.leave()
            except BaseException as late:
                combine(blamed, late)
            if blamed is not error:
                raise blamed from blamed.__cause__
            raise
        await run.leave()
        return result


def stage(
    runs: Callable[..., Any],
    /,
    *,
    contract: Contract | None = None,
    name: str | None = None,
    pumps: bool = True,
    buffers: bool = False,
    direct: bool = False,
) -> Callable[[F], F]:
    """Declare the decorated function as a stage that runs as `runs(run, source, **arguments)`.

    `pumps` says whether it reads what is before it in a task of its own, or in place;
    `buffers`, that it is only a buffer, which the stage after it can take over; `direct`, that its tasks
    deliver through `Channel.direct` where they can.

    Raises:
        TypeError: `runs` is not a function.
    """
    if not inspect.isfunction(runs):
        raise TypeError(
            f"runs must be an async generator function, a coroutine function or a function, not {runs!r}"
        )

    def decorate(function: F) -> F:
        register(
            _Stage(
                name or function.__name__.strip("_"),
                function,
                contract or NOTHING_HELD,
                stage=runs,
                parameters=parameters_of(function),
                pumps=pumps,
                buffers=buffers,
                direct=direct,
            )
        )
        return function

    return decorate
