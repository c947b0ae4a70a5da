"""Starting: a source and its links become one coroutine or generator, ready to run."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from functools import partial
from typing import Any

from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import compiled
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration, flattened
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.leave import Segment

__all__ = ["segment", "start"]


def start(
    source: Source, links: Sequence[Link], end: End, pace: Pace | None = None, book: Book | None = None
) -> Any:
    """Make the coroutine or generator (as `end` says) that runs `links` over `source`."""
    cut = len(links)
    while cut and links[cut - 1].declaration.stage is None:
        cut -= 1
    if cut:
        link = links[cut - 1]
        assert isinstance(link.declaration, StageDeclaration)
        opened = link.declaration.begin(link, Inlet(source, tuple(links[: cut - 1])), book)
    else:
        opened = source.open(blocking=end is End.PLAIN)
        if book is not None and opened.buffer is not None:
            book.enter(opened.buffer)
    pace = pace or Pace()
    if opened.kind is Kind.ASYNC and not cut:
        pace.source = opened.items
    return segment(opened, links[cut:], end, pace)


def segment(opened: Opened, links: Sequence[Link], end: End, pace: Pace) -> Any:
    """Make one loop over `opened`; if it would be too large, two that are joined by a generator."""
    return _parts(opened, links, end, pace)[0]


def _parts(opened: Opened, links: Sequence[Link], end: End, pace: Pace) -> tuple[Any, Segment]:
    """The loop, and what leaves `opened`, if the loop is a generator that is closed before it has begun."""
    if end is End.PLAIN and opened.kind is Kind.SLICE:
        opened.kind, opened.items = Kind.ITER, iter(opened.items)
    if opened.direct and end is End.RESULT and not any(link.waits for link in links):
        opened.kind = Kind.PUSH
    loop = compiled(opened.kind, tuple([link.key for link in links]), end)
    if isinstance(loop, int):
        if opened.kind is Kind.PUSH:
            opened.kind, opened.direct = Kind.CHANNEL, None
        if end is End.PLAIN:
            hop, first = _parts(opened, links[:loop], End.PLAIN, pace)
            joined = Opened(Kind.ITER, hop, None, partial(_close_now, hop, first))
        else:
            before = Pace()
            before.source, pace.source = pace.source, None
            hop, first = _parts(opened, links[:loop], End.STAGE, before)
            joined = Opened(Kind.ASYNC, hop, partial(_close, hop, first))
        return _parts(joined, links[loop:], end, pace)
    if loop.forks:
        links = flattened(links)
    part = Segment(loop, links, opened, pace)
    leave = part.leave_now if end is End.PLAIN else part.leave
    held = (part,) if loop.holds else ()
    wanted = [links[place].arguments[name] for place, name in loop.wanted]
    items = loop.function(opened.items, leave, pace, *held, *wanted)
    if opened.kind is Kind.PUSH:
        calls = any(link.declaration.callbacks for link in links)
        items = opened.direct(opened, items, part, pace, calls=calls)
    return items, part


async def _close(items: AsyncGenerator[Any, None], part: Segment) -> None:
    try:
        await items.aclose()
    finally:
        await part.leave()


def _close_now(items: Generator[Any, None, None], part: Segment) -> None:
    try:
        items.close()
    finally:
        part.leave_now()
