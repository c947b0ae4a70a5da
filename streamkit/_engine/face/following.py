"""What stands behind a durable source is checked when the pipe is put together."""

from __future__ import annotations

from typing import Any

from streamkit._core.contract import UNBOUNDED
from streamkit._engine.face.explain import explain
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.tracked import Tracked, refused

__all__ = ["require_followed", "require_room"]


def require_followed(stream: Inlet[Any], links: tuple[Link, ...]) -> None:
    """Raise if `links`, behind a tracked source, cannot follow its items, or the whole would wait for ever.

    Raises:
        TypeError: an operator cannot say what became of an item.
        ValueError: they end the pipe, and that may hold more than the source hands out.
    """
    refused(links)
    if links[-1].declaration.sink:
        require_room(Inlet(stream.source, stream.links + links))


def require_room(stream: Inlet[Any]) -> None:
    """Raise if a pipe may hold more items than its source hands out before one is acknowledged."""
    source = stream.source
    bound = explain(source, stream.links).bound if isinstance(source, Tracked) else 0
    if isinstance(source, Tracked) and source.most < bound != UNBOUNDED:
        raise ValueError(
            f"{source!r} hands out at most {source.most} items before one is acknowledged, and what is "
            f"behind it may hold {bound:g}: let it hand out as many"
        )
