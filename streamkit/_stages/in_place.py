"""Streams that follow each other, read in the task of whoever reads them.

The loop of the reader reads the first of them itself, at no cost per item: most sources that may be run again
never are. When that has ended or failed, the loop goes on with an async generator, which gives all that
follows: an item then takes a hop or two.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from streamkit._core.errors import raise_first
from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.key import Kind
from streamkit._engine.compile.pace import Resumed, Thrown
from streamkit._engine.plan.link import Inlet, Link, unfolded
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.apart import BEGUN, FLAT
from streamkit._engine.run.leave import left
from streamkit._engine.run.run import Run
from streamkit._engine.run.start import begin
from streamkit._stages.entry import Entry
from streamkit._stages.sequence import Follow, Streams, entries
from streamkit._stages.through import Block, Through

__all__ = ["following"]


def following(entry: Callable[..., Entry]) -> Follow:
    """The function of the stage of an operator; `entry` makes an entry of its arguments."""

    async def follow(run: Run, streams: InPlace, **_: Any) -> AsyncGenerator[Any, None]:
        """Read `streams`, whose entries have been made of the arguments."""
        failure, streams.failure = streams.failure, None
        try:
            while (items := await streams.following(failure)) is not None:
                failure = None
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
                    failure = error
        finally:
            del failure  # its traceback has this frame: they would keep each other
            if streams.blocked:
                await streams.leave()

    def first(run: Run, inlet: Inlet[Any], arguments: dict[str, Any]) -> Opened:
        made = entry(**arguments)
        made.behind(inlet, len(inlet.links))
        streams = InPlace(run, inlet, made)
        raw = streams.first()
        if raw is None:
            return run.opened(Kind.ASYNC, run.owned(follow(run, streams)), relay=run.relay)
        return _First(run, streams, raw, lambda: run.owned(follow(run, streams))).opened()

    entries[follow] = entry
    FLAT.add(follow)
    BEGUN[follow] = first
    return follow


class _First:
    """The first stream, which the loop of the reader reads itself, and then what follows."""

    def __init__(
        self, run: Run, streams: InPlace, raw: tuple[Opened, bool], follow: Callable[[], AsyncIterator[Any]]
    ) -> None:
        self._run = run
        self._streams = streams
        self._raw: Opened | None = raw[0]
        """What is read first; None when it is over."""
        self.relayed: Any = raw[0].items if raw[1] else self
        """What takes a cancellation that is thrown in; this cannot, and so stands for nothing that does."""
        self._follow = follow

    def opened(self) -> Opened:
        raw, run = self._raw, self._run
        assert raw is not None
        asked: dict[str, Any] = {"blame": self._blame, "unreached": self._unreached, "halt": self._halt}
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

    def _halt(self) -> None:
        if self._raw is not None and self._raw.halt is not None:
            self._raw.halt()
        self._run.halt()


class InPlace(Streams[AsyncIterator[Any]]):
    """Those of a run, which are read in place."""

    passes = True

    def __init__(self, run: Run, first: Inlet[Any], entry: Entry) -> None:
        super().__init__(run, first)
        self._stack.append((run.link, entry))
        self.current: Any = None
        """What is read: an async generator, or a block; None where it is over."""
        self.failure: Exception | None = None
        """What the first of them has failed with already."""
        self._out = Through(self, self._blocks)

    def _open(self, inlet: Inlet[Any], book: Book | None) -> AsyncIterator[Any]:
        self.current = self._run.open(inlet, book=book)
        return self._out.reads(self.current) if self._blocks else self.current

    def _read(self, block: Block) -> AsyncIterator[Any]:
        self.current = block
        return self._out.reads(block) if self._blocks else block

    def first(self) -> tuple[Opened, bool] | None:
        """Open the first stream for the loop of the reader, and say whether it takes what is thrown into it.

        None if that cannot read it: it fails to open, or stands before steps that are not those of the loop.
        """
        inlet, self._first = self._first, None
        assert inlet is not None
        links = inlet.links
        before = len(links)
        while before and (entry := entries.get(links[before - 1].declaration.stage)) is not None:
            before -= 1
            made = entry(**links[before].arguments)
            made.behind(inlet, before)
            self._stack.append((links[before], made))
        if before and links[before - 1].declaration.stage is None:
            self._first = Inlet[Any](inlet.source, links[:before])
            return None
        try:
            found = unfolded(Inlet[Any](inlet.source, links[:before])) if not before else None
            if found is not None:
                self._run.claims.take(found)
                if found.links:
                    self._first = found
                    return None
            self._book = self._run.book and self._run.book.chapter()
            source = inlet.source if found is None else found.source
            raw, _, relays = begin(source, links[:before], self._book)
        except Exception as error:
            self.failure = error
            return None
        return raw, relays

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
        if not block.slot.over:
            await self._leave_down_to(self._blocks.index(block) + 1)

    async def leave(self) -> None:
        """Close the current stream and all blocks."""
        await self._leave_down_to(0)

    async def _leave_down_to(self, place: int) -> None:
        late: list[BaseException] = []
        try:
            await self._leave()
        except BaseException as error:
            late.append(error)
        while len(self._blocks) > place:
            try:
                await self._blocks.pop().aclose()
            except BaseException as error:
                late.append(error)
        raise_first(late)
