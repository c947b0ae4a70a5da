"""Stages: operators that own tasks, a buffer or a clock, and the decorator that declares them.

A stage is an async generator function. It receives the run, the stream before it, and the operator's
arguments. The run opens, pumps and closes; the stage only handles items:

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

A stage that only fills a channel can be a plain function that returns it, which saves a generator per item
(``benchmarks/workloads/buffers.py``). A coroutine function that returns a result makes a sink.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from streamkit._core.calls import answering
from streamkit._core.catalogue import parameters_of, register
from streamkit._core.contract import NOTHING_HELD, Contract
from streamkit._core.show import named, shown
from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.formulas import check_contract
from streamkit._engine.face.mistakes import check_decorated
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.leave import combine, tell
from streamkit._engine.run.paired import run_of

__all__ = ["stage"]

F = TypeVar("F", bound=Callable[..., Any])

_OWN: Final = "streamkit."
_RUNS: Final = "an async generator function, a coroutine function or a function"
_HANDED: Final = 2
"""What every stage is handed besides its arguments: the run, and the stream before it."""


class _Stage(StageDeclaration):
    """A stage whose function takes a `Run`."""

    def begin(self, link: Link, inlet: Inlet[Any], book: Book | None) -> Opened:
        return run_of(link, inlet, book).begin(inlet)

    async def result(self, link: Link, inlet: Inlet[Any], book: Book | None) -> Any:
        run = run_of(link, inlet, book)
        inlet, arguments = run.attached(inlet)
        try:
            result = await self.runs(run, inlet, **arguments)
        except BaseException as error:
            blamed = run.blame_own(error)
            try:
                await run.leave()
            except BaseException as late:
                combine(blamed, late)
            finally:
                tell(blamed, run.unreached())
            if blamed is not error:
                raise blamed from blamed.__cause__
            raise
        await run.leave()
        return result


@answering
def stage(
    runs: Callable[..., Any],
    /,
    *,
    contract: Contract | None = None,
    name: str | None = None,
    pumps: bool = True,
    buffers: bool = False,
    direct: bool = False,
    relays: bool = False,
    joins: bool = False,
    shares: bool = False,
    pairs: Callable[[Mapping[str, Any]], str | None] | None = None,
) -> Callable[[F], F]:
    """Declare the decorated function as a stage that runs as `runs(run, source, **arguments)`.

    Args:
        runs: the function that runs it: an async generator function, a coroutine function or a function.
        contract: what the operator promises; by default, that it holds no items.
        name: the operator's name; by default, the decorated function's.
        pumps: whether it reads its source in a task of its own, rather than in place.
        buffers: whether it is only a buffer, so that the stage after it can take it over.
        direct: whether its tasks deliver through `Channel.direct` (``run.direct``).
        relays: whether it passes what is thrown into it on to the stream that it has opened (``run.pump``).
        joins: whether a source that ends in the same operator, with equal arguments but for its `sources`, is
            replaced by the sources of that.
        shares: whether its runs share one run of the stream before it: each is handed that stream unopened.
        pairs: whether it can stand behind a durable source: its items are pairs of a delivery and an item
            there, as ``run.tracked`` says, and so are those that it gives. It is a function of its arguments,
            which returns why it cannot with these, or None.

    Raises:
        NameError: the contract names what is no parameter, of the function or of `runs`.
        TypeError: `runs` is not such a function, or does not take the run and the stream before it; or what
            is decorated is no function.
    """
    _check(runs)
    said = f"@stage({runs.__name__})"

    def decorate(function: F) -> F:
        check_decorated(said, function)
        own = (function.__module__ or "").startswith(_OWN)
        if not own:  # of our own, the tests ask it
            parameters = dict.fromkeys((*parameters_of(function), *parameters_of(runs)[2:]))
            check_contract(contract or NOTHING_HELD, name or function.__name__, parameters)
        declaration = _Stage(
            name or function.__name__.strip("_"),
            function,
            contract or NOTHING_HELD,
            stage=runs,
            parameters=parameters_of(function),
            pumps=pumps,
            buffers=buffers,
            direct=direct,
            relays=relays,
            joins=joins,
            shares=shares,
        )
        declaration.pairs = pairs
        register(declaration)
        if not own:
            return function
        declaration.body = function.__code__
        return answering(function, declaration)

    decorate.__name__ = said
    return answering(decorate)


def _check(runs: Any) -> None:
    """Raise if `runs` cannot run a stage: by what it is, or by what it takes."""
    if not inspect.isfunction(runs):
        raise TypeError(f"runs must be {_RUNS}, not {shown(runs)}")
    if inspect.isgeneratorfunction(runs):
        raise TypeError(
            f"runs must be {_RUNS}, not the generator function {named(runs)}: write async def {named(runs)}"
        )
    code = runs.__code__
    if code.co_argcount < _HANDED and not code.co_flags & inspect.CO_VARARGS:
        takes = f"{named(runs)}{inspect.signature(runs)}"
        raise TypeError(
            f"runs must take the run and the stream before it, not as {takes}: "
            f"write {named(runs)}(run, source, *, ...)"
        )
