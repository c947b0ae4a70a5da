"""Pace: how many items a loop takes before it looks at the clock, and when it lets others run.

A loop that looked at the clock for each item would be slow; one that never did would keep the event loop from
all other tasks. So a loop takes its items in slices, and the clock says how large the next may be.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, CancelledError, current_task, events, get_running_loop, sleep
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextvars import Context
from itertools import chain
from threading import get_ident
from time import perf_counter
from types import FunctionType
from typing import Any, cast
from weakref import WeakKeyDictionary, WeakValueDictionary, ref

__all__ = [
    "AGAIN",
    "AHEAD",
    "ENDED",
    "LARGEST",
    "NOTED",
    "PUT_OFF",
    "Begun",
    "Handed",
    "Own",
    "Pace",
    "Resumed",
    "Throw",
    "Thrown",
    "steady",
]

Throw = Callable[[BaseException], Awaitable[Any]]
"""The method `athrow` of an async generator."""

BUDGET = 0.005
"""Seconds a loop may run before it lets the event loop breathe."""
AGAIN = 8
"""Items after which a loop that has parked looks whether it has done so since; at the clock, if not."""
AHEAD = 16
"""The same, where each item goes into a lane as it is, so that a reader that steps the loop counts them."""
LARGEST = 1024
"""Items between two looks at the clock at most, so that items that suddenly cost more are noticed."""
FEW = 8
"""The same, where others run meanwhile, so that the clock does not tell what the items cost."""


ENDED = "its stream has ended"
"""What a run cancels its tasks with: no scope of a source has done that."""

PUT_OFF: WeakValueDictionary[int, Thrown] = WeakValueDictionary()
"""By the id of a task: a cancellation that waits there for the next step of a source."""

NONE: dict[int, Any] = {}
"""What a loop has in hand whose steps go through no streams."""


class Begun:
    """What a loop that goes on with it asks for is the iterator itself, which was obtained already."""

    __slots__ = ("_iterator",)

    def __init__(self, iterator: Any) -> None:
        self._iterator = iterator

    def __iter__(self) -> Any:
        return self._iterator

    def __aiter__(self) -> Any:
        return self._iterator


def steady(iterator: Any) -> Any:
    """`iterator`, or what goes on with it where ``iter`` would begin anew, as it is asked for each slice.

    A plain ``for`` asks once. So classes of users may set a counter to 0 in their ``__iter__``, and return
    themselves; or return an object that has no ``__iter__``.

    >>> class Count:
    ...     def __iter__(self):
    ...         self.number = 0
    ...         return self
    ...     def __next__(self):
    ...         self.number += 1
    ...         return self.number
    >>> from itertools import islice
    >>> items = steady(iter(Count()))
    >>> [*islice(items, 2)], [*islice(items, 2)]
    ([1, 2], [3, 4])
    """
    kind: Any = cast("object", type(iterator))
    again = getattr(kind, "__iter__", None)
    if again is None or (isinstance(again, FunctionType) and again is not _AS_IT_IS):
        return chain(Begun(iterator))
    return iterator


_AS_IT_IS: Any = vars(Iterator)["__iter__"]
"""What classes inherit that say no more than that they are iterators."""


class _Turns:
    """Tells when each turn of an event loop began, while loops ask: by one callback for all of them."""

    __slots__ = ("_context", "asked", "began", "looked")

    def __init__(self) -> None:
        self.began = self.looked = 0.0
        """When this turn did, by the clock of `Pace`, and when a loop looked at that last. An earlier one, if
        nobody has asked for this."""
        self.asked = False
        """Whether somebody has, and it has not begun."""
        self._context = Context()  # a copy of the current one would hold what a user has in it

    def ask(self, loop: AbstractEventLoop) -> None:
        """Have the beginning of the next turn noted."""
        self.asked = True
        loop.call_soon(self.turned, context=self._context)

    def turned(self) -> None:
        self.asked = False
        self.began = self.looked = perf_counter()


NOTED = _Turns.turned
"""What an event loop calls for that: it changes nothing that any other callback could see."""
_turns: WeakKeyDictionary[AbstractEventLoop, _Turns] = WeakKeyDictionary()
_running = events._get_running_loop  # which raises nothing where there is none
_last: tuple[int, Callable[[], AbstractEventLoop | None], _Turns] = (0, lambda: None, _Turns())
"""The thread and the event loop that were last asked for, and its turns."""


def _turns_of(loop: AbstractEventLoop) -> _Turns:
    global _last  # noqa: PLW0603 - a cache of one; it is read and replaced as a whole
    thread, known, turns = _last
    if known() is not loop or thread != get_ident():
        turns = _turns.get(loop) or _turns.setdefault(loop, _Turns())
        _last = get_ident(), ref(loop), turns
    return turns


class Pace:
    """Sizes the slices of one loop: from 1 item upwards, so that each takes an eighth of `BUDGET` or more."""

    # what most loops never set is said by the class: it costs no run anything
    settle: Any = None
    """In a plain generator, which cannot await: takes an awaitable, and returns what that comes to."""
    source: Any = None
    """The asynchronous iterator that the loop reads, if it is the stream's own source."""
    nested: dict[int, Any] = NONE
    """By the index of a step that goes through streams: the one that it reads now, or what closes it."""
    book: Any = None
    """Where the stages of streams that its steps go through are entered, if a handle asks for that."""
    closing: Any = None
    """What ends a pull that is pending when its iterator is closed: asked whether it did."""
    given_up: bool = False
    """Whether a pull was cancelled, which has ended the loop."""
    out: Any = None
    """The operator that a pump fills a lane for: named in an error of the lines that hand over."""
    parts: list[Any] | None = None
    """Is told the segments of the loops, if somebody looks for their errors."""
    size: int = 1

    def __init__(self) -> None:
        self.handed: list[Any] = []
        """Steps of the source that were taken, or must be, outside of the loop: see `rescue`."""
        self._started = self._looked = perf_counter()

    def begin(self) -> tuple[dict[int, Any], int]:
        """Be what a loop needs whose steps go through streams: `nested`, and the count to the next look."""
        self.nested = {}
        return self.nested, self.size

    def due(self) -> bool:
        """Look at the clock: adapt `size`, and say whether it is time to let others run."""
        now = perf_counter()
        looked, self._looked = self._looked, now
        spent = now - looked
        if spent < BUDGET / 8:
            if self.size < LARGEST:
                self.size = min(self.size * 4, LARGEST)
            if now - self._started < BUDGET:
                return False
        others = self.others(now)
        self._started = max(self._started, others)
        if spent >= BUDGET / 8:
            if others > looked:  # what its own items have cost meanwhile is not known
                self.size = FEW if self.size * 4 > FEW else self.size * 4
            elif spent > BUDGET / 2:
                self.size = max(1, int(self.size * BUDGET / 4 / spent))
        return now - self._started >= BUDGET

    def others(self, now: float) -> float:
        """When others have run last, as far as that is known."""
        return 0.0

    def closed(self, error: BaseException) -> bool:
        """Whether `error` is only the end of a pull whose iterator was closed meanwhile."""
        if self.closing is not None:
            return self.closing(error)  # type: ignore[no-any-return]
        self.given_up = isinstance(error, CancelledError)
        return False

    @property
    def over(self) -> bool:
        """Whether the loop is being ended from outside."""
        return self.closing is not None

    def rested(self) -> None:
        """Others have run: begin anew."""
        self._started = self._looked = perf_counter()

    async def breathe(self) -> bool:
        """Let others run; True if a cancellation came meanwhile, and the source has taken a step for it."""
        try:
            await self.away()
        except CancelledError as error:
            await self.rescue(error)
            return True
        finally:
            self.rested()
        return False

    def away(self) -> Any:
        """What is awaited while others run."""
        return sleep(0)

    async def rescue(self, error: CancelledError) -> None:
        """Hand a cancellation, which a cancel scope inside the source may have sent (PEP 789), to the source.

        Its scope catches it there, and the item in hand is kept (``tests/laws/test_scopes.py``). One that was
        meant for the task comes out of the source again.
        """
        nested, handed = self.nested, self.handed
        inner = max([index for index in nested if hasattr(nested[index], "athrow")], default=None)
        source = self.source if inner is None else nested[inner]
        throw = getattr(source, "athrow", None)
        over = getattr(source, "ag_frame", source) is None or bool(handed and handed[-1].ended)
        try:
            if throw is None or over or ENDED in error.args:
                raise error
            if handed:  # the source has stepped once already: throw at its next step, once for all scopes
                if not isinstance(handed[-1], Thrown):
                    handed.append(Thrown(throw, error))
                    PUT_OFF[id(current_task())] = handed[-1]
                return
            handed.append(await self.thrown(throw, error))
        except CancelledError as passed:
            if inner is None or ENDED in passed.args:  # what it reads is closed as the loop is left
                raise
            del nested[inner], handed[:]  # it has ended: the rest may be for what is before it
            raise await self.told(passed) from None
        finally:
            del error  # its traceback has this frame: they would keep each other, and the items on the way

    async def told(self, error: CancelledError) -> BaseException:
        """What a cancellation that ended the loop means: itself, or what a scope of the source makes of it.

        Such a scope has cancelled a callback, to which the source had given its item; and where it catches
        that, it takes the cancellation of the task back. A source that only ignores it changes nothing.
        """
        before = _cancellations()
        if self.handed and not self.handed[-1].ended:
            self.handed.clear()  # nothing is read after this: the source takes a step for it now
        try:
            await self.rescue(error)
            if _cancellations() >= before:
                return error
        except BaseException as made:
            return made
        finally:
            del error
        ignored = RuntimeError(
            "a cancel scope of the source has cancelled the callback that was awaited, or its stream: "
            "put a buffer before the callback, which keeps them in tasks of their own"
        )
        ignored.__suppress_context__ = True  # it stands for a cancellation that was taken back
        return ignored

    async def thrown(self, throw: Throw, error: BaseException) -> Handed:
        """What the source does with `error`."""
        try:
            return Handed(await throw(error))
        except StopAsyncIteration:
            return Handed(None, ended=True)
        except BaseException:
            self.out = None  # the source raised this: name no operator
            raise
        finally:
            del error

    def resumed(self, item: Any, source: Any = None) -> Resumed:
        """What the loop reads when `item`, of its source or of another, is in its hand."""
        self.handed.insert(0, Handed(item))
        return Resumed(self.handed, self.source if source is None else source)


def _cancellations() -> int:
    """How often the current task was cancelled, where nobody took that back."""
    task = current_task()
    return 0 if task is None else task.cancelling()


class Own(Pace):
    """The pace of a loop that has a task of its own, and awaits there what its callbacks return.

    Where others have run meanwhile, it begins anew: among many such loops, each would else give way once more
    for each item. Pumps do not: they take turns by when they give way.
    """

    _turns: _Turns | None = None
    """Those of the event loop that it runs in, once it has looked at them."""

    def __init__(self) -> None:
        self.handed = []
        self._started = self._looked = perf_counter()
        thread, _, turns = _last
        if (  # to ask for the loop takes longer; should it be another by now, it is asked at the first look
            not (turns.asked and thread == get_ident())
            and (loop := _running()) is not None
            and not (turns := _turns_of(loop)).asked
        ):
            turns.ask(loop)

    def others(self, now: float) -> float:
        turns = self._turns
        if turns is None:
            self._turns = turns = _turns_of(get_running_loop())
        if not turns.asked:
            turns.ask(get_running_loop())
        looked, turns.looked = turns.looked, now
        # once a turn: what was looked at in this one may be a part of its own task
        return looked if turns.began > self._started else 0.0

    def rested(self) -> None:
        super().rested()
        self.others(self._looked)


class Handed:
    """A step of the source that was taken early: awaiting it gives the item, or the end."""

    def __init__(self, item: Any, *, ended: bool = False) -> None:
        self.item = item
        self.ended = ended

    def __await__(self) -> Generator[Any, None, Any]:
        if self.ended:
            raise StopAsyncIteration
        return self.item
        yield  # never reached: it makes this function a generator


class Thrown:
    """A step of the source that throws an error into it when awaited."""

    ended = False

    def __init__(self, throw: Throw, error: BaseException) -> None:
        self.throw = throw
        self.error = error

    def __await__(self) -> Generator[Any, None, Any]:
        return self.throw(self.error).__await__()


class Resumed:
    """An asynchronous iterator, read on behind the steps of it that were `handed` to its reader."""

    def __init__(self, handed: list[Any], items: Any) -> None:
        self._handed = handed
        self._items = items

    def __aiter__(self) -> Resumed:
        return self

    def __anext__(self) -> Any:
        return self._handed.pop(0) if self._handed else self._items.__anext__()
