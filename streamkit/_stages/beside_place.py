"""A stream of a ``flat_map`` beside which the delivery goes that all of its items stand for."""

from __future__ import annotations

from typing import Any, Protocol

from streamkit._core.strategy import Suspend
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.buffer.driven import TurnLane
from streamkit._engine.buffer.lane import Lane
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.plan.fuse import fused
from streamkit._engine.plan.link import Link
from streamkit._stages.each import asked, inlet_of_made, noted, settled

__all__ = ["emptied", "followed"]


class Places(Protocol):
    """What is needed of the places of a ``flat_map``."""

    run: Any
    channel: Channel
    link: Link
    ahead: Suspend | None
    idle: Any

    @property
    def gone(self) -> bool: ...
    def begins(self) -> None: ...
    def lane(self, own: Any) -> Lane: ...
    def given_back(self) -> None: ...


async def followed(places: Places, pairs: list[Any]) -> None:
    """Make the stream of a pair of a delivery and an item, in a task of its own, and read it there.

    The place holds the delivery until the stream has ended and was delivered, and each of its items does.
    """
    run, link = places.run, places.link
    token, item = pairs.pop()
    places.begins()
    items = [item]
    del item
    stream = inlet_of_made(link, await settled(link, asked(link, items)))
    if places.gone:
        run.claims.take(stream)
        raise Abandoned
    stream, strategy, buffer = fused(stream, places.ahead)
    own = strategy is not places.ahead
    lane = places.channel.lane(strategy) if own else places.lane(None)
    book = run.book.chapter()
    try:
        await run.fill(lane, stream, book, buffer, token)
    except BaseException as error:
        noted(error, link)
        raise
    if own:
        lane.close()
    await emptied(lane)  # of its own buffer, the reader must still take a `Gap` at its end
    if own:
        places.channel.retire(lane)
    else:
        places.idle.append(lane)
    run.book.close(book)
    token.settle()
    places.given_back()


async def emptied(lane: Lane) -> None:
    """Wait until everything in `lane` was taken out, or its reader has left."""
    if isinstance(lane, TurnLane):
        while lane.held and lane.limit >= 0:
            lane.noted(len(lane.held))
            await lane.parking
        return
    while lane.held and lane.limit >= 0:
        try:
            await lane.vacancy()
        finally:
            lane.unwait()
