"""Expectations: what a stream is to do next, step by step."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Final, Generic, TypeVar, cast

from streamkit._core.arguments import seconds as seconds_argument
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.face.stream import SourceLike, Stream
from streamkit._engine.run.open import OpenStream
from streamkit.testing.clock import VirtualLoop
from streamkit.testing.drops import Drops, as_stream, drops_argument, told_of_drops
from streamkit.testing.events import Event, same
from streamkit.testing.steps import Step
from streamkit.testing.waits import task_line, tasks

__all__ = ["Expectation", "expect"]

T = TypeVar("T")
R = TypeVar("R")
E = TypeVar("E", bound=Exception)

REAL: Final = 5.0
"""Seconds that a step waits at most on a real event loop, if the user says nothing else."""
VIRTUAL: Final = 3600.0
"""The same in virtual time, in which waiting takes none."""
NANO: Final = 10**9
MOST: Final = 20
"""How much of what came before is told, and how many tasks that wait, at most."""


class Expectation(Generic[T]):
    """The steps that a stream is to take, made by `expect`; each step is awaited.

    Between two steps the stream is not pulled. Times are in seconds since the stream was opened.
    """

    def __init__(self, stream: Stream[T], timeout: float | None, drops: Drops) -> None:
        self._telling: AbstractContextManager[None] = drops.telling(self._note_drop)
        self._opened: OpenStream[T] = told_of_drops(stream, self._note_drop).open()
        self._timeout: float | None = timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._origin: float = 0.0
        self._steps: list[Step[Any]] = []
        self._story: list[str] = []
        """All that came, a line each."""
        self._held: Event | None = None
        """What came, and no step has taken yet."""
        self._over: str = ""
        """How the stream ended, when that was expected; in words."""
        self._drops: list[Any] = []
        """Items that were dropped, and no step has taken yet."""
        self._dropped: asyncio.Event = asyncio.Event()

    # -- steps ----------------------------------------------------------------------------------

    def next(self, *items: T) -> Step[None]:
        """These items come next, one after the other.

        Raises:
            TypeError: there are no items.
        """
        if not items:
            raise TypeError("next() must have the items that come next; item() takes any")

        async def work(step: Step[None]) -> None:
            for item in items:
                came = await self._come(step, shown(item))
                if came.kind != "item" or not same(item, came.value):
                    raise self._wrong(step, shown(item), came)

        return self._step(_called("next", *items), work)

    def item(self) -> Step[T]:
        """An item comes next, and is what awaiting the step returns."""

        async def work(step: Step[T]) -> T:
            came = await self._come(step, "an item")
            if came.kind != "item":
                raise self._wrong(step, "an item", came)
            item: T = came.value
            return item

        return self._step("item()", work)

    def nothing(self, seconds: float) -> Step[None]:
        """Nothing comes for so many seconds. What comes at their very end is left to the next step."""
        pause = seconds_argument("seconds", seconds)

        async def work(step: Step[None]) -> None:
            self._require_open(step)
            loop = asyncio.get_running_loop()
            begun = self._now()
            came = await self._next(loop.time() + pause)
            if came is None:
                return
            if came.time < begun + round(pause * NANO):
                raise self._wrong(step, "nothing", came)
            self._held = came

        return self._step(_called("nothing", seconds), work)

    def end(self) -> Step[None]:
        """The stream ends."""

        async def work(step: Step[None]) -> None:
            came = await self._come(step, "the end")
            if came.kind != "|":
                raise self._wrong(step, "the end", came)
            self._over = f"it ended at {_told(came.time)}"

        return self._step("end()", work)

    def error(self, kind: type[E], *, match: str | None = None) -> Step[E]:
        """The stream fails with an error of this class, in whose text `match` is found, a regular expression.

        Awaiting the step returns the error.
        """
        given: Any = kind
        if not (isinstance(given, type) and issubclass(given, BaseException)):
            raise TypeError(f"kind must be a class of errors, not {shown(kind)}")
        pattern = None if match is None else _pattern(match)
        what = kind.__name__ + ("" if match is None else f" with {match!r}")

        async def work(step: Step[E]) -> E:
            came = await self._come(step, what)
            error = came.value
            if (
                came.kind != "#"
                or not isinstance(error, kind)
                or (pattern and not pattern.search(str(error)))
            ):
                raise self._wrong(step, what, came)
            self._over = f"it failed at {_told(came.time)}"
            return error

        return self._step(f"error({kind.__name__}{'' if match is None else f', match={match!r}'})", work)

    def dropped(self, *items: Any) -> Step[None]:
        """These items were dropped, or are dropped while the step waits; in this order.

        Seen is what operators of the stream drop, also those of its inputs and branches; other drops by
        ``expect(drops=)``, see `Drops`. Drops that no step asks for are no failure.

        Raises:
            TypeError: there are no items.
        """
        if not items:
            raise TypeError("dropped() must have the items that are dropped")

        async def work(step: Step[None]) -> None:
            for item in items:
                await self._drop(step, item)

        return self._step(_called("dropped", *items), work)

    def leave(self) -> Step[None]:
        """The consumer leaves: the stream is closed, and its clean-up waited for. What it held is dropped."""

        async def work(step: Step[None]) -> None:
            self._require_open(step)
            self._over = f"it was left at {_told(self._now())}"
            await self._opened.aclose()

        return self._step("leave()", work)

    # -- one use --------------------------------------------------------------------------------

    async def __aenter__(self) -> Expectation[T]:
        self._loop = asyncio.get_running_loop()
        self._origin = self._loop.time()
        await self._opened.__aenter__()
        self._telling.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        failed = error
        try:
            forgotten = [step for step in self._steps if not step.awaited]
            if error is None:
                await self._judge(forgotten)
            elif isinstance(error, Exception):
                for step in forgotten:
                    error.add_note(f"{step!r} was never awaited")
        except BaseException as found:
            failed = found
            raise
        finally:
            try:
                await self._opened.__aexit__(type(failed) if failed else None, failed, None)
            finally:
                self._telling.__exit__(None, None, None)

    async def _judge(self, forgotten: list[Step[Any]]) -> None:
        """Fail for a step that was forgotten, and for what no step has asked for."""
        if forgotten:
            raise AssertionError(self._with_story(f"{forgotten[0]!r} was never awaited"))
        if self._over:
            return
        came = await self._next(self._deadline())
        if came is None:
            words = "the stream did not end, and was not left: await e.leave()"
            raise AssertionError(self._with_story(words))
        words = (
            f"{came.told()} came at {_told(came.time)}, and no step asked for it: await e.leave() to leave it"
        )
        raise AssertionError(self._with_story(words, 1)) from (came.value if came.kind == "#" else None)

    # -- what comes -----------------------------------------------------------------------------

    async def _come(self, step: Step[Any], what: str) -> Event:
        """What comes next; it is an error if that is nothing."""
        self._require_open(step)
        came = await self._next(self._deadline())
        if came is None:
            raise AssertionError(
                self._with_story(f"{step!r}: {what} was expected, and nothing came {self._waited()}")
            )
        return came

    async def _next(self, deadline: float) -> Event | None:
        """What comes next, until then; after a time-out the pull goes on, so that nothing is lost."""
        came, self._held = self._held, None
        if came is not None:
            return came
        try:
            async with asyncio.timeout_at(deadline):
                try:
                    came = Event(time=0, kind="item", value=await anext(self._opened))
                except StopAsyncIteration:
                    came = Event(time=0, kind="|")
                except Exception as error:
                    came = Event(time=0, kind="#", value=error)
        except TimeoutError:
            return None
        came = came.but(time=self._now())
        self._tell(f"{came.told()} came")
        return came

    async def _drop(self, step: Step[None], item: Any) -> None:
        try:
            async with asyncio.timeout_at(self._deadline()):
                while not self._drops:
                    self._dropped.clear()
                    await self._dropped.wait()
        except TimeoutError:
            words = f"{step!r}: {shown(item)} was expected to be dropped, and nothing was {self._waited()}"
            raise AssertionError(self._with_story(words)) from None
        found = self._drops.pop(0)
        if not same(item, found):
            words = f"{step!r}: {shown(item)} was expected to be dropped, and {shown(found)} was"
            raise AssertionError(self._with_story(words))

    def _note_drop(self, item: Any, reason: str) -> None:
        self._drops.append(item)
        self._tell(f"{shown(item)} was dropped ({reason})")
        # another thread may fill a ``push``, and so drop
        if self._loop is not None:  # pragma: no branch - it is told of nothing before it is opened
            self._loop.call_soon_threadsafe(self._dropped.set)

    # -- words ----------------------------------------------------------------------------------

    def _step(self, words: str, work: Callable[[Step[R]], Coroutine[Any, Any, R]]) -> Step[R]:
        if self._loop is None:
            raise RuntimeError("open the stream first: async with expect(stream) as e")
        step = Step(words, work)
        self._steps.append(step)
        return step

    def _require_open(self, step: Step[Any]) -> None:
        if self._over:
            raise AssertionError(self._with_story(f"{step!r}: the stream is over: {self._over}"))

    def _wrong(self, step: Step[Any], what: str, came: Event) -> AssertionError:
        words = f"{step!r}: {what} was expected, and {came.told()} came at {_told(came.time)}"
        wrong = AssertionError(self._with_story(words, 1))
        wrong.__cause__ = came.value if came.kind == "#" else None
        return wrong

    def _waited(self) -> str:
        """How long a step has waited, and what tasks wait for meanwhile."""
        here = asyncio.current_task()
        loop = asyncio.get_running_loop()
        waiting = [f"    {task_line(task)}" for task in tasks(loop) if task is not here][:MOST]
        return "\n".join([f"within {self._limit():g} s", *(["  waiting:"] if waiting else []), *waiting])

    def _with_story(self, words: str, newest: int = 0) -> str:
        """`words`, and all that came before the `newest`."""
        before = self._story[: len(self._story) - newest]
        lines = [f"    {line}" for line in before[-MOST:]]
        if len(before) > MOST:
            lines.insert(0, f"    ... {len(before) - MOST} more")
        return "\n".join([words, "  before that:" if lines else "  nothing came before that", *lines])

    def _tell(self, words: str) -> None:
        self._story.append(f"{_told(self._now()):>8}  {words}")

    def _now(self) -> int:
        """The time since the stream was opened, in nanoseconds."""
        return 0 if self._loop is None else round((self._loop.time() - self._origin) * NANO)

    def _limit(self) -> float:
        if self._timeout is not None:
            return self._timeout
        return VIRTUAL if isinstance(asyncio.get_running_loop(), VirtualLoop) else REAL

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self._limit()


def _pattern(match: object) -> re.Pattern[str]:
    try:
        return re.compile(cast("str", match))
    except (TypeError, re.error) as error:
        raise ValueError(f"match must be a regular expression, not {shown(match)}: {error}") from None


def _called(name: str, *arguments: Any) -> str:
    return f"{name}({', '.join(map(shown, arguments))})"


def _told(time: int) -> str:
    return f"{time / NANO:.10g} s"


@answering
def expect(
    stream: SourceLike[T], *, timeout: float | None = None, drops: Drops | None = None
) -> Expectation[T]:
    """Expect a stream to do this and then that: for ``async with``, in virtual time or on any event loop.

    Each step waits for what it says, and fails if something else comes. A step that is not awaited fails, and
    so does what no step asked for: a test ends with ``end()``, ``error()`` or ``leave()``. The stream is
    closed when the block ends, however it does.

    >>> from streamkit import DropOldest, Stream, ops
    >>> from streamkit.testing import drawn, expect, run
    >>> async def main() -> None:
    ...     async with expect(Stream(drawn("-a---bcd|")) | ops.buffer(DropOldest(1))) as e:
    ...         await e.next("a")
    ...         await e.nothing(4.0)
    ...         await e.next("b")
    ...         await e.dropped("c")
    ...         await e.next("d")
    ...         await e.end()
    >>> run(main)

    A failure says what was expected, what came, and what came before:

        AssertionError: next('a', 'c') at tests/test_feed.py:12: 'c' was expected, and 'b' came at 2 s
          before that:
                 1 s  'a' came

    Args:
        stream: the stream, or a source.
        timeout: how many seconds a step waits at most; if not given, 5, and in virtual time 3600.
        drops: the ``on_drop`` of strategies whose drops are not seen otherwise.

    Raises:
        ValueError: `timeout` is not above 0.
    """
    limit = None if timeout is None else seconds_argument("timeout", timeout)
    return Expectation(as_stream("stream", stream), limit, drops_argument(drops))
