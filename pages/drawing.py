"""Draws what `pages.recording` recorded as an SVG picture."""

from __future__ import annotations

from xml.sax.saxutils import escape

import streamkit as sk
from pages.recording import BUSY, DUE, Stay, Tape

__all__ = ["draw"]

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
    shown = (
        {"offered", "held", "consumer at work"} | seen & LOST | ({"producer waits"} if late else set[str]())
    )
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
