"""Slots whose contents are made of a file, whenever that changes: the extra ``streamkit[watchfiles]``.

>>> import asyncio, json
>>> from pathlib import Path
>>> from streamkit import ops
>>> from streamkit.live import Slot
>>> from streamkit.live.watchfiles import follow
>>> def limits(path: Path):
...     least = json.loads(path.read_text())["least"]
...     return ops.filter(lambda number: number >= least)
>>> async def main(slot: Slot, path: Path):
...     async with asyncio.TaskGroup() as group:
...         group.create_task(follow(slot, path, limits, rollback=3, on_error=print))
...         ...  # and the job
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from streamkit._core.arguments import callback, whole
from streamkit._core.awaiting import is_awaitable
from streamkit._core.show import shown
from streamkit.live.slot import Filling, Slot

try:
    import watchfiles
except ImportError:  # pragma: no cover - it is among the tools of the tests
    awatch: Any = None
else:
    awatch = watchfiles.awatch

__all__ = ["follow", "watch"]

LOOK: Final = 1_000
"""Milliseconds after which the file is looked at without a word of the system: a change may come unheard."""


async def follow(
    slot: Slot[Any, Any],
    path: str | os.PathLike[str],
    load: Callable[[Path], Filling[Any, Any] | Awaitable[Filling[Any, Any] | None] | None],
    *,
    rollback: int = 0,
    on_error: Callable[[Exception], object] | None = None,
) -> None:
    """Put into `slot` what `load` makes of a file: now, and whenever it changes, until this is cancelled.

    Run it as a task beside the job. What cannot be loaded, or cannot stand in the slot, changes nothing.

    Args:
        slot: a slot.
        path: of the file. It may be written in place, or another may take its name, as editors do.
        load: makes operators of the file's path, or None, for items to pass.
        rollback: how many items are on trial after each change; see `Slot.replace`.
        on_error: is told what `load` has raised, or the slot, also that there is no file. Without it, that is
            raised here, and ends this.

    Raises:
        ImportError: watchfiles is not installed.
        TypeError: an argument has the wrong type.
    """
    if not isinstance(slot, Slot):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"slot must be a slot, not {shown(slot)}")
    callback("load", load)
    whole("rollback", rollback, least=0)
    if on_error is not None:
        callback("on_error", on_error)

    async def loaded(file: Path) -> None:
        content: Any = load(file)
        if is_awaitable(content):
            content = await content
        await slot.replace(content, rollback=rollback)

    await watch(path, loaded, on_error)


async def watch(
    path: str | os.PathLike[str],
    loaded: Callable[[Path], Awaitable[None]],
    on_error: Callable[[Exception], object] | None,
) -> None:
    """Call `loaded` now, and whenever the file changes; `on_error` is told what that has raised."""
    if awatch is None:  # pragma: no cover - as above
        raise ImportError("follow() needs watchfiles: pip install streamkit[watchfiles]")
    file = await asyncio.to_thread(Path(path).absolute)
    seen: tuple[int, ...] = ()

    async def looked() -> None:
        """Load the file, if it is not the one that was seen."""
        nonlocal seen
        try:
            now = await asyncio.to_thread(_identity, file)
            if now == seen:
                return
            seen = now
            await loaded(file)
        except Exception as error:
            if on_error is None:
                raise
            on_error(error)

    await looked()
    changes = awatch(file.parent, recursive=False, rust_timeout=LOOK, yield_on_timeout=True)
    async with aclosing(changes):
        async for _ in changes:
            await looked()


def _identity(file: Path) -> tuple[int, ...]:
    """What is different in a file that was changed, or replaced."""
    found = file.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size
