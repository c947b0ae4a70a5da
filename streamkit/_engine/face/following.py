"""What stands behind a durable source is checked when the pipe is put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from streamkit._core.contract import UNBOUNDED, amount
from streamkit._engine.face.explain import explain
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration
from streamkit._engine.plan.tracked import Tracked, opened, refused

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

    Buffers and calls under way wait for no more than there is. But where several ways begin with one source,
    one may wait for what another holds in these: it must hand out as many as all of them hold.
    """
    source = stream.source
    if not isinstance(source, Tracked):
        return
    ways = Counter(each for each, by in opened([stream]) if by is None)
    for each, count in ways.items():
        bound = explain(source, stream.links).bound if count > 1 else 0
        if each.most < bound:
            many, hint = "any number", ""
            if bound != UNBOUNDED:
                many, hint = f"{bound:g}", f"let it hand out as many, with prefetch={bound:g}, or "
            raise ValueError(
                f"{each!r} is read in {count} places of this pipe, which share its items. It hands out at "
                f"most {each.most} before one is acknowledged, and they may hold {many}, so that one waits "
                f"for what another has: {hint}put ops.share(readers={count}) behind it, if each is to have "
                "all items"
            )
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
        else:
            times = amount(contract.times, arguments)
            found += amount(contract.holds, arguments) * weight
            found += sum(times * _waits(branch, weight) for branch in link.branches)
        # what comes out of it may be a list, which counts for as many
        if contract.regroups or link.declaration.stage is not None:
            weight *= amount(contract.weight, arguments)
    return found
