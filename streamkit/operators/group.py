"""Operators that put items together: batch."""

from __future__ import annotations

from streamkit._core.arguments import whole
from streamkit._core.contract import Contract
from streamkit._engine.step import step
from streamkit.operators.shapes import Lists

__all__ = ["batch"]


@step(
    setup="held = []",
    each="""
        held.append(item)
        if len(held) == size:
            full = held
            held = []
            emit(full)
    """,
    finish="if held: emit(held)",
    contract=Contract(holds="size - 1", weight="size"),
)
def batch(size: int) -> Lists:
    """Pass on the items in lists of `size`; the last may be shorter.

        items    --a--b------c--|
        batch(2) -----[a,b]-----[c]|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abc") | ops.batch(2))
    [['a', 'b'], ['c']]

    Emits when: `size` items have come; at the end, what is left.
    Waits when: the consumer does.
    Completes when: the source does, after what is left.
    Closes when: it completes, fails, or the consumer leaves; then what is held is dropped.

    Args:
        size: items per list.

    Raises:
        TypeError: `size` is not a whole number.
        ValueError: `size` is less than 1.
    """
    return Lists(batch, size=whole("size", size, least=1))
