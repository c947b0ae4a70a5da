"""Runs: what a stage is handed. It opens, pumps and closes everything that the stage reads."""

from __future__ import annotations

from asyncio import AbstractEventLoop, CancelledError, Task, current_task, get_running_loop, wait
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from functools import partial
from inspect import isawaitable
from typing import Any, NoReturn, TypeVar

from streamkit._core.errors import attach, attached
from streamkit._core.strategy import Strategy
from streamkit._engine.buffer.account import Book, BufferStats
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.lane import Abandoned, Lane, Reader
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.direct import fed
from streamkit._engine.run.gate import Drive
from streamkit._engine.run.leave import blame
from streamkit._engine.run.pump import Pump
from streamkit._engine.run.start import start

__all__ = ["Run"]

C = TypeVar("C", bound=Channel)
T = TypeVar("T")


Work = Callable[[], Awaitable[Any]]
"""What is to be awaited in a task, made there."""


def _of_clean_up(error: BaseException) -> list[BaseException]:
    """What failed in the clean-up of a task that the run has cancelled.

    Where that met it while it cleaned up after an error of its own, nobody got to that error.
    """
    first = getattr(error, "__streamkit_instead__", None)
    return [late for late in attached(error) if late is not first and not isinstance(late, CancelledError)]


class _ChannelSource(Source):
    """A channel as the source of a stream."""

    __slots__ = ()

    def open(self, *, blocking: bool = False) -> Opened:
        return Opened(Kind.CHANNEL, lambda: self.value, None, self.value.leave)


class Run:
    """One execution of one stage: owns the tasks, channels and iterators that the stage asked for."""

    def __init__(self, link: Link, book: Book | None = None) -> None:
        self.link: Link = link
        self.book: Book | None = book
        if book is not None:
            book.enter(self)
        self.loop: AbstractEventLoop = get_running_loop()
        self.channels: list[Channel] = []
        self._tasks: dict[Task[Any], bool] = {}
        """Those that have not ended, in the order in which they began, and whether `halt` cancelled them."""
        self._opened: list[AsyncGenerator[Any, None]] = []
        self._stage: AsyncGenerator[Any, None] | None = None
        self.ending: bool = False
        """The run cancels its own tasks: their cancellation is no error."""
        self._late: list[BaseException] = []

    # what a stage uses ---------------------------------------------------------------------

    def channel(self) -> Channel:
        """A new channel; its first error ends intake: every other task of this run is cancelled."""
        return self.adopt(Channel(self.halt))

    def adopt(self, channel: C) -> C:
        """Own a channel of another make: it is left when the stage ends."""
        self.channels.append(channel)
        return channel

    def pump(self, inlet: Inlet[Any], *, into: Lane, book: Book | None = None) -> None:
        """Read `inlet` in a task of its own, into the lane, as far as there is room."""
        self.spawn(partial(self.fill, into, inlet, book or self.book), into.channel, into)

    def fill(self, lane: Lane, inlet: Inlet[Any], book: Book | None) -> Awaitable[None]:
        """Read `inlet` here, in the task that calls this, into the lane; its stages are entered in `book`."""
        end = End.FILL if lane.plain and lane.strategy is not None else End.PUMP  # a hand-over wakes all
        filled: Awaitable[None] = start(inlet.source, inlet.links, end, Pump(self, lane), book)
        return filled

    def feed(
        self,
        channel: Channel,
        inlet: Inlet[Any],
        strategy: Strategy | None = None,
        *,
        otherwise: Strategy | None = None,
    ) -> Lane:
        """Pump `inlet` into a new lane of `channel`, taking over a buffer that stands at its end.

        Where the user asked for no `strategy`, that buffer's is used, or `otherwise`.
        """
        inlet, strategy = fused(inlet, strategy)
        lane = channel.lane(strategy or otherwise)
        self.pump(inlet, into=lane)
        return lane

    def spawn(self, work: Work, channel: Reader, lane: Lane | None = None) -> Task[Any]:
        """Run `work` in a task of this run; an error in it fails `channel`, its end closes `lane`."""
        task = self.loop.create_task(self._watched(work, channel, lane))
        if not task.done():  # an eager task may be
            self._tasks[task] = False
        return task

    async def part(self, job: Any, book: Book | None) -> Any:
        """The result of `job`, which is a part of the one that this run belongs to, and is paused with it."""
        work = job.work(book)
        return await (work if book is None else Drive(work.__await__(), gate=book.gate))

    def reading(self, channel: Channel) -> Inlet[Any]:
        """What comes out of `channel` as a stream, for one reader; it leaves the channel when it ends."""
        return Inlet(_ChannelSource(channel), ())

    def open(self, inlet: Inlet[T]) -> AsyncIterator[T]:
        """Read `inlet` in place, in the task that pulls the stage."""
        items: AsyncGenerator[T, None] = start(inlet.source, inlet.links, End.STAGE, None, self.book)
        self._opened.append(items)
        return items

    async def close(self, items: AsyncIterator[Any]) -> None:
        """Close what `open` gave, before the stage ends."""
        for place, opened in enumerate(self._opened):
            if opened is items:
                del self._opened[place]
                await opened.aclose()
                return

    def blame(self, error: BaseException) -> BaseException:
        """`error` of a callback of this stage, with a note that names the operator and its place."""
        return blame(error, self.link)

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
            return await result if isawaitable(result) else result
        except Exception as error:
            self.reraise(error)

    def hold(self) -> None:
        """Let nobody run a reader's loop until that reader has been awake again."""
        for channel in self.channels:
            channel.hold()

    def stats(self) -> list[BufferStats]:
        """What became of the items in each buffer of this stage, so far."""
        name = repr(self.link)
        return [stats for channel in self.channels for stats in channel.stats(name)]

    # how it runs ---------------------------------------------------------------------------

    def begin(self, inlet: Inlet[Any]) -> Opened:
        """The stage over `inlet`: as an async generator, or as the channel that it fills."""
        stage = self.link.declaration.stage
        assert stage is not None
        inlet, arguments = self._attached(inlet), self.link.arguments
        if self.link.declaration.pumps:
            arguments = {name: self._attached(value) for name, value in arguments.items()}
        if self.link.declaration.generates:
            self._stage = stage(self, inlet, **arguments)
            return Opened(Kind.ASYNC, self._stage, self.leave)
        direct = fed if self.link.declaration.direct else None
        return Opened(Kind.CHANNEL, lambda: stage(self, inlet, **arguments), self.leave, direct=direct)

    def _attached(self, value: Any) -> Any:
        """`value`, with streams whose sources cannot wait for the first pull opened now."""
        if isinstance(value, tuple):
            return tuple([self._attached(each) for each in value])  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(value, Inlet):
            return value
        inlet: Inlet[Any] = value  # pyright: ignore[reportUnknownVariableType]
        source = inlet.source.attached(self)
        return inlet if source is inlet.source else Inlet[Any](source, inlet.links)

    async def _watched(self, work: Work, channel: Reader, lane: Lane | None) -> Any:
        interrupted = False
        try:
            return await work()
        except BaseException as error:
            if isinstance(error, Abandoned) or (isinstance(error, CancelledError) and self.ending):
                self._late += _of_clean_up(error)
                return None
            if channel.left:
                self._late.append(error)
            else:
                channel.fail(error)
            if not isinstance(error, (Exception, CancelledError)):
                interrupted = True
                raise
        finally:
            if lane is not None:
                lane.close()
            task = current_task()
            if task in self._tasks and not interrupted:
                del self._tasks[task]

    def halt(self) -> None:
        """End intake: cancel every task of this run but the one that says so."""
        self.ending = True
        for task, halted in (*self._tasks.items(),):
            if task is not current_task() and not halted:  # twice would interrupt its clean-up
                self._tasks[task] = True
                task.cancel()

    async def leave(self) -> None:
        """End the stage: close its generator and what it opened, cancel its tasks and wait for them."""
        self.halt()
        late = self._late
        for channel in self.channels:
            try:
                channel.leave()
            except Exception as error:  # of an ``on_drop``
                late.append(self.blame(error))
        generators = (
            [*reversed(self._opened)] if self._stage is None else [self._stage, *reversed(self._opened)]
        )
        self._opened.clear()
        generators += [channel.iterator for channel in self.channels if channel.iterator is not None]
        for generator in generators:
            try:
                await generator.aclose()
            except BaseException as error:
                late.append(error)
        try:
            await self._ended()
        except CancelledError as error:
            late.insert(0, error)
        if late:
            self._late = []
            for other in late[1:]:
                attach(late[0], other)
            raise late[0]

    async def _ended(self) -> None:
        """Wait for every task; cancelled meanwhile, go on waiting and pass the cancellation on after."""
        cancelled: CancelledError | None = None
        while self._tasks:
            try:
                await wait(self._tasks)
            except CancelledError as error:
                cancelled = error
                for task in (*self._tasks,):
                    task.cancel()
            for task in [task for task in self._tasks if task.done()]:
                del self._tasks[task]  # it never ran: it was cancelled before
                if not task.cancelled():
                    task.exception()  # an interrupt, which the event loop has raised
        if cancelled is not None:
            raise cancelled
