"""Ending tasks: each is cancelled once, and never in its clean-up.

A run ends its tasks by cancellation, which goes to whatever a task waits for. Where that is clean-up, or the
task is being cancelled by somebody else already (``asyncio.run`` cancels all tasks when a program ends), the
task is left alone, and looked at again a little later. A cancellation that a task has put off, for the next
step of a source, may be far from that step: it spares the task nothing.
"""

from __future__ import annotations

import dis
from asyncio import AbstractEventLoop, Task, TimerHandle
from collections.abc import Callable, Iterator
from gc import get_referents
from types import AsyncGeneratorType, CodeType, CoroutineType, GeneratorType
from typing import Any

from streamkit._engine.compile.pace import ENDED, PUT_OFF
from streamkit._engine.run.driver import Driver
from streamkit._engine.run.gate import Drive
from streamkit._engine.run.leave import Segment
from streamkit._engine.run.shelter import hide

__all__ = ["STEPPING", "Ending", "has_begun", "interrupt", "is_cleaning_up"]

_MANY = 512
"""Code objects of which is known where they clean up, at most."""
_SOON = 0.001
_LATER = 1.0
"""Seconds until a task that was left alone is looked at again: twice as long each time, up to a second."""


class Ending:
    """Cancels the tasks of one run."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._spared: set[Task[Any]] = set()
        """Tasks that are let alone for now, and looked at again."""
        self._timer: TimerHandle | None = None

    def cancel(self, task: Task[Any]) -> None:
        """Cancel `task`, now or when its clean-up is over. One that has not begun ends by itself, at once."""
        if has_begun(task):
            hide(task)
            self.ends(task)

    def ends(self, task: Task[Any]) -> bool:
        """Cancel `task`, now or when its clean-up is over; False if that is later. It stays known."""
        if self._cancelled(task):
            return True
        if self._timer is not None:  # it may be long until then, for another task
            self._timer.cancel()
        self._look_in(_SOON)
        return False

    def forget(self) -> None:
        """Every task has ended."""
        self._spared.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cancelled(self, task: Task[Any]) -> bool:
        """Cancel `task`, unless it must be let alone for now; whether it was cancelled."""
        if (task.cancelling() and id(task) not in PUT_OFF) or is_cleaning_up(task):
            self._spared.add(task)
            return False
        self._spared.discard(task)
        task.cancel(ENDED)
        return True

    def _look_in(self, seconds: float) -> None:
        self._timer = self._loop.call_later(seconds, self._look, min(2 * seconds, _LATER))

    def _look(self, seconds: float) -> None:
        self._timer = None
        self._spared = {task for task in self._spared if not task.done()}
        if [task for task in (*self._spared,) if not self._cancelled(task)]:
            self._look_in(seconds)


def interrupt(task: Task[Any]) -> bool:
    """Cancel one `task`, now or when its clean-up is over; False if that is later."""
    ending = Ending(task.get_loop())
    if ending.ends(task):
        return True
    task.add_done_callback(lambda _: ending.forget())
    return False


def has_begun(task: Task[Any]) -> bool:
    """Whether `task` has taken its first step."""
    steps: Any = task.get_coro()
    # `getcoroutinestate` without the call, which each stream that is left early would pay
    return (
        type(steps) is not CoroutineType or steps.cr_suspended or steps.cr_running or steps.cr_frame is None
    )


def is_cleaning_up(task: Task[Any]) -> bool:
    """Whether `task` waits for the clean-up of a source, which is being closed or ends by itself.

    It is asked for each stream that is left early, as with each switch of a ``switch_map``.
    """
    # what these types yield and return is of no interest, and unknown to a type checker
    following: Any = task.get_coro()
    while following is not None:
        kind: Any = type(following)  # pyright: ignore[reportUnknownVariableType] - a type of anything
        if kind is CoroutineType:
            code = following.cr_code
            if code is _LEAVING or code is _CLOSING_NESTED:
                return True
            following = following.cr_await
        elif kind is AsyncGeneratorType:
            frame = following.ag_frame
            if frame is not None and frame.f_lasti in _last_waits(following.ag_code):
                return True
            following = following.ag_await
        elif kind is GeneratorType and following.gi_code in STEPPING:
            step = STEPPING[following.gi_code]
            following = None if following.gi_frame is None else step(following.gi_frame.f_locals)
        elif kind is GeneratorType:
            following = following.gi_yieldfrom
        else:  # a step of an async generator has no attribute for that
            following = next((each for each in get_referents(following) if type(each) in _WAITING), None)
    return False


_LEAVING = Segment.leave.__code__
_CLOSING_NESTED = Segment.close_nested.__code__


STEPPING: dict[CodeType, Callable[[dict[str, Any]], Any]] = {
    Drive.__await__.__code__: lambda names: names["steps"],
    Driver.__await__.__code__: lambda names: names["self"].work,
}
"""What steps another awaitable by hand; and which, by its variables."""
_WAITING = (AsyncGeneratorType, CoroutineType)

# Where an async generator is in its clean-up cannot be asked. But its code tells: it waits in a ``finally``,
# an ``except`` or the end of a ``with``, and no ``yield`` can follow. Python compiles the body of a
# ``finally`` twice, for the usual way and for errors. So the usual way is known by the places in the source
# text that it shares with what only errors lead to (`tests/run/test_ending.py`).

_LAST = ("RETURN_VALUE", "RETURN_CONST", "RERAISE", "RAISE_VARARGS")
_JUMPS = ("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT")
_USUAL = ("END_ASYNC_FOR", "CLEANUP_THROW")
"""How exceptions that are no errors are handled: the end of an ``async for``, and what is thrown in."""


_known: dict[int, tuple[CodeType, frozenset[int]]] = {}
"""By the id of a code object, which is kept here: what `_last_waits` says. To hash one takes microseconds."""


def _last_waits(code: CodeType) -> frozenset[int]:
    """The offsets of the instructions in clean-up behind the last ``yield`` of an async generator."""
    found = _known.get(id(code))
    if found is None:
        if len(_known) >= _MANY:
            _known.clear()
        found = _known[id(code)] = code, _looked_for(code)
    return found[1]


def _looked_for(code: CodeType) -> frozenset[int]:
    steps = {step.offset: step for step in dis.get_instructions(code)}
    following, usual = _ways(code, steps)
    from_start = _reached(0, lambda offset: usual[offset])
    yields = {
        before
        for before, after in zip(steps, [*steps][1:], strict=False)
        if steps[before].opname == "YIELD_VALUE" and steps[after].argval & 3 == 1  # a RESUME, of no ``await``
    }
    by_error = {steps[offset].positions for offset in steps.keys() - from_start}
    return frozenset(
        offset
        for offset, step in steps.items()
        if step.positions is not None
        and step.positions.lineno is not None
        and step.positions in by_error
        and not yields & _reached(offset, lambda offset: following[offset])
    )


def _ways(
    code: CodeType, steps: dict[int, dis.Instruction]
) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """Where each instruction may lead to; and the same without errors."""
    usual: dict[int, set[int]] = {offset: set() for offset in steps}
    for offset, after in zip(steps, [*steps][1:], strict=False):
        if steps[offset].opname not in (*_LAST, *_JUMPS):
            usual[offset].add(after)
    for offset, step in steps.items():
        if step.opcode in dis.hasjrel or step.opcode in dis.hasjabs:
            usual[offset].add(step.argval)
    following = {offset: {*ways} for offset, ways in usual.items()}
    for start, end, target in _handlers(code):
        for offset in steps:
            if start <= offset < end:
                following[offset].add(target)
                if steps[target].opname in _USUAL:
                    usual[offset].add(target)
    return following, usual


def _reached(offset: int, ways: Callable[[int], set[int]]) -> set[int]:
    """`offset`, and all that it leads to."""
    found, left = {offset}, [offset]
    while left:
        new = ways(left.pop()) - found
        found |= new
        left += new
    return found


def _handlers(code: CodeType) -> Iterator[tuple[int, int, int]]:
    """Start and end of each stretch of `code`, and the offset where its exceptions are handled.

    The format is that of ``Objects/exception_handling_notes.txt`` in CPython.
    """
    numbers: list[int] = []
    number = 0
    for byte in code.co_exceptiontable:
        number = number << 6 | byte & 63
        if not byte & 64:
            numbers.append(number)
            number = 0
    for start, length, target in zip(numbers[::4], numbers[1::4], numbers[2::4], strict=True):
        yield 2 * start, 2 * (start + length), 2 * target
