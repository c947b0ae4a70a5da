"""Explanations: the parts of a pipeline, what each of them holds, and the sums of these."""

from __future__ import annotations

from streamkit._core.contract import UNBOUNDED, Behaviour
from streamkit._core.value import Record

__all__ = ["Explanation", "Part"]


class Part(Record):
    """One part of a pipeline: a segment of fused steps, or a stage."""

    text: str
    """The operators, as they were written; of what another reader of a shared run has told, ``as above``; of
    what hands on the items of a node, in a graph that runs, ``(in hand)``."""
    kind: str
    """``source``, ``segment`` or ``stage``; in a graph that runs, ``edge`` between two nodes, too."""
    holds: float
    """Items inside it at most."""
    lookahead: float = 0
    """Items it takes before anyone asks for them."""
    keys: float = 0
    """Keys of items that it keeps, to know those again; outside the bound."""
    strategy: str = ""
    """What its buffer does when it is full."""
    loses: str = "nothing"
    behaviour: Behaviour = Behaviour.PASS_THROUGH
    """Pass-through, bounded, unbounded or lossy; of several steps, the last of these that one of them is."""
    result: str = ""
    """What it keeps until the end of the run; outside the bound."""
    depth: int = 0
    """How far it is nested: 1 for the other streams of a merge."""
    at_end: bool = False
    """Whether nothing comes out of it before its source has ended."""


class Explanation(Record):
    """What `explain` found; ``print`` shows it."""

    parts: tuple[Part, ...]
    code: tuple[str, ...] = ()
    """The generated loops, if they were asked for."""
    in_flight: int = 0
    """Deliveries of durable sources that may be open at once: those may come twice, if the run dies."""

    @property
    def bound(self) -> float:
        """Items inside the pipeline at most: taken from a source, and not yet delivered or dropped."""
        return _whole(sum(part.holds for part in self.parts))

    @property
    def lookahead(self) -> float:
        """Items taken from the sources at most before the consumer asks for them."""
        return _whole(sum(part.lookahead for part in self.parts))

    @property
    def at_end(self) -> bool:
        """Whether nothing comes out before the source has ended."""
        return any(part.at_end for part in self.parts if not part.depth)

    def __str__(self) -> str:
        width = max(len(part.text) + 2 * part.depth for part in self.parts)
        lines = [f"{'  ' * part.depth + part.text:<{width}}  {_told(part)}".rstrip() for part in self.parts]
        lines.append(f"bound: {_shown(self.bound)} inside at most, {_shown(self.lookahead)} read ahead")
        if self.in_flight:
            lines.append(f"deliveries: {self.in_flight} in flight at most, which may come twice")
        return "\n".join([*lines, *(f"\n{text.rstrip()}" for text in self.code)])

    __repr__ = __str__


def _told(part: Part) -> str:
    if part.kind == "source" and not part.strategy:
        return ""
    told = [f"{part.kind:<7}  holds {_shown(part.holds)}"]
    if part.lookahead:
        told.append(f"reads {_shown(part.lookahead)} ahead")
    told += [f"keeps {_shown(part.keys, 'key')}"] * bool(part.keys)
    if part.strategy:
        told.append(part.strategy)
    told += ["emits at the end only"] * part.at_end
    told += [f"loses {part.loses}"] * (part.loses != "nothing")
    told += [f"result: {part.result}"] * bool(part.result)
    return ", ".join(told)


def _whole(number: float) -> float:
    return number if number == UNBOUNDED else int(number)


def _shown(number: float, what: str = "item") -> str:
    number = _whole(number)
    return f"any number of {what}s" if number == UNBOUNDED else f"{number} {what}{'' if number == 1 else 's'}"
