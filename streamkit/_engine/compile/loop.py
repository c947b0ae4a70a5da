"""The loop compiler: a segment (a source, the steps after it, and where items go) as one function.

`compiled` makes one function per *shape*: kind of source, sequence of steps, kind of end. Users' functions
are arguments of it, so a shape is compiled once and kept. The generated text is registered with
`linecache`: tracebacks and debuggers show it.
"""

from __future__ import annotations

import ast
import linecache
from asyncio import CancelledError, sleep
from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import chain, count, islice
from operator import length_hint
from threading import Lock
from types import AsyncGeneratorType, CodeType
from typing import Any

from streamkit._core.awaiting import PLAIN, is_awaitable, kind_of, pending
from streamkit._core.markers import DROPPED, EMPTY
from streamkit._core.value import Record
from streamkit._engine.compile.bind import bound
from streamkit._engine.compile.edits import EDITS, Edited
from streamkit._engine.compile.frame import woven
from streamkit._engine.compile.handing import FILLING
from streamkit._engine.compile.key import End, Kind, Pairs, StepKey
from streamkit._engine.compile.lines import LINES, SOURCE, Owner, TooLargeError
from streamkit._engine.compile.nests import INSIDE
from streamkit._engine.compile.pace import AGAIN, LARGEST, Begun, Resumed, steady
from streamkit._engine.compile.weave import Weaver

__all__ = ["Ended", "Loop", "compiled", "fits", "seen"]


class Ended(Exception):  # noqa: N818 - a signal, no failure
    """Thrown into a loop in push form, instead of an item sent, when the source has ended."""


class Loop(Record):
    """A compiled segment."""

    function: Callable[..., Any]
    code: CodeType
    text: str
    owners: tuple[Owner, ...]
    """For each line of `text`, where it came from."""
    wanted: tuple[tuple[int, str], ...]
    """What `function` takes behind source, leave and pace: each the index of a step, and its argument."""
    holds: bool
    """Whether steps pass on what they hold after an error: then `function` takes its segment behind pace."""
    nests: bool
    """Whether steps go through streams that callbacks make: then `function` takes its segment, too."""
    closes: bool
    """Whether a step has something to do when the loop is left."""
    rescues: bool
    """Whether steps need the pace, to hand a cancellation to the source while they wait."""
    forks: bool
    """Whether steps in branches or groups of others are among its steps: then `flattened` has their links."""
    hands: dict[int, str]
    """By the index of a step: the variable of the delivery that it has in hand, where these are followed."""
    usual: bool
    """Whether all this is not so: then `function` takes its arguments, and nothing else is to be done."""

    def through(self, line: int) -> Iterator[int]:
        """The indices of the steps that are at an item of a stream of theirs, at this line of `text`."""
        for node in ast.walk(ast.parse(self.text)) if self.nests else ():
            if isinstance(node, (ast.For, ast.AsyncFor)) and node.body[0].lineno <= line:
                inside = INSIDE.fullmatch(ast.unparse(node.target))
                if inside is not None and line <= (node.body[-1].end_lineno or 0):
                    yield int(inside[1])


NAMED = "<streamkit loop"
"""How the name of the file of every loop begins, in tracebacks."""

SMALL = 256
"""CPython keeps the integers up to here, so that counting down from it allocates nothing."""

LISTS = frozenset((list, tuple, range))
"""Types of what steps go through as it is, where a callback returns it: it never waits, nor needs a close."""

ONCE = (None,)
"""What a loop of one turn goes over: a group that ends early leaves it by a ``break``."""

FRAME = 40
"""How many lines longer a frame may be, of another kind or end, than the one that `fits` looks at."""

_SIZE = 512
_cache: OrderedDict[tuple[Any, ...], Loop | int] = OrderedDict()
_lock = Lock()
_number = count(1)


def compiled(
    kind: Kind,
    steps: tuple[StepKey, ...],
    end: End,
    first: int | None = None,
    edited: Edited | None = None,
    pairs: Pairs | None = None,
) -> Loop | int:
    """The loop of this shape; or, where it would be too large, how many of its steps make the first half.

    If something may follow its source, the `first` so many steps are for what comes from that alone. If steps
    of it may be replaced, `edited` says which. If it has to do with `pairs`, that says how.
    """
    if pairs is Pairs.TAKES and not steps and end is not End.USER:
        pairs = None  # it passes on what it reads
    more = edited if pairs is None else pairs
    key = (kind, steps, end, first) if more is None else (kind, steps, end, first, more)
    found = _cache.get(key)
    if found is not None:
        return found
    try:
        made: Loop | int = _compile(woven(kind, steps, end, first, edited, pairs), steps)
    except (TooLargeError, RecursionError) as error:
        # the hand-over to a lane is many lines, so it counts as a part: one step may be cut off from it
        parts = len(steps) + (end in FILLING)
        if parts < 2:
            if isinstance(error, RecursionError):  # of the program, which was deep in calls already
                raise
            raise SyntaxError(
                f"step {steps[0].declaration.name}: it is too large for one loop: put a part of it into "
                "a function, or make two steps of it"
            ) from None
        made = parts // 2
    with _lock:
        _cache[key] = made
        if len(_cache) > _SIZE:
            _, oldest = _cache.popitem(last=False)
            if isinstance(oldest, Loop):
                linecache.cache.pop(oldest.code.co_filename, None)
    return made


def seen(kind: Kind, steps: tuple[StepKey, ...], end: End) -> Loop | None:
    """The loop of this shape, if there is one already."""
    found = _cache.get((kind, steps, end, None))
    return found if type(found) is Loop else None


def fits(step: StepKey) -> bool:
    """Whether a loop of this step alone is not too large; the steps around it can have loops of their own."""
    key = (step,)
    found = _cache.get(key)
    if found is None:
        try:
            weaver = woven(Kind.ITER, (step,), End.RESULT if step.declaration.sink else End.RELAY)
            found = int(len(weaver.lines.all) + FRAME <= LINES)
        except (TooLargeError, RecursionError):
            found = 0
        with _lock:
            _cache[key] = found
    return found != 0


def _compile(weaver: Weaver, steps: tuple[StepKey, ...]) -> Loop:
    text = "\n".join("    " * line.depth + line.text for line in weaver.lines.all) + "\n"
    names = " | ".join(key.declaration.name for key in steps[:8])
    filename = f"{NAMED} {next(_number)}: {names or 'items'}>"
    constants = dict(
        weaver.names.constants,
        EMPTY=EMPTY,
        DROPPED=DROPPED,
        ONCE=ONCE,
        SMALL=SMALL,
        islice=islice,
        Resumed=Resumed,
        sleep=sleep,
        kind_of=kind_of,
        is_awaitable=is_awaitable,
        pending=pending,
        PLAIN=PLAIN,
        LARGEST=LARGEST,
        AGAIN=AGAIN,
        length_hint=length_hint,
        chain=chain,
        steady=steady,
        Begun=Begun,
        CancelledError=CancelledError,
        Ended=Ended,
        SOURCE=SOURCE,
        AsyncGenerator=AsyncGeneratorType,
        LISTS=LISTS,
    )
    function = bound(text, filename, constants, weaver.names.globals, {} if weaver.edits is None else EDITS)
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    forks = len(weaver.layout.steps) > len(steps)
    return Loop(
        function=function,
        code=function.__code__,
        text=text,
        owners=tuple([line.owner for line in weaver.lines.all]),
        wanted=tuple(weaver.names.wanted.values()),
        holds=weaver.holds,
        nests=weaver.nests,
        closes=weaver.closes,
        rescues=weaver.rescues,
        forks=forks,
        hands=weaver.hands,
        usual=not (weaver.holds or weaver.nests or weaver.closes or weaver.rescues or forks),
    )
