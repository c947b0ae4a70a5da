"""Operators that act on the side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamkit._core.arguments import callback
from streamkit._core.contract import PASSED_ON
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Keep

__all__ = ["tap"]


@step(each="function(item)\nemit(item)", contract=PASSED_ON)
def tap(function: Callable[[Any], Any]) -> Keep:
    """Call `function` with each item, and pass the item on.

        items      --a--b--|
        tap(print) --a--b--|

    >>> from streamkit import Stream, ops
    >>> seen = []
    >>> list(Stream("ab") | ops.tap(seen.append)), seen
    (['a', 'b'], ['a', 'b'])

    Emits when: `function` has returned. An awaitable is awaited; the result is ignored.
    Waits when: the consumer does.
    Completes when: the source does.
    Closes when: it ends, or the consumer leaves.

    Args:
        function: called with each item; may return an awaitable.

    Raises:
        TypeError: `function` is not callable.
    """
    return Keep(tap, function=callback("function", function))
