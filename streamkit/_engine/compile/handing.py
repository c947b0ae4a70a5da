"""Handing over: what a loop does with what comes out of its last step, for each kind of end."""

from __future__ import annotations

from textwrap import indent

from streamkit._engine.compile.key import End, Kind, Pairs, StepKey

__all__ = ["FILLING", "GRANTED", "OPENING", "RESCUED", "handing_over", "in_parts"]

# How a loop hands over what comes out of its last step. A pump puts it into a lane and then waits while that
# is full: so there is room for the next item before the source is asked for it (law 2).

_PUT = """\
if lane.put({item}):
    {item} = None
    await lane.room(pace.rescue)
    pace.rested()
"""
"""Into any lane: `put` says whether it is full now."""

# `Lane.room`, written out: what awaits it would resume a coroutine more each time. The pumps of a merge wait
# here after every few items. Guarded by `pumped` in test_opcodes.py.
_ROOM = """\
    {item} = None
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
"""Waits for room in a plain lane."""

# A plain lane grants its pump (`Lane.granted`) a number of items that it may append with no call of `put`: as
# many as do not fill it. `free` counts what is left of them. They may only be appended while `lane.listed`:
# when the reader has taken all, the next item must be `put`, which tells the reader of it.
# Guarded by `pumped` and `ahead` in test_opcodes.py.
_APPEND = f"""\
if free and lane.listed:
    free -= 1
    held.append({{item}})
elif lane.put({{item}}):
{_ROOM}\
else:
    free = lane.granted(free)
"""
"""Into a plain lane: by an append, as long as the lane has granted it."""

# Where there are no steps, each item of the source is one for the lane. So the items granted are taken off
# `left`, the count to the next look at the clock, all at once. The `continue` skips what `_pumped` writes
# behind this: that would count this item, and look for a step that the source took during a wait, but there
# was no wait. Guarded by `pumped` in test_opcodes.py.
_APPEND_EACH = f"""\
if free and lane.listed:
    free -= 1
    held.append({{item}})
    del {{item}}
    continue
if lane.put({{item}}):
{_ROOM}\
else:
    free = lane.granted(free, left - 1)
    left -= free
"""
"""The same, where every item of an asynchronous source goes into the lane as it is."""

# What is granted of a list goes in by one call, and by no line for each item: nobody runs meanwhile.
# Guarded by test_opcodes_rate.py.
_APPEND_PART = f"""\
if lane.put({{item}}):
{_ROOM}\
else:
    free = lane.granted(free)
    if free and lane.listed:
        before = len(held)
        held.extend(islice(rest, free))
        free -= len(held) - before
"""
"""The same, where every item of a list goes into the lane as it is; ``rest`` is what follows of the slice."""

# A `try` costs nothing where nothing is thrown in.
_PASS = """\
try:
    yield {item}
except CancelledError as error:
    await pace.rescue(error)
"""
"""To the stage that reads it. See `_pumped`: what is thrown in is for the source."""

# A lane that is full and loses or folds an item for each that comes *floods* (`Flooding`): until its reader
# takes something, an item costs what happens to it, and a count. Guarded by test_opcodes_rate.py.
_SHED = """\
if free and lane.listed:
    free -= 1
    held.append({item})
elif flood.on:
    shed({item})
    flood.count += 1
else:
    lane.put({item})
    free = lane.granted(free)
"""
"""Into a lane that loses items: ``shed`` keeps what is to be kept of those held and this one."""

_LATEST = """\
if flood.on:
    cell[0] = {item}
    flood.count += 1
else:
    lane.put({item})
"""
"""Into one that keeps the latest item only."""

_STAMP = _LATEST.replace("    flood.count += 1", "    flood.stamp = clock()\n    flood.count += 1")
"""The same, where it is noted when that came."""

_NEXT = """\
    left -= 1
    if left:
        {item} = None
        continue
    left = 1
else:
"""
"""Where nothing was waited for, there is nothing to look for either: as in `_APPEND_EACH`."""

_FOLD = """\
if flood.on:
    try:
        cell[0] = fold(cell[0], {item})
    except BaseException:
        lane.unfolded()
        raise
    flood.count += 1
else:
    lane.put({item})
"""
"""Into a lane that folds items."""

# A driven lane is full when as many items were appended as there was room for. So the loop need not look at
# the lane before that; only whether it still takes items in. Guarded by test_opcodes_driven.py.
_APPENDED = """\
if lane.listed:
    held.append({item})
    free -= 1
"""
_PARK = """\
    {item} = None
    while not (free := lane.limit - len(held)):
        pace.parked = True
        if left < AGAIN:
            left = AGAIN
        try:
            await parking
        except CancelledError as error:
            await pace.rescue(error)
"""
_DRIVE = f"""\
{_APPENDED}\
else:
    lane.put({{item}})
if not free:
{_PARK}\
"""
"""Into a driven lane, whose pump parks where it is full."""

_DRIVE_EACH = f"""\
{_APPENDED}\
    if free:
        del {{item}}
        continue
{_PARK.replace("AGAIN", "stint")}\
    if free > 1:
        if free > left:
            free = left
        left -= free - 1
else:
    lane.put({{item}})
"""
"""The same, where every item of an asynchronous source goes into the lane as it is."""

# Where the reader lets others run its loop, an item that is handed over costs a `send` into that (`Feed`).
# All else is said when a step of the pump ends: it waits then, and not before. Guarded by
# test_opcodes_timed.py.
_ASKED = """\
while not lane.asked:
    pace.parked = True
    try:
        await parking
    except CancelledError as error:
        await pace.rescue(error)
"""
_SENT = """\
if (feed := channel.direct) is None:
    lane.put({item})
else:
    passed.count += 1
    try:
        if (told := feed.send({item})) is not None:
            lane.told(feed, told)
            told = None
    except BaseException as error:
        lane.told(feed, error=error)
"""
_HAND = f"""\
{_SENT}\
if not lane.asked:
    {{item}} = None
{indent(_ASKED, "    ")}\
"""
"""To a reader that asks for each item: nothing is pulled before it does."""

_HAND_EACH = _HAND.replace(
    """\
        if (told := feed.send({item})) is not None:
""",
    """\
        if (told := feed.send({item})) is None:
            left -= 1
            if left:
                {item} = None
                continue
            left = 1
        else:
""",
)
"""The same, where every item of an asynchronous source is handed over as it is."""

FILLING = {
    End.PUMP: _PUT,
    End.FILL: _APPEND,
    End.SHED: _SHED,
    End.LATEST: _LATEST,
    End.STAMP: _STAMP,
    End.FOLD: _FOLD,
    End.DRIVE: _DRIVE,
    End.HAND: _HAND,
}
"""The ends that put items into a lane, and how."""

GRANTED = (End.FILL, End.SHED)
"""The ends that append what the lane has granted."""

_LANE = (2, "lane = pace.lane")
_ROOM_FIRST = ((2, "if lane.full():"), (3, "await lane.room(pace.rescue)"))
OPENING = {
    End.PUMP: (_LANE, *_ROOM_FIRST),
    End.FILL: (_LANE, (2, "held = lane.held"), *_ROOM_FIRST),
    End.SHED: (_LANE, (2, "held, flood, shed = lane.held, lane.flood, lane.shed"), *_ROOM_FIRST),
    End.LATEST: (_LANE, (2, "cell, flood = lane.cell, lane.flood"), *_ROOM_FIRST),
    End.STAMP: (
        _LANE,
        (2, "cell, flood, clock = lane.cell, lane.flood, lane.channel.clock"),
        *_ROOM_FIRST,
    ),
    End.FOLD: (_LANE, (2, "cell, flood, fold = lane.cell, lane.flood, lane.fold"), *_ROOM_FIRST),
    End.DRIVE: (
        _LANE,
        (2, "held, parking, stint = lane.held, lane.parking, lane.stint"),
        (2, "free, left = 1, 0"),
    ),
    End.HAND: (
        _LANE,
        (2, "channel, passed, parking = lane.channel, lane.passed, lane.parking"),
        *((2 + (len(line) - len(line.lstrip())) // 4, line.strip()) for line in _ASKED.splitlines()),
    ),
}
"""What they begin with: lines, each with its depth."""

_OF_EACH = {
    End.FILL: _APPEND_EACH,
    End.DRIVE: _DRIVE_EACH,
    End.HAND: _HAND_EACH,
    End.LATEST: _LATEST.replace("else:\n", _NEXT),
    End.STAMP: _STAMP.replace("else:\n", _NEXT),
}
"""How they do it where every item of an asynchronous source goes into the lane as it is."""

RESCUED = {**FILLING, End.RELAY: _PASS}
"""The ends at which a cancellation may arrive that is for the source."""


def in_parts(kind: Kind, steps: tuple[StepKey, ...], end: End, pairs: Pairs | None = None) -> bool:
    """Whether what a lane grants is taken out of a list at once."""
    return kind is Kind.SLICE and end is End.FILL and not steps and pairs is None


def handing_over(kind: Kind, steps: tuple[StepKey, ...], end: End, pairs: Pairs | None = None) -> str:
    """The text that hands over ``{item}``, which comes out of the last step; a sink emits nothing."""
    if end is End.RESULT:
        return ""
    if end in _OF_EACH and kind is Kind.ASYNC and not steps and pairs is None:
        return _OF_EACH[end]
    if in_parts(kind, steps, end, pairs):
        return _APPEND_PART
    return RESCUED.get(end, "yield {item}")
