"""What a run makes of the streams that a stage is handed, before the stage begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.target import Target
from streamkit._engine.compile.key import Kind
from streamkit._engine.plan.link import Inlet, shared
from streamkit._engine.plan.source import Opened, Source

__all__ = ["BEGUN", "FLAT", "NESTED", "PAIRED", "attached", "deep", "shallow"]

DEEP = 32
"""How many stages may read each other in place, before the rest is read in a task of its own."""


FLAT: set[Callable[..., Any]] = set()
"""The functions of stages that run as one, with the steps between them: their loops are in no other."""


BEGUN: dict[Callable[..., Any], Callable[..., Opened | None]] = {}
"""By the function of a stage: what begins it, where that is more than to call it; else None."""


PAIRED: dict[Callable[..., Any], Callable[..., Opened | None]] = {}
"""The same for stages whose items are pairs of a delivery and an item."""


NESTED: list[Callable[..., Opened]] = []
"""What opens a stream that a step goes through, if that is `deep`: it reads streams in streams, flat."""


def deep(inlet: Inlet[Any]) -> bool:
    """Whether a step at the end of `inlet` goes through streams, which may end in such a step again."""
    for link in reversed(inlet.links):
        if link.declaration.nests:
            return True
        if link.declaration.stage is not None and link.declaration.stage not in FLAT:
            return False
    return False


class Reader(Protocol):
    """The part of a `Run` that reads a stream in a task of its own."""

    def adopt(self, channel: Channel) -> Channel: ...
    def pump(self, source: Any, *, into: Target) -> None: ...
    async def stop(self, lane: Target) -> None: ...


class _Apart(Source):
    """A stream that is read in a task of its own, each item when it is asked for."""

    __slots__ = ("_inlet", "_run")

    def __init__(self, run: Reader, inlet: Inlet[Any]) -> None:
        self.value = None
        self._run = run
        self._inlet = inlet

    def open(self, *, blocking: bool = False) -> Opened:
        run, channel = self._run, self._run.adopt(Channel())
        lane = channel.lane()

        def begin() -> Channel:
            run.pump(self._inlet, into=lane)
            return channel

        async def close() -> None:
            channel.leave()
            await run.stop(lane)

        return Opened(Kind.CHANNEL, begin, close)


def shallow(run: Reader, inlet: Inlet[Any]) -> Inlet[Any]:
    """`inlet`; where too many of its stages read each other in place, the first of them are read apart.

    Each item would resume the loops of all of them, one inside the other, on one stack.
    """
    levels, links = 0, inlet.links
    for place in range(len(links) - 1, 0, -1):
        declaration = links[place].declaration
        if declaration.pumps:
            break
        levels += declaration.stage is not None and declaration.stage not in FLAT
        if levels == DEEP:
            return Inlet(_Apart(run, Inlet(inlet.source, links[:place])), links[place:])
    return inlet


def attached(run: Reader, value: Any, errors: list[Exception], *, shares: bool = False) -> Any:
    """`value`, an argument of the stage of `run`, attached; what cannot be is told in `errors`.

    What several runs share, the stage itself or one in the stream, only the one run of that opens.
    """
    if isinstance(value, tuple):
        return tuple([attached(run, each, errors) for each in value])  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, Inlet):
        return value
    inlet: Inlet[Any] = value  # pyright: ignore[reportUnknownVariableType]
    if type(inlet.source).attached is Source.attached:
        return inlet
    if (shares or shared(inlet)) and not inlet.source.alone:
        return inlet
    try:
        source = inlet.source.attached(run)
    except Exception as error:
        errors.append(error)
        return inlet
    return inlet if source is inlet.source else Inlet[Any](source, inlet.links)
