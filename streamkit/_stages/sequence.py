"""Streams that follow each other: one loop reads them all, however they are nested.

An operator of this kind goes on with another stream when the one before it has ended or failed. It says with
which by an `Entry`. Where such operators stand behind each other, in a pipe or inside of what they go on
with, their entries stand on one stack, and only what is before them is opened. So an item takes one hop,
and the stack of Python does not grow, however many there are. An entry that has no more to say leaves the
stack before its last stream is opened: a stream that goes on with itself for ever keeps nothing. Steps
between such operators are blocks, which stand between the entries: see `through`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import sleep
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Generic, TypeVar

from streamkit._core.errors import UNCAUGHT, SourceConsumedError, attach, replaces_cancellation, set_cause
from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet, Link, returned, unfolded
from streamkit._engine.plan.tracked import comes_of
from streamkit._engine.run.leave import blame, combine
from streamkit._engine.run.run import Run
from streamkit._stages.each import Each
from streamkit._stages.entry import Again, Entry
from streamkit._stages.through import Block, fuses

__all__ = ["Follow", "Streams", "entries", "follows"]

T = TypeVar("T")

Follow = Callable[..., AsyncGenerator[Any, None]]
"""The function of the stage of an operator of this kind."""


entries: dict[Any, Callable[..., Entry]] = {}
"""By the function of the stage of an operator: what makes an entry of its arguments."""


def follows(inlet: Inlet[Any]) -> bool:
    """Whether `inlet` ends in an operator of this kind."""
    return bool(inlet.links) and inlet.links[-1].declaration.stage in entries


def _is_of_these(link: Link) -> bool:
    return bool(link.declaration.nests) or link.declaration.stage in entries


class Streams(ABC, Generic[T]):
    """Streams that follow each other; a subclass says what it is to open one."""

    passes = False
    """Whether steps behind an operator of this kind stand on the stack, too, as a `Block`."""

    def __init__(self, run: Run, first: Inlet[Any]) -> None:
        self._run = run
        self._first: Inlet[Any] | None = first
        self._stack: list[tuple[Link, Entry]] = []
        """The entry that acts first is the last."""
        self._blocks: list[Block] = []
        """The steps between them. Each says how many entries stand below it."""
        self._book: Book | None = None
        """Where the stages of the current stream are entered."""
        self.failure: Exception | None = None
        """What the current stream has failed with, until `following` has looked for what follows then."""
        self._maker: tuple[Link, Entry] | None = None
        """What has made the current stream, and may be to blame where that cannot open."""
        self._pace = Pace()
        """When to let others run: streams may end, or fail, without ever waiting."""
        if run.book is not None:
            run.book.watch(self, _told)

    @property
    def last(self) -> bool:
        """Whether nothing can follow the current stream."""
        return not self._stack

    @property
    def sheltered(self) -> bool:
        """Whether an operator may take an error of the current stream."""
        return any(entry.shelters for _, entry in self._stack)

    def busy(self) -> list[Link]:
        """The operators that have an item whose stream is open: what has made the last may have left."""
        made = {id(entry): (link, entry) for link, entry in (*self._stack, *filter(None, [self._maker]))}
        return [link for link, entry in made.values() if isinstance(entry, Each) and entry.busy]

    @abstractmethod
    def _open(self, inlet: Inlet[Any], book: Book | None) -> T:
        """Open `inlet`, which ends in no operator of this kind."""

    async def _close(self) -> None:
        """Close what `_open` gave: it is over."""

    def _read(self, block: Block) -> T:
        """Read on from `block`, which has been told that what it has read is over."""
        raise NotImplementedError  # pragma: no cover - asked of those that make blocks

    def _block(self, links: tuple[Link, ...]) -> Block:
        """The steps `links`, above the entries there are."""
        raise NotImplementedError  # pragma: no cover - asked of those that `passes` says can make them

    async def _fuse(self) -> None:
        """Have neighbouring blocks run as one, where they can."""
        blocks = self._blocks
        while len(blocks) > 1 and fuses(blocks[-1], blocks[-2]):
            first, second = blocks.pop(), blocks.pop()
            await second.aclose()
            blocks.append(self._block(first.links + second.links))

    def _acts(self, link: Link) -> None:
        """A function of `link` will be called."""

    async def following(self) -> T | None:
        """Close the current stream, which has ended, or failed; open the next one.

        None if there is no next one. A failure that no operator takes is raised.
        """
        failure, self.failure = self.failure, None  # its traceback has frames that know this: a cycle
        try:
            await self._leave()
            while True:
                try:
                    if failure is None:
                        inlet = await self._after()
                    else:
                        inlet = await self._instead(failure)
                        if self._maker is not None and self._maker[1].pauses:
                            failure = None  # neither that nor the items in its frames are held meanwhile
                            await self._maker[1].pause()
                except Exception as error:
                    if not self._at_block:
                        if failure is not None or not self._stack:
                            raise
                        failure = error  # which the next on the stack may take
                        continue
                    inlet, failure = None, error
                if inlet is None:
                    if not self._at_block:
                        return None
                    block = self._blocks.pop()
                    if failure is None or block.holds:
                        block.ended(failure)
                        return self._read(block)
                    await block.aclose()
                    continue
                self._run.claims.take(inlet)
                if self._pace.due():  # with no error in hand of which nobody knows yet
                    await sleep(0)
                    self._pace.rested()
                try:
                    inlet = self._entered(inlet)
                    await self._fuse()
                    if inlet is None:
                        failure = None
                        continue
                    self._book = self._run.book and self._run.book.chapter()
                    return self._open(inlet, self._book)
                except Exception as error:
                    link, entry = self._maker or (None, None)
                    if link is not None and entry is not None and entry.blames(error):
                        error = self._blamed(error, failure, link)
                    failure = error
                await self._leave()
        finally:
            del failure

    @property
    def _at_block(self) -> bool:
        """Whether steps get what the current stream gives, before any entry acts."""
        return bool(self._blocks) and self._blocks[-1].height == len(self._stack)

    async def _after(self) -> Inlet[Any] | None:
        """What follows the current stream, which has ended; None if nothing does."""
        self._maker = None
        inlet, self._first = self._first, None
        while inlet is None and self._stack and not self._at_block:
            link, entry = self._stack[-1]
            if isinstance(entry, Each):
                self._maker = link, entry
                self._acts(link)
                inlet = await entry.following()
                if entry.done:  # it leaves before its last stream is opened
                    await self._stack.pop()[1].leave()
                continue
            try:
                found = entry.ended()
            except SourceConsumedError as error:  # which no operator takes
                raise self._blamed(error, None, link) from None
            if entry.done:
                self._stack.pop()
            inlet = found if found is None or isinstance(found, Inlet) else await self._awaited(found, link)
            if isinstance(entry, Again):
                self._maker = link, entry
        return inlet

    async def _awaited(self, found: Awaitable[Inlet[Any]], link: Link) -> Inlet[Any]:
        """What a function of `link` makes; an error of it names the operator."""
        self._acts(link)
        try:
            return await found
        except Exception as error:
            blamed = self._blamed(error, None, link)
            if blamed is error:
                raise
            raise blamed from blamed.__cause__

    async def _instead(self, failure: Exception) -> Inlet[Any]:
        """What follows after `failure`, by the first operator that takes it; raise it if none does."""
        stack = self._stack
        if self._maker is not None:
            self._noted(*self._maker, failure)
        try:
            taken = not (isinstance(failure, UNCAUGHT) or replaces_cancellation(failure))
            while taken and stack and not self._at_block:
                link, entry = stack.pop()
                if not entry.takes(failure):
                    self._noted(link, entry, failure)
                    await self._left(entry, failure)
                    continue
                self._acts(link)
                try:
                    made = await entry.failed(failure)
                    if made is EMPTY:
                        continue
                    inlet = returned(made)
                except Exception as error:
                    later = error
                else:
                    self._maker = link, entry
                    if not entry.done:
                        stack.append((link, entry))
                    return inlet
                failure = self._blamed(later, failure, link)
                del later
                taken = not (isinstance(failure, UNCAUGHT) or replaces_cancellation(failure))
            raise failure
        finally:
            del failure

    @staticmethod
    def _noted(link: Link, entry: Entry, failure: Exception) -> None:
        """Note `link` on `failure`, if a stream has failed that it has made of an item."""
        if isinstance(entry, Each) and entry.made:
            blame(failure, link)

    @staticmethod
    async def _left(entry: Entry, failure: Exception) -> None:
        """Close what `entry` has opened, after `failure`."""
        try:
            await entry.leave()
        except Exception as late:
            attach(failure, late)

    @staticmethod
    def _blamed(error: Exception, before: Exception | None, link: Link) -> Exception:
        """`error`, which the function of `link` has raised when it was given the error `before`."""
        blamed = blame(error, link)
        assert isinstance(blamed, Exception)
        if blamed.__cause__ is None:
            set_cause(blamed, before)
        return blamed

    def _entered(self, inlet: Inlet[Any]) -> Inlet[Any] | None:
        """Put the operators of this kind at the end of `inlet` on the stack; return what is before them.

        Where that is a callable that makes a stream, the same is done with that stream. None, if the first
        of them opens what is before it.
        """
        while True:
            links = inlet.links
            before = len(links)
            while before:
                if links[before - 1].declaration.nests:
                    if self._run.tracked and (inlet.source.tracked or comes_of(links[:before])):
                        # a loop of its own follows the deliveries of its items
                        return inlet if before == len(links) else Inlet[Any](inlet.source, links[:before])
                    before -= 1
                    rest = Inlet[Any](inlet.source, links[:before])
                    each = Each(self._run, links[before], rest, kept=self.passes)
                    self._stack.append((links[before], each))
                    return None
                entry = entries.get(links[before - 1].declaration.stage)
                if entry is not None:
                    before -= 1
                    made = entry(**links[before].arguments)
                    made.behind(inlet, before)
                    self._stack.append((links[before], made))
                elif not (begin := self._steps(links, before)):
                    break
                else:
                    self._blocks.append(self._block(links[begin:before]))
                    before = begin
            inlet = inlet if before == len(links) else Inlet[Any](inlet.source, links[:before])
            if before and not (self.passes and all(link.declaration.stage is None for link in inlet.links)):
                return inlet
            found = unfolded(inlet)
            self._run.claims.take(found)
            if len(found.links) == before:
                return found
            inlet = found

    def _steps(self, links: tuple[Link, ...], end: int) -> int:
        """Where the steps begin that end at `end`, if an operator of this kind stands before them; else 0."""
        if not self.passes:
            return 0
        while end and links[end - 1].declaration.stage is None and not links[end - 1].declaration.nests:
            end -= 1
        return end if end and _is_of_these(links[end - 1]) else 0

    async def read(self: Streams[Awaitable[None]]) -> None:
        """Read them all, one after the other: each is to be awaited. What they have opened is closed here.

        That is in the task that has opened it, which may be another than that of the run.
        """
        try:
            while (work := await self.following()) is not None:
                try:
                    await work
                except Abandoned:
                    raise
                except Exception as error:
                    self.failure = error
        except BaseException as error:
            combine(error, *await self._unwound())
            raise

    async def _unwound(self) -> list[BaseException]:
        """The errors of the clean-up of all entries."""
        late: list[BaseException] = []
        while self._stack:
            try:
                await self._stack.pop()[1].leave()
            except BaseException as error:
                late.append(error)
        return late

    async def _leave(self) -> None:
        """The current stream is over: its sums are kept, if it is part of a job that was started."""
        await self._close()
        book, self._book = self._book, None
        if book is not None and self._run.book is not None:
            self._run.book.close(book)


def _told(streams: Streams[Any]) -> list[tuple[Link, int]]:
    return [(link, 1) for link in streams.busy()]
