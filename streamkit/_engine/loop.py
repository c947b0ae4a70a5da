"""The loop compiler: a segment (a source, the steps after it, and where items go) as one function.

`compiled` makes one code object per *shape*: kind of source, sequence of steps, kind of end. Users'
functions are arguments of it, so a shape is compiled once and kept. The generated text is registered
with `linecache`: tracebacks and debuggers show it.
"""

from __future__ import annotations

import linecache
from asyncio import CancelledError, sleep
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum
from inspect import isawaitable
from itertools import count, islice
from threading import Lock
from types import CodeType
from typing import Any

from streamkit._core.value import Record
from streamkit._engine.pace import Resumed
from streamkit._engine.shape import StepKey
from streamkit._engine.weave import LINES, TooLargeError, Weaver

__all__ = ["EMPTY", "End", "Ended", "Kind", "Loop", "compiled", "fits"]


class Kind(StrEnum):
    """What a loop reads from."""

    SLICE = "slice"
    """A range, list or tuple: taken in slices of its own type, at no cost per item."""
    ITER = "iter"
    """Any other synchronous iterator."""
    ASYNC = "async"
    """An asynchronous iterator."""
    CHANNEL = "channel"
    """A `Channel`: read without a generator in between."""
    PUSH = "push"
    """Nothing: each item is sent in, and what must be awaited comes out. A generator, ended by `Ended`."""
    PULL = "pull"
    """What it is `given`, in iterables: a generator of what comes of that, and of EMPTY where it waits."""


class End(StrEnum):
    """Where a loop's items go."""

    RESULT = "result"
    """Into the sink that is its last step: a coroutine."""
    PUMP = "pump"
    """Into a lane of a channel: a coroutine."""
    STAGE = "stage"
    """To the stage, or the cut-off rest of the segment, that reads them: an async generator."""
    USER = "user"
    """To the user's ``async for``: an async generator that waits once before it begins."""
    PLAIN = "plain"
    """To a plain ``for``: a generator."""


class Ended(Exception):  # noqa: N818 - a signal, thrown in where the next item would be sent
    """Told to a loop in push form when nothing more will come."""


class _Empty:
    def __repr__(self) -> str:
        return "EMPTY"


EMPTY = _Empty()
"""What a channel's ``pop`` returns when it holds nothing."""


class Loop(Record):
    """A compiled segment."""

    function: Callable[..., Any]
    code: CodeType
    text: str
    owners: tuple[int | None, ...]
    """For each line of `text`, the place of the step it came from."""
    wanted: tuple[tuple[int, str], ...]
    """The steps' arguments, in the order in which `function` takes them."""
    forks: bool
    """Whether there are steps in branches of others among them."""


SMALL = 256
"""CPython keeps the integers up to here, so that counting down from it allocates nothing."""

FRAME = 40
"""Lines by which the frames around one step differ at most, from one kind and end to another."""

_SIZE = 512
_cache: OrderedDict[tuple[Any, ...], Loop | int] = OrderedDict()
_lock = Lock()
_number = count(1)


def compiled(kind: Kind, steps: tuple[StepKey, ...], end: End) -> Loop | int:
    """The loop of this shape; or, where it would be too large, how many of its steps make the first half."""
    key = (kind, steps, end)
    found = _cache.get(key)
    if found is not None:
        return found
    try:
        made: Loop | int = _compile(kind, steps, end)
    except (TooLargeError, RecursionError):
        if len(steps) < 2:
            raise
        made = len(steps) // 2
    with _lock:
        _cache[key] = made
        if len(_cache) > _SIZE:
            _, oldest = _cache.popitem(last=False)
            if isinstance(oldest, Loop):
                linecache.cache.pop(oldest.code.co_filename, None)
    return made


def fits(step: StepKey) -> bool:
    """Whether a loop of this one step is not too large: others around it can be cut off."""
    key = (step,)
    found = _cache.get(key)
    if found is None:
        try:
            weaver = Weaver((step,), "yield {item}", settle="await {value}")
            _frame(weaver, Kind.ITER, End.RESULT if step.declaration.sink else End.STAGE)
            found = int(len(weaver.lines) + FRAME <= LINES)
        except (TooLargeError, RecursionError):
            found = 0
        with _lock:
            _cache[key] = found
    return found != 0


def _compile(kind: Kind, steps: tuple[StepKey, ...], end: End) -> Loop:
    last = "" if end in (End.RESULT, End.PUMP) else "yield {item}"
    settle = "settle({value})" if end is End.PLAIN else _SETTLES.get(kind, "await {value}")
    weaver = Weaver(steps, last, settle=settle)
    weaver.add(0, "")
    _frame(weaver, kind, end)
    parameters = ", ".join(["source", "leave", "pace", *weaver.wanted])
    colour = "def" if kind in _SETTLES or end is End.PLAIN else "async def"
    weaver.lines[0].text = f"{colour} loop({parameters}):"
    text = "\n".join("    " * line.depth + line.text for line in weaver.lines) + "\n"
    names = " | ".join(key.declaration.name for key in steps[:8])
    filename = f"<streamkit loop {next(_number)}: {names or 'items'}>"
    namespace = dict(
        weaver.constants,
        EMPTY=EMPTY,
        SMALL=SMALL,
        islice=islice,
        Resumed=Resumed,
        sleep=sleep,
        isawaitable=isawaitable,
        CancelledError=CancelledError,
        Ended=Ended,
    )
    exec(compile(text, filename, "exec"), namespace)
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    function = namespace["loop"]
    return Loop(
        function=function,
        code=function.__code__,
        text=text,
        owners=tuple([line.owner for line in weaver.lines]),
        wanted=tuple(weaver.wanted.values()),
        forks=len(weaver.steps) > len(steps),
    )


def _frame(weaver: Weaver, kind: Kind, end: End) -> None:
    """The function around the steps: try, setups, loop, endings, and leaving the source in every case."""
    wait = "" if end is End.PLAIN else "await "
    if kind in _SETTLES:
        (_push if kind is Kind.PUSH else _pull)(weaver)
        return
    weaver.add(1, "try:")
    if end is End.USER:
        weaver.add(2, "yield")
    flags = _flags(weaver, 2)
    if end is End.PLAIN:
        weaver.add(2, "settle = pace.settle")
    weaver.setups(2)
    if end is End.PLAIN:
        _plain(weaver, bool(flags))
    else:
        _KINDS[kind](weaver, end, bool(flags))
    weaver.probing = bool(flags)
    weaver.ending(2)
    weaver.add(1, "except BaseException as error:")
    weaver.add(2, f"{wait}leave(error)")
    weaver.add(2, "raise")
    if kind is not Kind.SLICE:
        weaver.add(1, "finally:")
        weaver.add(2, f"{wait}leave()")


def _flags(weaver: Weaver, depth: int) -> list[str]:
    """Set the flags of the callbacks of which it is not known whether they must be awaited."""
    flags = weaver.unknown()
    if flags:
        weaver.add(depth, f"{' = '.join(flags)} = None")
        weaver.add(depth, f"probing = {len(flags)}")
    return flags


def _push(weaver: Weaver) -> None:
    """Whoever sends the items in does the rest: he opens, closes, and says whose error it is."""
    flags = _flags(weaver, 1)
    weaver.setups(1)
    weaver.add(1, "try:")
    weaver.add(2, "while True:")
    weaver.add(3, "item = yield")
    _each(weaver, 3, bool(flags))
    weaver.add(1, "except Ended:")
    weaver.add(2, "pass")
    weaver.probing = bool(flags)
    weaver.ending(1)


def _pull(weaver: Weaver) -> None:
    """Whoever takes the items out does the rest. He may ask again where it waits: it goes on waiting."""
    weaver.add(1, "try:")
    flags = _flags(weaver, 2)
    weaver.setups(2)
    weaver.add(2, "given = source.given")
    weaver.add(2, "while not source.over:")
    weaver.add(3, "while given:")
    weaver.add(4, "for item in given.popleft():")
    _each(weaver, 5, bool(flags))
    weaver.add(3, "yield EMPTY")
    weaver.probing = bool(flags)
    weaver.ending(2)
    weaver.add(1, "except BaseException as error:")
    weaver.add(2, "leave(error)")
    weaver.add(2, "raise")


def _either(weaver: Weaver, depth: int, probing: bool, header: str) -> None:
    """The loop over one slice: while callbacks are unknown in one form, from then on in the fast one."""
    if probing:
        weaver.add(depth, "if probing:")
        weaver.add(depth + 1, header)
        weaver.probing = True
        weaver.body(depth + 2)
        weaver.probing = False
        weaver.add(depth, "else:")
        depth += 1
    weaver.add(depth, header)
    weaver.body(depth + 1)


def _breathe(weaver: Weaver, depth: int) -> None:
    weaver.add(depth, "if pace.due():")
    weaver.add(depth + 1, "await sleep(0)")
    weaver.add(depth + 1, "pace.rested()")


def _slice(weaver: Weaver, end: End, probing: bool) -> None:
    weaver.add(2, "start = 0")
    weaver.add(2, "while part := source[start:start + pace.size]:")
    weaver.add(3, "start += len(part)")
    _either(weaver, 3, probing, "for item in part:")
    _breathe(weaver, 3)


def _iter(weaver: Weaver, end: End, probing: bool) -> None:
    weaver.add(2, "while True:")
    weaver.add(3, "item = EMPTY")
    _either(weaver, 3, probing, "for item in islice(source, pace.size):")
    weaver.add(3, "if item is EMPTY:")
    weaver.add(4, "break")
    _breathe(weaver, 3)


def _counted(weaver: Weaver, depth: int) -> None:
    weaver.add(depth, "if not left:")
    _breathe(weaver, depth + 1)
    weaver.add(depth + 1, "left = min(pace.size, SMALL)")
    weaver.add(depth, "left -= 1")


def _async(weaver: Weaver, end: End, probing: bool) -> None:
    if end is End.PUMP:
        _pumped(weaver, probing)
        return
    weaver.add(2, "left = min(pace.size, SMALL)")
    _twice(weaver, probing, "async for item in source:", counted=True)


def _twice(weaver: Weaver, probing: bool, header: str, *, counted: bool) -> None:
    """The loop over a whole iterator: first in the probing form, until all callbacks are known."""
    depth = 2
    if probing:
        weaver.add(2, "ended = False")
        weaver.add(2, header)
        if counted:
            _counted(weaver, 3)
        weaver.probing = True
        weaver.body(3)
        weaver.probing = False
        # where the body has said `continue`, a later item gets here
        weaver.add(3, "if not probing:")
        weaver.add(4, "break")
        weaver.add(2, "else:")
        weaver.add(3, "ended = True")
        weaver.add(2, "if not ended:")
        depth = 3
    weaver.add(depth, header)
    if counted:
        _counted(weaver, depth + 1)
    weaver.body(depth + 1)


def _pumped(weaver: Weaver, probing: bool) -> None:
    """A pump's loop: a step of the source that was taken while waiting downstream (PEP 789) comes first."""
    weaver.whole = True  # the check for such a step must not be skipped
    weaver.add(2, "left = min(pace.size, SMALL)")
    weaver.add(2, "handed, items = pace.handed, source")
    weaver.add(2, "while items is not None:")
    weaver.add(3, "async for item in items:")
    _each(weaver, 4, probing)
    weaver.add(4, "if handed:")
    weaver.add(5, "items = Resumed(handed, source)")
    weaver.add(5, "break")
    weaver.add(4, "left -= 1")
    weaver.add(4, "if not left:")  # before the next pull: nothing is in hand while others run
    _breathe(weaver, 5)
    weaver.add(5, "left = min(pace.size, SMALL)")
    weaver.add(3, "else:")
    weaver.add(4, "items = None")


def _each(weaver: Weaver, depth: int, probing: bool) -> None:
    if probing:
        weaver.add(depth, "if probing:")
        weaver.probing = True
        weaver.body(depth + 1)
        weaver.probing = False
        weaver.add(depth, "else:")
        depth += 1
    weaver.body(depth)


def _channel(weaver: Weaver, end: End, probing: bool) -> None:
    weaver.add(2, "channel = source()")
    weaver.add(2, "drained, wait = channel.drained, channel.wait")
    weaver.add(2, "while await wait():")
    weaver.add(3, "for item in drained(pace.size):")
    _each(weaver, 4, probing)
    _breathe(weaver, 3)


def _plain(weaver: Weaver, probing: bool) -> None:
    _twice(weaver, probing, "for item in source:", counted=False)


_KINDS = {Kind.SLICE: _slice, Kind.ITER: _iter, Kind.ASYNC: _async, Kind.CHANNEL: _channel}
_SETTLES = {Kind.PUSH: "(yield {value})", Kind.PULL: "(yield from source.settled({value}))"}
"""How the kinds that are generators, and run by tasks of others, have a callback's result awaited."""
