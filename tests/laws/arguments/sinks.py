"""Arguments of sinks."""

import asyncio
from collections.abc import Callable
from typing import Any

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.lab import Lab
from tests.laws.ways import (
    SIZES,
    Way,
    marked,
    newest,
    same,
    ways,
)

__all__ = ["ARGUMENTS"]


def one(_: Any) -> int:
    """For sinks that do something with their items: numbers in place of those of the tests."""
    return 1


def numbers(sink: Callable[[], Any]) -> Callable[[Lab], Any]:
    return marked(lambda lab: ops.map(one) | sink())


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "count": ways("count", marked(lambda lab: ops.count())),
    "drain": ways("drain", marked(lambda lab: ops.drain())),
    "first": ways("first", marked(lambda lab: ops.first(default=None))),
    "fold": ways("fold", marked(lambda lab: ops.fold(lab.callback(newest), None))),
    "for_each": ways(
        "for_each",
        lambda lab, concurrency: ops.for_each(lab.callback(lab.drop), concurrency=concurrency),
        concurrency=SIZES,
    ),
    "last": ways("last", marked(lambda lab: ops.last(default=None))),
    "all": ways("all", marked(lambda lab: ops.all(lab.callback(lambda _: True)))),
    "any": ways("any", marked(lambda lab: ops.any(lab.callback(lambda _: False)))),
    "contains": ways("contains", numbers(lambda: ops.contains(2))),
    "is_empty": ways("is_empty", marked(lambda lab: ops.is_empty())),
    "max": ways("max", marked(lambda lab: ops.max(key=lab.callback(one), default=None))),
    "mean": ways("mean", numbers(lambda: ops.mean(default=None))),
    "min": ways("min", marked(lambda lab: ops.min(key=lab.callback(one), default=None))),
    "reduce": ways("reduce", marked(lambda lab: ops.reduce(lab.callback(newest), default=None))),
    "sequence_equal": ways("sequence_equal", marked(lambda lab: ops.sequence_equal(lab.source()))),
    "single": ways("single", marked(lambda lab: ops.take(1) | ops.single(default=None))),
    "sum": ways("sum", numbers(ops.sum)),
    "to_dict": ways(
        "to_dict", marked(lambda lab: ops.to_dict(key=lab.callback(one), value=lab.callback(same)))
    ),
    "to_list": ways("to_list", marked(lambda lab: ops.to_list())),
    "to_queue": ways("to_queue", marked(lambda lab: ops.to_queue(asyncio.Queue()))),
    "to_set": ways("to_set", numbers(ops.to_set)),
}
