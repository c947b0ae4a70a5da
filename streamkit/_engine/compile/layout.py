"""The layout of a loop: which index each step has, and which step gets what it emits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from streamkit._core.value import Record
from streamkit._engine.compile.checks import signalled
from streamkit._engine.compile.key import StepKey
from streamkit._engine.compile.pieces import Parsed, parsed
from streamkit._engine.compile.scopes import assigned

__all__ = ["UNSEEN", "Exit", "Layout"]

UNSEEN = object()
"""What a step that groups finds for a name of which there is no group, where it allows for any state."""


class Exit(Record):
    """Stands where the index of a next step would, behind the last step: the items leave."""

    group: int | None
    """The index of the grouping step whose groups they leave; None where they leave the whole loop."""


class Layout:
    """The steps of a loop, numbered: the *index* of a step is its number in `steps`.

    The steps of the pipe come first, in its order. Behind them come the steps in the branches of the first
    that forks or groups, each branch with all that is inside it, then those of the second, and so on. It is
    the order of `flattened`, which lists the links of a pipe: there, too, a step is found by its index.

    A step that forks (``broadcast``) has several branches, each of which gets every item that comes to it. A
    step that groups (``group_by``) has one pipe, which stands in the loop once, and runs with the state of
    this group or that.
    """

    def __init__(self, steps: tuple[StepKey, ...]) -> None:
        self.steps: list[StepKey] = []
        self.after: list[int | Exit] = []
        """By the index of a step: the index of the step that gets what it emits."""
        self.forks: dict[int, list[range]] = {}
        """By the index of a step that forks: the indexes of each branch."""
        self.groups: dict[int, range] = {}
        """By the index of a step that groups: the indexes of the pipe of its groups."""
        self.inside: dict[int, int] = {}
        """By the index of a step in such a pipe: the index of the step that groups (the innermost)."""
        top = self.top = self._numbered(steps, Exit(group=None))
        self.first: int | Exit = top[0] if top else Exit(group=None)
        """The step that gets the items of the source."""
        self.last: int | None = top[-1] if top else None
        """The step whose result is that of the loop, if it is a sink."""
        self.parsed: list[Parsed] = [parsed(key.declaration) for key in self.steps]
        self.emitting: set[int] = {
            branch[-1]
            for index, branches in self.forks.items()
            for branch in branches
            if self.steps[branch[-1]].declaration.sink and not self.steps[index].declaration.sink
        }
        """The sinks at the ends of branches whose results go on in the pipe, as those in ``aggregate`` do."""
        self.holding: frozenset[int] = frozenset()
        """The steps that keep deliveries, in a variable more (`follow.py`)."""

    def _numbered(self, steps: tuple[StepKey, ...], out: Exit | int) -> range:
        """Give `steps`, and then those inside them, the next indexes; `out` gets what the last one emits."""
        indexes = range(len(self.steps), len(self.steps) + len(steps))
        self.steps += steps
        self.after += [*indexes[1:], out] if steps else []
        for index, key in zip(indexes, steps, strict=True):
            if key.declaration.groups:
                pipe = self._numbered(key.branches[0], Exit(group=index))
                self._grouped(pipe)
                enclosed = dict.fromkeys(range(pipe[0], len(self.steps)), index)
                self.inside.update(enclosed | self.inside)  # what is in a group of an inner step stays there
                self.groups[index] = pipe
            elif key.branches:
                self.forks[index] = [self._numbered(branch, self.after[index]) for branch in key.branches]
        return indexes

    def picks(self, index: int) -> bool:
        """Whether the step at `index`, which forks, gives each item to one of its branches."""
        return any(signalled(statement, "pick") for statement in self.parsed[index].each)

    def before(self, indexes: Iterable[int]) -> set[int]:
        """The steps from which an item may come to one of those at `indexes`."""
        into: dict[int | Exit, list[int]] = {}
        for index, gets in enumerate(self.after):
            after = gets
            while isinstance(after, Exit) and after.group is not None:
                after = self.after[after.group]
            into.setdefault(after, []).append(index)
        for index, branches in self.forks.items():
            for branch in branches:
                into.setdefault(branch[0], []).append(index)
        for index, pipe in self.groups.items():
            into.setdefault(pipe[0], []).append(index)
        found, open_ = set[int](), [*indexes]
        while open_:
            fresh = set(into.get(open_.pop(), ())) - found
            found |= fresh
            open_ += fresh
        return found

    @property
    def hears(self) -> bool:
        """Whether a step does something after an error of what is before it."""
        return any(key.declaration.hears for key in self.steps)

    def regrouping(self, group: int | None = None) -> list[int]:
        """The steps that regroup: all, or those in the groups of the step at index `group`."""
        return [
            index
            for index, key in enumerate(self.steps)
            if key.declaration.contract.regroups and (group is None or group in self._around(index))
        ]

    def _around(self, index: int) -> set[int]:
        """The steps that group around the step at `index`."""
        found = set[int]()
        while (group := self.inside.get(index)) is not None:
            found.add(group)
            index = group
        return found

    def _grouped(self, pipe: range) -> None:
        """Refuse steps for which a group cannot keep what they have assigned to."""
        for key in self.steps[pipe[0] :]:
            if early := ", ".join(sorted(parsed(key.declaration).early)):
                raise SyntaxError(
                    f"step {key.declaration.name}: in groups, it must assign to {early} in setup: each group "
                    "keeps what its setup assigns to, and this may be read before it is assigned"
                )

    def members(self, group: int | None) -> list[int]:
        """The steps of the groups of the step at index `group`, or (None) those that are in no group."""
        return [index for index in range(len(self.steps)) if self.inside.get(index) == group]

    def backwards(self, group: int | None) -> list[int]:
        """The same, each behind those that get what it emits."""
        steps = self.top if group is None else self.groups[group]
        return [index for step in reversed(steps) for index in self.with_branches(step)]

    def with_branches(self, step: int) -> Iterator[int]:
        """A step, behind those in its branches, however deep."""
        for branch in self.forks.get(step, ()):
            for index in reversed(branch):
                yield from self.with_branches(index)
        yield step

    def ends_early(self, group: int) -> bool:
        """Whether a step of the groups of the step at index `group` may ``stop()``."""
        return any(self.parsed[index].stops for index in self.members(group))

    def kept(self, group: int) -> list[str]:
        """The variables that a group keeps from one item to the next, by their names in the loop."""
        members = self.members(group)
        variables = [
            f"{name}_{index}" for index in members for name in sorted(assigned(self.parsed[index].setup))
        ]
        return variables + [f"kept_{index}_" for index in members if index in self.holding]

    def bare(self, group: int) -> bool:
        """Whether the value of the one variable that a group keeps is its state, with no list around it."""
        step: Any = self.steps[group].declaration
        any_state = self.single(group) or step.uses.get("UNSEEN") is UNSEEN
        return any_state and len(self.kept(group)) == 1 and not self.ends_early(group)

    def single(self, group: int) -> bool:
        """Whether the step at index `group` has one group at a time, which it keeps in ``state`` itself."""
        return "state" in assigned(self.parsed[group].setup)

    def rebound(self, group: int) -> frozenset[str]:
        """Those of them that ``each`` assigns to; the others are objects that stay the same."""
        return frozenset(
            f"{name}_{index}"
            for index in self.members(group)
            for name in assigned(self.parsed[index].setup) & self._assigned(index)
        )

    def _assigned(self, index: int) -> set[str]:
        """What ``each`` of the step at `index` assigns to, by itself or by a signal."""
        return {*assigned(self.parsed[index].each)} | ({"state"} if index in self.groups else set())
