"""YAML, with pyyaml (``streamkit[yaml]``), by the table of YAML 1.2: ``on``, ``yes`` and ``no`` are texts.

Data is made of the events of the parser, and of nothing else: a tag is refused, whatever it says, and aliases
may stand for so many values only, so that a short text cannot become one that never ends.
"""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

from streamkit.graph.mistakes import Path
from streamkit.graph.text import Found, Text, Unreadable

__all__ = ["read_yaml"]

_WORDS: Final = {"": None, "~": None, "null": None, "Null": None, "NULL": None} | {
    word: value
    for value, words in ((True, "true True TRUE"), (False, "false False FALSE"))
    for word in words.split()
}
_INTEGER: Final = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ENDLESS: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_MOST: Final = 100_000
"""Values that aliases may stand for, all together."""
_DEEP: Final = 200


def read_yaml(text: str, file: str = "") -> tuple[Text, bool]:
    """`text` as data, and whether a key stands somewhere twice.

    Raises:
        Unreadable: it is no YAML; or has a tag, an alias without an anchor before it, aliases that stand for
            too much, or a second document.
    """
    reader = _Reader(text)
    try:
        for event in yaml.parse(text, yaml.SafeLoader):
            reader.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
        raise Unreadable(error.problem or "it is no YAML", *place) from None
    except yaml.YAMLError as error:  # a character that may not stand there
        raise Unreadable(str(error).split("\n", 1)[0]) from None
    return Text(text, reader.data, "yaml", lambda _: reader.found, file=file), bool(reader.found.twice)


class _Open:
    """A collection whose end has not come."""

    __slots__ = ("anchor", "begun", "key", "made", "path", "size")

    def __init__(self, made: Any, path: Path, anchor: str | None, begun: int) -> None:
        self.begun = begun
        self.made = made
        self.path = path
        self.anchor = anchor
        self.size = 1
        """How many values it has, with all that is inside."""
        self.key: Any = _NO_KEY
        """The key whose value comes next, of a mapping."""


_NO_KEY: Final = object()


class _Reader:
    """Makes data of events."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.data: Any = None
        self.found = Found()
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int]] = {}
        """What each stands for, and how many values that has."""
        self.aliased = 0
        self.documents = 0

    def take(self, event: Any) -> None:
        """Go on with the next event of the parser."""
        mark = event.start_mark
        if getattr(event, "tag", None) is not None:
            raise Unreadable(f"the tag {event.tag} is refused", mark.line + 1, mark.column + 1)
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise Unreadable("a second document begins", mark.line + 1, mark.column + 1)
        elif isinstance(event, yaml.AliasEvent):
            self.alias(str(event.anchor), mark)
        elif isinstance(event, yaml.ScalarEvent):
            try:
                value = _resolved(event.value) if event.implicit[0] else event.value
            except ValueError as error:  # a number that Python refuses to read
                raise Unreadable(str(error), mark.line + 1, mark.column + 1) from None
            self.put(value, 1, event.anchor, mark)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            made: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            if len(self.stack) >= _DEEP:
                raise Unreadable("it is nested too deep", mark.line + 1, mark.column + 1)
            self.stack.append(_Open(made, self.path(mark), event.anchor, mark.index))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            ended = self.stack.pop()
            end: Any = event.end_mark
            text = self.text[ended.begun : end.index].rstrip()
            self.found.spans[ended.path] = ended.begun, ended.begun + len(text)
            self.put(ended.made, ended.size, ended.anchor, mark, placed=True)

    def path(self, mark: Any) -> Path:
        """The path of the value that comes next; that of an item of a list is noted."""
        if not self.stack:
            return ()
        top = self.stack[-1]
        if isinstance(top.made, list):
            here = (*top.path, len(top.made))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - of any items
            self.found.places[here] = mark.index
            return here
        if top.key is _NO_KEY:
            raise Unreadable("a key must be a text", mark.line + 1, mark.column + 1)
        return (*top.path, top.key)

    def alias(self, anchor: str, mark: Any) -> None:
        if anchor not in self.anchors:
            raise Unreadable(f"no anchor {anchor} has ended before", mark.line + 1, mark.column + 1)
        value, size = self.anchors[anchor]
        self.aliased += size
        if self.aliased > _MOST:
            words = f"aliases stand for more than {_MOST} values"
            raise Unreadable(words, mark.line + 1, mark.column + 1)
        self.put(value, size, None, mark)

    def put(self, value: Any, size: int, anchor: str | None, mark: Any, *, placed: bool = False) -> None:
        """Put a value where it belongs."""
        if anchor is not None:
            self.anchors[anchor] = value, size
        if not self.stack:
            self.data = value
            return
        top = self.stack[-1]
        top.size += size
        if isinstance(top.made, list):
            if not placed:
                self.path(mark)
            top.made.append(value)  # pyright: ignore[reportUnknownMemberType] - of any items
        elif top.key is _NO_KEY:
            if not isinstance(value, (str, int, float, type(None))):
                raise Unreadable("a key must be a text", mark.line + 1, mark.column + 1)
            top.key = value
            path: Any = (*top.path, value)
            if value in top.made:
                self.found.twice.append((path, mark.index))
            self.found.places[path] = mark.index
        else:
            top.made[top.key] = value
            top.key = _NO_KEY


def _resolved(word: str) -> Any:
    """A plain word by the table of the core schema of YAML 1.2."""
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        return int(word[2:], 8) if word.startswith("0o") else int(word, 16 if "x" in word else 10)
    if _FLOAT.fullmatch(word):
        return float(word)
    if _ENDLESS.fullmatch(word):
        return float(word.replace(".", ""))
    return word
