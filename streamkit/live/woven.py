"""Slots of steps as a part of the loop around them: between two changes, an item costs one look at a list.

The loop is that of all steps from the source to the end, with the contents of the slots among them. When they
change, it is left for the loop with the new contents, between two items (`compile.edits`). The steps around
the slots keep their state, and a content that is replaced passes on what it holds.

Not every loop can be left so, and items on trial must be taken back one by one. Then the loop is taken apart:
steps before, between and behind the slots get loops of their own, with their state, and each slot runs as
`flow` says.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from functools import cache, partial
from typing import Any, Final

from streamkit._core.errors import raise_first
from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.compile.edits import entered_by
from streamkit._engine.compile.handing import FILLING
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.lines import LINES
from streamkit._engine.compile.loop import FRAME, Loop, compiled
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet, Link, flattened, unfolded
from streamkit._engine.plan.source import Opened, Source, Weaving
from streamkit._engine.run.apart import BEGUN
from streamkit._engine.run.leave import Segment, but_exits
from streamkit._engine.run.own import own
from streamkit._engine.run.run import Run
from streamkit._engine.run.start import begin
from streamkit.live.entry import Entry, Rest, States
from streamkit.live.flow import Pull, followed, in_place, read, rested
from streamkit.live.seat import Seat, named
from streamkit.live.shape import Shape, is_left, is_slot, parted

__all__ = ["Woven", "in_place"]

_GENERATORS: Final = (End.STAGE, End.USER)
_ENDS: Final = (End.RESULT, *_GENERATORS, *FILLING)
"""The ends of loops that slots are woven into; others read them through a generator."""


class _Named(Segment):
    """A loop in which slots stand: errors of their steps name the generation."""

    __slots__ = ("entry", "seats", "spans", "top")

    entry: Entry
    seats: Sequence[Seat]
    spans: Sequence[range]
    top: Sequence[Link]
    """The steps that are in no branch."""

    @property
    def slots(self) -> Entry | None:
        return self.entry if self.entry.pushes else None

    def _blamed(self, error: BaseException, opened: Opened) -> BaseException:
        step = self._step(error)
        blamed = super()._blamed(error, opened)
        for steps, seat in zip(self.spans, self.seats, strict=False):
            if step in steps and isinstance(blamed, Exception):
                named(blamed, seat)
        return blamed

    def _step(self, error: BaseException) -> int | None:
        """Which of the steps has raised `error`, itself or in a branch: those come behind all steps."""
        owner = self._line(error)
        if not isinstance(owner, int):
            return None
        if owner < len(self.top):
            return owner
        behind = len(self.top)
        for step, link in enumerate(self.top):
            behind += len(flattened([link])) - 1
            if owner < behind:
                return step
        return None


class Woven(Entry):
    """A source, the steps behind it, and the slots among those, as one loop after the other."""

    def __init__(self, run: Run, opened: Opened, shape: Shape, kind: Kind, end: End, pace: Pace) -> None:
        super().__init__(kind, [])
        self._run, self._opened, self._shape = run, opened, shape
        self._end, self._pace = end, pace
        self._raw: Opened
        self._seats: list[Seat] = []
        self._gone: set[int] = set()
        """The slots whose contents have ended: others begin."""
        self._part: Segment | None = None
        """The loop that closes all, when it ends."""
        self._pieces: list[AsyncGenerator[Any, None]] = []
        """The generators between the source and the loop that is read."""

    @property
    def _returns(self) -> bool:
        """Whether a loop can return, for another to take its place: it is no generator that others read."""
        return self._end not in _GENERATORS

    def _steps(self) -> tuple[list[Link], list[range]]:
        seats = self._seats
        contents = [each.content for each in (seats or self._shape.cells)]
        return self._shape.steps(contents)

    def _compiled(self, kind: Kind, *, hosts: bool) -> Loop | None:
        """The loop of all that; None if it must be taken apart."""
        links, spans = self._steps()
        every = flattened(links)
        if any(seat.trial is not None for seat in self._seats) or not all(map(is_left, every)):
            return None
        if hosts and any(link.declaration.hears for link in every):
            return None  # it would take errors of the loops that follow for its own
        end = self._end if hosts or self._returns else End.STAGE
        edited = tuple([(span.start, span.stop) for span in spans]), hosts
        loop = compiled(kind, tuple([link.known or link.key for link in links]), end, None, edited)
        return loop if isinstance(loop, Loop) else None

    # what loops ask for ----------------------------------------------------------------------

    def first(self) -> Seat | None:
        """The first slot, if it runs."""
        return self._seats[0] if self._seats else None

    def begin(self) -> bool:
        """The first loop begins; whether what it has in the place of a slot is outdated already."""
        self._seats, outdated = self._shape.seats()
        for seat in self._seats:
            seat.wake = self._wake
        self.put([None] * len(self._steps()[0]))
        return outdated

    def _wake(self) -> None:
        self.edits.cell_contents = True
        if self.channel is not None:
            self.channel.direct = None  # the loop is left in the task of its reader
            self.channel.wake()

    @property
    def edited(self) -> bool:
        """Whether the loop is to be left."""
        return self.edits.cell_contents is not None

    def reads(self, channel: Channel) -> Callable[[], Awaitable[bool]]:
        super().reads(channel)

        async def wait() -> bool:
            # where there are drives, those are to step their sources, and an edit waits for an item
            if channel.drives is None and not channel.ready:
                await channel.until(lambda: self.edited or channel.ready or channel.over)
                if self.edited:
                    return True
            return await channel.wait()

        return wait

    def turning(self, number: int) -> bool:
        seat = self._seats[number]
        if seat.edited:
            seat.begin()
        return seat.edited

    def turned(self, number: int) -> None:
        self._seats[number].turn()
        self._gone.add(number)

    def leave(self, states: States, item: Any, rest: Any = None) -> None:
        """The loop ends; `states` are those of its steps, in their order. It was going through the `rest`."""
        if self.pushes:
            item = self.rest.back(item)
        elif rest is not None:
            item = rest.back(item) if isinstance(rest, Rest) else Rest(item, rest)
        elif self.channel is not None and self.channel.alone:
            self.channel.rest()  # which the next loop need not be
            self.channel.alone = False
        self.edits.cell_contents = None
        left, kept, number = iter(states), States(), 0
        for link in self._shape.links:
            if not is_slot(link):
                kept.append(next(left))
                continue
            old = [next(left) for _ in self._shape.inside(number)]
            gone = number in self._gone
            kept += [None] * len(self._seats[number].links) if gone else old
            number += 1
        self._gone.clear()
        self.put(kept, item)
        if self._returns and self._part is not None:
            self._part.hand_over()
        if any(seat.edited for seat in self._seats):
            self.edits.cell_contents = True

    def next(self) -> Any:
        """The loop that goes on; None if the last has ended by itself."""
        return None if self._states is None else self._made(hosts=False)

    # loops -----------------------------------------------------------------------------------

    @property
    def fits(self) -> bool:
        loop = self._compiled(self.kind, hosts=not self._returns)
        return loop is not None and len(loop.owners) + FRAME <= LINES

    def begun(self, inlet: Inlet[Any]) -> Any:
        """The first loop, over `inlet`, which has no slots."""
        self._raw = raw = begin(inlet.source, inlet.links, self._run.book)[0]
        if raw.kind is Kind.SLICE:
            raw.kind, raw.items = Kind.ITER, iter(raw.items)
        elif raw.kind is Kind.CHANNEL:
            raw.items = cache(partial(self._begun, raw.items))
        self.kind = raw.kind
        if raw.kind is Kind.ASYNC and not inlet.links:
            self._pace.source = raw.items
        return self._result() if self._returns else self._made(hosts=True)

    def _begun(self, begin: Callable[[], Channel]) -> Channel:
        """Begin the stage that is read."""
        channel = begin()
        self.channel: Channel | None = channel
        return channel

    async def _result(self) -> Any:
        """What comes out of the sink at the end."""
        self.begin()
        while True:
            result = await self._made(hosts=False)
            if result is not self:
                return result

    def _made(self, *, hosts: bool) -> Any:
        links, spans = self._steps()
        push = (
            self._raw.direct is not None and self._end is End.RESULT and not any(link.waits for link in links)
        )
        loop = self._compiled(Kind.PUSH, hosts=hosts) if push else None
        if loop is not None:
            self.pushed()
        else:
            loop = self._compiled(self.kind, hosts=hosts)
        self._pieces = []
        if loop is None:
            return self._apart(links, spans)
        ends = hosts or self._returns
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
        part.seats, part.spans, part.top = self._seats, spans, links
        part.entry = entry
        if ends:
            self._part = part
        wanted: list[Any] = [part] if loop.holds else []
        wanted.append(entry)
        for place, name in loop.wanted:
            wanted.append(every[place].arguments[name])
        made = entered_by(loop.function, entry.edits)(items, part.leave, pace, *wanted)
        if pace.book is not None:
            pace.book.watch(made, part.in_hand)
        if not ends:
            own(made)
            self._pieces.append(made)
        if entry.pushes:
            calls = any(link.declaration.callbacks for link in every)
            return raw.direct(opened, made, part, pace, calls=calls)
        return made

    def _apart(self, links: Sequence[Link], spans: Sequence[range]) -> Any:
        """The same in several loops: the last of them, which reads the others."""
        states, item = self.taken()
        items, kind, place = self._raw.items, self.kind, 0
        for span, seat in zip(spans, self._seats, strict=True):
            steps = slice(place, span.start)
            pull: Pull | None = None
            seat.wake = None
            if kind is Kind.CHANNEL and not span.start:
                pull = self._at_once(seat, item)
            if pull is None and (span.start > place or kind is not Kind.ASYNC or item is not EMPTY):
                items = self._piece(links[steps], Entry(kind, states[steps], item), items, End.STAGE)
            inner = slice(span.start, span.stop)
            first = None
            if any(state is not None for state in states[inner]):
                first = partial(self._first, links[inner], states[inner])
            taken = seat, pull or partial(read, items), first
            items = in_place(self._run, _NOTHING, content=seat.cell, taken=taken)
            own(items)
            self._pieces.append(items)
            item, kind, place = EMPTY, Kind.ASYNC, span.stop
        if place == len(links) and not self._returns:
            return items
        self._pace.source = None  # which the first piece has
        return self._piece(links[place:], Entry(kind, states[place:]), items, self._end)

    def _at_once(self, seat: Seat, item: Any) -> Pull | None:
        """Read the channel right before a slot so that a change need not wait for an item."""
        channel: Channel = self._raw.items()
        if channel.drives is not None:
            return None
        seat.wake = channel.wake
        return partial(rested, iter(() if item is EMPTY else item), channel, self._raw.blame)

    def _first(self, links: Sequence[Link], states: States, items: Any) -> Any:
        """What comes out of a content that has begun already. It does not close what it reads."""
        own(items)
        self._pieces.append(items)
        return self._piece(links, Entry(Kind.ASYNC, states), items, End.STAGE)

    def _piece(self, links: Sequence[Link], entry: Entry, items: Any, end: End) -> Any:
        """A part of the loop, whose steps stay."""
        end = End.STAGE if end in _GENERATORS else end
        loop = compiled(entry.kind, tuple([link.known or link.key for link in links]), end, None, ((), False))
        assert isinstance(loop, Loop)
        if end is not End.STAGE:
            return self._loop(loop, links, entry, items, self._pace, ends=True)
        pace = Pace()
        pace.book = self._pace.book
        if items is self._raw.items and entry.kind is Kind.ASYNC:
            pace.source = items
        return self._loop(loop, links, entry, items, pace, ends=False)

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


def _begun(run: Run, inlet: Inlet[Any], arguments: dict[str, Any]) -> Opened:
    """Begin the stage of a slot. What makes the loop behind it may weave it in."""
    stage = run.opened(Kind.ASYNC, run.owned(in_place(run, inlet, **arguments)))
    opened = Weaving(**vars(stage))
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
    if end not in _ENDS:
        return None

    def fitted() -> Callable[[], Any] | None:
        before, inside = parted(inlet.links)
        if before and before[-1].declaration.stage in BEGUN:  # which may say what steps follow
            return None
        shape = Shape([*inside, run.link, *links], before, arguments.get("follower"), run.book)
        woven = Woven(run, opened, shape, Kind.ASYNC, end, pace)
        begins = partial(woven.begun, Inlet[Any](inlet.source, followed(before, woven.first)))
        return begins if woven.fits else None

    begins = fitted()
    if begins is not None and inlet.source.makes and not parted(inlet.links)[0]:
        inlet = unfolded(inlet)
        begins = fitted()
        if begins is None:  # a second call would make another, and this one may never be read
            source = Source(run.open(Inlet[Any](inlet.source)))
            opened.items = run.owned(in_place(run, Inlet(source, inlet.links), **arguments))
    return None if begins is None else begins()


BEGUN[in_place] = _begun
