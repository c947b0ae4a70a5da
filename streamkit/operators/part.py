"""Operators that take a part of a stream: by position, from either end."""

from __future__ import annotations

from collections import deque
from sys import maxsize
from typing import Any, overload

from streamkit._core.arguments import whole
from streamkit._core.calls import answering
from streamkit._core.contract import PASSED_ON, Contract
from streamkit._core.markers import ABSENT
from streamkit._core.show import shown
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Keep

__all__ = ["skip_last", "slice", "take_last"]


@step(
    setup="held = deque(maxlen=min(count, maxsize))",
    each="held.append(item)",
    finish="""
        for _ in range(len(held)):
            emit(held.popleft())
    """,
    uses=(deque, {"maxsize": maxsize}),
    keeps="len(held)",
    contract=Contract(holds="count", keeps="True", at_end=True),
)
def take_last(count: int) -> Keep:
    """Pass on the last `count` items, when the source has ended.

        items        --a--b--c--d--|
        take_last(2) --------------(cd|)

    >>> from streamkit import Stream, ops
    >>> list(Stream("abcd") | ops.take_last(2))
    ['c', 'd']

    Emits when: the source has ended; nothing when it has failed, because then nobody knows what was last.
    Waits when: the consumer does, after the end of the source.
    Completes when: the source does, after the items.
    Closes when: it ends, or the consumer leaves; held items are dropped.

    Args:
        count: how many items to pass on, at most. With 0, the source is read to its end all the same.

    Raises:
        TypeError: `count` is not a whole number.
        ValueError: `count` is negative.
    """
    return Keep(take_last, count=whole("count", count, least=0))


@step(
    setup="held = deque()",
    each="""
        held.append(item)
        if len(held) > count:
            emit(held.popleft())
    """,
    uses=(deque,),
    keeps="len(held)",
    contract=Contract(holds="count", keeps="True"),
)
def skip_last(count: int) -> Keep:
    """Leave out the last `count` items.

        items        --a--b--c--d--|
        skip_last(2) --------a--b--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("abcd") | ops.skip_last(2))
    ['a', 'b']

    Emits when: an item comes after the first `count`: the one that came `count` items before it.
    Waits when: the consumer does.
    Completes when: the source does; held items are dropped then.
    Closes when: it ends, or the consumer leaves; held items are dropped.

    Args:
        count: how many items to leave out, and to hold.

    Raises:
        TypeError: `count` is not a whole number.
        ValueError: `count` is negative.
    """
    return Keep(skip_last, count=whole("count", count, least=0))


@step(
    name="slice",
    setup="""
        wait = _wait
        left = _count
        if _count is ABSENT:
            pass
        elif not left:
            stop()
    """,
    each="""
        if _wait is ABSENT:
            if _count is ABSENT:
                emit(item)
            else:
                left -= 1
                emit(item)
                if not left:
                    stop()
        elif wait:
            wait -= 1
        else:
            if _gap is ABSENT:
                pass
            else:
                wait = _gap
            if _count is ABSENT:
                emit(item)
            else:
                left -= 1
                emit(item)
                if not left:
                    stop()
    """,
    contract=PASSED_ON,
)
def _slice(*bounds: int | None, _wait: Any, _gap: Any, _count: Any) -> Keep:
    """What needs no counter has none: without a start and a step, nothing is waited for."""
    return Keep(_slice, bounds=bounds, _wait=_wait, _gap=_gap, _count=_count)


@overload
def slice(stop: int | None, /) -> Keep: ...
@overload
def slice(start: int | None, stop: int | None, step: int | None = None, /) -> Keep: ...
@answering
def slice(*bounds: int | None) -> Keep:
    """Pass on every `step`-th item from number `start` on, up to number `stop`, as ``itertools.islice``.

        items       --a--b--c--d--e--|
        slice(1, 4) -----b--c--(d|)

    >>> from streamkit import Stream, ops
    >>> list(Stream("abcdefghi") | ops.slice(1, 8, 3))
    ['b', 'e', 'h']
    >>> list(Stream("abcd") | ops.slice(2))
    ['a', 'b']

    Emits when: an item of one of these numbers comes.
    Waits when: the consumer does.
    Completes when: the last item before `stop` was passed on, or the source does. It reads nothing after
        that item, where ``islice`` reads on to `stop`.
    Closes when: it ends, or the consumer leaves.

    Args:
        bounds: ``stop``, or ``start, stop``, or ``start, stop, step``, as numbers counted from 0. None stands
            for the first item, the end of the source, and 1.

    Raises:
        TypeError: a bound is neither a whole number nor None, or there are not 1 to 3 of them.
        ValueError: `start` or `stop` is negative, or `step` less than 1. A stream has no end to count from
            before it has ended: write ``take_last(3)`` for ``[-3:]``, ``skip_last(3)`` for ``[:-3]``.
    """
    if not 1 <= len(bounds) <= 3:
        raise TypeError(f"slice takes stop, or start, stop and perhaps step, not {len(bounds)} arguments")
    start, stop, step = (None, *bounds, None) if len(bounds) == 1 else (*bounds, None)[:3]
    first = 0 if start is None else _bound("start", start, "take_last")
    gap = 0 if step is None else whole("step", step, least=1) - 1
    count: Any = ABSENT
    if stop is not None:
        count = len(range(first, min(_bound("stop", stop, "skip_last"), maxsize), gap + 1))
    wait = first if first or gap else ABSENT
    return _slice(*bounds, _wait=wait, _gap=gap or ABSENT, _count=count)


def _bound(name: str, value: int, instead: str) -> int:
    found = whole(name, value)
    if found < 0:
        raise ValueError(
            f"{name} must be a whole number of at least 0, or None, not {shown(value)}: "
            f"to count from the end, write {instead}({-found})"
        )
    return found
