"""Writes docs/pictures/windows: which items each kind of windows puts together, recorded while it did it.

python -m pages.windows [directory]
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

from pages.drawing import SLOT, STEP, STYLE, WIDTH, box, circle, clock, cross, text, x
from streamkit import Hopping, Session, Stream, Tumbling, Window, ops
from streamkit._core.windows import Windows
from streamkit.testing import run

DIRECTORY = Path(__file__).parent.parent / "docs" / "pictures" / "windows"

CAME = dict(zip("abcdefgh", (0, 1, 3, 6, 7, 14, 15, 21), strict=True))
"""When each item comes, in seconds."""
KINDS = (Tumbling(seconds=4), Hopping(seconds=8, every=4), Session(gap=3))

HAPPENED = dict(zip("abcdefg", (1, 4, 12, 3, 17, 2, 25), strict=True))
"""When each item happened, in the order in which they come."""
LATENESS = 5
TENS = Tumbling(seconds=10)


@dataclass
class Found:
    """A window, its items, and when it was passed on: at what second, or with which item."""

    window: Window
    items: str
    out: float
    row: int = 0


@dataclass
class Tape:
    """What was seen of one kind of windows."""

    found: list[Found] = field(default_factory=list[Found])
    late: list[str] = field(default_factory=list[str])


def on_arrival(kind: Windows) -> Tape:
    """Run windows on arrival time, in virtual time."""
    tape = Tape()

    async def source() -> AsyncIterator[str]:
        for label, due in CAME.items():
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            yield label
        await asyncio.sleep(9.0)

    async def main() -> None:
        async for window, items in Stream(source) | ops.window(kind, ops.to_list()):
            tape.found.append(Found(window, "".join(items), asyncio.get_running_loop().time()))

    run(main)
    return tape


def on_event_time() -> Tape:
    """Run windows on event time; `out` is the number of items that had come."""
    tape, came = Tape(), list[str]()

    def timestamp(label: str) -> int:
        came.append(label)
        return HAPPENED[label]

    windows = ops.window(
        TENS, ops.to_list(), timestamp=timestamp, lateness=LATENESS, on_late=tape.late.append
    )
    for window, items in Stream([*HAPPENED]) | windows:
        tape.found.append(Found(window, "".join(items), len(came)))
    return tape


def arranged(found: list[Found]) -> int:
    """Give each window the first row in which nothing overlaps it; how many rows there are."""
    ends: list[float] = []
    for each in found:
        start, end = each.window
        each.row = next((row for row, taken in enumerate(ends) if taken <= start), len(ends))
        ends[each.row : each.row + 1] = [end]
    return len(ends)


def framed(name: str, says: str, height: float, body: list[str]) -> str:
    """The picture around what is drawn."""
    size = f'viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size}>',
        f"<title>{escape(name)}: {escape(says)}</title><style>{STYLE}</style>",
        f'<rect class="card" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1:g}" rx="8"/>',
        text(14, 25, name, "n"),
        text(14 + 9.1 * len(name) + 14, 25, says, "w q"),
    ]
    return "\n".join([*lines, *body, "</svg>\n"])


def arrival() -> str:
    """The kinds of windows by time, over the same items, on arrival time."""
    body: list[str] = [text(14, 56, "items", "w")]
    for label, due in CAME.items():
        body += [circle(x(due), 52), text(x(due), 56, label, "c")]
    top = 84.0
    for kind in KINDS:
        tape = on_arrival(kind)
        rows = arranged(tape.found)
        body.append(text(14, top + 12, repr(kind).replace(".0", "")))
        for each in tape.found:
            begin, end = each.window
            y = top + 18 + STEP * each.row
            shown = box(x(max(begin, 0)), x(end), y, SLOT)
            body.append(f'<g class="held">{shown}{text(x(max(begin, 0)) + 8, y + 13.5, each.items)}</g>')
        top += 18 + STEP * rows + 14
    says = "windows end by the clock; empty ones are left out"
    return framed("Arrival time", says, top + 20, [*clock(72, top), *body])


def event() -> str:
    """One kind on event time: a row for each item as it comes, with the watermark behind it."""
    tape = on_event_time()
    top, below = 62.0, 62.0 + STEP * (len(HAPPENED) + 1)
    body: list[str] = []
    for each in tape.found:
        start, end = each.window
        body.append(box(x(start), x(end), top - 16, below - top + 4, "slot"))
        ended = end + LATENESS <= max(HAPPENED.values())
        out = f"with {[*HAPPENED][int(each.out) - 1]}" if ended else "at the end"
        body.append(text(x(start) + 8, below - 6, f"{each.items}: passed on {out}", "w"))
    greatest = -math.inf
    for row, (label, when) in enumerate(HAPPENED.items()):
        y = top + STEP * row
        greatest = max(greatest, when)
        mark = f"M{x(max(greatest - LATENESS, 0)):g} {y - 11:g}v{STEP}"
        body.append(f'<path class="wait" stroke="currentColor" stroke-width="2" d="{mark}"/>')
        body.append(text(14, y + 4, f"{row + 1}: {label}", "q"))
        shown = circle(x(when), y) + text(x(when), y + 4, label, "c")
        late = label in tape.late
        body.append(f'<g class="lost">{shown}{cross(x(when) + 15, y)}</g>' if late else shown)
    says = f"lateness={LATENESS}: the line is the watermark, the crossed item is late"
    return framed(repr(TENS).replace(".0", ""), says, below + 34, [*body, *clock(top - 16, below + 8)])


def main(directory: Path) -> None:
    """Draw both into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, picture in (("arrival", arrival()), ("event", event())):
        (directory / f"{name}.svg").write_text(picture, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DIRECTORY)
