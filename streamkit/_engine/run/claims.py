"""Claims: the sources that a run may read, and for whose reader others wait.

A source after the first of a ``concat`` is opened when its turn comes, which may be never. Those who fill a
push source must not wait for that for ever, so a run that ends lets go of those it has claimed. One that no
run claims any more, and that none has opened, ends then. A run claims all that it may come to read, however
deep inside, and for as long as it lasts: a stream that ``catch`` reads again still finds its sources.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from streamkit._engine.plan.link import awaited

__all__ = ["Claims"]


class Claims:
    """The claims of one run. They keep no source alive: one that nobody has any more ends by itself."""

    __slots__ = ("_sources",)

    def __init__(self) -> None:
        self._sources: WeakSet[Any] | None = None

    def take(self, *values: object) -> None:
        """Claim the sources in `values`, streams or arguments of stages, that are not claimed yet."""
        for source in awaited(*values):
            if self._sources is None:
                self._sources = WeakSet()
            if source not in self._sources:
                self._sources.add(source)
                source.claim()

    def release(self) -> list[Exception]:
        """Let go of all; return what was raised where a source ended."""
        sources, self._sources = self._sources, None
        errors: list[Exception] = []
        for source in sources or ():
            try:
                source.disclaim()
            except Exception as error:  # of an ``on_drop``
                errors.append(error)
        return errors
