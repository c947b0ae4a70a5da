"""Every sink that is a step, beside the loop by hand: rows as those of `steps`."""

from __future__ import annotations

from benchmarks.workloads.callbacks import Nowhere, add, add_one, high, low, some
from benchmarks.workloads.row import Row
from streamkit import ops

__all__ = ["SINKS"]

_F = {"function": add_one}

SINKS: dict[str, Row] = {
    "to_list": Row(lambda: ops.to_list(), "out.append(item)"),
    "to_set": Row(lambda: ops.to_set(), "found.add(item)", "found = set()", result="found"),
    "to_dict": Row(
        lambda: ops.to_dict(key=some),
        "name = key(item)\nfound[name] = item",
        "found = {}",
        result="found",
        given={"key": some},
    ),
    "for_each": Row(lambda: ops.for_each(add_one), "function(item)", result="None", given=_F),
    "to_queue": Row(
        lambda: ops.to_queue(Nowhere()), "await queue.put(item)", result="None", given={"queue": Nowhere()}
    ),
    "drain": Row(lambda: ops.drain(), "pass", result="None"),
    "fold": Row(
        lambda: ops.fold(add, 0),
        "state = function(state, item)",
        "state = 0",
        result="state",
        given={"function": add},
    ),
    "reduce": Row(
        lambda: ops.reduce(add),
        "if state is ABSENT: state = item\nelse: state = function(state, item)",
        "state = ABSENT",
        result="state",
        given={"function": add},
    ),
    "count": Row(lambda: ops.count(), "number += 1", "number = 0", result="number"),
    "sum": Row(lambda: ops.sum(), "total = total + item", "total = 0", result="total"),
    "mean": Row(
        lambda: ops.mean(),
        "total += item\nnumber += 1",
        "total = 0.0\nnumber = 0",
        result="total / number",
        allowed=2.6,
        why="it sums exactly, as fsum does",
        source=lambda count: [1.5] * count,
    ),
    "min": Row(
        lambda: ops.min(),
        "if best is ABSENT or item < best: best = item",
        "best = ABSENT",
        result="best",
    ),
    "max": Row(
        lambda: ops.max(key=some),
        "rank = key(item)\nif best is ABSENT or rank > best:\n    best = rank\n    found = item",
        "best = found = ABSENT",
        result="found",
        given={"key": some},
    ),
    "last": Row(lambda: ops.last(), "found = item", "found = None", result="found"),
    "all": Row(
        lambda: ops.all(low),
        "if not predicate(item):\n    found = False\n    break",
        "found = True",
        result="found",
        given={"predicate": low},
    ),
    "any": Row(
        lambda: ops.any(high),
        "if predicate(item):\n    found = True\n    break",
        "found = False",
        result="found",
        given={"predicate": high},
    ),
    "contains": Row(
        lambda: ops.contains(-1),
        "if item is value or item == value:\n    found = True\n    break",
        "found = False",
        result="found",
        given={"value": -1},
    ),
}
