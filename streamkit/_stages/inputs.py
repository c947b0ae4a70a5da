"""The streams that an operator combines: as it is given them, and as lanes of its channel."""

from __future__ import annotations

from types import NoneType
from typing import Any, TypeVar

from streamkit._core.strategy import Strategy, Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.driven import DrivenLane
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.face.mistakes import one_by_one
from streamkit._engine.face.stream import SourceLike, Stream
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.driver import Driver
from streamkit._engine.run.rows import RowReader
from streamkit._engine.run.run import Run

__all__ = ["ahead", "begun", "driven", "fed", "streams"]

A = TypeVar("A")


def streams(name: str, sources: tuple[SourceLike[Any], ...]) -> tuple[Stream[Any], ...]:
    """The sources that the operator `name` was called with, as streams."""
    if len(sources) == 1:
        one_by_one(name, sources[0])
    return tuple([Stream(source) for source in sources])


def begun(name: str, first: SourceLike[A], others: tuple[object, ...]) -> Stream[A]:
    """The first source that ``streamkit.name(...)`` was called with, as a stream."""
    if not others:
        one_by_one(f"streamkit.{name}", first)
    return Stream(first)


def ahead(lookahead: int) -> Suspend | None:
    """The buffer that the user asked for; None by default: a buffer before the operator decides then."""
    return None if lookahead == 1 else Suspend(lookahead)


def driven(
    run: Run, channel: Channel, inlets: tuple[Inlet[Any], ...], strategy: Strategy | None = None
) -> RowReader | None:
    """What reads `inlets` in rows, and drives their pumps; None if those are to be `fed`."""
    level = Driver.level()
    found = [fused(inlet, strategy) for inlet in inlets] if level else []
    if not found or not all(type(buffer) in (Suspend, NoneType) for _, buffer, _ in found):
        return None
    reader = channel.counts = RowReader(run.loop)
    for inlet, buffer, _ in found:
        lane = DrivenLane(channel, buffer or Suspend(1))
        lane.driver = Driver(level, lane, reader.clock)
        channel.adopt(lane)
        run.pump(inlet, into=lane)
        reader.reads(lane)
    return reader


def fed(
    run: Run, channel: Channel, inlets: tuple[Inlet[Any], ...], strategy: Strategy | None = None
) -> list[Lane]:
    """A lane of `channel` for each of `inlets`; they read one item ahead where nobody says otherwise."""
    return [run.feed(channel, inlet, strategy, otherwise=Suspend(1)) for inlet in inlets]
