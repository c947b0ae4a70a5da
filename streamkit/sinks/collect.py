"""Sinks that keep the items."""

from __future__ import annotations

from streamkit._core.contract import Contract
from streamkit._engine.face.shapes import ListOf
from streamkit._engine.face.step import step

__all__ = ["to_list"]


@step(
    setup="items = []",
    each="items.append(item)",
    result="items",
    contract=Contract(result="every item"),
)
def to_list() -> ListOf:
    """Collect the items into a list.

    >>> from streamkit import Stream, ops
    >>> (Stream("ab") | ops.to_list()).run()
    ['a', 'b']

    Completes when: the source does.
    Closes when: it ends.
    """
    return ListOf(to_list)
