"""TOML: read by `tomllib`, which tells of no lines; a small scanner finds where each key stands.

The scanner is given what `tomllib` has read, or refused because of a key that stands there twice. So it need
not find mistakes, and stops where it understands nothing.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

from streamkit.graph.mistakes import Path
from streamkit.graph.text import Found, Text, Unreadable

__all__ = ["read_toml"]

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY: Final = re.compile(r"""[ \t]*("(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING: Final = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''', re.DOTALL
)
_SCALAR: Final = re.compile(r"[^,\]}#\n]+")
_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_toml(text: str, file: str = "") -> tuple[Text, bool]:
    """`text` as data, and whether a key stands somewhere twice.

    Raises:
        Unreadable: it is no TOML.
    """
    text = text.replace("\r\n", "\n")
    try:
        return Text(text, tomllib.loads(text), "toml", _scan, file=file), False
    except tomllib.TOMLDecodeError as error:
        scanner = _Scanner(text)
        scanner.scan()
        if not scanner.found.twice:
            raise _unreadable(error) from None
    except RecursionError:
        raise Unreadable("it is nested too deep") from None
    except ValueError as error:  # a number that Python refuses to read
        raise Unreadable(str(error)) from None
    left = text
    for start, end in scanner.spans:  # the rest is read without what stands there a second time
        head = left[:start].rstrip()
        begin = len(head) - 1 if head.endswith(",") else start  # it stands in a table on one line
        left = left[:begin] + re.sub(r"[^\n]", " ", left[begin:end]) + left[end:]
    try:
        data = tomllib.loads(left)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(error) from None
    return Text(text, data, "toml", lambda _: scanner.found, file=file), True


def _unreadable(error: tomllib.TOMLDecodeError) -> Unreadable:
    words = str(error)
    place = _PLACE.search(words)
    line, column = (int(place[1]), int(place[2])) if place is not None and place[1] else (0, 0)
    return Unreadable(_PLACE.sub("", words), line, column)


def _scan(text: str) -> Found:
    scanner = _Scanner(text)
    scanner.scan()
    return scanner.found


class _Lost(Exception):  # noqa: N818 - it never leaves this module
    """Here stands what the scanner does not understand."""


class _Scanner:
    """Finds keys."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found = Found()
        self.spans: list[tuple[int, int]] = []
        """The statements, and whole tables, that stand there a second time."""
        self.written: set[Path] = set()
        """Tables whose header has come, and keys that have a value."""
        self.lists: dict[Path, int] = {}
        """How many tables each list of tables has, as in ``[[tests]]``."""

    def scan(self) -> None:
        """Find all, as far as the text is understood."""
        table: Path = ()
        begun = -1
        """Where a table begins that stands there a second time; -1 in others."""
        at = self.skipped(0)
        try:
            while at < len(self.text):
                start = at
                if self.text[at] != "[":
                    at = self.statement(at, table, note=begun < 0)
                    at = self.skipped(at)
                    continue
                if begun >= 0:
                    self.spans.append((begun, start))
                    begun = -1
                at, table, again = self.header(at)
                if again:
                    self.found.twice.append((table, start))
                    begun = start
                at = self.skipped(at)
        except _Lost:
            return
        if begun >= 0:
            self.spans.append((begun, len(self.text)))

    def skipped(self, at: int) -> int:
        """Past blanks, ends of lines and comments."""
        found = _BLANK.match(self.text, at)
        return at if found is None else found.end()

    def keys(self, at: int) -> tuple[list[tuple[str, int]], int]:
        """The parts of a key, each with its place; and where it ends."""
        parts: list[tuple[str, int]] = []
        while True:
            found = _KEY.match(self.text, at)
            if found is None:
                raise _Lost
            word: str = found[1]
            if word[0] == '"':
                word = tomllib.loads(f"k = {word}")["k"]
            parts.append((word.strip("'") if found[1][0] == "'" else word, found.start(1)))
            at = found.end()
            if self.text[at : at + 1] != ".":
                return parts, at
            at += 1

    def expect(self, sign: str, at: int) -> int:
        if not self.text.startswith(sign, at):
            raise _Lost
        return at + len(sign)

    def header(self, at: int) -> tuple[int, Path, bool]:
        """A header: where it ends, its table, and whether that has come already."""
        start, several = at, self.text.startswith("[[", at)
        parts, at = self.keys(at + 1 + several)
        at = self.expect("]" * (1 + several), at)
        path: Path = ()
        for number, (word, _) in enumerate(parts):
            path = (*path, word)
            self.found.places.setdefault(path, start)
            last = number == len(parts) - 1
            if last and several:
                self.lists[path] = self.lists.get(path, 0) + 1
            if path in self.lists:
                path = (*path, self.lists[path] - 1)
        again = path in self.written and not several
        self.written.add(path)
        if not again:
            self.found.places[path] = start
        return at, path, again

    def statement(self, at: int, table: Path, *, note: bool) -> int:
        """A key with its value."""
        start = at
        parts, at = self.keys(at)
        path = (*table, *[word for word, _ in parts])
        again = path in self.written
        at = self.value(self.expect("=", at), path, note=note and not again)
        if note and again:
            self.found.twice.append((path, start))
            self.spans.append((start, at))
        elif note:
            self.noted(table, parts)
        return at

    def noted(self, table: Path, parts: list[tuple[str, int]]) -> None:
        path = table
        for word, place in parts:
            path = (*path, word)
            self.found.places.setdefault(path, place)
        self.written.add(path)

    def value(self, at: int, path: Path, *, note: bool) -> int:
        """A value: where it ends. Its place is noted, and what stands in it."""
        begun = self.skipped(at)
        end = self._value(begun, path, note=note)
        if note:
            self.found.spans[path] = begun, end
        return end

    def _value(self, at: int, path: Path, *, note: bool) -> int:
        sign = self.text[at : at + 1]
        if sign == "[":
            return self.items(at + 1, path, note=note)
        if sign == "{":
            return self.inline(at + 1, path, note=note)
        found = (_STRING if sign in "\"'" else _SCALAR).match(self.text, at)
        if found is None or not sign:
            raise _Lost
        return found.end() - (len(found[0]) - len(found[0].rstrip()))

    def items(self, at: int, path: Path, *, note: bool) -> int:
        number = 0
        while True:
            at = self.skipped(at)
            if self.text.startswith("]", at):
                return at + 1
            here = (*path, number)
            if note:
                self.found.places.setdefault(here, at)
            at = self.skipped(self.value(at, here, note=note))
            if self.text.startswith(",", at):
                at += 1
            elif not self.text.startswith("]", at):
                raise _Lost
            number += 1

    def inline(self, at: int, path: Path, *, note: bool) -> int:
        while True:
            at = self.skipped(at)
            if self.text.startswith("}", at):
                return at + 1
            at = self.skipped(self.statement(at, path, note=note))
            if self.text.startswith(",", at):
                at += 1
            elif not self.text.startswith("}", at):
                raise _Lost
