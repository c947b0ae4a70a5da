"""Steps that a stage puts around a pipe: one adds the key to an item, one a name to what comes out.

They are no operators that users write, so errors in them name the operator whose stage this is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from streamkit._core.catalogue import Declaration
from streamkit._core.contract import NOTHING_HELD
from streamkit._engine.compile.pieces import Pieces, StepDeclaration
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.run.run import Run

__all__ = ["keyed", "keyed_pair", "naming"]


def _function(key: Any, name: Any) -> None:
    """Declares the steps."""


def _step(each: str) -> StepDeclaration:
    return StepDeclaration(
        "group", _function, NOTHING_HELD, pieces=Pieces(each=each), parameters=("key", "name")
    )


_KEYED = _step("emit((key(item), item))")
_NAMED = _step("emit((name, item))")


def _around(run: Run, declaration: Declaration, **arguments: Any) -> Link:
    link = run.link.but(arguments, declaration)
    link.blamed = run.link
    return link


def keyed(run: Run, source: Inlet[Any], key: Callable[[Any], Any]) -> Inlet[Any]:
    """Make `source` yield pairs of key and item."""
    return Inlet(source.source, (*source.links, _around(run, _KEYED, key=key)))


def naming(run: Run, name: Hashable) -> Link:
    """A step that makes pairs of `name` and item."""
    return _around(run, _NAMED, name=name)


def keyed_pair(item: Any) -> Any:
    """A pair of a delivery, and of a key and an item, as a pair of the key, and of the other two."""
    token, (key, bare) = item
    return key, (token, bare)
