"""What stands behind a durable source is checked when the pipe is put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streamkit._core.contract import UNBOUNDED, amount
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration
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
    """Raise if steps of a pipe wait for more items than its source hands out before one is acknowledged.

    Buffers and calls under way wait for no more than there is.
    """
    source = stream.source
    if not isinstance(source, Tracked):
        return
    bound = 1 + _waits(stream.links)
    if source.most < bound != UNBOUNDED:
        raise ValueError(
            f"{source!r} hands out at most {source.most} items before one is acknowledged, and what is "
            f"behind it may wait for {bound:g}: let it hand out as many, with prefetch={bound:g}"
        )


def _waits(links: Sequence[Link], weight: float = 1.0) -> float:
    """How many items `links` may keep until another comes: of stages, few do."""
    found = 0.0
    for link in links:
        contract, arguments = link.declaration.contract, link.arguments
        if isinstance(link.declaration, StageDeclaration):
            found += weight * getattr(link.declaration.pairs, "keeps", 0)
            continue
        times = amount(contract.times, arguments)
        found += amount(contract.holds, arguments) * weight
        found += sum(times * _waits(branch, weight) for branch in link.branches)
        if contract.regroups:  # what comes out of it is a list, which counts for as many
            weight *= amount(contract.weight, arguments)
    return found
