"""Starting: a source and its links become one coroutine or generator, ready to run."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Sequence
from functools import partial
from inspect import GEN_CREATED, getgeneratorstate
from types import AsyncGeneratorType, GeneratorType
from typing import Any, TypeAlias

from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.frame import RESCUED
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.compile.pace import Own, Pace
from streamkit._engine.plan.drops import counted
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration, flattened, unfolded
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.leave import Segment
from streamkit._engine.run.own import is_new

__all__ = ["Begun", "begin", "loop_of", "require_asyncio", "segment", "start"]


def start(
    source: Source, links: Sequence[Link], end: End, pace: Pace | None = None, book: Book | None = None
) -> Any:
    """Make the coroutine or generator (as `end` says) that runs `links` over `source`."""
    opened, rest, relays = begin(source, counted(links, book), book, blocking=end is End.PLAIN)
    return loop_of(opened, rest, relays, end, pace or (Own() if end is End.RESULT else Pace()))


Begun: TypeAlias = tuple[Opened, Sequence[Link], bool]
"""What is opened; the links behind it; and whether a cancellation is passed on to its items."""


def begin(
    source: Source, links: Sequence[Link], book: Book | None = None, *, blocking: bool = False
) -> Begun:
    """Open `source`, or begin the last stage of `links` over it; a loop is made of the rest (`loop_of`)."""
    require_asyncio()
    cut = _first_half(links)
    if not cut and source.makes:  # nothing but steps: what a callable makes is opened here
        inlet = unfolded(Inlet[Any](source, tuple(links)))
        source, links = inlet.source, inlet.links
        cut = _first_half(links)
    if cut:
        link = links[cut - 1]
        assert isinstance(link.declaration, StageDeclaration)
        opened = link.declaration.begin(link, Inlet(source, tuple(links[: cut - 1])), book)
    else:
        opened = source.open(blocking=blocking)
        if book is not None and opened.buffer is not None:
            book.enter(opened.buffer)
    relays = (opened.kind is Kind.ASYNC or opened.follows is not None) and (
        not cut or opened.relay is not None
    )
    if relays and opened.relay is not None:
        opened.relay()
    steps = links[cut:] if opened.follows is None else [*opened.follows.links, *links[cut:]]
    return opened, steps, relays


def loop_of(opened: Opened, links: Sequence[Link], relays: bool, end: End, pace: Pace) -> Any:
    """The loop over what `begin` has opened."""
    if relays:
        pace.source = opened.items if opened.follows is None else opened.follows.relayed
    return segment(opened, links, end, pace)


def require_asyncio() -> None:
    """Raise if trio runs here, and not asyncio."""
    trio = sys.modules.get("trio")
    if trio is not None and asyncio._get_running_loop() is None and trio.lowlevel.in_trio_run():
        raise RuntimeError(
            "streamkit runs on asyncio, and here trio runs: run it with asyncio.run(main()), or "
            "anyio.run(main, backend='asyncio')"
        )


def _first_half(links: Sequence[Link]) -> int:
    """How many of `links` there are up to the last stage; behind it are steps only."""
    for cut in range(len(links), 0, -1):
        if links[cut - 1].declaration.stage is not None:
            return cut
    return 0


def segment(opened: Opened, links: Sequence[Link], end: End, pace: Pace) -> Any:
    """Make one loop over `opened`; if it would be too large, several that are joined by generators."""
    if end is End.PLAIN and opened.kind is Kind.SLICE:
        opened.kind, opened.items = Kind.ITER, iter(opened.items)
    if opened.direct and end is End.RESULT and not any(link.waits for link in links):
        opened.kind = Kind.PUSH
    rest = [links]
    """What is to be made into loops yet, the first part last."""
    while True:
        part = rest.pop()
        first = None if opened.follows is None else len(opened.follows.links)
        asynchronous = opened.kind is Kind.ASYNC or first is not None
        relays = asynchronous and pace.source is not None and end in RESCUED
        ending = _ending(end, relays=relays, last=not rest)
        loop = compiled(opened.kind, tuple([link.key for link in part]), ending, first)
        if isinstance(loop, int):
            if opened.kind is Kind.PUSH:
                opened.kind, opened.direct = Kind.CHANNEL, None
            cut = max(loop, first or 0)
            rest += [part[cut:], part[:cut]]
        elif rest:
            opened = _hop(opened, part, loop, ending, pace)
        else:
            if pace.settle is not None:
                opened.close_now = pace.settle.closing(opened.close_now)
            return _made(opened, part, loop, ending, pace)[0]


def _ending(end: End, *, relays: bool, last: bool) -> End:
    """How a loop ends that is the last of a segment, which ends so, or another; where it `relays`, so."""
    if end is End.PLAIN or (last and (relays or end is not End.RELAY)):
        return end
    return End.RELAY if relays else End.STAGE


def _hop(opened: Opened, links: Sequence[Link], loop: Loop, end: End, pace: Pace) -> Opened:
    """One loop, as what the next reads; `pace` is that of the last."""
    if end is End.PLAIN:
        hop, part = _made(opened, links, loop, end, pace)
        return Opened(Kind.ITER, hop, None, partial(_close_now, hop, part))
    own = Pace()
    own.source = pace.source
    hop, part = _made(opened, links, loop, end, own)
    pace.source = hop if end is End.RELAY else None
    return Opened(Kind.ASYNC, hop, partial(_close, hop, part))


def _made(opened: Opened, links: Sequence[Link], loop: Loop, end: End, pace: Pace) -> tuple[Any, Segment]:
    """The coroutine or generator of one loop; and what leaves `opened`, if that is never begun."""
    if loop.forks:
        links = flattened(links)
    part = Segment(loop, links, opened, pace)
    leave = part.leave_now if end is End.PLAIN else part.leave
    held = (part,) if loop.holds or opened.follows is not None else ()
    wanted = [links[place].arguments[name] for place, name in loop.wanted]
    items = loop.function(opened.items, leave, pace, *held, *wanted)
    if opened.kind is Kind.PUSH:
        calls = any(link.declaration.callbacks for link in links)
        items = opened.direct(opened, items, part, pace, calls=calls)
    return items, part


def _close(items: AsyncGeneratorType[Any, None], part: Segment) -> Awaitable[None]:
    """Close a loop; if it has not begun, what it would have read. No coroutine: many may be nested."""
    return part.leave() if is_new(items) else items.aclose()


def _close_now(items: GeneratorType[Any, None, None], part: Segment) -> None:
    if getgeneratorstate(items) == GEN_CREATED:
        part.leave_now()
    else:
        items.close()
