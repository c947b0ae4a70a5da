"""Every step of the catalogue alone, to a list, beside the loop that one would write by hand.

`tests/compile/test_opcodes_steps.py` counts what the rows execute, and fails where a step has none.
"""

from __future__ import annotations

from benchmarks.workloads.callbacks import (
    MANY,
    add,
    add_one,
    halves,
    high,
    kept,
    lists,
    low,
    noon,
    odd,
    pairs,
    same,
    shut,
    some,
    summed,
)
from benchmarks.workloads.row import Row, workload
from benchmarks.workloads.sinks import SINKS
from streamkit import Done, Next, OnFull, ops

__all__ = ["AT_ONCE", "ROWS", "WORKLOADS"]

_F = {"function": add_one}
_NESTED = "for each in function(item):\n    out.append(each)"
_ASKED = "each stream is asked what it is: here a list, it may as well be an async generator"

MAPPING: dict[str, Row] = {
    "map": Row(lambda: ops.map(add_one), "out.append(function(item))", given=_F),
    "starmap": Row(
        lambda: ops.starmap(add), "out.append(function(*item))", given={"function": add}, source=pairs
    ),
    "flatten": Row(lambda: ops.flatten(), "for each in item:\n    out.append(each)", source=lists),
    "flat_map": Row(
        lambda: ops.flat_map(same, concurrency=1),
        _NESTED,
        source=lists,
        given={"function": same},
        allowed=1.15,
        why=_ASKED,
    ),
    "concat_map": Row(
        lambda: ops.concat_map(same),
        _NESTED,
        source=lists,
        given={"function": same},
        allowed=1.15,
        why=_ASKED,
    ),
    "enumerate": Row(lambda: ops.enumerate(), "number += 1\nout.append((number, item))", "number = -1"),
    "pairwise": Row(
        lambda: ops.pairwise(),
        "if last is not ABSENT: out.append((last, item))\nlast = item",
        "last = ABSENT",
    ),
    "scan": Row(
        lambda: ops.scan(add, 0),
        "state = function(state, item)\nout.append(state)",
        "state = 0",
        given={"function": add},
    ),
    "stateful_map": Row(
        lambda: ops.stateful_map(int, summed),
        "state, value = function(state, item)\nout.append(value)",
        "state = 0",
        given={"function": summed},
    ),
    "tap": Row(lambda: ops.tap(add_one), "function(item)\nout.append(item)", given=_F),
    "timestamp": Row(
        lambda: ops.timestamp(),
        "out.append(Timestamped(item, now()))",
        "now = get_running_loop().time",
        compared=len,
    ),
    "timestamp by a clock": Row(
        lambda: ops.timestamp(noon), "out.append(Timestamped(item, clock()))", given={"clock": noon}
    ),
    "time_interval": Row(
        lambda: ops.time_interval(),
        "time = now()\nout.append(TimeInterval(item, time - last))\nlast = time",
        "now = get_running_loop().time\nlast = now()",
        compared=len,
    ),
    "materialize": Row(
        lambda: ops.materialize(),
        "out.append(Next(item))",
        finish="out.append(Done())",
        given={"Next": Next, "Done": Done},
    ),
    "dematerialize": Row(
        lambda: ops.dematerialize(),
        "if isinstance(item, Next):\n    out.append(item.value)\nelif isinstance(item, Done):\n    break\n"
        "else:\n    raise item.error",
        given={"Next": Next, "Done": Done},
        source=lambda count: [Next(1)] * count,
    ),
    "intersperse": Row(
        lambda: ops.intersperse(None),
        "if begun: out.append(separator)\nbegun = True\nout.append(item)",
        "begun = False",
        given={"separator": None},
    ),
}

SELECTING: dict[str, Row] = {
    "filter": Row(
        lambda: ops.filter(kept), "if predicate(item): out.append(item)", given={"predicate": kept}
    ),
    "filter by truth": Row(lambda: ops.filter(None), "if item: out.append(item)"),
    "take": Row(
        lambda: ops.take(MANY),
        "left -= 1\nout.append(item)\nif not left: break",
        "left = count",
        given={"count": MANY},
    ),
    "take_while": Row(
        lambda: ops.take_while(low),
        "if not predicate(item): break\nout.append(item)",
        given={"predicate": low},
    ),
    "take_last": Row(
        lambda: ops.take_last(3), "held.append(item)", "held = deque(maxlen=3)", "out = [*held]"
    ),
    "skip": Row(lambda: ops.skip(1), "if left: left -= 1\nelse: out.append(item)", "left = 1"),
    "skip_while": Row(
        lambda: ops.skip_while(high),
        "if skipping: skipping = predicate(item)\nif not skipping: out.append(item)",
        "skipping = True",
        given={"predicate": high},
    ),
    "skip_last": Row(
        lambda: ops.skip_last(3),
        "held.append(item)\nif len(held) > count: out.append(held.popleft())",
        "held = deque()",
        given={"count": 3},
    ),
    "slice": Row(
        lambda: ops.slice(1, MANY, 3),
        "if wait: wait -= 1\nelse:\n"
        "    wait = gap\n    left -= 1\n    out.append(item)\n    if not left: break",
        "wait = 1",
        given={"gap": 2, "left": MANY},
    ),
    "slice from the first": Row(
        lambda: ops.slice(MANY), "left -= 1\nout.append(item)\nif not left: break", given={"left": MANY}
    ),
    "element_at": Row(
        lambda: ops.element_at(MANY, default=0),
        "if left: left -= 1\nelse:\n    out.append(item)\n    break",
        "left = index",
        "out.append(0)",
        given={"index": MANY},
    ),
    "find": Row(
        lambda: ops.find(high, default=0),
        "if predicate(item):\n    out.append(item)\n    break",
        finish="out.append(0)",
        given={"predicate": high},
    ),
    "distinct": Row(
        lambda: ops.distinct(halves),
        "value = key(item)\nif value not in seen:\n    seen.add(value)\n    out.append(item)",
        "seen = set()",
        given={"key": halves},
    ),
    "distinct among the last": Row(
        lambda: ops.distinct(halves, last=9),
        "value = key(item)\nif value in seen: seen.move_to_end(value)\nelse:\n    seen[value] = None\n"
        "    if len(seen) > last: seen.popitem(last=False)\n    out.append(item)",
        "seen = OrderedDict()",
        given={"key": halves, "last": 9},
    ),
    "distinct_until_changed": Row(
        lambda: ops.distinct_until_changed(halves),
        "value = key(item)\nif last is ABSENT or value != last:\n    last = value\n    out.append(item)",
        "last = ABSENT",
        given={"key": halves},
    ),
    "ignore_items": Row(lambda: ops.ignore_items(), "pass"),
    "default_if_empty": Row(
        lambda: ops.default_if_empty(0), "empty = False\nout.append(item)", "empty = True"
    ),
    "fail_if_empty": Row(lambda: ops.fail_if_empty(), "empty = False\nout.append(item)", "empty = True"),
    "start_with": Row(lambda: ops.start_with(1), "out.append(item)", "out.append(1)"),
    "end_with": Row(lambda: ops.end_with(1), "out.append(item)", finish="out.append(1)"),
    "on_close": Row(lambda: ops.on_close(shut), "out.append(item)"),
}

_LISTED = "held.append(item)\nif len(held) == count:\n    out.append(held)\n    held = "
_GROUPS = "the variables of a pipe are taken up for each item, and put away"

GATHERING: dict[str, Row] = {
    "batch": Row(
        lambda: ops.batch(8), f"{_LISTED}[]", "held = []", "if held: out.append(held)", given={"count": 8}
    ),
    "sliding": Row(lambda: ops.sliding(3), f"{_LISTED}held[1:]", "held = []", given={"count": 3}),
    "sliding apart": Row(
        lambda: ops.sliding(2, step=3),
        "if skipping: skipping -= 1\nelse:\n    held.append(item)\n    if len(held) == count:\n"
        "        skipping = 1\n        out.append(held)\n        held = []",
        "held = []\nskipping = 0",
        given={"count": 2},
    ),
    "aggregate": Row(
        lambda: ops.aggregate(ops.map(add_one) | ops.count()),
        "function(item)\nnumber += 1",
        "number = 0",
        "out.append(number)",
        given=_F,
    ),
    "aggregate of a sink that may have enough": Row(
        lambda: ops.aggregate(ops.take(MANY) | ops.count()),
        "left -= 1\nnumber += 1\nif not left: break",
        "number = 0",
        "out.append(number)",
        given={"left": MANY},
    ),
    "broadcast to operators": Row(
        lambda: ops.broadcast(ops.map(add_one), ops.filter(kept)),
        "out.append(function(item))\nif predicate(item): out.append(item)",
        given={"function": add_one, "predicate": kept},
    ),
    "broadcast to sinks": Row(
        lambda: ops.broadcast(ops.count(), ops.fold(add, 0)),
        "number += 1\nstate = function(state, item)",
        "number = state = 0",
        result="(number, state)",
        given={"function": add},
    ),
    "partition to operators": Row(
        lambda: ops.partition(kept, ops.map(add_one), ops.tap(add_one)),
        "if predicate(item):\n    out.append(function(item))\n"
        "else:\n    function(item)\n    out.append(item)",
        given={"predicate": kept, "function": add_one},
    ),
    "partition to sinks": Row(
        lambda: ops.partition(kept, ops.count(), ops.to_list()),
        "if predicate(item):\n    number += 1\nelse:\n    out.append(item)",
        "number = 0",
        result="(number, out)",
        given={"predicate": kept},
    ),
    "route to operators": Row(
        lambda: ops.route(odd, {0: ops.map(add_one), 1: ops.tap(add_one)}),
        "if numbers[key(item)] == 0:\n    out.append(function(item))\n"
        "else:\n    function(item)\n    out.append(item)",
        given={"key": odd, "function": add_one, "numbers": {0: 0, 1: 1}},
    ),
    "route to operators or another": Row(
        lambda: ops.route(some, {0: ops.map(add_one)}, otherwise=ops.tap(add_one)),
        "if numbers.get(key(item), 1) == 0:\n    out.append(function(item))\n"
        "else:\n    function(item)\n    out.append(item)",
        given={"key": some, "function": add_one, "numbers": {0: 0}},
    ),
    "route to sinks": Row(
        lambda: ops.route(some, {number: ops.count() for number in range(4)}),
        "number = numbers[key(item)]\nif number == 0:\n    a += 1\nelif number == 1:\n    b += 1\n"
        "elif number == 2:\n    c += 1\nelse:\n    d += 1",
        "a = b = c = d = 0",
        result="{0: a, 1: b, 2: c, 3: d}",
        given={"key": some, "numbers": {number: number for number in range(4)}},
    ),
    "route to sinks or another": Row(
        lambda: ops.route(some, {0: ops.count()}, otherwise=ops.to_list()),
        "if numbers.get(key(item), 1) == 0:\n    number += 1\nelse:\n    out.append(item)",
        "number = 0",
        result="{0: number, ...: out}",
        given={"key": some, "numbers": {0: 0}},
    ),
    "group_by": Row(
        lambda: ops.group_by(some, ops.scan(add, 0), max_groups=4),
        "name = key(item)\nstate = groups.get(name, 0)\nstate = groups[name] = function(state, item)\n"
        "out.append((name, state))",
        "groups = {}",
        given={"key": some, "function": add},
        allowed=1.32,
        why=_GROUPS,
    ),
    "group_by that evicts": Row(
        lambda: ops.group_by(some, ops.scan(add, 0), max_groups=4, on_full=OnFull.EVICT),
        "name = key(item)\nstate = groups.pop(name, 0)\nstate = groups[name] = function(state, item)\n"
        "if len(groups) > most: groups.popitem(last=False)\nout.append((name, state))",
        "groups = OrderedDict()",
        given={"key": some, "function": add, "most": 4},
        allowed=1.3,
        why=_GROUPS,
    ),
}

ROWS = MAPPING | SELECTING | GATHERING | SINKS
"""By the name of the step, and by what form of it there is besides."""

AT_ONCE = {
    "first": "it ends with the first item",
    "is_empty": "it ends with the first item",
    "single": "it fails with the second item",
}
"""Steps without a row, because no number of items costs anything; and why."""

WORKLOADS = tuple(workload(name, row) for name, row in ROWS.items())
