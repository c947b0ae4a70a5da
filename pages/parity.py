"""Writes the tables of RxPY's and aiostream's names into docs/operators.md, between two marks.

python -m pages.parity
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from streamkit import ops
from streamkit._core.elsewhere import answer
from streamkit._core.lazy import listed
from streamkit._core.names import AIOSTREAM, RXPY

PAGE = Path(__file__).parent.parent / "docs" / "operators.md"
BEGIN, END = "<!-- names elsewhere: written by make pages -->\n", "<!-- names elsewhere end -->\n"
HEADS = {
    "Coming from RxPY": ("RxPY 6.1", RXPY),
    "Coming from aiostream": ("aiostream 0.8", AIOSTREAM),
}


ABOUT = (
    "What makes one value of all items, such as `count`, `first` and `to_list`, is an operator there.",
    "Here it is a sink, which ends the pipe: `ops.aggregate(sink)` makes an operator of it.",
)


def rows(table: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """A name, the line to write here, and what is said of it."""
    for name, entry in sorted(table.items(), key=lambda row: row[0].lower()):
        code, note = answer(entry)
        if not code:
            assert name in listed(ops.__name__), name
            code = f"ops.{name}(...)"
        yield name, code, note


def tables() -> Iterator[str]:
    """Both tables."""
    for title, (library, table) in HEADS.items():
        yield from (f"## {title}", "", *ABOUT, "", f"| {library} | here | |", "| --- | --- | --- |")
        for name, code, note in rows(table):
            yield f"| `{name}` | `{code.replace('|', chr(92) + '|')}` | {note.replace('|', chr(92) + '|')} |"
        yield ""


def page() -> str:
    """docs/operators.md with the tables as they are now."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return before + BEGIN + "\n" + "\n".join(tables()) + "\n" + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
