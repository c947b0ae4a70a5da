"""Samples: for every operator and sink, ways to write it. The law tests run over all of them.

A new operator needs a line here; without one, `test_laws` fails and names it.
"""

from typing import Any

from aiostream import pipe
from reactivex import operators as of

from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    KeepLatest,
    OnFull,
    Spill,
    Suspend,
    Unbounded,
    Valve,
    aiostream,
    ops,
    rx,
)
from tests import own
from tests.laws.lab import Item, Lab, Sample

__all__ = ["OPERATORS", "SAMPLES", "SINKS"]


def same(item: Any) -> Any:
    return item


def newest(_: Any, item: Any) -> Any:
    return item


def always(_: Any) -> bool:
    return True


def alone(item: Any) -> Any:
    return [item]


def pair(item: Item) -> Any:
    return (item,)


def odd(lab: Lab) -> Any:
    """Keeps the items of odd number, and notes that it dropped the others."""

    def keep(item: Item) -> bool:
        if item.number % 2:
            return True
        lab.drop(item)
        return False

    return keep


def parity(item: Item) -> int:
    return item.number % 2


def fold(lab: Lab) -> Any:
    """Keeps the newer of two items, and notes that it dropped the other."""

    def keep(waiting: Item, item: Item) -> Item:
        lab.drop(waiting)
        return item

    return keep


OPERATORS = [
    # choose
    Sample("filter", lambda lab: ops.filter(lab.callback(odd(lab))), calls=True, needs=2),
    Sample("take", lambda lab: ops.take(3)),
    Sample("take-none", lambda lab: ops.take(0), needs=0),
    Sample("take_while", lambda lab: ops.take_while(lab.callback(always)), calls=True),
    Sample(
        "take_while-ends",
        lambda lab: ops.take_while(lab.callback(lambda item: item.number < 2), inclusive=True),
        calls=True,
    ),
    Sample("skip", lambda lab: ops.skip(2), needs=3, lossless=False),
    Sample(
        "skip_while",
        lambda lab: ops.skip_while(lab.callback(lambda item: item.number < 1)),
        calls=True,
        needs=2,
        lossless=False,
    ),
    Sample("distinct_until_changed", lambda lab: ops.distinct_until_changed()),
    Sample(
        "distinct_until_changed-key", lambda lab: ops.distinct_until_changed(lab.callback(id)), calls=True
    ),
    # combine
    Sample("merge", lambda lab: ops.merge(lab.source())),
    Sample("merge-lookahead", lambda lab: ops.merge(lab.source(), lab.source(), lookahead=3)),
    Sample("zip", lambda lab: ops.zip(lab.source()), needs=2, lossless=False),
    Sample("zip-strict", lambda lab: ops.zip(lab.source(), strict=True), needs=2, lossless=False),
    Sample("zip-fill", lambda lab: ops.zip(lab.source() | ops.take(2), fill=None), needs=2, lossless=False),
    Sample("zip-shorter", lambda lab: ops.zip(lab.source() | ops.take(2)), needs=2, lossless=False),
    Sample("concat", lambda lab: ops.concat(lab.source())),
    # effects, group
    Sample("tap", lambda lab: ops.tap(lab.callback(same)), calls=True),
    Sample("batch", lambda lab: ops.batch(2), needs=2, lossless=False),
    Sample("batch-uneven", lambda lab: ops.batch(3), needs=3, lossless=False),
    Sample("batch_within", lambda lab: ops.batch_within(2, seconds=5.0), needs=2),
    Sample(
        "batch_within-weight",
        lambda lab: ops.batch_within(
            3, seconds=0.5, weight=lab.callback(lambda item: item.number), heaviest=2.0
        ),
        calls=True,
        needs=3,
        lossless=False,
    ),
    # nest
    Sample(
        "flat_map",
        lambda lab: ops.flat_map(lab.callback(alone), concurrency=2),
        calls=True,
        lossless=False,
        ordered=False,
    ),
    Sample(
        "flat_map-streams",
        lambda lab: ops.flat_map(lab.callback(lambda _: lab.source()), concurrency=2, lookahead=2),
        calls=True,
        needs=2,
        lossless=False,
        ordered=False,
    ),
    # grouping
    Sample(
        "group_by",
        lambda lab: ops.group_by(parity, ops.map(lab.callback(same)), max_groups=2),
        calls=True,
        ordered=False,
    ),
    Sample(
        "group_by-key",
        lambda lab: ops.group_by(lab.callback(parity), ops.batch(2), max_groups=2),
        calls=True,
        needs=4,
        lossless=False,
    ),
    Sample("group_by-ends", lambda lab: ops.group_by(always, ops.take(2) | ops.tap(same), max_groups=1)),
    Sample(
        "group_by-sink",
        lambda lab: ops.group_by(parity, ops.first(), max_groups=2),
        lossless=False,
    ),
    Sample(
        "group_by-evict",
        lambda lab: ops.group_by(
            parity, ops.tap(lab.drop) | ops.fold(newest, None), max_groups=1, on_full=OnFull.EVICT
        ),
        needs=2,
        lossless=False,
    ),
    Sample(
        "group_by-stage",
        lambda lab: ops.group_by(parity, ops.map(lab.callback(same), concurrency=2), max_groups=2),
        calls=True,
        ordered=False,
        lossless=False,
    ),
    Sample(
        "group_by-stage-sink",
        lambda lab: ops.group_by(
            lab.callback(parity),
            ops.buffer(Suspend(2)) | ops.tap(lab.drop) | ops.fold(newest, None),
            max_groups=1,
            on_full=OnFull.EVICT,
        ),
        calls=True,
        needs=2,
        lossless=False,
    ),
    Sample(
        "group_by-idle",
        lambda lab: ops.group_by(parity, ops.filter(always), max_groups=1, on_full=OnFull.WAIT, idle=0.001),
        ordered=False,
    ),
    # rate
    Sample("buffer-suspend", lambda lab: ops.buffer(Suspend(2))),
    Sample("buffer-suspend-one", lambda lab: ops.buffer(Suspend(1))),
    Sample("buffer-fail", lambda lab: ops.buffer(Fail(100))),
    Sample("buffer-drop-incoming", lambda lab: ops.buffer(DropIncoming(2, on_drop=lab.drop))),
    Sample("buffer-drop-oldest", lambda lab: ops.buffer(DropOldest(2, on_drop=lab.drop))),
    Sample("buffer-keep-latest", lambda lab: ops.buffer(KeepLatest(on_drop=lab.drop))),
    Sample("buffer-drop-youngest", lambda lab: ops.buffer(DropYoungest(2, on_drop=lab.drop))),
    Sample("buffer-drop-all", lambda lab: ops.buffer(DropAll(2, on_drop=lab.drop))),
    Sample("buffer-gaps", lambda lab: ops.buffer(DropOldest(2, on_drop=lab.drop, gaps=True))),
    Sample("buffer-conflate", lambda lab: ops.buffer(Conflate(fold(lab)))),
    Sample("buffer-collect", lambda lab: ops.buffer(Collect(3)), needs=3),
    Sample("buffer-spill", lambda lab: ops.buffer(Spill(2))),
    Sample("buffer-unbounded", lambda lab: ops.buffer(Unbounded())),
    Sample("conflate", lambda lab: ops.conflate(fold(lab))),
    Sample("extrapolate", lambda lab: ops.extrapolate(lambda item: [])),
    Sample("throttle", lambda lab: ops.throttle(1e4, burst=2)),
    Sample("throttle-cost", lambda lab: ops.throttle(1e4, cost=lab.callback(lambda item: 1)), calls=True),
    Sample("throttle-failing", lambda lab: ops.throttle(1.0, burst=100, failing=True)),
    # aiostream, rx
    Sample("aiostream-operator", lambda lab: aiostream.operator(pipe.skip(0), pipe.enumerate())),
    Sample("rx-operator", lambda lab: rx.operator(of.map(same), of.skip(0), strategy=Suspend(2))),
    # recover
    Sample("catch", lambda lab: ops.catch(lab.callback(lambda _: lab.source())), calls=True, catches=True),
    # share
    Sample(
        "broadcast",
        lambda lab: ops.broadcast(ops.map(lab.callback(same)), ops.filter(always)),
        calls=True,
        ordered=False,
    ),
    Sample("broadcast-leaves", lambda lab: ops.broadcast(ops.take(1), ops.map(same))),
    Sample(
        "broadcast-buffer", lambda lab: ops.broadcast(ops.buffer(Suspend(2)) | ops.map(same), ops.batch(2))
    ),
    # steer
    Sample("valve", lambda lab: ops.valve(Valve())),
    # timing
    Sample("debounce", lambda lab: ops.debounce(0.5, on_drop=lab.drop)),
    Sample("keep_alive", lambda lab: ops.keep_alive(9.0, function=lambda: None)),
    Sample("sample", lambda lab: ops.sample(0.5, on_drop=lab.drop)),
    Sample("timeout", lambda lab: ops.timeout(5.0)),
    # transform
    Sample("map", lambda lab: ops.map(lab.callback(same)), calls=True),
    Sample(
        "map-concurrency", lambda lab: ops.map(lab.callback(same), concurrency=3), calls=True, lossless=False
    ),
    Sample(
        "map-unordered",
        lambda lab: ops.map(lab.callback(same), concurrency=2, ordered=False),
        calls=True,
        lossless=False,
        ordered=False,
    ),
    Sample(
        "map-lookahead",
        lambda lab: ops.map(lab.callback(same), concurrency=2, lookahead=2),
        calls=True,
        lossless=False,
    ),
    Sample(
        "map-buffer",
        lambda lab: ops.buffer(Suspend(2)) | ops.map(lab.callback(same), concurrency=2),
        calls=True,
        lossless=False,
    ),
    Sample("starmap", lambda lab: ops.starmap(lab.callback(same)), shape=pair, calls=True),
    Sample("flatten", lambda lab: ops.flatten(), shape=pair),
    Sample("enumerate", lambda lab: ops.enumerate(1)),
    Sample("pairwise", lambda lab: ops.pairwise(), needs=2),
    Sample("scan", lambda lab: ops.scan(lab.callback(newest)), calls=True),
    Sample("scan-initial", lambda lab: ops.scan(lab.callback(newest), None), calls=True),
    # of users, as docs/operators.md has them
    Sample(
        "own-switch_map",
        lambda lab: own.switch_map(lab.callback(alone)),
        calls=True,
        needs=100,  # all, where items come faster than those of the streams that are made of them
        lossless=False,
    ),
    Sample(
        "own-switch_map-streams",
        lambda lab: own.switch_map(lab.callback(lambda _: lab.source())),
        calls=True,
        needs=100,
        lossless=False,
    ),
    Sample(
        "own-with_latest_from",
        lambda lab: own.with_latest_from(lab.source()),
        needs=2,
        lossless=False,
        ordered=False,
    ),
    Sample("own-prefer", lambda lab: own.prefer(lab.source()), ordered=False),
    Sample("own-slow", lambda lab: own.slow(0.5, lambda: None)),
    Sample("own-take_last", lambda lab: own.take_last(2)),
    # several, joined
    Sample(
        "pipe-steps",
        lambda lab: ops.map(lab.callback(same)) | ops.filter(always) | ops.enumerate(),
        calls=True,
    ),
    Sample("pipe-stages", lambda lab: ops.buffer(Suspend(2)) | ops.map(same) | ops.merge(lab.source())),
    Sample("pipe-in-place", lambda lab: ops.concat(lab.source()) | ops.tap(same) | ops.buffer(Suspend(1))),
    Sample(
        "pipe-all",
        lambda lab: ops.merge(lab.source() | ops.buffer(Suspend(1))) | ops.batch(2) | ops.timeout(9.0),
        needs=2,
        lossless=False,
    ),
]
SINKS = [
    Sample("to_list", lambda lab: ops.to_list()),
    Sample("fold", lambda lab: ops.fold(lab.callback(newest), None), calls=True),
    Sample("count", lambda lab: ops.count()),
    Sample("first", lambda lab: ops.first()),
    Sample("first-default", lambda lab: ops.skip(9) | ops.first(default=None)),
    Sample("last", lambda lab: ops.last()),
    Sample("for_each", lambda lab: ops.for_each(lab.callback(lab.drop)), calls=True),
    Sample(
        "for_each-concurrency", lambda lab: ops.for_each(lab.callback(lab.drop), concurrency=3), calls=True
    ),
    Sample("drain", lambda lab: ops.drain()),
    Sample("broadcast-sinks", lambda lab: ops.broadcast(ops.to_list(), ops.count())),
    Sample(
        "broadcast-sinks-calls",
        lambda lab: ops.broadcast(ops.first(), ops.buffer(Suspend(2)) | ops.for_each(lab.callback(lab.drop))),
        calls=True,
    ),
    Sample("pipe-sink", lambda lab: ops.buffer(Suspend(1)) | ops.merge(lab.source()) | ops.to_list()),
]
SAMPLES = [*OPERATORS, *SINKS]
