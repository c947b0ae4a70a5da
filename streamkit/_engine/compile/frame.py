"""Frames: the function around the steps of a loop, for each kind of source and of end.

A loop whose steps have callbacks that may return awaitables has its body in two forms. The *probing* form
looks at what each callback returns first. When every callback has returned something that is no awaitable,
the run goes over to the *fast* form, which looks at nothing. Where one does return an awaitable, the run
stays in the probing form, which awaits it. A callback that is an ``async def`` is awaited in both. Of one
that may return a value now and an awaitable then, both forms look at each result (`Mode.MIXED`).
What a loop executes per item is counted in ``tests/compile/test_opcodes.py``, beside the loop by hand.
"""

from __future__ import annotations

from streamkit._engine.compile.edits import Edited
from streamkit._engine.compile.handing import GRANTED, OPENING, RESCUED, handing_over, in_parts
from streamkit._engine.compile.key import End, Kind, Pairs, StepKey
from streamkit._engine.compile.lines import OUT, Line
from streamkit._engine.compile.names import SETTLE
from streamkit._engine.compile.weave import Weaver

__all__ = ["woven"]

_GENERATORS = (End.STAGE, End.USER, End.PLAIN, End.RELAY)
_PRIMED = (End.USER, End.PLAIN)
"""Those that users have are stepped to a first ``yield`` when they are made: they leave what they read also
where nobody asks them for an item."""

_SETTLES = {Kind.PUSH: "(yield {value})", Kind.PULL: "(yield from source.settled({value}))"}
"""How an awaitable is awaited in the kinds that are plain generators, run by tasks of others."""


def woven(
    kind: Kind,
    steps: tuple[StepKey, ...],
    end: End,
    first: int | None = None,
    edited: Edited | None = None,
    pairs: Pairs | None = None,
) -> Weaver:
    """The lines of a loop: a function of the source, what leaves it, the pace, and what the steps want."""
    settle = f"{SETTLE}({{value}})" if end is End.PLAIN else _SETTLES.get(kind, "await {value}")
    last = handing_over(kind, steps, end, pairs)
    weaver = Weaver(steps, last, settle, kind, end, edited, pairs)
    tries = weaver.holds + (first is not None) + _scoped(weaver, kind, end)
    weaver.lines.around = max(0, tries - 1)  # one of them, there is always room for
    if end is End.PLAIN:
        weaver.whole()
        weaver.names.pends = "{value}"
    weaver.add(0, "")  # the header, which is known when everything else is
    _frame(weaver, kind, end, first)
    held = ["segment"] * (weaver.holds or weaver.nests or first is not None)
    held += ["slots"] * (edited is not None)
    parameters = ", ".join(["source", "leave", "pace", *held, *weaver.names.wanted])
    colour = "def" if kind in _SETTLES or end is End.PLAIN else "async def"
    weaver.lines.all[0].text = f"{colour} loop({parameters}):"
    return weaver


def _frame(weaver: Weaver, kind: Kind, end: End, first: int | None) -> None:
    """The function around the steps: try, setups, loop, endings, and leaving the source in every case."""
    wait = "" if end is End.PLAIN else "await "
    if kind in _SETTLES:
        (_push if kind is Kind.PUSH else _pull)(weaver)
        return
    if weaver.gives:
        weaver.add(1, "token = pace.token")
    if end in GRANTED:
        weaver.add(1, "free = 0")
    weaver.add(1, "try:")
    if end in _PRIMED:
        weaver.add(2, "yield")
    probing = _flags(weaver, 2)
    if end is End.PLAIN:
        weaver.add(2, f"{SETTLE} = pace.settle")
    for depth, line in OPENING.get(end, ()):
        weaver.add(depth, line)
    if weaver.nests:  # a setup may emit into one
        weaver.add(2, "nested, left = pace.begin()")
    begin = len(weaver.lines.all)
    weaver.setups(2)
    if end is End.PLAIN:
        _plain(weaver, probing)
    else:
        loop = len(weaver.lines.all)
        _reading(weaver, kind, end, probing)
        if first is not None:
            weaver.goes_on(loop, 2, first)
            _reading(weaver, Kind.ASYNC, end, probing)
    weaver.ending(2, loop=begin)
    weaver.add(1, "except BaseException as error:")
    weaver.add(2, f"{wait}leave(error)")
    if end is End.USER:  # its iterator was closed while this pull was pending: the pull sees the end
        weaver.add(2, "if not pace.closed(error):")
    weaver.add(2 + (end is End.USER), "raise")
    # a list has nothing to close
    leaves = kind is not Kind.SLICE or weaver.closes or weaver.nests or first is not None
    if end in GRANTED or leaves:
        weaver.add(1, "finally:")
        if end in GRANTED:
            weaver.add(2, "pace.lane.spent(free)")
        if leaves:
            weaver.add(2, f"{wait}leave()")
    if end in _GENERATORS and not any(line.owner == OUT for line in weaver.lines.all):
        weaver.add(1, "yield")  # nothing comes out, and this is not reached either: it makes a generator


def _reading(weaver: Weaver, kind: Kind, end: End, probing: bool) -> None:
    """The loop over what is read. A cancellation that arrives in a callback may be for the source: `told`."""
    begin = len(weaver.lines.all)
    weaver.names.awaits = False
    _LOOPS[kind](weaver, end, probing)
    if (weaver.names.awaits or probing) and _scoped(weaver, kind, end):
        weaver.lines.attempt(begin, 2, "raise await pace.told(error)", "CancelledError")


def _scoped(weaver: Weaver, kind: Kind, end: End) -> bool:
    """Whether scopes of what it reads may cancel what a pump awaits."""
    return end in RESCUED and (kind is Kind.ASYNC or weaver.nests)


def _flags(weaver: Weaver, depth: int) -> bool:
    """Set the flags of the callbacks whose first result decides; whether there are any.

    ``probing``, in the loop, counts the callbacks of which it is not known yet that they return none.
    """
    if kinds := weaver.names.kinds():
        weaver.add(depth, f"{' = '.join(kinds)} = None")
        weaver.add(depth, "plain = {*PLAIN}")
    flags = weaver.names.unknown()
    if flags:
        weaver.add(depth, f"{' = '.join(flags)} = None")
        weaver.add(depth, f"probing = {len(flags)}")
    return bool(flags)


# the loop over each kind of source -------------------------------------------------------------------------


def _push(weaver: Weaver) -> None:
    """The loop of a push form. The sender opens and closes the source, and says whose error it is."""
    probing = _flags(weaver, 1)
    begin = len(weaver.lines.all)
    weaver.setups(1)
    weaver.add(1, "try:")
    weaver.add(2, "while True:")
    weaver.add(3, "item = yield")
    _turn(weaver, 3, probing, rests=True)
    weaver.add(1, "except Ended:")
    weaver.add(2, "pass")
    weaver.ending(1, loop=begin)


def _pull(weaver: Weaver) -> None:
    """The loop of a pull form. Its reader fills ``given``, and reads on after EMPTY: that ends nothing."""
    weaver.add(1, "try:")
    probing = _flags(weaver, 2)
    begin = len(weaver.lines.all)
    weaver.setups(2)
    weaver.add(2, "given = source.given")
    weaver.add(2, "while not source.over:")
    weaver.add(3, "while given:")
    weaver.add(4, "for item in given.popleft():")
    _turn(weaver, 5, probing)
    weaver.let_go(3)
    weaver.add(3, "yield EMPTY")
    weaver.ending(2, loop=begin)
    weaver.add(1, "except BaseException as error:")
    weaver.add(2, "leave(error)")
    weaver.add(2, "raise")


def _slice(weaver: Weaver, end: End, probing: bool) -> None:
    """A list is sliced, which costs nothing per item; the clock is looked at between two slices."""
    weaver.add(2, "start = 0")
    weaver.add(2, "while part := source[start:start + pace.size]:")
    weaver.add(3, "start += len(part)")
    parts = in_parts(Kind.SLICE, tuple(weaver.layout.steps), end, weaver.pairs)
    _either(weaver, 3, probing, "for item in (rest := iter(part)):" if parts else "for item in part:")
    _breathe(weaver, 3)


def _iter(weaver: Weaver, end: End, probing: bool) -> None:
    """An iterator is taken in parts by ``islice``; one without an item is the end."""
    hand = "" if weaver.edits is None else "hand or "
    weaver.add(2, "while True:")
    weaver.add(3, "item = EMPTY")
    if end is End.RESULT and hand:
        weaver.sliced = True
        weaver.leave(3, unless="hand")
    _either(weaver, 3, probing, f"for item in {hand}islice(source, pace.size):")
    if hand:
        weaver.add(3, "hand = None")
    weaver.add(3, "if item is EMPTY:")
    weaver.add(4, "break")
    _breathe(weaver, 3)


_HANDS = (
    ("source", "items = None", "items = Resumed({handed}, source)"),
    (
        "hand or source",
        "items, hand = source if hand else None, None",
        "items, hand = Resumed({handed}, source), None",
    ),
)
"""What a loop over asynchronous items reads first; how that ends; and how it reads on behind steps that were
taken. And what these are where a loop before it had an item in its hand."""


def _async(weaver: Weaver, end: End, probing: bool) -> None:
    """An ``async for`` cannot be had in parts: it counts down to the next look at the clock.

    A timeout of the source's own may fire while the loop breathes. Then the source takes a step for it
    (`Pace.breathe`), and the loop reads on behind the item in hand and what came of that step.
    """
    if end in RESCUED:
        _pumped(weaver, probing)
        return
    weaver.add(2, "left = min(pace.size, SMALL)")
    first, ended, _ = _HANDS[weaver.edits is not None]
    weaver.add(2, f"items = {first}")
    weaver.add(2, "while items is not None:")
    depth = 3
    if probing:
        weaver.add(3, "if probing:")
        _counted(weaver, 4, probing=True)
        weaver.add(5, "if not probing:")  # at a later item, where the body has said `continue`
        weaver.add(6, "items = Begun(items)")
        weaver.add(6, "break")
        weaver.add(4, "else:")
        weaver.add(5, ended)
        weaver.add(3, "else:")
        depth = 4
    _counted(weaver, depth, probing=False)
    weaver.add(depth, "else:")
    weaver.add(depth + 1, ended)


def _pumped(weaver: Weaver, probing: bool) -> None:
    """The loop of a pump, or of what a pump reads through a stage, over an asynchronous source.

    A timeout of the source's own may fire while the pump waits downstream (PEP 789). The pump hands that
    cancellation to the source, which takes a step for it: what comes of that step is in ``handed``, and is
    read before the rest of the source.
    """
    first, ended, resumed = _HANDS[weaver.edits is not None]
    weaver.add(2, "left = min(pace.size, SMALL)")
    weaver.add(2, f"handed, items = pace.handed, {first}")
    weaver.add(2, "while items is not None:")
    weaver.add(3, "async for item in items:")
    _turn(weaver, 4, probing, followed=True, rests=True)
    weaver.add(4, "if handed:")
    weaver.add(5, resumed.format(handed="handed"))
    weaver.add(5, "break")
    weaver.add(4, "left -= 1")
    weaver.add(4, "if not left:")  # before the next pull: nothing is in hand while others run
    weaver.add(5, "if pace.due() and await pace.breathe():")
    weaver.add(6, resumed.format(handed="handed"))
    weaver.add(6, "break")
    weaver.add(5, "left = min(pace.size, SMALL)")
    weaver.add(3, "else:")
    weaver.add(4, ended)


def _channel(weaver: Weaver, end: End, probing: bool) -> None:
    """A channel is read without a generator in between.

    A loop that lets nobody else run between two items says so, by ``channel.alone``: then the channel may
    hand out all that is there at once. Guarded by `pumped` in test_opcodes.py.
    """
    weaver.add(2, "channel = source()")
    wait = "channel.wait" if weaver.edits is None else "slots.reads(channel)"
    weaver.add(2, f"drained, wait = channel.drained, {wait}")
    header = "for item in drained(pace.size):"
    before = len(weaver.lines.all) + probing  # the `while`; where it probes, the first line in it
    if weaver.edits is None:
        weaver.add(2, "while await wait():")
    else:
        weaver.add(2, "while hand or await wait():")
        weaver.sliced = end is End.RESULT
        weaver.add(3, "item = EMPTY")
        weaver.leave(3, unless="hand")
        weaver.add(3, "rest, hand = hand or (drained(pace.size) if channel.ready else ()), None")
        header = "for item in rest:"
    awaits = _either(weaver, 3, probing, header)
    weaver.let_go(3)
    alone = end is End.RESULT and not awaits
    if alone:
        line = Line(2 + probing, f"channel.alone = {'not probing' if probing else True}", None)
        weaver.lines.all.insert(before, line)
    _breathe(weaver, 3, before="channel.rest()" if alone else "")


_LOOPS = {Kind.SLICE: _slice, Kind.ITER: _iter, Kind.ASYNC: _async, Kind.CHANNEL: _channel}


# in those loops --------------------------------------------------------------------------------------------


def _turn(weaver: Weaver, depth: int, probing: bool, *, followed: bool = False, rests: bool = False) -> bool:
    """What happens with one item, in either form; whether the fast one awaits anything.

    It looks which form it is at each item: for loops that may run for long before the next slice.
    """
    probed: list[str] = []
    if probing:
        weaver.add(depth, "if probing:")
        weaver.body(depth + 1, probing=True, followed=followed, rests=rests)
        probed = weaver.names.passing
        weaver.add(depth, "else:")
        depth += 1
    awaits = weaver.body(depth, probing=False, followed=followed, rests=rests)
    weaver.names.passes(*probed)
    return awaits


def _either(weaver: Weaver, depth: int, probing: bool, header: str) -> bool:
    """A loop over one slice, in the form in which it began; whether the fast one awaits anything."""
    if probing:
        weaver.add(depth, "if probing:")
        weaver.add(depth + 1, header)
        weaver.body(depth + 2, probing=True)
        if passed := weaver.names.passing[1:]:
            weaver.let_go(depth + 1, *passed)
        weaver.add(depth, "else:")
        depth += 1
    weaver.add(depth, header)
    return weaver.body(depth + 1, probing=False)


def _plain(weaver: Weaver, probing: bool) -> None:
    """Two loops over a whole iterator: one that probes, and when all is known, the fast one over the rest."""
    depth = 2
    if probing:
        weaver.add(2, "ended = False")
        weaver.add(2, "for item in source:")
        weaver.body(3, probing=True)
        passed = weaver.names.passing[1:]
        weaver.add(3, "if not probing:")
        weaver.add(4, "break")
        weaver.add(2, "else:")
        weaver.add(3, "ended = True")
        weaver.add(2, "if not ended:")
        depth = 3
        if passed:
            weaver.let_go(3, *passed)
    weaver.add(depth, "for item in source:")
    weaver.body(depth + 1, probing=False)


def _counted(weaver: Weaver, depth: int, *, probing: bool) -> None:
    """A loop over asynchronous items, which counts down to the next look at the clock."""
    weaver.add(depth, "async for item in items:")
    weaver.add(depth + 1, "if not left:")
    weaver.add(depth + 2, "if pace.due() and await pace.breathe():")
    weaver.add(depth + 3, "items = pace.resumed(item)")
    weaver.add(depth + 3, "break")
    weaver.add(depth + 2, "left = min(pace.size, SMALL)")
    weaver.add(depth + 1, "left -= 1")
    weaver.body(depth + 1, probing=probing, rests=True, followed=weaver.loops)
    if weaver.loops:  # a step that goes through something lets others run in between, too
        weaver.add(depth + 1, "if pace.handed:")
        weaver.add(depth + 2, _HANDS[weaver.edits is not None][2].format(handed="pace.handed"))
        weaver.add(depth + 2, "break")


def _breathe(weaver: Weaver, depth: int, before: str = "") -> None:
    """Look at the clock, and let others run if it is time."""
    weaver.add(depth, "if pace.due():")
    if before:
        weaver.add(depth + 1, before)
    weaver.add(depth + 1, "await sleep(0)")
    weaver.add(depth + 1, "pace.rested()")
