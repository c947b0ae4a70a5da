"""The tests that stand in the file of a graph: what its sources give, and what has to come of it, and when.

    [[tests]]
    name = "each quote is priced"
    sources.quotes = [3, { at = 2.0, item = 5 }]        # in place of the source
    expect.both = [{ at = 0.0, item = [3, "$3"] }, { at = 2.0, item = [5, "$5"] }]

Sinks are replaced by what only notes what comes: a test writes nothing anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any, Final

from streamkit._core.show import shown
from streamkit._core.value import Record
from streamkit.graph.mistakes import Fault, Path, Report, nearest
from streamkit.graph.nodes import Node
from streamkit.graph.values import listing, table
from streamkit.graph.vocabulary import Role

__all__ = ["KEYS", "Case", "Moment", "moments", "read_cases"]

KEYS: Final = ("name", "context", "sources", "expect", "error", "seconds")
"""Those of a test."""
_MOMENT: Final = frozenset({"at", "item", "error"})


class Moment(Record):
    """An item of a source or an output, or the error at its end."""

    item: Any = None
    at: float | None = None
    """The second of the run; None where that does not matter."""
    error: str = ""
    """What the source fails with."""


class Case(Record):
    """One test of a graph."""

    name: str
    path: Path
    context: Any
    """What functions get that ask for the context."""
    sources: Mapping[str, list[Moment]]
    """By the name of a source, what it gives."""
    expect: Mapping[str, list[Moment]]
    """By the name of a node, what has to leave it; what has to come to it, if it is a sink."""
    error: str
    """What the graph has to fail with, as ``"ValueError: 3"``; nothing, if it has to end."""
    seconds: float | None
    """When it is stopped, if it does not end before."""


def moments(raw: object) -> list[Moment] | None:
    """Items, or tables of an item and the second at which it comes; None if that is no list."""
    items = listing(raw)
    if items is None:
        return None
    found: list[Moment] = []
    for each in items:
        keys = _timed(each)
        if keys is None:
            found.append(Moment(item=each))
        else:  # a time that is none is told of, and nothing runs
            at = float(keys["at"]) if _is_time(keys["at"]) else 0.0
            found.append(Moment(item=keys.get("item"), at=at, error=str(keys.get("error", ""))))
    return found


def _timed(raw: object) -> Mapping[Any, Any] | None:
    """The table of an item and its second; None if it is an item itself."""
    keys = table(raw)
    return keys if keys is not None and "at" in keys and keys.keys() <= _MOMENT else None


def _check_moments(raw: object, path: Path, report: Report) -> None:
    for number, each in enumerate(listing(raw) or ()):
        keys = _timed(each) or {}
        if keys and not _is_time(keys["at"]):
            words = f"at must be a number of at least 0, not {shown(keys['at'])}"
            report.add(Fault.WRONG_ARGUMENT, (*path, number, "at"), words)
        _text(keys, "error", (*path, number), report)


def _text(keys: Mapping[Any, Any], key: str, path: Path, report: Report) -> str | None:
    """The text under `key`; None if there is none."""
    found = keys.get(key)
    if found is not None and not isinstance(found, str):
        report.add(Fault.WRONG_ARGUMENT, (*path, key), f"{key} must be a text, not {shown(found)}")
        return None
    return found


def _is_time(raw: object) -> bool:
    return isinstance(raw, (int, float)) and not isinstance(raw, bool) and 0 <= raw < inf


def read_cases(raw: Any, nodes: Mapping[str, Node], report: Report) -> list[Case]:
    """The tests of a graph; what is wrong with how they are written goes to `report`."""
    tests = listing(raw)
    if tests is None:
        report.add(Fault.WRONG_ARGUMENT, ("tests",), f"tests must be a list of tests, not {shown(raw)}")
        return []
    return [_read(each, ("tests", number), nodes, report) for number, each in enumerate(tests)]


def _read(raw: Any, path: Path, nodes: Mapping[str, Node], report: Report) -> Case:
    keys = table(raw)
    if keys is None:
        report.add(Fault.WRONG_ARGUMENT, path, f"a test is a table, not {shown(raw)}")
        keys = {}
    for wrong in [each for each in keys if each not in KEYS]:
        words = f"a test takes no {shown(wrong)}"
        report.add(Fault.UNKNOWN_ARGUMENT, (*path, wrong), words, nearest(wrong, KEYS))
    seconds = keys.get("seconds")
    if seconds is not None and not _is_time(seconds):
        words = f"seconds must be a number of at least 0, not {shown(seconds)}"
        report.add(Fault.WRONG_ARGUMENT, (*path, "seconds"), words)
        seconds = None
    name, error = _text(keys, "name", path, report), _text(keys, "error", path, report)
    begin = {name: node for name, node in nodes.items() if node.kind.role is Role.SOURCE}
    return Case(
        name=f"test {path[-1]}" if name is None else name,
        path=path,
        context=keys.get("context"),
        sources=_named(keys.get("sources", {}), begin, "source", (*path, "sources"), report),
        expect=_named(keys.get("expect", {}), nodes, "node", (*path, "expect"), report),
        error=error or "",
        seconds=None if seconds is None else float(seconds),
    )


def _named(
    raw: Any, names: Mapping[str, Any], what: str, path: Path, report: Report
) -> dict[str, list[Moment]]:
    """Lists by the full names of nodes, as ``"outer.inner"``."""
    keys = table(raw)
    if keys is None:
        report.add(Fault.WRONG_ARGUMENT, path, f"it must be a table of lists, not {shown(raw)}")
        return {}
    found: dict[str, list[Moment]] = {}
    for name, value in keys.items():
        items = moments(value)
        if name not in names:
            words = f"there is no {what} {shown(name)}"
            report.add(Fault.UNKNOWN_NAME, (*path, name), words, nearest(name, names))
        elif items is None:
            report.add(Fault.WRONG_ARGUMENT, (*path, name), f"it must be a list of items, not {shown(value)}")
        else:
            found[name] = items
            _check_moments(value, (*path, name), report)
    return found
