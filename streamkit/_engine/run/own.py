"""Async generators that a run closes, and nobody else: also those that have not begun."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from opcode import opmap
from types import AsyncGeneratorType, CodeType
from typing import Any

from streamkit._engine.compile.loop import NAMED

__all__ = ["closed", "is_new", "leave_of", "leave_to_the_run", "own"]


def is_new(source: AsyncGeneratorType[Any, Any]) -> bool:
    """Whether an async generator has not begun."""
    frame: Any = source.ag_frame
    if frame is None or source.ag_running:
        return False
    if sys.version_info >= (3, 12):
        # unknown to checkers of older versions
        return not getattr(source, "ag_suspended")  # noqa: B009  # pragma: no cover - Python 3.12 on
    else:  # pragma: no cover - Python 3.11
        return bool(source.ag_code.co_code[frame.f_lasti] == opmap["RETURN_GENERATOR"])  # pyright: ignore[reportUnknownArgumentType] - the frame is Any


def leave_of(items: Any) -> Callable[[], Awaitable[None]]:
    """What leaves all that `items` reads, a loop: its second argument."""
    found: Callable[[], Awaitable[None]] = items.ag_frame.f_locals[items.ag_code.co_varnames[1]]
    return found


def closed(items: Any) -> Awaitable[None]:
    """Close `items`; of a loop that has not begun, what it would have read. No coroutine: many may be nested.

    What a loop reads is opened before it begins, and a generator that has not begun runs no ``finally``.
    """
    closing: Awaitable[None] = items.aclose()
    if type(items) is not AsyncGeneratorType or not is_new(items) or not _is_loop(items):  # pyright: ignore[reportUnknownArgumentType] - of anything
        return closing
    leave = leave_of(items)
    with suppress(StopIteration):
        closing.__await__().send(None)  # nobody can begin it any more
    return leave()


def _is_loop(items: Any) -> bool:
    code: CodeType = items.ag_code
    return code.co_filename.startswith(NAMED)


def own(source: Any) -> None:
    """Take a source's finaliser away, if it is a generator that has not begun: the run closes it.

    The collector drops an iterator and its source together, and a program that ends has both closed at once.
    The loop would close the source a second time.
    """
    if not isinstance(source, AsyncGeneratorType) or not is_new(source):  # pyright: ignore[reportUnknownArgumentType]
        return
    generator: AsyncGeneratorType[Any, Any] = source  # pyright: ignore[reportUnknownVariableType]
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, leave_to_the_run)
    try:
        # this reads the hooks, and is then refused: a generator that has not begun takes nothing but None
        generator.asend(leave_to_the_run).__await__().send(None)
    except TypeError:
        pass
    finally:
        sys.set_asyncgen_hooks(*hooks)


def leave_to_the_run(_: object) -> None:
    """The finaliser of a source."""
