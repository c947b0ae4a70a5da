"""Operators that act on the side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamkit._core.contract import PASSED_ON
from streamkit._core.guarded import protected
from streamkit._core.on_error import OnError
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Keep, plainly

__all__ = ["tap"]


@step(each="function(item)\nemit(item)", contract=PASSED_ON)
def tap(function: Callable[[Any], Any], *, on_error: OnError | None = None) -> Keep:
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
        on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.
            ``Resume`` drops the item; ``Replace`` passes it on.

    Raises:
        TypeError: `function` is not callable, or `on_error` is something else.
    """
    return Keep(tap, function=protected("function", function, on_error))


plainly(tap, Keep)
