"""Draws docs/pictures: what each strategy does, recorded while it did it.

    python docs/pictures.py [directory]

Every picture is a run of ``buffer(strategy)`` in virtual time, with the same producer, which comes in bursts,
and the same slow consumer. What is drawn is what these two, ``on_drop``, the fold and pickle were called
with, and when; where that is not what `BufferStats` counted, nothing is drawn.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import streamkit as sk
from streamkit import Stream, ops
from streamkit.testing import run

HERE = Path(__file__).parent / "pictures"
DUE = dict(zip("abcdefghi", (0, 1, 2, 3, 4, 5, 6, 18, 19), strict=True))
"""When the producer has each item, in seconds."""
BUSY = 3.5
"""How many seconds the consumer works on each, or on each list."""

# -- the recording --------------------------------------------------------------------------------


@dataclass
class Stay:
    """One item in one place of the buffer, from when to when, and how that ended."""

    label: str
    place: str
    begin: float
    end: float = -1.0
    outcome: str = "held"
    row: int = 0

    @property
    def passed(self) -> bool:
        """Whether it left at once, and so took no place."""
        return self.begin == self.end


@dataclass
class Tape:
    """What was seen in one run."""

    stays: list[Stay] = field(default_factory=list[Stay])
    offered: dict[str, float] = field(default_factory=dict[str, float])
    worked: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    gaps: list[tuple[float, sk.Gap]] = field(default_factory=list[tuple[float, sk.Gap]])
    failed: tuple[float, str] | None = None

    def enter(self, label: str, place: str = "memory") -> None:
        self.stays.append(Stay(label, place, now()))

    def leave(self, label: str, outcome: str) -> None:
        stay = next(stay for stay in self.stays if stay.label == label and stay.outcome == "held")
        stay.end, stay.outcome = now(), outcome

    def drop(self, item: str, reason: str) -> None:
        self.leave(item, "dropped")

    def fold(self, waiting: str, item: str) -> str:
        self.leave(waiting, "folded")
        self.leave(item, "folded")
        self.enter(waiting + item)
        return waiting + item

    def moved(self, label: str, place: str) -> None:
        """An item went to disk, or came back."""
        self.leave(label, "moved")
        self.enter(label, place)

    async def producer(self) -> AsyncIterator[str]:
        for label, due in DUE.items():
            await asyncio.sleep(max(0.0, due - now()))
            self.offered[label] = now()
            self.enter(label)
            try:
                yield Item(label)
            except GeneratorExit:
                self.leave(label, "refused")
                raise

    async def consumer(self, item: Any) -> None:
        if isinstance(item, sk.Gap):
            self.gaps.append((now(), item))
            return
        labels = item if isinstance(item, list) else [item]
        for label in labels:
            self.leave(label, "delivered")
        self.worked.append((now(), " ".join(labels)))
        await asyncio.sleep(BUSY)

    def check(self, stats: sk.BufferStats) -> None:
        """What was seen must be what was counted."""
        seen = Counter(stay.outcome for stay in self.stays)
        counted = {name: seen[name] for name in ("delivered", "dropped", "refused", "held")}
        counted["offered"] = len(self.offered)
        counted["folded"] = sum(stay.outcome == "folded" and stay.passed for stay in self.stays)
        times = self.offered.values()
        together = [sum(stay.begin <= when < stay.end for stay in self.stays) for when in times]
        counted["held_at_most"] = max(1, *together)
        for name, number in counted.items():
            if getattr(stats, name) != number:
                raise RuntimeError(f"{name}: {number} were seen, which is not what was counted: {stats}")
        if self.gaps and stats.dropped != sum(gap.count for _, gap in self.gaps):
            raise RuntimeError(f"{self.gaps} is not what was dropped: {stats}")


Make = Callable[[Tape], sk.Strategy]
_tape: ContextVar[Tape] = ContextVar("tape")


class Item(str):
    """An item that is seen when it is pickled, and when it comes back."""

    __slots__ = ()

    def __reduce__(self) -> tuple[Callable[[str], Item], tuple[str]]:
        _tape.get().moved(self, "disk")
        return read_back, (str(self),)


def read_back(label: str) -> Item:
    _tape.get().moved(label, "memory")
    return Item(label)


def now() -> float:
    return asyncio.get_running_loop().time()


def record(make: Make) -> tuple[Tape, sk.BufferStats]:
    """Run ``buffer(strategy)`` once, in virtual time."""

    async def main() -> tuple[Tape, sk.BufferStats]:
        tape = Tape()
        _tape.set(tape)
        job = Stream(tape.producer) | ops.buffer(make(tape)) | ops.for_each(tape.consumer)
        handle = job.start()
        try:
            await handle
        except sk.BufferOverflowError as error:
            tape.failed = now(), type(error).__name__
        (stats,) = handle.buffers()
        tape.check(stats)
        return tape, stats

    return run(main)


# -- the drawing ----------------------------------------------------------------------------------

LEFT, SECOND, WIDTH = 78, 22, 800
LOST = {"dropped", "refused"}
SLOT, STEP = 19, 22
"""The height of a slot, and from one slot to the next."""

STYLE = """
svg{color:#1f2328;font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
text{fill:currentColor}
.w{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
.n{font-size:15px;font-weight:600}
.c{text-anchor:middle}.e{text-anchor:end}
.card{fill:#fff;stroke:#d0d7de}.slot{fill:#eff2f5}.tick{stroke:#d0d7de}
.q{color:#57606a}.held,.busy{color:#0067a8}.wait{color:#a85400}.lost{color:#c22f0c}
.o,.lost path{fill:none;stroke:currentColor;stroke-width:1.5}
.held rect{fill:#d3e5f2;stroke:currentColor}
.busy rect{fill:currentColor}.busy text{fill:#fff}
.lost rect{fill:#f8ebe7;stroke:currentColor;stroke-dasharray:3 2}
.wait rect{fill:url(#h)}
.go{stroke:currentColor;stroke-opacity:.45}
@media(prefers-color-scheme:dark){
svg{color:#e6edf3}.card{fill:#0d1117;stroke:#30363d}.slot{fill:#1a2029}.tick{stroke:#30363d}
.q{color:#9aa4af}.held,.busy{color:#6cb6ff}.wait{color:#f0a44b}.lost{color:#ff8b6b}
.held rect{fill:#17354f}.busy text{fill:#0d1117}.lost rect{fill:#33201c}}
"""
STRIPES = (
    '<pattern id="h" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0v6" class="wait" stroke="currentColor" stroke-width="5"/></pattern>'
)


def x(seconds: float) -> float:
    return LEFT + SECOND * seconds


def text(at: float, y: float, words: object, kind: str = "") -> str:
    return f'<text x="{at:g}" y="{y:g}"{_class(kind)}>{escape(str(words))}</text>'


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def box(begin: float, end: float, y: float, height: float, kind: str = "") -> str:
    size = f'width="{end - begin - 1:g}" height="{height:g}" rx="4"'
    return f'<rect x="{begin:g}" y="{y:g}" {size}{_class(kind)}/>'


def cross(at: float, y: float) -> str:
    return f'<path d="M{at - 3.5:g} {y - 3.5:g}l7 7m0-7l-7 7"/>'


def circle(at: float, y: float) -> str:
    return f'<circle class="o" cx="{at:g}" cy="{y:g}" r="8.5"/>'


def place(stays: list[Stay], rows: int) -> int:
    """Give each stay the first row that is free; return how many rows there are, at least `rows`."""
    free: list[float] = [-1.0] * rows
    for stay in sorted(stays, key=lambda stay: stay.begin):
        stay.row = next((row for row, since in enumerate(free) if since <= stay.begin), len(free))
        free[stay.row : stay.row + 1] = [stay.end]
    return len(free)


def producer(tape: Tape, y: float) -> list[str]:
    """Each item when it was offered, beside those of the same moment; below, where it waited for that."""
    marks: list[str] = []
    spans: list[list[float]] = []
    turned_away = {stay.label for stay in tape.stays if stay.passed and stay.outcome in LOST}
    at = 0.0
    for label, when in tape.offered.items():
        at = max(at + 17, x(when) + 9)
        marks += [circle(at, y), text(at, y + 4, label, "c")]
        if label in turned_away:
            marks.append(f'<g class="lost"><path d="M{at:g} {y + 9:g}v7"/>{cross(at, y + 21)}</g>')
        if spans and DUE[label] <= spans[-1][1]:
            spans[-1][1] = when
        elif DUE[label] < when:
            spans.append([DUE[label], when])
    return [*marks, *(wait(x(begin), x(end), y + 13) for begin, end in spans)]


def wait(begin: float, end: float, y: float) -> str:
    return f'<g class="wait">{box(begin, end, y, 9)}</g>'


def slots(rows: int, y: float) -> list[str]:
    """The places of the buffer, empty."""
    return [box(LEFT, WIDTH - 12, y + STEP * row, SLOT, "slot") for row in range(rows)]


def held(stays: list[Stay], y: float) -> list[str]:
    """What was held, and how it left."""
    marks: list[str] = []
    for stay in stays:
        begin, end, top = x(stay.begin), x(stay.end), y + STEP * stay.row
        lost = stay.outcome == "dropped"
        parts = [box(begin, end, top, SLOT)]
        room = end - begin - (12 if lost else 0)
        if 6.7 * len(stay.label) <= room:
            at = begin + min(room, 6.7 * len(stay.label) + 10) / 2
            parts.append(text(at, top + 13.5, stay.label, "c"))
        if lost:
            parts.append(cross(end - 8, top + SLOT / 2))
        marks.append(f'<g class="{"lost" if lost else "held"}">{"".join(parts)}</g>')
    return marks


def moves(stays: list[Stay], y: float, below: float) -> list[str]:
    """From where each item was held to the consumer."""
    begun = [(x(stay.end) + 0.5, y + STEP * stay.row + SLOT) for stay in stays if stay.outcome == "delivered"]
    return [f'<path class="go" d="M{at:g} {top:g}V{below:g}"/>' for at, top in begun]


def clock(top: float, y: float) -> list[str]:
    """A line every five seconds, and below it the time."""
    lines = [f'<path class="tick" d="M{x(at):g} {top:g}V{y:g}"/>' for at in range(0, 33, 5)]
    return lines + [text(x(at), y + 13, f"{at} s", "c q") for at in range(0, 33, 5)]


def consumer(tape: Tape, y: float) -> list[str]:
    """What was delivered, and how long the consumer worked on it."""
    marks: list[str] = []
    for when, label in tape.worked:
        parts = box(x(when), x(when + BUSY), y, SLOT) + text(x(when) + 8, y + 13.5, label)
        marks.append(f'<g class="busy">{parts}</g>')
    for when, gap in tape.gaps:
        at = x(when)
        marks.append(f'<g class="lost"><path d="M{at:g} {y + SLOT + 3:g}l5 5-5 5-5-5z"/></g>')
        marks.append(text(at + 9, y + SLOT + 12, f"Gap({gap.count})", "lost"))
    if tape.failed is not None:
        when, name = tape.failed
        marks.append(f'<g class="lost">{cross(x(when) + 9, y + SLOT / 2)}</g>')
        marks.append(text(x(when) + 18, y + 13.5, name, "lost"))
    return marks


def legend(used: dict[str, str], y: float) -> list[str]:
    """What the marks of this picture mean."""
    marks: list[str] = []
    at = float(LEFT)
    for words, mark in used.items():
        marks += [f'<g transform="translate({at:g} {y - 4:g})">{mark}</g>', text(at + 24, y, words, "w q")]
        at += 24 + 6.4 * len(words) + 18
    return marks


LEGEND = {
    "offered": circle(9, 0),
    "producer waits": wait(0, 19, -4.5),
    "held": f'<g class="held">{box(0, 19, -7, 14)}</g>',
    "dropped": f'<g class="lost">{box(0, 19, -7, 14)}{cross(9, 0)}</g>',
    "refused": f'<g class="lost">{cross(9, 0)}</g>',
    "consumer at work": f'<g class="busy">{box(0, 19, -7, 14)}</g>',
}


def accounting(stats: sk.BufferStats) -> str:
    """``offered 9 = delivered 7 + dropped 2``."""
    parts = [(name, getattr(stats, name)) for name in ("delivered", "dropped", "folded", "refused", "held")]
    return f"offered {stats.offered} = " + " + ".join(f"{name} {count}" for name, count in parts if count)


def draw(name: str, says: str, tape: Tape, stats: sk.BufferStats) -> str:
    """One picture."""
    stays = [stay for stay in tape.stays if not stay.passed]
    memory = [stay for stay in stays if stay.place == "memory"]
    disk = [stay for stay in stays if stay.place == "disk"]
    limit = stats.strategy.limit if stats.strategy is not None else None
    rows, more = place(memory, limit or 0), place(disk, 0)
    top = 84
    below = top + STEP * (rows + more) + 8
    axis = below + SLOT + (18 if tape.gaps else 4)
    height = axis + 48
    seen = {stay.outcome for stay in tape.stays}
    late = any(when > DUE[label] for label, when in tape.offered.items())
    shown = {"offered", "held", "consumer at work"} | seen & LOST | ({"producer waits"} if late else set())
    body = [
        f"<title>{escape(name)}: {escape(says)}</title>",
        f"<desc>{escape(accounting(stats))}</desc><style>{STYLE}</style>",
        f"<defs>{STRIPES}</defs>",
        f'<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        text(14, 25, name, "n"),
        text(14 + 9.1 * len(name) + 14, 25, says, "w q"),
        text(WIDTH - 14, 25, accounting(stats), "e"),
        text(14, 56, "producer", "w"),
        text(14, top + 13.5, "memory" if disk else "buffer", "w"),
        text(14, below + 13.5, "consumer", "w"),
        *([text(14, top + STEP * rows + 13.5, "disk", "w")] if disk else []),
        *clock(top - 4, axis),
        *slots(rows + more, top),
        *moves(memory, top, below),
        *held(memory, top),
        *held(disk, top + STEP * rows),
        *producer(tape, 52),
        *consumer(tape, below),
        *legend({words: mark for words, mark in LEGEND.items() if words in shown}, height - 13),
    ]
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>', *body, "</svg>\n"])


# -- the pictures ---------------------------------------------------------------------------------


def _gaps(tape: Tape) -> sk.Strategy:
    return sk.DropOldest(3, on_drop=tape.drop, gaps=True)


PICTURES: dict[str, tuple[str, Make]] = {
    "Suspend(3)": ("full: the producer waits", lambda tape: sk.Suspend(3)),
    "Fail(3)": ("full: the stream fails, after what is held", lambda tape: sk.Fail(3)),
    "DropIncoming(3)": ("full: the new item is dropped", lambda tape: sk.DropIncoming(3, on_drop=tape.drop)),
    "DropOldest(3)": ("full: the oldest item is dropped", lambda tape: sk.DropOldest(3, on_drop=tape.drop)),
    "DropYoungest(3)": ("full: the youngest is replaced", lambda tape: sk.DropYoungest(3, on_drop=tape.drop)),
    "DropAll(3)": ("full: everything held is dropped", lambda tape: sk.DropAll(3, on_drop=tape.drop)),
    "KeepLatest()": ("one slot, overwritten", lambda tape: sk.KeepLatest(on_drop=tape.drop)),
    "Conflate(add)": ("what waits is folded into one", lambda tape: sk.Conflate(tape.fold)),
    "Collect(2)": ("what waits leaves as one list; full: the producer waits", lambda tape: sk.Collect(2)),
    "Spill(3)": ("full: the rest goes to disk", lambda tape: sk.Spill(3)),
    "Unbounded()": ("it grows", lambda tape: sk.Unbounded()),
    "DropOldest(3, gaps=True)": ("a Gap stands for what was dropped", _gaps),
}
"""By the name of each: what it says, and the strategy."""


def main(directory: Path) -> None:
    """Draw all of them into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, (says, make) in PICTURES.items():
        tape, stats = record(make)
        stem = "Gap" if tape.gaps else name.partition("(")[0]
        (directory / f"{stem}.svg").write_text(draw(name, says, tape, stats), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
