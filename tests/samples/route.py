"""Samples of the family `route`."""

from itertools import count
from typing import Any

from streamkit import Output, Suspend, ops
from tests.laws.lab import Lab, Sample
from tests.samples.callbacks import always, same

__all__ = ["OPERATORS", "SINKS"]


def turns(lab: Lab, size: int) -> Any:
    """A key of `size` different ones, in turn."""
    numbers = count()
    return lab.callback(lambda _: next(numbers) % size)


SIDES = Output[Any]("one"), Output[Any]("two")


def sent(*branches: Any) -> Any:
    """Items go to two outputs, by their numbers."""
    routes: Any = dict(zip(SIDES, branches, strict=True))
    return ops.map(lambda item: SIDES[getattr(item, "number", 0) % 2](item)) | ops.route(routes)


OPERATORS = [
    Sample(
        "partition",
        lambda lab: ops.partition(turns(lab, 2), ops.map(same), ops.filter(always)),
        calls=True,
    ),
    Sample(
        "partition-stage",
        lambda lab: ops.partition(turns(lab, 2), ops.buffer(Suspend(1)) | ops.map(same), ops.tap(same)),
        calls=True,
        ordered=False,
    ),
    Sample(
        "route",
        lambda lab: ops.route(turns(lab, 3), {0: ops.batch(1), 1: ops.tap(same)}, otherwise=ops.tap(same)),
        calls=True,
    ),
    Sample(
        "route-no-rest",
        lambda lab: ops.route(turns(lab, 2), {0: ops.batch(1), 1: ops.tap(same)}),
        calls=True,
    ),
    Sample("route-outputs", lambda lab: sent(ops.batch(1), ops.tap(lab.callback(same))), calls=True),
    Sample(
        "route-outputs-stage",
        lambda lab: sent(ops.buffer(Suspend(2)) | ops.tap(same), ops.skip(0) | ops.map(lab.callback(same))),
        calls=True,
        ordered=False,
    ),
    Sample(
        "route-stage",
        lambda lab: ops.route(
            turns(lab, 2), {0: ops.buffer(Suspend(2)) | ops.tap(same)}, otherwise=ops.map(lab.callback(same))
        ),
        calls=True,
        ordered=False,
    ),
]
SINKS = [
    Sample(
        "route-outputs-sinks",
        lambda lab: sent(ops.count(), ops.for_each(lab.callback(lab.drop))),
        calls=True,
    ),
    Sample(
        "route-outputs-sinks-stage",
        lambda lab: sent(ops.take(1) | ops.count(), ops.for_each(lab.callback(lab.drop))),
        calls=True,
    ),
    Sample(
        "partition-sinks", lambda lab: ops.partition(turns(lab, 2), ops.to_list(), ops.count()), calls=True
    ),
    Sample(
        "partition-sinks-stage",
        lambda lab: ops.partition(
            turns(lab, 2),
            ops.for_each(lab.callback(lab.drop)),
            ops.skip(0) | ops.for_each(lab.drop, concurrency=2),
        ),
        calls=True,
    ),
    Sample(
        "route-sinks",
        lambda lab: ops.route(turns(lab, 2), {0: ops.count()}, otherwise=ops.count()),
        calls=True,
    ),
    Sample(
        "route-sinks-no-rest",
        lambda lab: ops.route(turns(lab, 2), {0: ops.count(), 1: ops.for_each(lab.callback(lab.drop))}),
        calls=True,
    ),
    Sample(
        "route-sinks-stage",
        lambda lab: ops.route(
            turns(lab, 2), {0: ops.take(1) | ops.count(), 1: ops.for_each(lab.callback(lab.drop))}
        ),
        calls=True,
    ),
]
