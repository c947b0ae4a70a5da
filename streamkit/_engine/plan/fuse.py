"""Fusing: neighbouring buffers become one, as do neighbours that join streams.

A stage that reads through a buffer takes it over. A ``merge`` of a ``merge`` is one merge of all the sources:
an item makes one hop, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from streamkit._engine.plan.link import Inlet, Link, StageDeclaration

if TYPE_CHECKING:
    from streamkit._core.strategy import Strategy

__all__ = ["collapsed", "fused", "joined", "spread"]

_SOURCES = "sources"
"""The argument of an operator that joins streams: those after the first."""


def fused(inlet: Inlet[Any], strategy: Strategy | None) -> tuple[Inlet[Any], Strategy | None, Link | None]:
    """Merge the buffers at the end of `inlet` into `strategy`; return the rest, and the merged strategy.

    `strategy` is None if the user asked for no buffer; a buffer at the end of `inlet` then decides alone.
    The third is the buffer that errors of the merged strategy name: the one that gave it its kind; None if
    the user's own did.
    """
    links = whole = inlet.links
    named = None
    while links and links[-1].declaration.buffers:
        first: Strategy = links[-1].arguments["strategy"]
        buffer = first if strategy is None else first.before(strategy)
        if buffer is None:
            break
        if type(buffer) is not type(strategy):
            named = links[-1]
        strategy, links = buffer, links[:-1]
    return (inlet if links is whole else Inlet(inlet.source, links)), strategy, named


def joined(inlet: Inlet[Any], link: Link) -> tuple[Inlet[Any], dict[str, Any]]:
    """What `link`, which stands behind `inlet`, reads first, and its arguments, with all that it joins."""
    if not _joins(link):
        return inlet, link.arguments
    first, *others = spread([inlet, *link.arguments[_SOURCES]], link)
    return first, {**link.arguments, _SOURCES: tuple(others)}


def collapsed(links: Sequence[Link]) -> list[Link]:
    """Replace neighbours in `links` that run as one, buffers and operators that join streams, by that one."""
    result: list[Link] = []
    for link in _gathered(links):
        if link.declaration.buffers and result and result[-1].declaration.buffers:
            buffer = result[-1].arguments["strategy"].before(link.arguments["strategy"])
            if buffer is not None:
                result[-1] = link.but({"strategy": buffer})
                continue
        result.append(link)
    return result


def _joins(link: Link) -> bool:
    return isinstance(link.declaration, StageDeclaration) and link.declaration.joins


def _alike(one: Link, other: Link) -> bool:
    """Whether they are the same operator, with equal arguments but for the sources."""
    return one.declaration is other.declaration and all(
        name == _SOURCES or one.arguments[name] == value for name, value in other.arguments.items()
    )


def spread(sources: Iterable[Inlet[Any]], link: Link) -> list[Inlet[Any]]:
    """`sources`, with those that end in an operator alike `link` replaced by the sources of that."""
    found: list[Inlet[Any]] = []
    left = [*sources][::-1]
    while left:
        inlet = left.pop()
        links = inlet.links
        before = len(links)
        while before and _alike(links[before - 1], link):
            before -= 1
        if before == len(links):
            found.append(inlet)
            continue
        for each in reversed(links[before:]):
            left += reversed(each.arguments[_SOURCES])
        left.append(Inlet(inlet.source, links[:before]))
    return found


def _gathered(links: Sequence[Link]) -> Iterator[Link]:
    """`links`, with neighbours that join streams, and are alike, in one."""
    place = 0
    while place < len(links):
        link, begin = links[place], place
        place += 1
        if _joins(link):
            while place < len(links) and _alike(links[place], link):
                place += 1
            alike = links[begin:place]
            sources = spread([each for one in alike for each in one.arguments[_SOURCES]], link)
            link = alike[-1].but({**link.arguments, _SOURCES: tuple(sources)})
        yield link
