"""A plain ``for`` over a stream, in a thread where no event loop runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from threading import Thread
from typing import Any, Generic, TypeVar, cast

from streamkit._core.arguments import discard
from streamkit._core.awaiting import pending
from streamkit._core.errors import RunningLoopError
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.iterate import halting, prime
from streamkit._engine.run.leave import combine
from streamkit._engine.run.start import segment, start

__all__ = ["iterate_blocking", "require_loop", "require_no_loop"]

T = TypeVar("T")


def iterate_blocking(stream: Inlet[T]) -> Iterator[T]:
    """Iterate the stream synchronously: by a plain generator if nothing waits, else on a private loop."""
    links = stream.links
    if not stream.source.blocking or any(link.declaration.stage or link.waits for link in links):
        require_no_loop("for x in stream", "async for x in stream")
        return _Private(lambda: start(stream.source, links, End.USER))
    opened = stream.source.open(blocking=True)
    if opened.kind is Kind.ASYNC:
        require_no_loop("for x in stream", "async for x in stream")
        return _Private(lambda: segment(opened, links, End.USER, Pace()), opened.release)
    pace = Pace()
    pace.settle = _Settle()
    plain: Iterator[T] = segment(opened, links, End.PLAIN, pace)
    return plain


def require_no_loop(form: str, instead: str) -> None:
    """Raise if an event loop runs in this thread: a second one cannot."""
    if asyncio._get_running_loop() is not None:
        raise RunningLoopError(
            f"{form} needs an event loop of its own, but one runs in this thread: use {instead}"
        )


def require_loop(form: str, instead: str) -> None:
    """Raise if no event loop runs in this thread."""
    if asyncio._get_running_loop() is None:
        raise RuntimeError(
            f"there is no running event loop for {form}: call it in a coroutine, or write {instead}"
        )


class _Settle:
    """Awaits what callbacks return, on a private event loop that is made for the first and kept."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def __call__(self, awaitable: Awaitable[Any]) -> Any:
        try:
            require_no_loop("a callback that returns an awaitable", "async for x in stream")
        except RunningLoopError:
            discard(awaitable)
            raise
        return self._made().run(_awaited(awaitable))

    def here(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        """What `function` returns, called where a loop seems to run: what it returns may need one to be made.

        The loop that a thread runs is a mark of asyncio's. To set it for a call costs next to nothing.
        """
        if asyncio._get_running_loop() is not None:
            return function(*arguments, **named)
        asyncio._set_running_loop(self._made().get_loop())
        try:
            return function(*arguments, **named)
        finally:
            asyncio._set_running_loop(None)

    def _made(self) -> asyncio.Runner:
        if self._runner is None:
            self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        return self._runner

    def closing(self, close_source: Callable[[], None] | None) -> Callable[[], None]:
        """What closes the source, by `close_source`, and then the event loop."""

        def close() -> None:
            try:
                if close_source is not None:
                    close_source()
            finally:
                if self._runner is not None:
                    _loop_free(self._runner.close)

        return close


async def _awaited(awaitable: Awaitable[T]) -> T:
    result: T = await pending(awaitable)
    return result


def _loop_free(work: Callable[[], None]) -> None:
    """Run `work`, which runs an event loop: here, or in a thread of its own if this one runs a loop.

    That thread is not waited for: it would hold the loop of this one, for which the clean-up may wait.
    """
    if asyncio._get_running_loop() is None:
        work()
    else:
        Thread(target=work, name="streamkit clean-up").start()


class _Private(Generator[T, None, None]):
    """A stream on a private loop, in one task. The loop stands still while the caller's body runs.

    It may be stepped in any thread where no loop runs, and closed or dropped in any thread at all. A step
    where a loop runs is an error, and ends intake, as any error does: what is held comes, then the error.
    """

    def __init__(
        self,
        make: Callable[[], AsyncGenerator[T, None]],
        release: Callable[[], Awaitable[None] | None] | None = None,
    ) -> None:
        self._turns: list[_Turn[T]] = []
        self._steps = _steps(make, self._turns, release)
        if release is not None:
            next(self._steps)  # from here on what is open is closed, also where nobody asks for an item
        self._stepped: RunningLoopError | None = None
        """The error of a step where a loop ran."""
        self._stopping: Thread | None = None
        """Ends intake."""

    def send(self, value: None, /) -> T:
        self._require_no_loop()
        try:
            return next(self._steps)
        except StopIteration:
            if self._stepped is None:
                raise
            raise self._stepped from None

    def throw(self, *error: Any) -> T:
        self._require_no_loop()
        return self._steps.throw(*error)

    def close(self) -> None:
        self._join()
        self._steps.close()

    def _require_no_loop(self) -> None:
        try:
            require_no_loop("for x in stream", "async for x in stream")
        except RunningLoopError as error:
            if self._turns and self._stepped is None:
                self._stepped = RunningLoopError(*error.args)
                self._stopping = Thread(target=self._turns[0].stop, name="streamkit clean-up")
                self._stopping.start()
            raise
        self._join()

    def _join(self) -> None:
        stopping, self._stopping = self._stopping, None
        if stopping is not None:
            stopping.join()


def _steps(
    make: Callable[[], AsyncGenerator[T, None]],
    turns: list[_Turn[T]],
    release: Callable[[], Awaitable[None] | None] | None,
) -> Generator[T, None, None]:
    """The items of what is made; `release` closes what was opened for it before, where it never begins."""
    if release is not None:
        try:
            yield cast("Any", None)
        except BaseException as error:
            try:
                _loop_free(lambda: asyncio.run(_released(release)))
            except BaseException as late:
                combine(error, late)
            raise
    runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)  # it sets no loop for the thread
    turn = _Turn[T](runner, make)
    turns.append(turn)
    _running.add(turn)
    interrupt: BaseException | None = None
    try:
        while turn.step():
            yield turn.item
    except BaseException as error:
        interrupt = error
        raise
    finally:
        turns.clear()
        try:
            _loop_free(turn.end)
        except BaseException as late:
            if late is not interrupt:
                combine(interrupt, late)


async def _released(release: Callable[[], Awaitable[None] | None]) -> None:
    if (closing := release()) is not None:
        await closing


_running: set[_Turn[Any]] = set()
"""Those that have begun and not ended. Were their tasks garbage too when the collector drops an iterator, it
would end them in any order."""


_TURNS = 10
"""Turns of the loop that those who read ahead get, before intake ends."""


class _Turn(Generic[T]):
    """Passes control: to the loop until it has an item, to the caller until it asks for the next."""

    item: T
    items: Any
    resume: asyncio.Future[bool]

    def __init__(self, runner: asyncio.Runner, make: Callable[[], AsyncGenerator[T, None]]) -> None:
        self._runner = runner
        self._loop = runner.get_loop()
        self._resting = False
        self._ending = False
        self._task = self._loop.create_task(self._drive(make))
        self._task.add_done_callback(self._over)

    def step(self) -> bool:
        """Run the loop until there is an item, or the end; an error of the stream is raised by `end`."""
        if self._resting:
            self.resume.set_result(True)
        if not self._task.done():  # `stop` may have ended it
            self._loop.run_forever()
        return not self._task.done()

    def stop(self) -> None:
        """End intake, and wait until all sources are closed; what is held can be taken still."""
        self._loop.run_until_complete(self._stopped())

    async def _stopped(self) -> None:
        halt = self.items.ag_frame and halting(self.items)
        if halt is None:  # nothing is held
            self._ending = True
            self.resume.set_result(False)
            await asyncio.wait({self._task})
            return
        for _ in range(_TURNS):  # the loop stood still: what is ready to be read ahead would be held by now
            await asyncio.sleep(0)
        others = asyncio.all_tasks(self._loop) - {self._task, asyncio.current_task(self._loop)}
        halt()
        if others:
            await asyncio.wait(others)

    def end(self) -> None:
        """End the stream, as the caller wants no more, and the loop. Cancel it if it waits for something."""
        self._ending = True
        try:
            with self._runner:
                if self._resting and not self.resume.done():
                    self.resume.set_result(False)
                elif not self._task.done():
                    self._task.cancel()
                self._finish()
            if not self._task.cancelled():
                self._task.result()
        finally:
            _running.discard(self)

    def _finish(self) -> None:
        """Run the loop until the task has ended; an interrupt waits for that, a second one does not."""
        interrupt: BaseException | None = None
        while not self._task.done():
            try:
                self._loop.run_until_complete(asyncio.wait({self._task}))
            except (KeyboardInterrupt, SystemExit) as error:
                if interrupt is not None and error is not interrupt:
                    raise
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def _over(self, _: object) -> None:
        """Stop the loop: the task has ended."""
        if not self._ending:
            self._loop.stop()

    async def _drive(self, make: Callable[[], AsyncGenerator[T, None]]) -> None:
        self.items = items = prime(make())
        try:
            async for self.item in items:
                if self._ending:
                    break
                self.resume = self._loop.create_future()
                self._resting = True
                self._loop.stop()
                wanted = await self.resume
                self._resting = False
                del self.item  # nothing is held while the source waits
                if not wanted:
                    break
        finally:
            await items.aclose()
