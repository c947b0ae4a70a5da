"""Words of sinks: what each makes of an iterator, in plain Python."""

import asyncio
from collections.abc import Iterable
from functools import reduce as folded
from typing import Any

from streamkit import Stream, ops
from tests.soak.values import Boom, weigh
from tests.soak.words import Fn, fn, other, sink, whole

Items = Iterable[Any]


@sink("to_list")
def to_list(items: Items) -> Any:
    return list(items)


@sink("to_set", lambda: ops.map(weigh) | ops.to_set())
def to_set(items: Items) -> Any:
    return set(map(weigh, items))


@sink("to_dict", key=Fn("three"), value=Fn("weigh"))
def to_dict(items: Items, key: Any, value: Any) -> Any:
    return {key(item): value(item) for item in items}


@sink("fold", function=Fn("added"), initial=0)
def fold(items: Items, function: Any, initial: Any) -> Any:
    for item in items:
        initial = function(initial, item)
    return initial


@sink("reduce", function=Fn("added"), default="none")
def reduce(items: Items, function: Any, default: Any) -> Any:
    everything = list(items)
    return folded(function, everything) if everything else default


@sink("count")
def count(items: Items) -> Any:
    return len(list(items))


@sink("sum", lambda: ops.map(weigh) | ops.sum())
def sum_(items: Items) -> Any:
    return sum(map(weigh, items))


@sink("mean", lambda: ops.map(weigh) | ops.mean(default="none"))
def mean(items: Items) -> Any:
    weights = list(map(weigh, items))
    return sum(weights) / len(weights) if weights else "none"


@sink("min", key=Fn("weigh"), default="none")
def min_(items: Items, key: Any, default: Any) -> Any:
    return min(items, key=key, default=default)


@sink("max", key=Fn("weigh"), default="none")
def max_(items: Items, key: Any, default: Any) -> Any:
    return max(items, key=key, default=default)


@sink("first", default="none")
def first(items: Items, default: Any) -> Any:
    return next(iter(items), default)


@sink("first")
def first_or_fail(items: Items) -> Any:
    for item in items:
        return item
    raise Boom("EmptyStreamError")


@sink("last", default="none")
def last(items: Items, default: Any) -> Any:
    return [default, *items][-1]


@sink("single", default="none")
def single(items: Items, default: Any) -> Any:
    found: list[Any] = []
    for item in items:
        found.append(item)
        if len(found) == 2:
            raise Boom("SeveralItemsError")
    return found[0] if found else default


@sink("all", predicate=Fn("often"))
def all_(items: Items, predicate: Any) -> Any:
    return all(map(predicate, items))


@sink("any", predicate=Fn("seldom"))
def any_(items: Items, predicate: Any) -> Any:
    return any(map(predicate, items))


@sink("contains", lambda value: ops.map(weigh) | ops.contains(value), value=whole(100, 106))
def contains(items: Items, value: Any) -> Any:
    return value in map(weigh, items)


@sink("is_empty")
def is_empty(items: Items) -> Any:
    return not any(True for _ in items)


@sink(
    "sequence_equal",
    lambda others: ops.map(weigh) | ops.sequence_equal(Stream(others[0]) | ops.map(weigh)),
    others=other(),
)
def sequence_equal(items: Items, others: Any) -> Any:
    left, right = map(weigh, items), map(weigh, others[0])
    missing = object()
    while True:
        one, two = next(left, missing), next(right, missing)
        if one is missing or two is missing or one != two:
            return one is two


@sink("drain")
def drain(items: Items) -> Any:
    for _ in items:
        pass


@sink("for_each", function=Fn("same"))
def for_each(items: Items, function: Any) -> Any:
    for item in items:
        function(item)


@sink("for_each", function=Fn("same"), concurrency=whole(2, 3))
def for_each_at_once(items: Items, function: Any, **_: Any) -> Any:
    for_each(items, function)


@sink("to_queue", lambda: ops.to_queue(asyncio.Queue(), end=None))
def to_queue(items: Items) -> Any:
    drain(items)


@sink("broadcast", lambda: ops.broadcast(ops.to_list(), ops.count()))
def broadcast_to_sinks(items: Items) -> Any:
    found = list(items)
    return found, len(found)


@sink(
    "partition", lambda predicate: ops.partition(predicate, ops.to_list(), ops.count()), predicate=Fn("even")
)
def partition_to_sinks(items: Items, predicate: Any) -> Any:
    found = [(item, predicate(item)) for item in items]
    return [item for item, true in found if true], sum(not true for _, true in found)


@sink("route", lambda key: ops.route(key, {0: ops.count()}, otherwise=ops.to_list()), key=Fn("three"))
def route_to_sinks(items: Items, key: Any) -> Any:
    found = [(item, key(item)) for item in items]
    return {
        0: sum(value == 0 for _, value in found),
        ...: [item for item, value in found if value != 0],
    }


@sink(
    "balance",
    lambda function: ops.balance(ops.map(function) | ops.to_list(), workers=2),
    settle=lambda lists: sorted([item for each in lists for item in each], key=repr),
    function=fn("tagged"),
)
def balance_to_sinks(items: Items, function: Any) -> Any:
    return sorted([function(item) for item in items], key=repr)
