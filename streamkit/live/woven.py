"""Slots of steps as a part of the loop around them: between two changes, an item costs one look at a list.

The loop is that of all steps from the source to the end, with the contents of the slots among them. When they
change, it is left for the loop with the new contents, between two items (`compile.edits`). The steps around the
slots keep their state, and a content that is replaced passes on what it holds.

Not every loop can be left so, and items on trial must be taken back one by one. Then the loop is taken `apart`:
steps before, between and behind the slots get loops of their own, with their state, and each slot runs as
`flow` says.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from functools import partial
from typing import Any, Final

from streamkit._core.errors import raise_first
from streamkit._core.markers import EMPTY
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.compile.pace import Pace
from streamkit._engine.compile.pieces import parsed
from streamkit._engine.plan.drops import counted
from streamkit._engine.plan.link import Inlet, Link, flattened, unfolded
from streamkit._engine.plan.source import Opened, Source
from streamkit._engine.run.apart import BEGUN
from streamkit._engine.run.leave import Segment, but_exits
from streamkit._engine.run.own import own
from streamkit._engine.run.run import Run
from streamkit.live.flow import in_place
from streamkit.live.seat import Cell, Content, Seat, named

__all__ = ["Woven", "in_place"]

_ENDS: Final = (End.RESULT, End.STAGE, End.USER)
"""The ends of loops that slots are woven into; others read them through a generator."""

States = list[Any]
"""By the index of a step: what it keeps; None, if it is to begin."""


class _Once:
    """One item, to be iterated over."""

    __slots__ = ("_item",)

    def __init__(self, item: Any) -> None:
        self._item = item

    def __aiter__(self) -> _Once:
        return self

    async def __anext__(self) -> Any:
        item, self._item = self._item, EMPTY
        if item is EMPTY:
            raise StopAsyncIteration
        return item


def _once(item: list[Any]) -> Generator[Any, None, None]:
    yield item.pop()


class Entry:
    """What a loop asks for that goes on with the state of another, and an item which that had in hand."""

    def __init__(self, kind: Kind, states: States, item: Any = EMPTY) -> None:
        self.kind = kind
        self.edits: list[None] = []
        """Holds something while the loop is to be left."""
        self._states: States | None = states
        self._item = item

    def entered(self) -> States | None:
        states, self._states = self._states, None
        return states

    def given(self) -> Any:
        item, self._item = self._item, EMPTY
        if item is EMPTY:
            return None
        return _Once(item) if self.kind is Kind.ASYNC else _once([item])


class _Named(Segment):
    """A loop in which slots stand: errors of their steps name the generation."""

    __slots__ = ("seats", "spans")

    seats: Sequence[Seat]
    spans: Sequence[range]

    def _blamed(self, error: BaseException, opened: Opened) -> BaseException:
        owner = self._line(error)
        blamed = super()._blamed(error, opened)
        for steps, seat in zip(self.spans, self.seats, strict=False):
            if isinstance(owner, int) and owner in steps and isinstance(blamed, Exception):
                named(blamed, seat)
        return blamed


class Woven(Entry):
    """A source, the steps behind it, and the slots among those, as one loop after the other."""

    def __init__(self, run: Run, opened: Opened, kind: Kind, end: End, pace: Pace) -> None:
        super().__init__(kind, [])
        self._run, self._opened = run, opened
        self._end, self._pace = end, pace
        self._raw: Opened
        self.steps: list[Link | Cell] = []
        """The steps around the slots, and what stands for each slot."""
        self.before: list[tuple[Link, ...]] = []
        """For each slot: the operators before it."""
        self.follower: Seat | None = None
        self._seats: list[Seat] = []
        self._contents: dict[int, Content] = {}
        """By the number of a slot: what stands in the loop."""
        self._links: dict[int, Sequence[Link]] = {}
        self._gone: set[int] = set()
        """The slots whose contents have ended: these begin."""
        self._changed = False
        self._part: Segment | None = None
        self._pieces: list[AsyncGenerator[Any, None]] = []
        """The generators between the source and the loop that is read."""

    # its shape -------------------------------------------------------------------------------

    @property
    def cells(self) -> list[Cell]:
        return [each for each in self.steps if isinstance(each, Cell)]

    def _content(self, number: int, content: Content) -> Sequence[Link]:
        """The steps of a slot, which count in this run what they drop."""
        if self._contents.get(number) is not content:
            self._contents[number] = content
            self._links[number] = counted(content.links, self._run.book)
        return self._links[number]

    def _shape(self) -> tuple[list[Link], list[range]]:
        """All steps; and for each slot, the indexes of those that stand in it."""
        links: list[Link] = []
        spans: list[range] = []
        contents = [seat.content for seat in self._seats] or [cell.content for cell in self.cells]
        for each in self.steps:
            if isinstance(each, Cell):
                inside = self._content(len(spans), contents[len(spans)])
                spans.append(range(len(links), len(links) + len(inside)))
                links += inside
            else:
                links.append(each)
        return links, spans

    def _compiled(self, *, hosts: bool) -> Loop | None:
        """The loop of all that; None if it must be taken apart."""
        links, spans = self._shape()
        if any(seat.trial is not None for seat in self._seats) or not all(map(_is_left, flattened(links))):
            return None
        if hosts and any(link.declaration.hears for link in flattened(links)):
            return None  # it would take errors of the loops that follow for its own
        end = self._end if hosts or self._end is End.RESULT else End.STAGE
        edited = tuple([(span.start, span.stop) for span in spans]), hosts
        loop = compiled(self.kind, tuple([link.known or link.key for link in links]), end, None, edited)
        return loop if isinstance(loop, Loop) else None

    # what loops ask for ----------------------------------------------------------------------

    def begin(self) -> bool:
        """The first loop begins; whether what it has in the place of a slot is outdated already."""
        follower = self.follower
        for cell, before in reversed([*zip(self.cells, self.before, strict=True)]):
            follower = Seat(cell, before, follower)
            follower.wake = partial(self.edits.append, None)
            self._seats.insert(0, follower)
        self._changed = any(
            seat.content is not self._contents.get(number) for number, seat in enumerate(self._seats)
        )
        self._states = [None] * len(self._shape()[0])
        return self._changed

    def turning(self, number: int) -> bool:
        seat = self._seats[number]
        if seat.edited:
            seat.begin()
        return seat.edited

    def turned(self, number: int) -> None:
        self._seats[number].turn()
        self._gone.add(number)

    def leave(self, states: States, item: Any) -> None:
        """The loop ends; `states` are those of its steps, in their order."""
        self.edits.clear()
        left, kept = iter(states), list[Any]()
        number = 0
        for each in self.steps:
            if not isinstance(each, Cell):
                kept.append(next(left))
                continue
            old = [next(left) for _ in self._links[number]]
            content = self._seats[number].content
            kept += [None] * len(content.links) if number in self._gone else old
            number += 1
        self._gone.clear()
        self._states, self._item, self._changed = kept, item, True
        if self._end is End.RESULT and self._part is not None:
            self._part.hand_over()
        if any(seat.edited for seat in self._seats):
            self.edits.append(None)

    def next(self) -> Any:
        """The loop that goes on; None if the last has ended by itself."""
        if not self._changed:
            return None
        self._changed = False
        return self._made(hosts=False)

    # loops -----------------------------------------------------------------------------------

    def begun(self, source: Source) -> Any:
        """The first loop, over `source`; None if there can be none."""
        hosts = self._end is not End.RESULT
        if self._compiled(hosts=hosts) is None:
            return None
        self._raw = raw = source.open()
        if raw.kind is Kind.SLICE:
            raw.kind, raw.items = Kind.ITER, iter(raw.items)
        if raw.kind is Kind.ASYNC:
            self._pace.source = raw.items
        return self._made(hosts=True) if hosts else self._result()

    async def _result(self) -> Any:
        """What comes out of the sink at the end."""
        self.begin()
        while True:
            self._changed = False
            result = await self._made(hosts=False)
            if result is not self:
                return result

    def _made(self, *, hosts: bool) -> Any:
        loop = self._compiled(hosts=hosts)
        links, spans = self._shape()
        self._pieces = []
        if loop is None:
            return self._apart(links, spans)
        ends = hosts or self._end is End.RESULT
        return self._loop(loop, links, self, self._raw.items, self._pace, ends=ends, spans=spans)

    def _loop(
        self,
        loop: Loop,
        links: Sequence[Link],
        entry: Entry,
        items: Any,
        pace: Pace,
        *,
        ends: bool,
        spans: Sequence[range] = (),
    ) -> Any:
        """One loop over `items`; where the run `ends` with it, it closes all."""
        raw = self._raw
        opened = Opened(entry.kind, items, self._close if ends else None, blame=raw.blame)
        if ends:
            opened.unreached, opened.halt = raw.unreached, raw.halt
        every = flattened(links) if loop.forks else links
        part = _Named(loop, every, opened, pace)
        part.seats, part.spans = self._seats, spans
        if ends:
            self._part = part
        wanted: list[Any] = [part] if loop.holds else []
        wanted.append(entry)
        for place, name in loop.wanted:
            wanted.append(every[place].arguments[name])
        made = loop.function(items, part.leave, pace, *wanted)
        if not ends:
            own(made)
            self._pieces.append(made)
        return made

    def _apart(self, links: Sequence[Link], spans: Sequence[range]) -> Any:
        """The same in several loops: the last of them, which reads the others."""
        states, item, self._item = self.entered() or [], self._item, EMPTY
        items, kind, place = self._raw.items, self.kind, 0
        for span, seat in zip(spans, self._seats, strict=True):
            steps = slice(place, span.start)
            if span.start > place or kind is not Kind.ASYNC or item is not EMPTY:
                items = self._piece(links[steps], Entry(kind, states[steps], item), items, End.STAGE)
            inner = slice(span.start, span.stop)
            first = None
            if any(state is not None for state in states[inner]):
                first = partial(self._first, links[inner], states[inner])
            items = in_place(self._run, _NOTHING, content=seat.cell, taken=(seat, items, first))
            own(items)
            self._pieces.append(items)
            item, kind, place = EMPTY, Kind.ASYNC, span.stop
        if place == len(links):
            return items
        return self._piece(links[place:], Entry(kind, states[place:]), items, self._end)

    def _first(self, links: Sequence[Link], states: States, items: Any) -> Any:
        """What comes out of a content that has begun already."""
        return self._piece(links, Entry(Kind.ASYNC, states), items, End.STAGE)

    def _piece(self, links: Sequence[Link], entry: Entry, items: Any, end: End) -> Any:
        """A part of the loop, whose steps stay."""
        end = end if end is End.RESULT else End.STAGE
        loop = compiled(entry.kind, tuple([link.known or link.key for link in links]), end, None, ((), False))
        assert isinstance(loop, Loop)
        pace = Pace()
        pace.book = self._pace.book
        return self._loop(loop, links, entry, items, pace, ends=end is End.RESULT)

    async def _close(self) -> None:
        """Close what is read: what is nearest to the end first."""
        late: list[BaseException] = []
        closing: list[Callable[[], Any]] = [each.aclose for each in reversed(self._pieces)]
        for close in (*closing, self._raw.release, self._opened.release):
            try:
                if (waits := close()) is not None:
                    await waits
            except BaseException as error:
                if (rest := but_exits(error)) is not None:
                    late.append(rest)
        for seat in self._seats:
            seat.leave()
        raise_first(sorted(late, key=lambda error: not isinstance(error, CancelledError)))


_NOTHING: Final = Inlet[Any](Source(()))


def _is_left(link: Link) -> bool:
    """Whether a loop with this step can be left for another: all that it has is in variables set in setups."""
    of: Any = link.declaration
    return not (of.nests or of.closes or of.rescues or parsed(of).early)


def _begun(run: Run, inlet: Inlet[Any], arguments: dict[str, Any]) -> Opened:
    """Begin the stage of a slot. What makes the loop behind it may weave it in."""
    opened = run.opened(Kind.ASYNC, run.owned(in_place(run, inlet, **arguments)))
    opened.weave = partial(_woven, run, inlet, arguments, opened)
    return opened


def _woven(
    run: Run,
    inlet: Inlet[Any],
    arguments: dict[str, Any],
    opened: Opened,
    links: Sequence[Link],
    end: End,
    pace: Pace,
) -> Any:
    """The loop with the slot, and those before it, inside; None if they run as stages."""
    if end not in _ENDS or type(inlet.source) is not Source:
        return None
    if inlet.source.makes:  # a second call would make another
        inlet = unfolded(inlet)
        opened.items = run.owned(in_place(run, inlet, **arguments))
    stages = [link for link in inlet.links if link.declaration.stage is not None]
    if type(inlet.source) is not Source or any(link.declaration.stage is not in_place for link in stages):
        return None
    kind = Kind.ITER if inlet.source.blocking else Kind.ASYNC
    slots = Woven(run, opened, kind, end, pace)
    slots.follower = arguments.get("follower")
    steps = counted([*inlet.links, run.link, *links], run.book)
    for place, link in enumerate(steps):
        if link.declaration.stage is in_place:
            slots.steps.append(link.arguments["content"])
            slots.before.append(tuple(steps[:place]))
        else:
            slots.steps.append(link)
    return slots.begun(inlet.source)


BEGUN[in_place] = _begun
