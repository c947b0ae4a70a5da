"""Names that newcomers bring along from RxPY, aiostream and their kin, and what is written here instead."""

from __future__ import annotations

import re
from typing import Final

from streamkit._core.lazy import listed
from streamkit._core.names import AIOSTREAM, OTHERS, RXPY

__all__ = ["answer", "hint", "line"]

_OPS: Final = "streamkit.ops"
_FRONT: Final = "streamkit"
_FURTHER: Final = ("streamkit.connect", "streamkit.durable")
"""Doors of their own, which a newcomer may look for at the front."""
_NOTE: Final = "  # "


def line(name: str) -> str | None:
    """What to write for `name` here, if it is known.

    >>> line("chunks"), line("flatMap"), line("push"), line("sqlite"), line("nonsense")
    ('ops.batch(size)', 'ops.flat_map(...)', 'streamkit.push(...)', 'streamkit.durable.SQLite', None)
    """
    if name.startswith("_"):
        return None
    operators, front = listed(_OPS), listed(_FRONT)
    for each in (name, _snake(name)):
        if each in operators:
            return f"ops.{each}(...)"
        if each in front:
            return f"streamkit.{each}" + ("(...)" if each.islower() else "")
    for table in (RXPY, AIOSTREAM, OTHERS):
        for each in (name, _snake(name)):
            if table.get(each):
                return answer(table[each])[0]
    known = {each.lower(): each for each in (*RXPY, *AIOSTREAM)}
    if found := known.get(_snake(name)):
        return answer((RXPY | AIOSTREAM)[found])[0]
    for door in _FURTHER:
        for each in listed(door):
            if each.lower() == name.lower():
                return f"{door}.{each}" + ("(...)" if each.islower() else "")
    return None


def answer(entry: str) -> tuple[str, str]:
    """The line in an entry of the tables, as it can be written, and what is said of it."""
    code, _, note = entry.partition(_NOTE.strip())
    return re.sub(r"(?<![.\w])\w+(?=\()", _prefixed, code.strip()), note.strip()


def hint(name: str) -> str:
    """The end of a message that says that there is no `name`: what to write, if that is known.

    >>> hint("buffer_with_count"), hint("nonsense")
    (': buffer_with_count is batch here, as in ops.batch(size)', '')
    """
    code = line(name)
    if code is None:
        return ""
    here = " | ".join(re.findall(r"(?:^|\| )(?:ops\.|streamkit\.)?(\w+)\(", code))
    there = any(name.lower() == each.lower() for each in re.findall(r"\w+", code)) or any(
        _snake(name) in listed(door) for door in (_OPS, _FRONT)
    )
    return f": write {code}" if there or not here else f": {name} is {here} here, as in {code}"


def _prefixed(found: re.Match[str]) -> str:
    return f"ops.{found[0]}" if found[0] in listed(_OPS) else found[0]


def _snake(name: str) -> str:
    """`name` as Python writes names: ``flatMap``, and ``filter_``, which leaves a builtin alone."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().rstrip("_")
