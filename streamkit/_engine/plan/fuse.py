"""Fusing buffers: neighbouring ones become one, and a stage that reads through one takes it over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from streamkit._engine.plan.link import Inlet, Link

if TYPE_CHECKING:
    from streamkit._core.strategy import Strategy

__all__ = ["collapsed", "fused"]


def fused(inlet: Inlet[Any], strategy: Strategy | None) -> tuple[Inlet[Any], Strategy | None, Link | None]:
    """Merge the buffers at the end of `inlet` into `strategy`; return the rest, and the merged strategy.

    `strategy` is None if the user asked for no buffer; a buffer at the end of `inlet` then decides alone.
    The third is the buffer that errors of the merged strategy name: the one that gave it its kind; None if
    the user's own did.
    """
    links, named = inlet.links, None
    while links and links[-1].declaration.buffers:
        first: Strategy = links[-1].arguments["strategy"]
        joined = first if strategy is None else first.before(strategy)
        if joined is None:
            break
        if type(joined) is not type(strategy):
            named = links[-1]
        strategy, links = joined, links[:-1]
    return (inlet if links is inlet.links else Inlet(inlet.source, links)), strategy, named


def collapsed(links: Sequence[Link]) -> list[Link]:
    """Replace neighbouring buffers in `links` by the single buffer that runs in their place."""
    result: list[Link] = []
    for link in links:
        if link.declaration.buffers and result and result[-1].declaration.buffers:
            joined = result[-1].arguments["strategy"].before(link.arguments["strategy"])
            if joined is not None:
                result[-1] = Link(link.declaration, {"strategy": joined}, link.file, link.line)
                continue
        result.append(link)
    return result
