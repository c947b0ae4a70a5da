"""What is wrong in a graph: each mistake with its path, its place in the file, and what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from enum import StrEnum
from string import ascii_letters, digits
from typing import Final, TypeAlias

from streamkit._core.errors import GraphError
from streamkit._core.value import Record

__all__ = ["Fault", "Mistake", "Path", "Report", "Wrong", "either", "nearest", "raise_all", "refuse"]

Path: TypeAlias = tuple[str | int, ...]
"""Keys and places in lists, from the top of the data: ``("nodes", "price", "input", 1)``."""


class Fault(StrEnum):
    """The kinds of mistakes."""

    UNREADABLE = "unreadable"
    """The file is not in its format; nothing more can be said of it."""
    UNKNOWN_NAME = "unknown name"
    """No node, no operator or nothing in the registry has this name."""
    NOT_ALLOWED = "not allowed"
    """The name is one that a registry does not give out."""
    UNKNOWN_ARGUMENT = "unknown argument"
    MISSING_ARGUMENT = "missing argument"
    WRONG_ARGUMENT = "wrong argument"
    NO_KIND = "no kind"
    """Nothing says what the node does, or two things do."""
    CYCLE = "cycle"
    UNUSED_OUTPUT = "unused output"
    MISSING_INPUT = "missing input"
    WRONG_INPUT = "wrong input"
    """What begins by itself has an input, or a nested graph has more or fewer than it names."""
    SINK_AS_INPUT = "sink as input"
    MISSING_STRATEGY = "missing strategy"
    """Nothing says how items wait where that could go on for ever."""
    DUPLICATE_KEY = "duplicate key"
    TYPE_MISMATCH = "type mismatch"
    NOT_LIVE = "not while it runs"
    """A graph that runs cannot become this one."""


class Mistake(Record):
    """One mistake; ``str`` shows it on a line."""

    fault: Fault
    path: Path
    """Keys and places in lists that lead to it."""
    message: str
    suggestion: str = ""
    """What to write instead; nothing, if that is not known."""
    file: str = ""
    """Nothing, if the graph did not come from a file."""
    line: int = 0
    """From 1 on; 0 if it is not known, as in a graph from a dict."""
    column: int = 0

    @property
    def where(self) -> str:
        """The path in words: ``nodes.price.input[1]``."""
        words = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in self.path)
        return words.removeprefix(".") or "the graph"

    def __str__(self) -> str:
        place = (
            f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: " * bool(self.file)
        )
        hint = f"; {self.suggestion}" if self.suggestion else ""
        return f"{place}{self.where}: {self.fault}: {self.message}{hint}"


class Report:
    """Collects the mistakes of one graph."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.broken: set[str] = set()
        """The names of nodes with a mistake. What follows from one is not told of as another."""

    def add(self, fault: Fault, path: Path, message: str, suggestion: str = "", *, node: str = "") -> None:
        """Note a mistake."""
        self.mistakes.append(Mistake(fault=fault, path=path, message=message, suggestion=suggestion))
        if node:
            self.broken.add(node)

    def refused(self, wrong: Wrong, path: Path, *, node: str = "") -> None:
        """Note what was raised as `wrong`, somewhere at or below `path`."""
        for each in (wrong, *wrong.others):
            self.add(each.fault, (*path, *each.path), each.message, each.suggestion, node=node)


class Wrong(Exception):  # noqa: N818 - it never leaves this package
    """Raised where a value is read, and noted as a mistake by who knows its path."""

    def __init__(self, fault: Fault, message: str, suggestion: str = "", path: Path = ()) -> None:
        super().__init__(message)
        self.fault: Fault = fault
        self.message: str = message
        self.suggestion: str = suggestion
        self.path: Path = path
        """Where it is, below the value that was read."""
        self.others: list[Wrong] = []
        """What is wrong beside it."""

    def below(self, *path: str | int) -> Wrong:
        """The same, seen from further up."""
        seen = Wrong(self.fault, self.message, self.suggestion, (*path, *self.path))
        seen.others = [each.below(*path) for each in self.others]
        return seen


_FAR: Final = 4
"""How many letters a name may be longer or shorter than the one that is meant."""
_MANY: Final = 500
"""Of more names, only those are looked for that differ by one slip: a mistake takes no longer then."""
_WIDE: Final = 2_000
"""The same of names with more letters in all: to compare those takes the product of their lengths."""
_LONG: Final = 64
_LETTERS: Final = f"{ascii_letters}{digits}._- "


def nearest(wrong: object, names: Collection[str]) -> str:
    """The words that suggest the name which is most like the `wrong` one; none if no name is.

    >>> nearest("work.pirce", ["work.price", "work.size"])
    'write work.price'
    """
    name = str(wrong)
    few = len(names) <= _MANY
    near = [each for each in map(str, names) if abs(len(each) - len(name)) <= _FAR] if few else []
    if not few or sum(map(len, near)) > _WIDE:
        slips = (each for each in _slips(name) if each in names) if len(name) <= _LONG else iter(())
        return f"write {found}" if (found := next(slips, "")) else ""
    letters = sorted(name)  # two of them changed places, most often
    alike = [each for each in near if sorted(each) == letters] or get_close_matches(name, near, 1, 0.6)
    return f"write {alike[0]}" if alike else ""


def _slips(name: str) -> Iterator[str]:
    """The names from which `name` differs by one slip of the pen: of letters that changed places first."""
    parts = [(name[:at], name[at:]) for at in range(len(name) + 1)]
    yield from (a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1)
    yield from (a + b[1:] for a, b in parts if b)
    yield from (a + each + b for a, b in parts for each in _LETTERS)
    yield from (a + each + b[1:] for a, b in parts if b for each in _LETTERS)


def raise_all(wrongs: Sequence[Wrong]) -> None:
    """Raise the first of `wrongs`, if there is one, with the others beside it."""
    if wrongs:
        first, *others = wrongs
        first.others += [each for other in others for each in (other, *other.others)]
        raise first


def either(names: Sequence[str]) -> str:
    """`names` in words: ``a, b or c``."""
    return " or ".join([part for part in (", ".join(names[:-1]), *names[-1:]) if part])


def refuse(mistakes: Sequence[Mistake]) -> None:
    """Raise if there is a mistake; the error tells of all of them, a line each."""
    if mistakes:
        count = f"{len(mistakes)} mistakes" if len(mistakes) > 1 else "a mistake"
        raise GraphError("\n  ".join([f"the graph has {count}:", *map(str, mistakes)]), tuple(mistakes))
