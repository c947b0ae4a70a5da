"""Arguments of the family `route`."""

from collections.abc import Callable
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import Output, Suspend, ops
from tests.laws.lab import Lab
from tests.laws.ways import FLAGS, SIZES, Way, same, ways

__all__ = ["ARGUMENTS"]

BUFFERS = st.integers(0, 3)
"""The size of the buffer that each branch begins with; 0 for none."""


def turns(size: int) -> Callable[[Any], int]:
    numbers = count()
    return lambda _: next(numbers) % size


def branch(lab: Lab, buffered: int, *, sinks: bool) -> Any:
    """A branch that has a task of its own."""
    work = ops.for_each(lab.callback(lab.drop)) if sinks else ops.map(lab.callback(same))
    return ops.buffer(Suspend(buffered)) | work if buffered else work


# Behind what comes out is something slow: the consumer lets go of an item before the branches have the next.


def parted(lab: Lab, buffered: int, *, sinks: bool) -> Any:
    one, other = branch(lab, buffered, sinks=sinks), branch(lab, buffered, sinks=sinks)
    parts = ops.partition(turns(2), one, other)
    return parts if sinks else parts | ops.map(lab.callback(same))


def routed(lab: Lab, buffered: int, keys: int, *, sinks: bool) -> Any:
    routes = {key: branch(lab, buffered, sinks=sinks) for key in range(keys)}
    parts = ops.route(turns(keys + 1), routes, otherwise=branch(lab, buffered, sinks=sinks))
    return parts if sinks else parts | ops.map(lab.callback(same))


def sent(lab: Lab, buffered: int, keys: int, *, sinks: bool) -> Any:
    outputs = [Output[Any](f"to {key}") for key in range(keys)]
    turn = turns(keys)
    routes: Any = {output: branch(lab, buffered, sinks=sinks) for output in outputs}
    parts = ops.map(lambda item: outputs[turn(item)](item)) | ops.route(routes)
    return parts if sinks else parts | ops.map(lab.callback(same))


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "partition": ways("partition", parted, buffered=BUFFERS, sinks=FLAGS)
    | ways(
        "partition-steps",
        lambda lab, size: ops.partition(turns(2), ops.batch(size), ops.tap(same)),
        size=SIZES,
    ),
    "route": ways("route", routed, buffered=BUFFERS, keys=st.integers(1, 2), sinks=FLAGS)
    | ways("route-outputs", sent, buffered=BUFFERS, keys=st.integers(1, 2), sinks=FLAGS),
}
