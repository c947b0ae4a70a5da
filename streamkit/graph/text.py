"""Text, and where what was read stands in it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, Final

from streamkit.graph.mistakes import Fault, Mistake, Path

__all__ = ["MARK", "Found", "Text", "Unreadable", "Written"]

MARK: Final = "\ufeff"
"""What some editors write at the beginning of a file."""


class Found:
    """Where everything stands in a text."""

    def __init__(self) -> None:
        self.places: dict[Path, int] = {(): 0}
        """By path, where its key stands."""
        self.spans: dict[Path, tuple[int, int]] = {}
        """By path, where its value begins and ends."""
        self.twice: list[tuple[Path, int]] = []
        """The keys that stand there a second time."""


class Unreadable(Exception):  # noqa: N818 - it never leaves this package
    """The text is not in its format."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message: str = message
        self.line: int = line
        self.column: int = column


class Text:
    """A text that was read into `data`; `scan` finds where everything stands, when somebody asks."""

    def __init__(
        self, text: str, data: Any, kind: str, scan: Callable[[str], Found], *, file: str = ""
    ) -> None:
        self.text = text
        self.written: str = text
        """As it stands in the file, where lines may end otherwise, and a mark may stand before them."""
        self.data = data
        self.kind = kind
        """Its format."""
        self.file = file
        self._scan = scan

    @cached_property
    def found(self) -> Found:
        """Where everything stands."""
        return self._scan(self.text)

    @cached_property
    def _lines(self) -> list[int]:
        """Where each line begins."""
        begins = [0]
        while (at := self.text.find("\n", begins[-1])) >= 0:
            begins.append(at + 1)
        return begins

    def place(self, at: int) -> tuple[int, int]:
        """The line and the column of a place in the text, both from 1 on."""
        line = bisect_right(self._lines, at)
        return line, at - self._lines[line - 1] + 1

    def at(self, path: Path) -> tuple[int, int]:
        """The line and the column of `path`: of as much of it as stands there."""
        places = self.found.places
        while path and path not in places:
            path = path[:-1]
        return self.place(places.get(path, 0))

    def located(self, mistake: Mistake) -> Mistake:
        """`mistake`, with its file, line and column."""
        line, column = self.at(mistake.path)
        return mistake.but(file=self.file, line=line, column=column)

    def span(self, path: Path) -> tuple[int, int]:
        """Where the value at `path` begins and ends.

        Raises:
            ValueError: it stands nowhere by itself.
        """
        if path not in self.found.spans:
            raise ValueError(f"{path[-1]} must be written as a value of its own, to be written anew")
        return self.found.spans[path]

    def replaced(self, changes: Iterable[tuple[int, int, str]]) -> str:
        """The text as it is written, with other words from one place to another. All else stays."""
        written = self.written
        before = len(written) - len(written.removeprefix(MARK))
        ends = [at.start() - number - before for number, at in enumerate(re.finditer("\r\n", written))]
        end = "\r\n" if ends and ends[0] == self.text.find("\n") else "\n"
        for begin, until, words in sorted(changes, reverse=True):
            first, last = [at + before + bisect_left(ends, at) for at in (begin, until)]
            written = written[:first] + words.replace("\n", end) + written[last:]
        return written

    def twice(self) -> list[Mistake]:
        """The keys that stand there a second time."""
        found: list[Mistake] = []
        for path, at in self.found.twice:
            line, column = self.place(at)
            words = f"{path[-1]} stands there a second time"
            found.append(
                Mistake(
                    fault=Fault.DUPLICATE_KEY,
                    path=path,
                    message=words,
                    file=self.file,
                    line=line,
                    column=column,
                )
            )
        return found


class Written:
    """Where an operator of a graph was written. An error that names it asks as it asks the code of a program.

    The text is gone through only then.
    """

    def __init__(self, text: Text, path: Path) -> None:
        self._text = text
        self._path = path

    @property
    def co_filename(self) -> str:
        """The file."""
        return self._text.file or "the graph"

    @property
    def co_firstlineno(self) -> int:
        """The line."""
        return self._text.at(self._path)[0]

    def co_lines(self) -> tuple[()]:
        """None within it."""
        return ()
