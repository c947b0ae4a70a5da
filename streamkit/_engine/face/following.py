"""What stands behind a durable source is checked when the pipe is put together."""

from __future__ import annotations

from typing import Any

from streamkit._core.contract import UNBOUNDED
from streamkit._engine.face.explain import explain
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.tracked import Tracked, refused

__all__ = ["require_followed"]


def require_followed(stream: Inlet[Any], links: tuple[Link, ...]) -> None:
    """Raise if `links`, behind a tracked source, cannot follow its items, or would wait for ever.

    Raises:
        TypeError: an operator cannot say what became of an item.
        ValueError: the pipe may hold more items than the source hands out before one is acknowledged.
    """
    refused(links)
    source = stream.source
    if not isinstance(source, Tracked):
        return
    bound = explain(source, stream.links + links).bound
    if source.most < bound != UNBOUNDED:
        raise ValueError(
            f"{source!r} hands out at most {source.most} items before one is acknowledged, and what is "
            f"behind it, up to {links[-1]!r}, may hold {bound:g}: let it hand out as many"
        )
