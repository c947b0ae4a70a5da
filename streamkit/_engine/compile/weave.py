"""Weaving: what the frame of a loop calls to have the pieces of its steps written inside.

The parts of it have files of their own: `layout` numbers the steps, `splice` writes their pieces, with
`groups` for those of steps that group, `edits` says how a loop is left for another, `names` says what names
become, and `lines` holds the text.
"""

from __future__ import annotations

from streamkit._engine.compile.edits import Edited, Edits
from streamkit._engine.compile.follow import Follower
from streamkit._engine.compile.key import End, Kind, Pairs, StepKey
from streamkit._engine.compile.layout import Layout
from streamkit._engine.compile.lines import Lines, Site
from streamkit._engine.compile.names import Names
from streamkit._engine.compile.splice import Splicer

__all__ = ["Weaver"]


class Weaver:
    """Writes the pieces of `steps` into `lines`.

    `last` is the text that hands over ``{item}``, which the last step emits; `settle` the text that awaits
    ``{value}``. `probing`, of `body`, says whether the text is for the time in which it is not known of every
    callback whether what it returns must be awaited. What is around the loop does not rely on that time.
    """

    def __init__(
        self,
        steps: tuple[StepKey, ...],
        last: str,
        settle: str,
        kind: Kind,
        end: End,
        edited: Edited | None = None,
        pairs: Pairs | None = None,
    ) -> None:
        self.pairs = pairs
        self.layout = Layout(steps)
        self.lines = Lines()
        self.add = self.lines.add
        self.names = Names(self.layout, self.lines, settle)
        follow = Follower(self.layout, self.lines, self.names, pairs, hands=end is not End.USER)
        self._splicer = Splicer(self.layout, self.lines, self.names, last, follow)
        self.edits: Edits | None = None
        """How the loop is left for another, if some of its steps may be replaced."""
        self.sliced = False
        """Whether it can be left between two slices, too: so it need not between two items of one."""
        if edited is not None:
            self.edits = Edits(edited, self._splicer, self.layout, self.lines, kind, end)

    @property
    def hands(self) -> dict[int, str]:
        """By the index of a step: the variable of the delivery that it has in hand."""
        return self._splicer.follow.hands

    @property
    def gives(self) -> bool:
        """Whether it makes pairs of its items and a delivery that it is given."""
        return self.pairs is Pairs.GIVES

    @property
    def loops(self) -> bool:
        """Whether a step goes through something, item by item, or waits in a way of its own."""
        return self.nests or self.rescues or any(each.loops for each in self.layout.parsed)

    @property
    def rescues(self) -> bool:
        """Whether a step hands a cancellation to the source while it waits."""
        return any(key.declaration.rescues for key in self.layout.steps)

    @property
    def closes(self) -> bool:
        """Whether a step has something to do when the loop is left."""
        return any(key.declaration.closes for key in self.layout.steps)

    @property
    def nests(self) -> bool:
        """Whether a step goes through streams that a callback makes."""
        return any(key.declaration.nests for key in self.layout.steps)

    def goes_on(self, loop: int, depth: int, first: int) -> None:
        """What is between the lines of a loop, which begin at the number `loop`, and one over what follows.

        ``source`` becomes what follows, which does not go through the `first` so many steps. An error that
        came from a step behind those is none of the source, and is raised.
        """
        self.lines.attempt(loop, depth, "source = await segment.again(error)")
        self.add(depth + 1, "if source is None:")
        self.add(depth + 2, "raise")
        self.add(depth, "else:")
        self.add(depth + 1, "source = await segment.rest()")
        self.let_go(depth, "part", *self.names.passing)
        if first:
            self.layout.first = self.layout.after[first - 1]

    def setups(self, depth: int) -> None:
        """What happens before the first item is asked for."""
        self.names.probing = True
        if self.edits is None:
            self._splicer.setups(depth)
        else:
            self.edits.setups(depth)

    def body(self, depth: int, *, probing: bool, followed: bool = False, rests: bool = False) -> bool:
        """What happens with one item of the source, which is in ``item``; whether anything is awaited there.

        `followed` says whether the frame writes more behind it, which no ``continue`` may skip; `rests`,
        whether the loop waits for the next item then, and so lets go of this one.
        """
        self.names.probing = probing
        self.names.awaits = False
        self.names.passing = ["item"]
        with self.lines.body(depth):
            begin = len(self.lines.all)
            self.leave(depth)
            end, self.names.awaits = len(self.lines.all), False
            site = Site("item", depth, ends_turn=not followed, spent=True, rests=rests and not followed)
            site = self._splicer.follow.turn(site)
            self._splicer.each(self.layout.first, site)
            self._splicer.follow.ended(site)
            if rests:
                self._splicer.rest(depth)
                self._splicer.let_go()
            if self.sliced and not self.names.awaits:
                del self.lines.all[begin:end]  # nobody else runs between two items
        return self.names.awaits

    def leave(self, depth: int, unless: str = "") -> None:
        """Leave the loop for another here, if steps of it are replaced."""
        if self.edits is not None:
            self.edits.leave(depth, unless)

    def let_go(self, depth: int, *names: str) -> None:
        """Let go of the variables of these names; without any, of all that hold something for a turn."""
        self.add(depth, f"{' = '.join(names or self.names.passing)} = None")

    def whole(self) -> None:
        """Go through what is in the loops of steps without letting others run."""
        self._splicer.breathes = False

    @property
    def holds(self) -> bool:
        """Whether a step passes on what it holds after an error, too, or makes something of that."""
        return self.layout.hears

    def ending(self, depth: int, *, loop: int) -> None:
        """What happens when the source has ended. The lines of setup and loop begin at the number `loop`."""
        self.names.probing = True
        if self.holds:
            self._splicer.guarded_ending(depth, loop)
        else:
            self._splicer.ending(depth, self.layout.first)
