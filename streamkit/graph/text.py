"""Text, and where what was read stands in it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeAlias

from streamkit.graph.mistakes import Fault, Mistake, Path

__all__ = ["Found", "Text", "Unreadable"]

Found: TypeAlias = "tuple[dict[Path, int], list[tuple[Path, int]]]"
"""By path, where its key stands in the text; and the keys that stand there a second time."""


class Unreadable(Exception):  # noqa: N818 - it never leaves this package
    """The text is not in its format."""

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


class Text:
    """A text that was read into `data`; `scan` finds where everything stands, when somebody asks."""

    def __init__(self, text: str, data: Any, scan: Callable[[str], Found], *, file: str = "") -> None:
        self.text = text
        self.data = data
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

    def located(self, mistake: Mistake) -> Mistake:
        """`mistake`, with its file, line and column: those of as much of its path as stands there."""
        places, _ = self.found
        path = mistake.path
        while path and path not in places:
            path = path[:-1]
        line, column = self.place(places.get(path, 0))
        return mistake.but(file=self.file, line=line, column=column)

    def twice(self) -> list[Mistake]:
        """The keys that stand there a second time."""
        found: list[Mistake] = []
        for path, at in self.found[1]:
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
