"""A pipeline that is edited while it runs: readings of a sensor, cleaned by steps that come and go.

    python examples/editing.py --readings 60 --every 0.02

Every reading is counted by the operator behind the slot, which nobody takes apart: it counts on, whatever
stands before it. Lines of a script say when the content changes; ``--script`` reads another.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from streamkit import Keep, Operator, RolledBackError, Stream, ops
from streamkit.live import Slot

Cleaning = Operator[float, float] | Keep

SCRIPT = """\
12 insert 0 clip
24 insert 1 smooth
36 pop 0
40 insert 0 broken
48 replace smooth
"""


def clip(reading: float) -> float:
    """Nothing is hotter than 30 degrees here."""
    return min(reading, 30.0)


def broken(reading: float) -> float:
    """A cleaning that somebody has written in a hurry."""
    return math.sqrt(reading - 1000.0)


def mean(readings: Iterable[float]) -> float:
    several = [*readings]
    return sum(several) / len(several)


CLEANINGS: dict[str, Callable[[], Cleaning]] = {
    "clip": lambda: ops.map(clip),
    "smooth": lambda: ops.sliding(2) | ops.map(mean),
    "broken": lambda: ops.map(broken),
}


class Line(NamedTuple):
    """What is to be done before the reading of that number."""

    at: int
    call: str
    arguments: list[str]


def parsed(script: str) -> dict[int, Line]:
    lines = [line.split() for line in script.splitlines() if line.strip()]
    return {int(at): Line(int(at), call, arguments) for at, call, *arguments in lines}


async def changed(slot: Slot[float, float], line: Line) -> None:
    """Change the content as `line` says; what fails with its first readings is taken out again."""
    match line.call, line.arguments:
        case "insert", [index, name]:
            change = await slot.insert(int(index), CLEANINGS[name](), rollback=3)
        case "pop", [index]:
            change = await slot.pop(int(index))
        case "replace", [name]:
            change = await slot.replace(CLEANINGS[name](), rollback=3)
        case _:
            raise ValueError(f"no such call: {line.call} {' '.join(line.arguments)}")
    print(f"{line.at:4} {line.call} {' '.join(line.arguments)}: generation {change.generation}, {slot}")
    try:
        await change
    except RolledBackError as error:
        print(f"     {error}; back to {slot}")


async def edited(readings: int, every: float, script: str) -> list[tuple[int, float]]:
    """The readings, each with its number, behind a slot that changes as `script` says."""
    lines = parsed(script)
    changes: list[asyncio.Task[None]] = []
    slot: Slot[float, float] = Slot(name="cleaning")

    async def sensor() -> AsyncIterator[float]:
        for number in range(readings):
            await asyncio.sleep(every)
            if number in lines:
                changes.append(asyncio.create_task(changed(slot, lines[number])))
                await asyncio.sleep(every)
            yield 20.0 + number % 12 * 2.0

    shown = await (Stream(sensor) | slot | ops.enumerate() | ops.to_list())
    await asyncio.gather(*changes)
    return shown


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--readings", type=int, default=60, help="how many readings there are")
    parser.add_argument("--every", type=float, default=0.02, help="seconds between two of them")
    parser.add_argument("--script", type=Path, help="a file of lines as: 12 insert 0 clip")
    options = parser.parse_args(arguments)
    script = SCRIPT if options.script is None else options.script.read_text()
    shown = asyncio.run(edited(options.readings, options.every, script))
    print(f"{len(shown)} readings, the hottest of {max(reading for _, reading in shown):.1f} degrees")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
