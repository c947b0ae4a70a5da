"""Explaining a pipeline before it runs: what is fused, what buffers where, and the bound in items.

The unit is the item that the source gives: a batch of 3 counts 3. The sum is made of

- one item in the hand of the task that consumes, and what the steps fused into it keep between two pulls;
- what each stage holds, as its contract says;
- for each task that pumps into a stage, what its own steps keep, less the one place that is reserved
  for the item in its hand before it is pulled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from streamkit._core.contract import UNBOUNDED, amount
from streamkit._core.strategy import Strategy
from streamkit._engine.link import Inlet, Link
from streamkit._engine.loop import End, Kind, Loop, compiled
from streamkit._engine.source import Source

__all__ = ["Explanation", "Part", "explain"]


@dataclass(frozen=True)
class Part:
    """One part of a pipeline: a segment of fused steps, or a stage."""

    text: str
    """The operators, as they were written."""
    kind: str
    """``source``, ``segment`` or ``stage``."""
    holds: float
    """Items inside it at most."""
    lookahead: float = 0
    """Items it takes before anyone asks for them."""
    strategy: str = ""
    """What its buffer does when it is full."""
    loses: str = "nothing"
    result: str = ""
    """What it keeps until the end of the run; outside the bound."""
    depth: int = 0
    """How far it is nested: 1 for the other streams of a merge."""


@dataclass(frozen=True)
class Explanation:
    """What `explain` found; ``print`` shows it."""

    parts: tuple[Part, ...]
    code: tuple[str, ...] = ()
    """The generated loops, if they were asked for."""

    @property
    def bound(self) -> float:
        """Items inside the pipeline at most: taken from a source, and not yet delivered or dropped."""
        return _whole(sum(part.holds for part in self.parts))

    @property
    def lookahead(self) -> float:
        """Items taken from the sources at most before the consumer asks for them."""
        return _whole(sum(part.lookahead for part in self.parts))

    def __str__(self) -> str:
        width = max(len(part.text) + 2 * part.depth for part in self.parts)
        lines = [f"{'  ' * part.depth + part.text:<{width}}  {_told(part)}".rstrip() for part in self.parts]
        lines.append(f"bound: {_shown(self.bound)} inside at most, {_shown(self.lookahead)} read ahead")
        return "\n".join([*lines, *(f"\n{text.rstrip()}" for text in self.code)])

    __repr__ = __str__


def explain(source: Source, links: Sequence[Link], *, code: bool = False) -> Explanation:
    """Explain the pipeline of `links` over `source`."""
    parts = tuple(_parts(source, links, 0, pumped=False))
    return Explanation(parts, tuple(_code(source, links)) if code else ())


def _groups(links: Sequence[Link]) -> Iterator[list[Link]]:
    """Segments and stages, in order: neighbouring steps are one group."""
    group: list[Link] = []
    for link in links:
        if link.declaration.stage is None:
            group.append(link)
            continue
        if group:
            yield group
        yield [link]
        group = []
    if group:
        yield group


def _parts(source: Source | None, links: Sequence[Link], depth: int, *, pumped: bool) -> Iterator[Part]:
    if source is not None:
        yield Part(repr(source), "source", 0, depth=depth)
    weight: float = 1
    groups = list(_groups(links))
    consumer = False
    for place, group in enumerate(groups):
        following = groups[place + 1][0] if place + 1 < len(groups) else None
        if group[0].declaration.stage is not None:
            yield from _stage(group[0], weight, depth)
            weight *= amount(group[0].declaration.contract.weight, group[0].arguments)
        else:
            pumps = pumped if following is None else _reserves(following)
            part, weight = _segment(group, weight, depth, pumps=pumps, hand=not consumer)
            consumer = consumer or not pumps
            yield part


def _reserves(stage: Link) -> bool:
    """Whether what pumps into `stage` reserves a place before it pulls."""
    strategies = [value for value in stage.arguments.values() if isinstance(value, Strategy)]
    return stage.declaration.pumps and all(strategy.waits for strategy in strategies)


def _segment(links: list[Link], weight: float, depth: int, *, pumps: bool, hand: bool) -> tuple[Part, float]:
    start, kept, spreads = weight, 0.0, False
    for link in links:
        contract = link.declaration.contract
        kept += amount(contract.holds, link.arguments) * weight
        weight = 1 if contract.spreads else weight * amount(contract.weight, link.arguments)
        spreads = spreads or contract.spreads
    held = start + kept if hand or pumps else kept
    if pumps and not spreads:
        held = max(0, held - weight)
    text = " | ".join(map(repr, links))
    result = ", ".join(link.declaration.contract.result for link in links if link.declaration.contract.result)
    return Part(text, "segment", held, result=result, depth=depth), weight


def _stage(link: Link, weight: float, depth: int) -> Iterator[Part]:
    contract, arguments = link.declaration.contract, link.arguments
    strategy = next((repr(value) for value in arguments.values() if isinstance(value, Strategy)), "")
    yield Part(
        repr(link),
        "stage",
        amount(contract.holds, arguments) * weight,
        amount(contract.lookahead, arguments) * weight,
        strategy,
        amount(contract.loses, arguments),
        contract.result,
        depth,
    )
    for value in arguments.values():
        for inner in _several(value):
            if isinstance(inner, Inlet):
                yield from _parts(inner.source, inner.links, depth + 1, pumped=link.declaration.pumps)
            elif hasattr(inner, "links"):  # a branch: operators without a source of their own
                yield from _parts(None, inner.links, depth + 1, pumped=not link.declaration.sink)


def _several(value: object) -> tuple[Any, ...]:
    if isinstance(value, tuple):
        return (*value,)  # pyright: ignore[reportUnknownVariableType] - mypy knows, and rejects a cast
    return (value,)


def _told(part: Part) -> str:
    if part.kind == "source":
        return ""
    told = [f"{part.kind:<7}  holds {_shown(part.holds)}"]
    if part.lookahead:
        told.append(f"reads {_shown(part.lookahead)} ahead")
    if part.strategy:
        told.append(part.strategy)
    if part.loses != "nothing":
        told.append(f"loses {part.loses}")
    if part.result:
        told.append(f"result: {part.result}")
    return ", ".join(told)


def _whole(number: float) -> float:
    return number if number == UNBOUNDED else int(number)


def _shown(number: float) -> str:
    number = _whole(number)
    return "any number of items" if number == UNBOUNDED else f"{number} item{'' if number == 1 else 's'}"


def _code(source: Source, links: Sequence[Link]) -> Iterator[str]:
    kind = Kind.ITER if source.blocking else Kind.ASYNC
    if isinstance(source.value, (range, list, tuple)):
        kind = Kind.SLICE
    for group in _groups(links):
        if group[0].declaration.stage is not None:
            kind = Kind.ASYNC if group[0].declaration.generates else Kind.CHANNEL
            continue
        end = End.RESULT if group[-1].declaration.sink else End.STAGE
        yield from _texts(kind, group, end)


def _texts(kind: Kind, links: list[Link], end: End) -> Iterator[str]:
    loop: Any = compiled(kind, tuple(link.key for link in links), end)
    if isinstance(loop, Loop):
        yield loop.text
    else:
        yield from _texts(kind, links[:loop], End.STAGE)
        yield from _texts(Kind.ASYNC, links[loop:], end)
