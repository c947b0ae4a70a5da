"""Directories as sources: what changes in them. With the extra ``streamkit[watchfiles]``."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from streamkit._core.arguments import flag
from streamkit._core.calls import answering
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Recipe
from streamkit.connect.files import Path as PathLike, path_argument
from streamkit.operators.transform import flatten

try:
    import watchfiles
except ImportError:  # pragma: no cover - it is among the tools of the tests
    awatch: Any = None
else:
    awatch = watchfiles.awatch

__all__ = ["Changed", "watch"]

_KINDS: Final[tuple[Any, ...]] = (None, "added", "modified", "deleted")
"""By the numbers that watchfiles has for them."""
_IF_THERE: Final = ("deleted", "added", "modified")
_IF_GONE: Final = ("added", "modified", "deleted")
_LOOK: Final = 1_000
"""Milliseconds after which the wait for a change looks whether it was left."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What has become of a file, or of a directory."""

    kind: Literal["added", "modified", "deleted"]
    path: Path


async def _watching(directory: str, recursive: bool) -> AsyncIterator[list[Changed]]:
    changes = awatch(directory, recursive=recursive, rust_timeout=_LOOK)
    async with aclosing(changes):
        async for found in changes:
            yield sorted((Changed(_KINDS[kind], Path(path)) for kind, path in found), key=_order)


def _order(change: Changed) -> tuple[Path, int]:
    """By path; of one path, as it was: watchfiles tells what happened within 50 ms without an order."""
    there = os.path.lexists(change.path)
    return change.path, (_IF_THERE if there else _IF_GONE).index(change.kind)


@answering
def watch(directory: PathLike, *, recursive: bool = True) -> Stream[Changed]:
    """What changes in a directory, from now on.

        watch("inbox")  ----added a----modified a--deleted b-

    >>> from streamkit import connect, ops
    >>> arrived = connect.watch("inbox") | ops.filter(lambda change: change.kind == "added")

    Emits when: the system tells of changes; those of some 50 ms are told together, sorted by path. The last
        of a path says whether it is there.
    Waits when: nothing changes.
    Completes when: it never does.
    Closes when: the consumer leaves.

    It needs ``streamkit[watchfiles]``. A file that is changed many times while the consumer is busy is told
    once. Changes of before the first pull are not told: list the directory behind the first pull, if those
    matter.

    Args:
        directory: which; a file is watched alone.
        recursive: whether what is in its directories is watched, too.

    Raises:
        ImportError: watchfiles is not installed.
        TypeError: an argument has the wrong type.
        FileNotFoundError: (when run) there is no such directory.
    """
    directory, recursive = path_argument("directory", directory), flag("recursive", recursive)
    if awatch is None:  # pragma: no cover - as above
        raise ImportError("watch() needs watchfiles: install streamkit[watchfiles]")
    options: dict[str, Any] = {} if recursive else {"recursive": False}
    recipe = Recipe("watch", (directory,), partial(_watching, str(directory), recursive), **options)
    return Stream[list[Changed]](recipe) | flatten()
