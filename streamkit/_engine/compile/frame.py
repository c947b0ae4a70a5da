"""Frames: the function around the steps of a loop, for each kind of source and of end."""

from __future__ import annotations

from streamkit._engine.compile.key import End, Kind, StepKey
from streamkit._engine.compile.lines import Line
from streamkit._engine.compile.weave import Weaver

__all__ = ["FILLING", "woven"]

_PUT = """\
if lane.put({item}):
    await lane.room(pace.rescue)
    pace.rested()
"""
"""The end of a pump: a place is reserved before the source is pulled."""
_ROOM = """\
    while True:
        try:
            await lane.vacancy()
        except CancelledError as error:
            await pace.rescue(error)
        if len(held) < lane.limit or lane.limit < 0:
            break
    pace.rested()
    free = 0
"""
"""What `Lane.room` does, without coroutines between the task and what it waits for."""
_APPEND = f"""\
if free and lane.listed:
    free -= 1
    held.append({{item}})
elif lane.put({{item}}):
{_ROOM}\
else:
    free = lane.granted()
"""
"""The same, with no call for what the lane has granted."""
_APPEND_EACH = f"""\
if free and lane.listed:
    free -= 1
    held.append({{item}})
    continue
if lane.put({{item}}):
{_ROOM}\
else:
    free = min(lane.granted(), left - 1)
    left -= free
"""
"""The same, where every item of the source gets there: what is granted is counted at once."""
FILLING = {End.PUMP: _PUT, End.FILL: _APPEND}
"""The ends that put items into a lane, and how."""


def woven(kind: Kind, steps: tuple[StepKey, ...], end: End) -> Weaver:
    """The lines of a loop: a function of the source, what leaves it, the pace, and what the steps want."""
    last = "" if end is End.RESULT else FILLING.get(end, "yield {item}")
    settle = "settle({value})" if end is End.PLAIN else _SETTLES.get(kind, "await {value}")
    weaver = Weaver(steps, last, settle=settle)
    weaver.add(0, "")
    _frame(weaver, kind, end)
    parameters = ", ".join(["source", "leave", "pace", *weaver.wanted])
    colour = "def" if kind in _SETTLES or end is End.PLAIN else "async def"
    weaver.lines[0].text = f"{colour} loop({parameters}):"
    return weaver


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
    if end in FILLING:
        weaver.add(2, "lane = pace.lane")
        if end is End.FILL:
            weaver.add(2, "held, free = lane.held, 0")
        weaver.add(2, "if lane.full():")
        weaver.add(3, "await lane.room(pace.rescue)")
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


def _breathe(weaver: Weaver, depth: int, before: str = "") -> None:
    weaver.add(depth, "if pace.due():")
    if before:
        weaver.add(depth + 1, before)
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
    if end in FILLING:
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
    if weaver.last == _APPEND and not weaver.steps:
        weaver.last = _APPEND_EACH
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


def _each(weaver: Weaver, depth: int, probing: bool) -> bool:
    """What happens with one item; whether others may run meanwhile, once the callbacks are known."""
    if probing:
        weaver.add(depth, "if probing:")
        weaver.probing = True
        weaver.body(depth + 1)
        weaver.probing = False
        weaver.add(depth, "else:")
        depth += 1
    weaver.waits = bool(weaver.last)
    weaver.body(depth)
    return weaver.waits


def _channel(weaver: Weaver, end: End, probing: bool) -> None:
    weaver.add(2, "channel = source()")
    weaver.add(2, "drained, wait = channel.drained, channel.wait")
    place = len(weaver.lines) + probing
    weaver.add(2, "while await wait():")
    weaver.add(3, "for item in drained(pace.size):")
    alone = not _each(weaver, 4, probing)
    if alone:
        line = Line(2 + probing, f"channel.alone = {'not probing' if probing else True}", None)
        weaver.lines.insert(place, line)
    _breathe(weaver, 3, before="channel.rest()" if alone else "")


def _plain(weaver: Weaver, probing: bool) -> None:
    _twice(weaver, probing, "for item in source:", counted=False)


_KINDS = {Kind.SLICE: _slice, Kind.ITER: _iter, Kind.ASYNC: _async, Kind.CHANNEL: _channel}
_SETTLES = {Kind.PUSH: "(yield {value})", Kind.PULL: "(yield from source.settled({value}))"}
"""How the kinds that are generators, and run by tasks of others, have a callback's result awaited."""
