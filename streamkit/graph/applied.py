"""What `RunningGraph.apply` gives: a change of a graph that runs, from its beginning to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Generator, Mapping
from typing import Any

from streamkit._core.errors import LateChangeError, RolledBackError
from streamkit.graph.difference import Difference
from streamkit.graph.lanes import Mark, Port
from streamkit.graph.unit import Unit

__all__ = ["Applied", "results"]


class Applied:
    """A graph that was applied to one that runs. ``await`` it to know that nothing of the old one is left.

    It gives the results of the sinks that were taken out, or were changed, by their names. It raises
    `RolledBackError` if the change was rolled back.
    """

    def __init__(self, difference: Difference) -> None:
        self.difference: Difference = difference
        """What was changed."""
        self._old: dict[str, Unit] = {}
        self._left: set[Unit | Port | Mark] = set()
        self._begun = False
        self._trials = 0
        self._error: Exception | None = None
        self._over = asyncio.Event()

    @property
    def done(self) -> bool:
        """Whether nothing is left of what was taken out, and no item is on trial."""
        return self._over.is_set()

    @property
    def error(self) -> Exception | None:
        """Why it was taken back; None if it was not."""
        return self._error

    def __await__(self) -> Generator[Any, None, dict[str, Any]]:
        yield from self._over.wait().__await__()
        if self._error is not None:
            raise self._error
        return results(self._old)

    def __repr__(self) -> str:
        state = "under way" if not self.done else "done" if self._error is None else "taken back"
        return f"<Applied {state}: {self.difference}>"

    # what the graph says -----------------------------------------------------------------------

    def begins(self, old: Mapping[str, Unit], left: Collection[Unit | Port | Mark], trials: int) -> None:
        """These are taken out; it is not done before `left` is over; and so many of the new are on trial."""
        self._old = dict(old)
        self._trials = trials
        self._begun = True
        self.follows(left)

    def follows(self, left: Collection[Unit | Port | Mark]) -> None:
        """It is not done before `left` is over, too."""
        self._left |= {*left}
        self._look()

    def ended(self, what: Unit | Port | Mark) -> None:
        """A node runs no more, or has gone over to its new readers."""
        self._left.discard(what)
        self._look()

    def proved(self) -> None:
        """A node is on trial no more."""
        self._trials -= 1
        self._look()

    def failed(self, name: str, error: BaseException) -> None:
        """A node has failed on trial: all is as it was before."""
        words = f"the change was rolled back: {name}: {type(error).__name__}: {error}"
        self._error = RolledBackError(words)
        self._error.__cause__ = error

    def withdrawn(self) -> None:
        """Nothing of it has begun, and nothing will."""
        self._error = LateChangeError("the change was taken back: nobody asked for another item in time")
        self._left.clear()
        self._over.set()

    def late(self) -> LateChangeError:
        """Why it is not done in time, where it goes on."""
        names = sorted({each.node.name for each in self._left if isinstance(each, Unit)})
        held = f"{' and '.join(names)} has still to pass on what it holds" if names else "items are under way"
        return LateChangeError(f"the change goes on: {held}")

    def _look(self) -> None:
        if self._begun and not self._left and (not self._trials or self._error is not None):
            self._over.set()


def results(units: Mapping[str, Unit]) -> dict[str, Any]:
    """Those of the sinks that have ended by themselves."""
    found: dict[str, Any] = {}
    for name, unit in sorted(units.items()):
        task = unit.task
        if (
            unit.ends
            and task is not None
            and task.done()
            and not task.cancelled()
            and task.exception() is None
        ):
            found[name] = task.result()
    return found
