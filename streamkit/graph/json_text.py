"""JSON: read by `json`; where each key stands is looked for only when somebody asks."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from streamkit.graph.mistakes import Path
from streamkit.graph.text import Found, Text, Unreadable

__all__ = ["read_json"]

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


def read_json(text: str, file: str = "") -> tuple[Text, bool]:
    """`text` as data, and whether a key stands somewhere twice.

    Raises:
        Unreadable: it is no JSON.
    """
    twice = False

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal twice
        made = dict(pairs)
        twice = twice or len(made) < len(pairs)
        return made

    def refuse(word: str) -> Any:
        raise ValueError(f"{word} is no number of JSON")

    try:
        data = json.loads(text, object_pairs_hook=table, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise Unreadable(error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise Unreadable("it is nested too deep") from None
    except ValueError as error:
        raise Unreadable(str(error)) from None
    return Text(text, data, "json", _scan, file=file), twice


class _Open:
    """An object or a list whose end has not come."""

    __slots__ = ("at", "begun", "path", "seen")

    def __init__(self, path: Path, seen: set[str] | None, begun: int) -> None:
        self.path = path
        self.begun = begun
        self.seen = seen
        """The keys that have come, of an object; None of a list."""
        self.at: str | int | None = None if seen is not None else 0
        """The key, or the number, of the value that comes next; None where a key comes next."""


def _scan(text: str) -> Found:
    """Where each key of an object, and each item of a list, stands in `text`, which is JSON."""
    found = Found()
    places = found.places
    stack: list[_Open] = []
    for token in _TOKEN.finditer(text):
        word, top = token[0], stack[-1] if stack else None
        if word in "]}":
            closed = stack.pop()
            found.spans[closed.path] = closed.begun, token.end()
        elif word == ",":
            assert top is not None
            top.at = None if top.seen is not None else int(top.at or 0) + 1
        elif word == ":":
            pass
        elif top is not None and top.seen is not None and top.at is None:
            key = json.loads(word)
            path = (*top.path, key)
            if key in top.seen:
                found.twice.append((path, token.start()))
            top.seen.add(key)
            places[path] = token.start()
            top.at = key
        else:
            path = () if top is None or top.at is None else (*top.path, top.at)
            if top is not None and top.seen is None:
                places[path] = token.start()
            if word in "[{":
                stack.append(_Open(path, set() if word == "{" else None, token.start()))
            else:
                found.spans[path] = token.span()
    return found
