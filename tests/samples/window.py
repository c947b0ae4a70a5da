"""Samples of the family `window`."""

from asyncio import sleep

from streamkit import Hopping, Session, Sliding, Tumbling, Until, ops
from tests.laws.items import Item
from tests.laws.lab import Sample
from tests.samples.callbacks import always, newest, odd, same

__all__ = ["OPERATORS"]


def number(item: Item) -> float:
    return float(item.number)


async def later(item: Item) -> Item:
    await sleep(0)
    return item


OPERATORS = [
    Sample(
        "window-count",
        lambda lab: ops.window(Tumbling(count=2), ops.map(same)),
    ),
    Sample(
        "window-until",
        lambda lab: ops.window(Until(lab.callback(lambda item: item.number % 2)), ops.batch(2)),
        calls=True,
        needs=2,
        lossless=False,
    ),
    Sample(
        "window-sliding",
        lambda lab: ops.window(Sliding(count=2), ops.filter(always) | ops.last()),
    ),
    Sample(
        "window-time",
        lambda lab: ops.window(
            Tumbling(seconds=2), ops.batch(2), timestamp=lab.callback(number), on_late=lab.drop
        ),
        calls=True,
        needs=2,
        lossless=False,
    ),
    Sample(
        "window-hopping",
        lambda lab: ops.window(
            Hopping(seconds=1, every=1),
            ops.tap(lab.drop) | ops.fold(newest, None),
            timestamp=lab.callback(number),
        ),
        calls=True,
        needs=2,
        lossless=False,
    ),
    Sample(
        "window-session",
        lambda lab: ops.window(
            Session(gap=9.0),
            ops.filter(odd(lab)),
            timestamp=lab.callback(number),
            lateness=1.0,
            on_late=lab.callback(lab.drop),
            idle=30.0,
            max_held=2,
        ),
        calls=True,
        needs=3,
        lossless=False,
    ),
    Sample("window-arrival", lambda lab: ops.window(Tumbling(seconds=0.5), ops.tap(same))),
    Sample(
        "window-stage",
        lambda lab: ops.window(Tumbling(count=2), ops.map(later, concurrency=2)),
        ordered=False,
        lossless=False,
    ),
    Sample(
        "window-stage-sink",
        lambda lab: ops.window(
            Tumbling(seconds=2),
            ops.map(same) | ops.for_each(lab.callback(lab.drop), concurrency=2),
            timestamp=number,
        ),
        calls=True,
        needs=3,
        lossless=False,
    ),
]
