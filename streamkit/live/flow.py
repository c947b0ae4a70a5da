"""How a slot runs: its contents follow each other, and each reads the source until the next takes its place.

The old content sees the end of its source. So it passes on what it holds, in its order, before the new one
gets an item; and the source does not notice.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.channel import Channel
from streamkit._engine.compile.pace import Pace
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.run.run import Run
from streamkit.live.seat import Cell, Inside, Seat, named
from streamkit.live.trial import DroppedError

__all__ = ["Follower", "Pull", "beside", "followed", "in_place", "read", "rested"]

Blame = Callable[[BaseException], BaseException]
"""Notes on an error which operator has raised it."""
First = Callable[[AsyncGenerator[Any, None]], AsyncIterator[Any]]
"""Makes what comes out of a content that has begun already, of what goes in from now on."""
Follower = Callable[[], Seat | None]
"""Finds the next slot in a pipe, where that runs."""
Pull = Callable[[Seat], Awaitable[Any]]
"""What gives the next item; EMPTY if there is none, or the seat is edited while that is waited for."""
Taken = tuple[Seat, Pull, First | None]
"""A run of a slot that goes on: the seat, what goes in, and its content, if that has begun."""


def _stage(*, apart: bool) -> Callable[..., AsyncGenerator[Any, None]]:
    """The function of a stage; `apart`, if it reads the source in a task of its own in every case."""

    async def flow(
        run: Run,
        source: Inlet[Any],
        *,
        content: Cell,
        with_generation: bool = False,
        follower: Follower | None = None,
        taken: Taken | None = None,
    ) -> AsyncGenerator[Any, None]:
        """What comes out of the contents of a slot, one after the other; where it was `taken` over, those."""
        pull: Pull | None = None
        first: First | None = None
        if taken is None:
            seat, source = _seated(run, source, content, follower, with_generation=with_generation)
        else:
            seat, pull, first = taken
        try:
            pull = pull or _pull(run, source, seat, apart=apart)
            while True:
                inflow = _inflow(seat, pull)
                if first is not None:
                    items, first = first(inflow), None
                else:
                    opened = Inlet[Any](run.form.source(inflow), seat.links)
                    items = run.open(opened, pace=_pace(seat))
                try:
                    async for item in items:
                        if seat.gave():
                            yield item  # nothing is ever thrown in here but what ends it
                        del item
                        if seat.inside is Inside.DROPPED:
                            break
                    await run.close(items)
                except DroppedError:
                    await run.close(items)
                except Exception as error:
                    if not seat.rolls_back(error):
                        named(error, seat)
                        raise
                if not seat.turn():
                    return
        finally:
            seat.leave()

    return flow


in_place: Callable[..., AsyncGenerator[Any, None]] = _stage(apart=False)
"""Contents of steps, which read the source in the task of whoever reads them."""
beside: Callable[..., AsyncGenerator[Any, None]] = _stage(apart=True)
"""Contents with stages. The source has a task of its own, which stays while tasks of those come and go."""


def _pace(seat: Seat) -> Pace:
    """The pace of the content: where it is on trial, the segments of its loops are noted."""
    pace = Pace()
    if seat.trial is not None:
        pace.parts = seat.trial.segments
    return pace


def _seated(
    run: Run, source: Inlet[Any], cell: Cell, follower: Follower | None, *, with_generation: bool
) -> tuple[Seat, Inlet[Any]]:
    """A seat; and `source`, in which the slot before this one is told of it."""
    links = source.links
    before = None if follower is None else follower()
    seat = Seat(cell, links, before, with_generation=with_generation, tracked=run.tracked)
    return seat, Inlet(source.source, followed(links, lambda: seat))


def followed(links: tuple[Link, ...], follower: Follower) -> tuple[Link, ...]:
    """`links`, of which the last slot is told of the next."""
    for place in range(len(links) - 1, -1, -1):
        arguments = links[place].arguments
        if isinstance(arguments.get("content"), Cell):
            slot = links[place].but({**arguments, "follower": follower})
            return (*links[:place], slot, *links[place + 1 :])
    return links


# where items come from -------------------------------------------------------------------------------------


async def read(items: AsyncIterator[Any], seat: Seat) -> Any:
    """The next of `items`, however long that takes."""
    async for item in items:
        return item
    return EMPTY


def _pull(run: Run, source: Inlet[Any], seat: Seat, *, apart: bool) -> Pull:
    """What gives the items of `source`. If that ends in a buffer, it has a task of its own already."""
    if not (apart or (source.links and source.links[-1].declaration.buffers)):
        return partial(read, run.open(source))
    channel = run.channel()
    run.feed(channel, source)
    seat.wake = channel.wake
    return partial(_taken, channel)


async def _taken(channel: Channel, seat: Seat) -> Any:
    while (item := channel.pop()) is EMPTY:
        await channel.until(lambda: seat.edited or channel.ready or channel.over)
        if seat.edited:
            return EMPTY
        if not channel.ready and not await channel.wait():  # which raises what it has failed with
            return EMPTY
    return item


async def rested(rest: Iterator[Any], channel: Channel, blame: Blame | None, seat: Seat) -> Any:
    """The next of a channel of which another has taken the `rest`, and not gone through that."""
    for item in rest:
        return item
    try:
        return await _taken(channel, seat)
    except Exception as error:
        if blame is None:
            raise
        raise blame(error) from error.__cause__


# what becomes of them --------------------------------------------------------------------------------------


async def _inflow(seat: Seat, pull: Pull) -> AsyncGenerator[Any, None]:
    """The items for the content that is there now: its source ends where the next content takes its place."""
    while not seat.edited:
        if seat.hand:
            item = seat.hand.popleft()
        else:
            try:
                item = await pull(seat)
            except BaseException as error:
                seat.failure = error
                raise
            dropped = seat.inside is Inside.DROPPED  # while that was waited for
            if item is not EMPTY and (dropped or seat.edited):
                seat.hand.append(item)
            if dropped:
                raise DroppedError
            if item is EMPTY or seat.edited:
                break
        seat.took(item)
        yield item
        del item
    seat.begin()
