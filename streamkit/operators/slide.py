"""Operators whose lists of items overlap."""

from __future__ import annotations

from typing import Any

from streamkit._core.arguments import whole
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.markers import ABSENT
from streamkit._engine.face.shapes import Lists
from streamkit._engine.face.step import step

__all__ = ["sliding"]


@step(
    name="sliding",
    setup="""
        held = []
        skipping = 0
    """,
    each="""
        if _gap is ABSENT:
            held.append(item)
            if len(held) == count:
                full = held
                held = full[step:]
                emit(full)
        elif skipping:
            skipping -= 1
        else:
            held.append(item)
            if len(held) == count:
                full = held
                held = []
                skipping = _gap
                emit(full)
    """,
    keeps="len(held)",
    contract=Contract(holds="count - 1", weight="count"),
)
def _sliding(count: int, *, step: int = 1, _gap: Any) -> Lists:
    return Lists(_sliding, count=count, step=step, _gap=_gap)


@answering
def sliding(count: int, *, step: int = 1) -> Lists:
    """Pass on lists of `count` items that follow each other; each begins `step` items after the one before.

        items      --a--b--c------d------|
        sliding(3) --------[a,b,c][b,c,d]|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abcd") | ops.sliding(3))
    [['a', 'b', 'c'], ['b', 'c', 'd']]
    >>> list(Stream("abcdefg") | ops.sliding(2, step=3))
    [['a', 'b'], ['d', 'e']]

    Emits when: the last item of a list comes.
    Waits when: the consumer does.
    Completes when: the source does; a list that is not full then is dropped.
    Closes when: it ends, or the consumer leaves; held items are dropped.

    All lists are full, as those of ``itertools.pairwise`` and Kotlin's ``windowed`` are; a stream of fewer
    than `count` items gives none. RxPY's ``buffer_with_count(count, step)`` adds what is left at the end;
    with a `step` of `count`, ``batch(count)`` does.

    Args:
        count: items per list.
        step: how many items after the begin of a list the next one begins. With more than `count`, the items
            between two lists are left out.

    Raises:
        TypeError: `count` or `step` is not a whole number.
        ValueError: `count` or `step` is less than 1.
    """
    count, step = whole("count", count, least=1), whole("step", step, least=1)
    return _sliding(count, step=step, _gap=step - count if step > count else ABSENT)
