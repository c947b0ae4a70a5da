"""Streams that follow each other, read in the task of whoever reads them.

The loop of the reader reads the first of them itself, at no cost per item: most sources that may be run again
never are. When that has ended or failed, the loop goes on with an async generator, which gives all that
follows: an item then takes a hop or two.
"""

from __future__ import annotations

import ast
from asyncio import CancelledError
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any, Final

from streamkit._core.errors import raise_first
from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.checks import signalled
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.compile.pace import Pace, Resumed, Thrown
from streamkit._engine.compile.pieces import parsed
from streamkit._engine.plan.link import Inlet, Link, unfolded
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.apart import BEGUN, FLAT, PAIRED
from streamkit._engine.run.leave import left
from streamkit._engine.run.own import closed, own
from streamkit._engine.run.run import Run
from streamkit._engine.run.start import begin
from streamkit._stages.entry import Entry, Several
from streamkit._stages.sequence import Follow, Streams, entries
from streamkit._stages.through import Block, Through

__all__ = ["following", "unwound"]


def _reader() -> Follow:
    """A new function that reads streams; each operator has one of its own, by which its kind is known."""

    async def follow(run: Run, streams: InPlace, **_: Any) -> AsyncGenerator[Any, None]:
        """Read `streams`, whose entries have been made of the arguments."""
        try:
            while (items := await streams.following()) is not None:
                try:
                    while items is not None:
                        async for item in items:
                            try:
                                yield item  # nothing is ever thrown in here: an operator never catches its
                            except CancelledError as error:  # consumer's error; but a scope of its source may
                                items = streams.told(error)
                                break
                            finally:
                                del item  # nothing is held while the source waits
                        else:
                            items = None
                except Exception as error:
                    streams.failure = error
        finally:
            if streams.blocked:
                await streams.leave()

    return follow


def following(entry: Callable[..., Entry]) -> Follow:
    """The function of the stage of an operator; `entry` makes an entry of its arguments."""

    follow = _reader()

    def first(run: Run, inlet: Inlet[Any], arguments: dict[str, Any]) -> Opened:
        made = entry(**arguments)
        made.behind(inlet, len(inlet.links))
        streams = InPlace(run, inlet, made)
        raw, links = streams.first()
        if raw is None:
            return run.opened(Kind.ASYNC, run.owned(follow(run, streams)), relay=run.relay)
        return _First(run, streams, raw, links, lambda: run.owned(follow(run, streams))).opened()

    def paired(run: Run, inlet: Inlet[Any], arguments: dict[str, Any]) -> Opened:
        made = entry(**arguments)
        made.behind(inlet, len(inlet.links))
        streams = InPlace(run, inlet, made)
        streams.passes = False  # steps between such operators are no blocks: they take items as they are
        return run.opened(Kind.ASYNC, run.owned(follow(run, streams)), relay=run.relay)

    entries[follow] = entry
    PAIRED[follow] = paired
    FLAT.add(follow)
    BEGUN[follow] = first
    return follow


_nested = _reader()


def unwound(link: Link, inlet: Inlet[Any], book: Book | None) -> Opened:
    """What the step of `link` goes through, where `inlet` may lead to streams as deep inside as it likes."""
    run = Run(link, book)
    streams = InPlace(run, inlet)
    return run.opened(Kind.ASYNC, run.owned(_nested(run, streams)), relay=run.relay, blame=None)


class _First:
    """The first stream, which the loop of the reader reads itself, and then what follows."""

    def __init__(
        self,
        run: Run,
        streams: InPlace,
        raw: Opened,
        links: tuple[Link, ...],
        follow: Callable[[], AsyncIterator[Any]],
    ) -> None:
        self._run = run
        self._streams = streams
        self._raw: Opened | None = raw
        """What is read first; None when it is over."""
        self.links = links
        """The steps behind it that what follows does not go through."""
        self.relayed: Any = raw.items if streams.relays else self
        """What takes a cancellation that is thrown in; this cannot, and so stands for nothing that does."""
        self._follow = follow

    def opened(self) -> Opened:
        raw, run = self._raw, self._run
        assert raw is not None
        asked: dict[str, Any] = {"blame": self._blame, "unreached": self._unreached, "halt": raw.halt}
        return Opened(raw.kind, raw.items, self._leave, relay=run.relay, follows=self, **asked)

    async def again(self, error: Exception) -> AsyncIterator[Any]:
        """What follows after `error`, with which the first stream has failed."""
        raw, self._raw = self._raw, None
        assert raw is not None
        try:
            self._streams.failure = await left(raw, error)
        finally:
            del error
        return self._follow()

    async def ended(self) -> AsyncIterator[Any]:
        """What follows now that the first stream has ended."""
        try:
            await self._close()
        except Exception as error:
            self._streams.failure = error
        return self._follow()

    async def _close(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None and raw.close is not None:
            await raw.close()
        elif raw is not None and raw.close_now is not None:
            raw.close_now()

    async def _leave(self) -> None:
        late: list[BaseException] = []
        for close in (self._close, self._run.leave):
            try:
                await close()
            except BaseException as error:
                late.append(error)
        raise_first(late)

    def _blame(self, error: BaseException) -> BaseException:
        raw = self._raw
        return error if raw is None or raw.blame is None else raw.blame(error)

    def _unreached(self) -> list[BaseException]:
        raw = self._raw
        of_raw = [] if raw is None or raw.unreached is None else raw.unreached()
        return [*of_raw, *self._run.unreached()]


class InPlace(Streams[AsyncIterator[Any]]):
    """Those of a run, which are read in place."""

    passes = True

    def __init__(self, run: Run, first: Inlet[Any], entry: Entry | None = None) -> None:
        super().__init__(run, first)
        if entry is not None:
            self._stack.append((run.link, entry))
        self.current: Any = None
        """What is read: an async generator, or a block; None where it is over."""
        self.relays = False
        """Whether the first takes what is thrown into it."""
        self._out = Through(self, self._blocks)

    def _open(self, inlet: Inlet[Any], book: Book | None) -> AsyncIterator[Any]:
        self.current = self._run.open(inlet, book=book)
        return self._out.reads(self.current) if self._blocks else self.current

    def _read(self, block: Block) -> AsyncIterator[Any]:
        self.current = block
        return self._out.reads(block) if self._blocks else block

    def first(self) -> tuple[Opened | None, tuple[Link, ...]]:
        """Open the first stream for the loop of the reader; and the steps behind it, which that loop runs.

        None if that loop cannot read it: it fails to open, or goes on with another stream inside.
        """
        inlet, self._first = self._first, None
        assert inlet is not None
        links = inlet.links
        end = len(links)
        while end and (entry := entries.get(links[end - 1].declaration.stage)) is not None:
            end -= 1
            made = entry(**links[end].arguments)
            made.behind(inlet, end)
            self._stack.append((links[end], made))
        before = end
        while before and links[before - 1].declaration.stage is None:
            before -= 1
        source, steps = inlet.source, links[before:end]
        try:
            if before and links[before - 1].declaration.stage in entries:
                self._first = Inlet[Any](source, links[:end])
                return None, ()
            if not before:
                found = unfolded(Inlet[Any](source))
                self._run.claims.take(found)
                source, steps = found.source, found.links + steps
                if any(link.declaration.stage is not None for link in found.links):
                    self._first = Inlet[Any](source, steps)
                    return None, ()
            if not steps and not before and source.native is not None:
                source = self._with_lists(source)
            self._book = self._run.book and self._run.book.chapter()
            raw, begun, self.relays = begin(source, links[:before], self._book)
        except Exception as error:
            self.failure = error
            return None, ()
        steps = (*begun, *steps)
        if raw.follows is None and _are_plain(steps, raw.kind):
            return raw, steps
        return self._apart(raw, steps), ()

    def _with_lists(self, source: Source) -> Source:
        """`source`, a range, list or tuple, with all of these that follow it: one loop goes through them."""
        lists = [source.native]
        while self._stack:
            entry = self._stack[-1][1]
            lists += entry.lists()
            if not entry.done:
                break
            self._stack.pop()
        return source if len(lists) == 1 else Several(lists)

    def _apart(self, raw: Opened, steps: tuple[Link, ...]) -> Opened:
        """What comes out of a loop of `steps` over `raw`, which that loop closes."""
        pace = Pace()
        if self.relays:
            pace.source = raw.items if raw.follows is None else raw.follows.relayed
            self._run.relay()
        items = self._run.steps(raw, steps, pace)
        own(items)
        return Opened(Kind.ASYNC, items, partial(closed, items), halt=raw.halt)

    async def _close(self) -> None:
        current, self.current = self.current, None
        if isinstance(current, Block):
            await current.aclose()
        elif current is not None:
            await self._run.close(current)

    def _acts(self, link: Link) -> None:
        self._run.link = link  # the operator that errors of the run name

    def told(self, error: CancelledError) -> AsyncIterator[Any]:
        """The current stream from here on, which is handed `error` instead of the next request."""
        if self._blocks:
            self._out.thrown = error
            return self._out
        items = self.current
        assert items is not None
        return Resumed([Thrown(items.athrow, error)], items)

    # what goes through steps -----------------------------------------------------------------

    @property
    def blocked(self) -> bool:
        """Whether there are blocks, or one is the current stream: they are left here."""
        return bool(self._blocks) or isinstance(self.current, Block)

    def _block(self, links: tuple[Link, ...]) -> Block:
        return Block(self._run, links, len(self._stack), self._out, self._above)

    def left(self, place: int) -> None:
        del self._stack[self._blocks[place].height :]
        del self._blocks[place:]

    async def _above(self, block: Block) -> None:
        """Close all that `block` reads, which does not want more: what is innermost, first."""
        if not block.hatch.over:
            await self._leave_down_to(self._blocks.index(block) + 1)

    async def leave(self) -> None:
        """Close the current stream and all blocks."""
        await self._leave_down_to(0)

    async def _leave_down_to(self, place: int) -> None:
        late: list[BaseException] = []
        height, top = self._blocks[place - 1].height if place else 0, len(self._stack)
        closing: list[Callable[[], Awaitable[None]]] = [self._leave]
        while True:
            done = len(self._blocks) == place
            floor = height if done else self._blocks[-1].height
            closing += [entry.leave for _, entry in reversed(self._stack[floor:top])]
            top = floor
            if not done:
                closing.append(self._blocks.pop().aclose)
            for close in closing:
                try:
                    await close()
                except BaseException as error:
                    late.append(error)
            closing.clear()
            if done:
                raise_first(late)
                return


_MOST: Final = 16
"""Steps behind the first stream that the loop of the reader runs, at most."""


def _are_plain(steps: tuple[Link, ...], kind: Kind) -> bool:
    """Whether `steps` do something with each item and nothing else, and are few enough for a larger loop."""
    for link in steps:
        declaration = link.declaration
        if declaration.forks or declaration.groups or declaration.closes:
            return False
        pieces = parsed(declaration)
        early = any(signalled(node, "emit") for part in pieces.setup for node in ast.walk(part))
        if pieces.finish or pieces.stops or early or declaration.late:
            return False  # an error of its setup, or of what gets what that emits, is none of the loop's
    keys = tuple([link.key for link in steps])
    return len(steps) <= _MOST and isinstance(compiled(kind, keys, End.RELAY, len(keys)), Loop)
