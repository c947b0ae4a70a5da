"""Runs: what a stage is handed. It opens, pumps and closes everything that the stage reads."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import partial
from types import CodeType
from typing import Any, NoReturn, TypeVar

from streamkit._core.arguments import discard
from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.errors import raise_first
from streamkit._core.show import shown
from streamkit._core.spill import SpillStore
from streamkit._core.strategy import Strategy, strategy_argument
from streamkit._engine.buffer.account import MANY, BufferStats
from streamkit._engine.buffer.book import Book
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.driven import DrivenLane
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Target
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.drops import counted
from streamkit._engine.plan.fuse import fused, joined
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration, returned, shares, unfolded
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.apart import attached, shallow
from streamkit._engine.run.claims import Claims
from streamkit._engine.run.direct import fed
from streamkit._engine.run.form import Bare
from streamkit._engine.run.gate import driven
from streamkit._engine.run.leave import blame, but_exits, is_raised_by
from streamkit._engine.run.own import closed, own
from streamkit._engine.run.pump import DrivenPump, Pump
from streamkit._engine.run.reading import Reading
from streamkit._engine.run.start import begin, segment, start
from streamkit._engine.run.tasks import Tasks

__all__ = ["Run"]

C = TypeVar("C", bound=Channel)
T = TypeVar("T")


class Run(Tasks, Bare):
    """One execution of one stage: owns the tasks, channels and iterators that the stage asked for."""

    def __init__(self, link: Link, book: Book | None = None) -> None:
        super().__init__()
        self.link: Link = link
        self.book: Book | None = book
        """Where the run is entered, if it is part of a job that was started."""
        if book is not None:
            book.enter(self)
        self.channels: list[Channel] = []
        self._attached = 0
        """How many of them came with what it reads: they are entered in the book by themselves."""
        self._made: list[Channel] = []
        """Those of them that `channel` made."""
        self._chapters: dict[Target | AsyncGenerator[Any, None], Book] = {}
        """Where the stages of what a lane or an opened stream reads are entered, until it is settled."""
        self._opened: dict[Any, None] = {}
        self._many = MANY
        """At how many chapters or opened streams those that have ended are settled."""
        self._foreign: list[Channel] = []
        """Channels of other runs that are left as well."""
        self.claims: Claims = Claims()
        self._stage: Any = None
        """The stage itself, where it is an async generator."""
        self._end: End = End.STAGE
        """How what `open` reads ends."""

    # what a stage uses ---------------------------------------------------------------------

    def channel(self) -> Channel:
        """A new channel; its first error ends intake: every other task of this run is cancelled.

        So it is the error of all channels that were made here: none would get more items.
        """
        channel = self.adopt(Channel(lambda: self._failed(channel)))
        self._made.append(channel)
        return channel

    def _failed(self, channel: Channel) -> None:
        self.halt()
        others = [each for each in self._made if each is not channel]
        if channel.error is not None and all(each.error is None for each in others):
            for each in others:
                each.fail(channel.error)

    def adopt(self, channel: C) -> C:
        """Own a channel of another make: it is left when the stage ends."""
        self.channels.append(channel)
        channel.blame = self.blame
        return channel

    def pump(
        self, source: Any, *, into: Target, book: Book | None = None, blamed: Link | None = None
    ) -> None:
        """Read `source` in a task of its own, into a lane, as far as there is room.

        Args:
            source: the stream that the stage was handed, or whatever a stream can begin with.
            into: a lane of one of this run's channels. It ends when the source does; `stop` ends it before.
            book: where the stages of the stream are entered, if not in this run's.
            blamed: the buffer that errors of the lane name, if not this run's operator.

        Raises:
            TypeError: `source` cannot be iterated, or `into` is no lane.
        """
        if not isinstance(into, Target):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"into must be a lane, as channel.lane(strategy) makes it, not {shown(into)}")
        inlet = returned(source)
        self.claims.take(inlet)
        if book is None and self.book is not None:
            self._settle()
            own = any(inlet.source.value is each for each in self.channels[self._attached :])
            book = self._chapters[into] = self.book.chapter(after=own)
        self.spawn(partial(self.fill, into, inlet, book, blamed), into.channel, into)

    def fill(
        self, lane: Target, inlet: Inlet[Any], book: Book | None, blamed: Link | None = None
    ) -> Awaitable[None]:
        """Read `inlet` here, in the task that calls this, into the lane; its stages are entered in `book`."""
        pace = DrivenPump(self, lane) if isinstance(lane, DrivenLane) else Pump(self, lane, blamed)
        return start(inlet.source, inlet.links, lane.end, pace, book)  # type: ignore[no-any-return]  # saves opcodes

    def feed(
        self,
        channel: Channel,
        source: Any,
        strategy: Strategy | None = None,
        *,
        otherwise: Strategy | None = None,
    ) -> Lane:
        """Pump `source` into a new lane of `channel`, taking over a buffer that stands at its end.

        Args:
            channel: one of this run's.
            source: the stream that the stage was handed, or whatever a stream can begin with.
            strategy: of the buffer that the user asked for; None if for none.
            otherwise: what is used where there is neither; without it, the lane is a hand-over.

        Raises:
            TypeError: an argument is something else.
        """
        if not isinstance(channel, Channel):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"channel must be one that run.channel() made, not {shown(channel)}")
        for name, value in (("strategy", strategy), ("otherwise", otherwise)):
            if value is not None:
                strategy_argument(name, value)
        inlet, strategy, buffer = fused(returned(source), strategy)
        lane = channel.lane(strategy or otherwise)
        self.pump(inlet, into=lane, blamed=buffer)
        return lane

    async def retire(self, lane: Lane) -> None:
        """Read `lane` no more: drop what it holds, end the task that writes into it, and wait for that.

        The counts of the lane stay, as a sum. What the clean-up of its source raises is raised here.

        Raises:
            TypeError: `lane` is no lane.
            ValueError: the lane is none of this run's channels', or was retired before.
        """
        if not isinstance(lane, Lane):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(
                f"lane must be one that run.feed(...) or channel.lane(...) made, not {shown(lane)}"
            )
        if lane.channel not in self.channels:
            raise ValueError(f"lane must be one of this run's channels, not {shown(lane)}")
        late: list[BaseException] = []
        lane.channel.retire(lane, late)
        late = [self.blame(error) for error in late]
        try:
            await self.stop(lane)
        except CancelledError as error:
            raise_first([error, *late])
        except Exception as error:
            late.append(error)
        chapter = self._chapters.pop(lane, None)
        if self.book is not None and chapter is not None:
            self.book.close(chapter)
        raise_first(late)

    async def part(self, job: Any, book: Book | None) -> Any:
        """The result of `job`, which is a part of the one that this run belongs to, and is paused with it."""
        work = partial(job.work, book)
        return await (work() if book is None else driven(work, book.gate))

    def reading(self, channel: Channel, origin: Source | None = None) -> Inlet[Any]:
        """What comes out of `channel` as a stream, for one reader, which leaves the channel when it ends.

        Its `origin` is the source that fills it, if that can be attached again."""
        return Inlet(Reading(channel, origin))

    def open(
        self, source: Inlet[T], *, book: Book | None = None, kept: bool = True, pace: Pace | None = None
    ) -> AsyncIterator[T]:
        """Read `source` in place, in the task that pulls the stage.

        Args:
            source: the stream that the stage was handed, or whatever a stream can begin with.
            book: where the stages of the stream are entered, if not in this run's.
            kept: whether this run closes it in the end, if nobody has.
            pace: that of its loop, if it is not to be like any other.

        Raises:
            TypeError: it cannot be iterated.
        """
        inlet = returned(source)
        self.claims.take(inlet)
        self._settle()
        chapter = book is None
        if chapter:
            book = self.book and self.book.chapter()
        pace = pace or Pace()
        items: AsyncGenerator[T, None] = self.starts(inlet.source, inlet.links, self._end, pace, book)
        own(pace.source)
        own(items)
        if kept:
            self._opened[items] = None
        if chapter and book is not None:
            self._chapters[items] = book
        return items

    def steps(self, opened: Opened, links: tuple[Link, ...], pace: Pace) -> Any:
        """The steps `links` over what was `opened`, as a part of this stage, which closes it."""
        return segment(opened, counted(links, self.book), self._end, pace)

    async def close(self, items: AsyncIterator[Any]) -> None:
        """Close what `open` gave, before the stage ends; of the accounts of its stages, sums are kept."""
        opened: Any = items
        if opened not in self._opened:
            return
        del self._opened[opened]
        await closed(opened)
        chapter = self._chapters.pop(opened, None)
        if self.book is not None and chapter is not None:
            self.book.close(chapter)

    def _settle(self) -> None:
        """Keep only the counts of streams that have ended, where a stage goes on opening others."""
        if max(len(self._chapters), len(self._opened)) < self._many:
            return
        self._opened = {items: None for items in self._opened if items.ag_frame is not None}
        live: set[Any] = {*self._writers, *self._opened}
        for reads in [each for each in self._chapters if each not in live]:
            chapter = self._chapters.pop(reads)
            assert self.book is not None  # of which it is a chapter
            self.book.close(chapter)
        self._many = max(MANY, 2 * len(self._chapters), 2 * len(self._opened))

    def blame(self, error: BaseException) -> BaseException:
        """`error` of a callback of this stage, with a note that names the operator and its place."""
        return blame(error, self.link)

    def blame_own(self, error: BaseException, code: CodeType | None = None) -> BaseException:
        """`error`, blamed on this operator if the function of `code` raised it, or what that called.

        That is the stage itself, if nothing is given. What it only passes on came from a stream that it has
        opened or pumps, or from a job that is a part of it.
        """
        code = code or getattr(self.link.declaration.stage, "__code__", None)  # a step that nests has none
        frames = (begin.__code__, unfolded.__code__, Run.part.__code__, SpillStore.popleft.__code__)
        own = code is not None and is_raised_by(error, code, frames)
        return blame(error, self.link) if own else error

    def reraise(self, error: Exception) -> NoReturn:
        """Raise `error` of a callback of this stage, blamed; what it came of stays with it."""
        blamed = self.blame(error)
        if blamed is error:
            raise error
        raise blamed from blamed.__cause__

    async def call(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """What a callback of this stage returns, awaited if it is awaitable; its errors name the operator."""
        try:
            result = function(*arguments, **named)
            return await pending(result) if is_awaitable(result) else result
        except Exception as error:
            self.reraise(error)

    def hold(self) -> None:
        """Let nobody run a reader's loop until that reader has been awake again."""
        for channel in self.channels:
            channel.hold()

    def stats(self) -> list[BufferStats]:
        """What became of the items in each buffer of this stage, so far."""
        name = repr(self.link)
        return [stats for channel in self.channels[self._attached :] for stats in channel.stats(name)]

    # how it runs ---------------------------------------------------------------------------

    def begin(self, inlet: Inlet[Any]) -> Opened:
        """The stage over `inlet`: as an async generator, or as the channel that it fills."""
        declaration = self.link.declaration
        assert isinstance(declaration, StageDeclaration)
        stage = declaration.runs
        inlet, arguments = self.attached(inlet)
        if stage in self.begins and (begun := self.begins[stage](self, inlet, arguments)) is not None:
            return begun
        if declaration.generates:
            relay = self.relay if declaration.relays else None
            return self.opened(Kind.ASYNC, self.owned(stage(self, inlet, **arguments)), relay=relay)
        direct = fed if self.link.declaration.direct else None
        return self.opened(Kind.CHANNEL, lambda: self._filled(stage(self, inlet, **arguments)), direct=direct)

    def opened(self, kind: Kind, items: Any, **how: Any) -> Opened:
        """The stage, as `items` of this `kind` to be read; this run ends with it."""
        halt = self.halt if self.link.declaration.pumps else None  # of what is read in place, nothing is held
        asked: dict[str, Any] = {"blame": self.blame_own, "unreached": self.unreached, "halt": halt}
        return Opened(kind, items, self.leave, **(asked | how))

    def _filled(self, channel: Any) -> Channel:
        """`channel`, which a stage that is a plain function has returned."""
        if isinstance(channel, Channel):
            return channel
        discard(channel)
        raise self.blame(TypeError(f"a stage must return what run.channel() made, not {shown(channel)}"))

    def attached(self, inlet: Inlet[Any]) -> tuple[Inlet[Any], dict[str, Any]]:
        """What the stage is handed, with streams whose sources cannot wait for the first pull opened now.

        If one of them cannot be opened, all are left, whether they come before it or after.
        """
        errors: list[Exception] = []
        self.claims.take(inlet, *(self.link.arguments.values() if self.link.awaited else ()))
        inlet, arguments = joined(inlet, self.link)
        inlet = attached(self, inlet, errors, shares=shares(self.link))
        if self.link.declaration.pumps:
            arguments = {name: attached(self, value, errors) for name, value in arguments.items()}
        else:
            inlet = shallow(self, inlet)
        if errors:
            self._leave_channels(errors)
            raise_first(errors)
        self._attached = len(self.channels)
        if self.book is not None:
            for channel in self.channels:
                self.book.enter(channel, source=True)
        return inlet, arguments

    def leave_too(self, channel: Channel) -> None:
        """Leave `channel`, another run's, when the stage ends: what reads it may never begin."""
        self._foreign.append(channel)

    def unreached(self) -> list[BaseException]:
        """The errors that the stage was not told of."""
        return [*self._ahead, *(each.error for each in self.channels if each.error is not None)]

    def _leave_channels(self, late: list[Any]) -> None:
        for channel in (*self.channels, *self._foreign):
            try:
                channel.leave()
            except Exception as error:  # of an ``on_drop``
                late.append(self.blame(error))
        late += map(self.blame, self.claims.release())

    def owned(self, stage: AsyncGenerator[Any, None]) -> AsyncGenerator[Any, None]:
        """`stage`, an async generator that this run closes."""
        own(stage)
        self._stage = stage
        return stage

    def relay(self) -> None:
        """What reads the stage may throw a cancellation in, which the stage passes on."""
        self._end = End.RELAY

    async def leave(self) -> None:
        """End the stage: close its generator and what it opened, cancel its tasks and wait for them."""
        self.disarm()
        self.halt()
        late, stage = self._late, self._stage
        by_itself = stage is not None and stage.ag_frame is None
        self._leave_channels(late)
        generators: list[Any] = [each.iterator for each in self.channels if each.iterator is not None]
        generators += self._opened if stage is None else (*self._opened, stage)
        while generators:  # the last is first: the stage, which may itself close what it has opened
            try:
                await closed(generators.pop())
            except BaseException as error:
                rest = but_exits(error)
                if rest is not None:
                    late.append(rest)
        self._opened.clear()
        try:
            await self._ended()
        except CancelledError as error:
            late.append(error)
        if by_itself:  # it has not left its sources early: their errors are its own
            late += self._ahead
        late += map(self.blame, self.claims.release())  # what tasks were handed that it has ended
        self._late = []
        for channel in self.channels:
            channel.forget()
        raise_first(sorted(late, key=lambda error: not isinstance(error, CancelledError)))
