"""Writes docs/pictures: what each strategy does, recorded while it did it.

    python -m pages.pictures [directory]

`pages.recording` runs each strategy, and `pages.drawing` draws what was recorded.
"""

import sys
from pathlib import Path

import streamkit as sk
from pages.drawing import draw
from pages.recording import Make, Tape, record

DIRECTORY = Path(__file__).parent.parent / "docs" / "pictures"


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
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DIRECTORY)
