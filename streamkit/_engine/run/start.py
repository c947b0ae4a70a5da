"""Starting: a source and its links become one coroutine or generator, ready to run."""

from __future__ import annotations

import asyncio
import sys
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from functools import partial
from types import AsyncGeneratorType
from typing import Any, TypeAlias

from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.errors import raise_first
from streamkit._core.markers import DROPPED
from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.handing import RESCUED
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled, seen
from streamkit._engine.compile.pace import Own, Pace
from streamkit._engine.plan.drops import counted
from streamkit._engine.plan.link import (
    Inlet,
    Link,
    StageDeclaration,
    flattened,
    returned_by,
    unfolded,
)
from streamkit._engine.plan.source import SEEN, Opened, Source, Weaving
from streamkit._engine.run.apart import NESTED, deep
from streamkit._engine.run.claims import Claims
from streamkit._engine.run.followed import shapes
from streamkit._engine.run.leave import Segment, combine
from streamkit._engine.run.own import closed, own

__all__ = ["Begun", "begin", "loop_of", "require_asyncio", "segment", "start"]


# Python 3.11 looks a member of an enumeration up by a call
_SLICE, _ASYNC, _PUSH = Kind.SLICE, Kind.ASYNC, Kind.PUSH
_PLAIN, _RESULT = End.PLAIN, End.RESULT


def start(
    source: Source, links: Sequence[Link], end: End, pace: Pace | None = None, book: Book | None = None
) -> Any:
    """Make the coroutine or generator (as `end` says) that runs `links` over `source`."""
    if book is not None:
        links = counted(links, book)
    elif end is _RESULT and type(source) is Source:
        value: object = source.value
        kind = SEEN.get(type(value))
        if kind is not None:
            loop = seen(kind, tuple([link.known or link.key for link in links]), end)
            if loop is not None:
                return _again(source, links, loop, kind)
    opened, rest, relays = begin(source, links, book)
    if pace is None:
        pace = Own() if end is _RESULT else Pace()
    pace.book = book
    if relays:
        return loop_of(opened, rest, relays, end, pace)
    return segment(opened, rest, end, pace)


def _again(source: Source, links: Sequence[Link], loop: Loop, kind: Kind) -> Any:
    """The coroutine of `loop`, to a result, over a `source` of this kind that nothing else stands before."""
    if "trio" in sys.modules:
        require_asyncio()
    if kind is _SLICE and loop.usual:
        items, pace = source.value, Native()
        pace.loop, pace.links, pace.items = loop, links, items
        wanted = [links[place].arguments[name] for place, name in loop.wanted]
        return loop.function(items, pace.left, pace, *wanted)
    opened, own = source.open(), Own()
    if kind is _ASYNC:
        own.source = opened.items
    return _made(opened, links, loop, _RESULT, own)


class Native(Own):
    """The pace of a loop over a range, list or tuple: nothing is closed, so only an error leaves it."""

    loop: Loop
    links: Sequence[Link]
    items: Any

    def left(self, error: BaseException) -> Awaitable[None]:
        """Name the operator that `error` came from. So only a run that fails has a `Segment`."""
        return Segment(self.loop, self.links, Opened(_SLICE, self.items), self).leave(error)


Begun: TypeAlias = tuple[Opened, Sequence[Link], bool]
"""What is opened; the links behind it; and whether a cancellation is passed on to its items."""


def begin(source: Source, links: Sequence[Link], book: Book | None = None) -> Begun:
    """Open `source`, or begin the last stage of `links` over it; a loop is made of the rest (`loop_of`)."""
    if "trio" in sys.modules:
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
        opened = source.open()
        if book is not None and opened.buffer is not None:
            book.enter(opened.buffer)
    follows = opened.follows
    relays = (opened.kind is _ASYNC or follows is not None) and (not cut or opened.relay is not None)
    if relays and opened.relay is not None:
        opened.relay()
    before = opened.steps if follows is None or opened.steps else follows.links
    if before:
        return opened, [*before, *links[cut:]], relays
    return opened, links[cut:] if cut else links, relays


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
    cut = len(links)
    for link in reversed(links):
        if link.declaration.stage is not None:
            return cut
        cut -= 1
    return 0


def segment(
    opened: Opened, links: Sequence[Link], end: End, pace: Pace, shape: Callable[..., Loop | int] = compiled
) -> Any:
    """Make one loop over `opened`; if it would be too large, several that are joined by generators."""
    if opened.pairs is not None and shape is compiled:
        return segment(opened, links, end, pace, shapes(opened, end, pace))
    if isinstance(opened, Weaving) and (woven := opened.weave(links, end, pace)) is not None:
        return woven
    if end is _PLAIN and opened.kind is _SLICE:
        opened.kind, opened.items = Kind.ITER, iter(opened.items)
    if opened.direct and end is _RESULT and not any(link.waits for link in links):
        opened.kind = _PUSH
    rest = [links]
    """What is to be made into loops yet, the first part last."""
    while True:
        part = rest.pop()
        first = None if opened.follows is None else len(opened.follows.links)
        asynchronous = opened.kind is _ASYNC or first is not None
        relays = asynchronous and pace.source is not None and end in RESCUED
        ending = end if end is _RESULT and not rest else _ending(end, relays=relays, last=not rest)
        loop = shape(opened.kind, tuple([link.known or link.key for link in part]), ending, first)
        if isinstance(loop, int):
            if opened.kind is _PUSH:
                opened.kind, opened.direct = Kind.CHANNEL, None
            cut = max(loop, first or 0)
            rest += [part[cut:], part[:cut]]
        elif rest:
            opened = _hop(opened, part, loop, ending, pace)
        else:
            if pace.settle is not None:
                opened.close_now = pace.settle.closing(opened.close_now)
            return _made(opened, part, loop, ending, pace)


def _ending(end: End, *, relays: bool, last: bool) -> End:
    """How a loop ends that is the last of a segment, which ends so, or another; where it `relays`, so."""
    if end is End.PLAIN or (last and (relays or end is not End.RELAY)):
        return end
    return End.RELAY if relays else End.STAGE


def _hop(opened: Opened, links: Sequence[Link], loop: Loop, end: End, pace: Pace) -> Opened:
    """One loop, as what the next reads; `pace` is that of the last."""
    if end is End.PLAIN:
        hop = _made(opened, links, loop, end, pace)
        return Opened(Kind.ITER, hop, None, hop.close)
    own = Pace()
    own.source, own.book, own.parts = pace.source, pace.book, pace.parts
    own.token = pace.token
    hop = _made(opened, links, loop, end, own)
    pace.source = hop if end is End.RELAY else None
    return Opened(Kind.ASYNC, hop, partial(closed, hop))


AsyncGenerator: Any = AsyncGeneratorType


class Nesting(Segment):
    """A segment with steps that go through streams: what their callbacks return is opened here."""

    __slots__ = ("_chapters",)

    def __init__(self, loop: Loop, links: Sequence[Link], opened: Opened, pace: Pace) -> None:
        super().__init__(loop, links, opened, pace)
        self._chapters: dict[int, Book] = {}
        """By the index of a step: where the stages of the stream that it goes through, or last did, stand."""

    async def opened(self, index: int, found: Any) -> tuple[Any, type]:
        """What the step at `index` goes through, of what its callback has returned, and how.

        That is told by a type: ``async for`` is for async generators, and ``for`` for everything else, of
        which ``object`` has no length.
        """
        link = self._links[index]
        # an observable of RxPY is awaitable too, for its last item
        waited = is_awaitable(found) and not hasattr(found, "subscribe")
        if waited:
            found = await pending(found)
        if found is DROPPED:
            return (), tuple
        inlet = unfolded(returned_by(link.arguments[link.declaration.nests], found))
        del found
        if waited and self._pace.over:  # the callback did not heed that
            claims = Claims()
            claims.take(inlet)
            raise_first([*claims.release(), CancelledError()])
        if not inlet.links and type(inlet.source).attached is Source.attached:
            opened = inlet.source.open()
            if opened.kind in (Kind.SLICE, Kind.ITER):
                return self._closes(index, opened), list if opened.kind is Kind.SLICE else object
            items: Any = opened.items
            if opened.blame is not None or type(items) is not AsyncGenerator:
                items = loop_of(opened, (), relays=True, end=End.RELAY, pace=Pace())
            return items, AsyncGenerator
        items = self._begun(index, inlet, self._chapter(index))
        own(items)
        return items, AsyncGenerator

    def _closes(self, index: int, opened: Opened) -> Any:
        """What is to be iterated of a synchronous source, which closes itself when it has ended.

        What is in ``nested`` for it stays there until another takes its place: to close it again does
        nothing.
        """
        items, close = opened.items, opened.close_now
        if close is None:
            return items
        closing = _closing(items, close)
        self._pace.nested[index] = _Early(closing.close)
        return closing

    def _begun(self, index: int, inlet: Inlet[Any], book: Book | None) -> Any:
        """The loop over `inlet`, which may hand on what is thrown into it."""
        pace = Pace()
        if NESTED and deep(inlet):
            opened = NESTED[0](self._links[index], inlet, book)
            assert opened.relay is not None  # of streams that follow each other
            opened.relay()
            items = loop_of(opened, (), relays=True, end=End.RELAY, pace=pace)
        else:
            items = start(inlet.source, inlet.links, End.RELAY, pace, book)
        own(pace.source)
        return items

    def _chapter(self, index: int) -> Book | None:
        """Where the stages of the next stream of the step at `index` stand; those of the last are over."""
        book: Book | None = self._pace.book
        if book is None:
            return None
        if (ended := self._chapters.pop(index, None)) is not None:
            book.close(ended)
        chapter = self._chapters[index] = book.chapter()
        return chapter


def _closing(iterator: Iterator[Any], close: Callable[[], Any]) -> Generator[Any, None, None]:
    """`iterator`, closed when it has ended, or this is."""
    try:
        yield from iterator
    except BaseException as error:
        try:
            close()
        except BaseException as late:
            combine(error, late)
        raise
    close()


class _Early:
    """What closes a synchronous iterator that a loop has left before its end."""

    __slots__ = ("_close",)

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close

    async def aclose(self) -> None:
        self._close()


def _made(opened: Opened, links: Sequence[Link], loop: Loop, end: End, pace: Pace) -> Any:
    """The coroutine or generator of one loop."""
    if loop.forks:
        links = flattened(links)
    part = Nesting(loop, links, opened, pace) if loop.nests else Segment(loop, links, opened, pace)
    if loop.rescues:
        for link in links:
            if link.declaration.rescues:
                link.arguments[link.declaration.rescues].pace = pace
    if pace.parts is not None:
        pace.parts.append(part)
    leave = part.leave_now if end is _PLAIN else part.leave
    wanted: list[Any] = [part] if loop.holds or loop.nests or opened.follows is not None else []
    for place, name in loop.wanted:  # a list in brackets is a call, until Python 3.12
        wanted.append(links[place].arguments[name])
    items = loop.function(opened.items, leave, pace, *wanted)
    if pace.book is not None and pace.book.hands is not None:
        pace.book.hands[items] = part.in_hand
    if opened.kind is _PUSH:
        calls = any(link.declaration.callbacks for link in links)
        items = opened.direct(opened, items, part, pace, calls=calls)
    if end is _PLAIN:
        next(items)  # from here on it leaves what it reads, whether it is asked for an item or not
    return items
