"""Which mutants do the same as the original: those that `tests/mutants.toml` names, and those of its kinds.

A kind is a pattern, and what is put in its place: a mutant is of it where the lines are alike then, before
the change and after. Only survivors are looked up, so that a kind never hides what a test notes.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.change import Mutant

__all__ = ["Known"]


@dataclass(frozen=True)
class _Kind:
    pattern: re.Pattern[str]
    into: str

    def has(self, mutant: Mutant) -> bool:
        before, after = (self.pattern.sub(self.into, text) for text in (mutant.before, mutant.after))
        return before == after


class Known:
    """Those that a table lists, each with the reason; `in` asks for one."""

    def __init__(self, table: Path) -> None:
        found = tomllib.loads(table.read_text())
        assert all(each["why"] for each in (*found["kind"], *found["equivalent"])), "say why"
        self._kinds = [_Kind(re.compile(each["pattern"]), each["into"]) for each in found["kind"]]
        self._each = {Mutant(each["function"], each["before"], each["after"]) for each in found["equivalent"]}

    def __contains__(self, mutant: Mutant) -> bool:
        return mutant in self._each or any(kind.has(mutant) for kind in self._kinds)
