"""Streams that follow each other: one loop reads them all, however they are nested.

An operator of this kind goes on with another stream when the one before it has ended or failed. It says with
which by an `Entry`. Where such operators stand behind each other, in a pipe or inside of what they go on
with, their entries stand on one stack, and only what is before them is opened. So an item takes one hop,
and the stack of Python does not grow, however many there are. An entry that has no more to say leaves the
stack before its last stream is opened: a stream that goes on with itself for ever keeps nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import CancelledError
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

from streamkit._engine.buffer.book import Book
from streamkit._engine.compile.pace import Resumed
from streamkit._engine.plan.link import Inlet, Link, unfolded
from streamkit._engine.run.pump import Thrown
from streamkit._engine.run.run import Run

__all__ = ["Entry", "Follow", "following"]

Follow = Callable[..., AsyncIterator[Any]]
"""The function of the stage of an operator of this kind."""


class Entry(ABC):
    """What an operator does when the stream before it has ended, or failed."""

    done = False
    """Whether it has no more to say."""

    @abstractmethod
    def ended(self) -> Inlet[Any] | None:
        """The stream that follows now that the one before has ended; None if none does."""

    def takes(self, error: Exception) -> bool:
        """Whether a stream follows after `error`."""
        return False

    async def failed(self, error: Exception) -> Any:
        """What follows after `error`, which it `takes`: whatever a stream can begin with."""
        raise NotImplementedError


_entries: dict[Any, Callable[..., Entry]] = {}
"""By the function of the stage of an operator: what makes an entry of its arguments."""


def following(entry: Callable[..., Entry]) -> Follow:
    """The function of the stage of an operator; `entry` makes an entry of its arguments."""

    async def follow(run: Run, source: Inlet[Any], **arguments: Any) -> AsyncIterator[Any]:
        streams = Streams(run, source, entry(**arguments))
        failure: Exception | None = None
        try:
            while (items := await streams.following(failure)) is not None:
                failure = None
                try:
                    while items is not None:
                        async for item in items:
                            try:
                                yield item  # no operator catches its consumer's error: none is thrown in here,
                            except CancelledError as error:  # but what a cancel scope of the source has sent is
                                items = streams.told(error)
                                break
                        else:
                            items = None
                except Exception as error:
                    failure = error
        finally:
            del failure  # its traceback has this frame: they would keep each other

    _entries[follow] = entry
    return follow


class Streams:
    """The streams of one run, of which one is open at a time."""

    def __init__(self, run: Run, source: Inlet[Any], entry: Entry) -> None:
        self._run = run
        self._first: Inlet[Any] | None = source
        self._stack: list[tuple[Link, Entry]] = [(run.link, entry)]
        """The entry that acts first is the last."""
        self._current: AsyncGenerator[Any, None] | None = None
        self._book: Book | None = None
        """Where the stages of the current stream are entered."""
        self._made = False
        """Whether the function of an operator has made the current stream, and is to blame for it."""

    async def following(self, failure: Exception | None) -> AsyncIterator[Any] | None:
        """Close the current stream, which has ended, or failed with `failure`; open the next one.

        None if there is no next one. A failure that no operator takes is raised.
        """
        await self._leave()
        try:
            while True:
                inlet = self._after() if failure is None else await self._instead(failure)
                if inlet is None:
                    return None
                try:
                    return self._opened(inlet)
                except Exception as error:
                    failure = self._blamed(error, failure) if self._made else error
                await self._leave()
        finally:
            del failure

    def told(self, error: CancelledError) -> AsyncIterator[Any]:
        """The current stream from here on, which is handed `error` instead of the next request."""
        items = self._current
        assert items is not None
        return Resumed([Thrown(items.athrow, error)], items)

    def _after(self) -> Inlet[Any] | None:
        """What follows the current stream, which has ended; None if nothing does."""
        self._made = False
        inlet, self._first = self._first, None
        while inlet is None and self._stack:
            _, entry = self._stack[-1]
            inlet = entry.ended()
            if entry.done:
                self._stack.pop()
        return inlet

    async def _instead(self, failure: Exception) -> Inlet[Any]:
        """What follows after `failure`, by the first operator that takes it; raise it if none does."""
        run, stack = self._run, self._stack
        try:
            while stack and not isinstance(failure, RecursionError):  # no operator swallows that
                link, entry = stack.pop()
                if not entry.takes(failure):
                    continue
                run.link = link  # the operator that errors name
                try:
                    inlet = Inlet[Any](await entry.failed(failure))
                except Exception as error:
                    later = error
                else:
                    self._made = True
                    if not entry.done:
                        stack.append((link, entry))
                    return inlet
                failure = self._blamed(later, failure)
                del later
            raise failure
        finally:
            del failure

    def _blamed(self, error: Exception, before: Exception | None) -> Exception:
        """`error`, which the function of the operator has raised when it was given the error `before`."""
        blamed = self._run.blame(error)
        assert isinstance(blamed, Exception)
        if blamed.__cause__ is None:
            blamed.__cause__ = before
        return blamed

    def _opened(self, inlet: Inlet[Any]) -> AsyncIterator[Any]:
        """Put the operators of this kind at the end of `inlet` on the stack; open what is before them.

        Where that is a callable that makes a stream, the same is done with that stream.
        """
        while True:
            links = inlet.links
            before = len(links)
            while before and (entry := _entries.get(links[before - 1].declaration.stage)) is not None:
                before -= 1
                self._stack.append((links[before], entry(**links[before].arguments)))
            inlet = inlet if before == len(links) else Inlet[Any](inlet.source, links[:before])
            if before:
                break
            inlet = unfolded(inlet)
            if not inlet.links:
                break
        run = self._run
        self._book = run.book and run.book.chapter()
        items = run.open(inlet, book=self._book)
        assert isinstance(items, AsyncGenerator)
        self._current = items
        return items

    async def _leave(self) -> None:
        """The current stream is over: its sums are kept, if it is part of a job that was started."""
        current, self._current = self._current, None
        if current is not None:
            await self._run.close(current)
        book, self._book = self._book, None
        if book is not None and self._run.book is not None:
            self._run.book.close(book)
