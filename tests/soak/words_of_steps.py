"""Words of steps, and of stages that read their sources in a fixed order: each a loop by hand."""

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise as pairs
from typing import Any

from streamkit import Valve, ops
from tests.soak.values import Boom
from tests.soak.words import fn, hand, other, seconds, whole

Items = Iterable[Any]
Passed = Iterator[Any]


def bools(draw: Any) -> bool:
    return bool(draw.random.randrange(2))


# choosing ----------------------------------------------------------------------------------


@hand("take", count=whole(0, 8))
def take(items: Items, count: int) -> Passed:
    left = count
    if not left:
        return
    for item in items:
        yield item
        left -= 1
        if not left:
            return


@hand("take_while", predicate=fn("often", "even"), inclusive=bools)
def take_while(items: Items, predicate: Any, inclusive: bool) -> Passed:
    for item in items:
        if not predicate(item):
            if inclusive:
                yield item
            return
        yield item


@hand("skip", count=whole(0, 4))
def skip(items: Items, count: int) -> Passed:
    for number, item in enumerate(items):
        if number >= count:
            yield item


@hand("skip_while", predicate=fn("seldom", "even"))
def skip_while(items: Items, predicate: Any) -> Passed:
    begun = False
    for item in items:
        begun = begun or not predicate(item)
        if begun:
            yield item


@hand("filter", predicate=fn("often", "even"))
def filter_(items: Items, predicate: Any) -> Passed:
    for item in items:
        if predicate(item):
            yield item


@hand("take_last", count=whole(0, 4))
def take_last(items: Items, count: int) -> Passed:
    everything = list(items)
    yield from everything[max(0, len(everything) - count) :]


@hand("skip_last", count=whole(0, 3))
def skip_last(items: Items, count: int) -> Passed:
    so_far: list[Any] = []
    for item in items:
        so_far.append(item)
        if len(so_far) > count:
            yield so_far[-count - 1]


@hand(
    "slice", _=lambda draw: (draw.random.randint(0, 2), draw.random.randint(2, 9), draw.random.randint(1, 3))
)
def slice_(items: Items, _: tuple[int, int, int]) -> Passed:
    wanted = [*range(*_)]
    if not wanted:
        return
    for number, item in enumerate(items):
        if number in wanted:
            yield item
        if number == wanted[-1]:
            return


@hand("element_at", index=whole(0, 4), default="none")
def element_at(items: Items, index: int, default: Any) -> Passed:
    for number, item in enumerate(items):
        if number == index:
            yield item
            return
    yield default


@hand("find", predicate=fn("seldom", "even"), default="none")
def find(items: Items, predicate: Any, default: Any) -> Passed:
    for item in items:
        if predicate(item):
            yield item
            return
    yield default


@hand("distinct", key=fn("three", "weigh"))
def distinct(items: Items, key: Any) -> Passed:
    seen = []
    for item in items:
        value = key(item)
        if value not in seen:
            seen.append(value)
            yield item


@hand("distinct", key=fn("three", "weigh"), last=whole(1, 2))
def distinct_last(items: Items, key: Any, last: int) -> Passed:
    seen: list[Any] = []
    for item in items:
        value = key(item)
        if value not in seen:
            yield item
        else:
            seen.remove(value)
        seen = [*seen, value][-last:]


@hand("distinct_until_changed", key=fn("three", "even"))
def distinct_until_changed(items: Items, key: Any) -> Passed:
    last: Any = object()
    for item in items:
        value = key(item)
        if value != last:
            yield item
        last = value


@hand("ignore_items")
def ignore_items(items: Items) -> Passed:
    for _ in items:
        pass
    yield from ()


@hand("default_if_empty", default="none")
def default_if_empty(items: Items, default: Any) -> Passed:
    empty = True
    for item in items:
        empty = False
        yield item
    if empty:
        yield default


@hand("fail_if_empty")
def fail_if_empty(items: Items) -> Passed:
    empty = True
    for item in items:
        empty = False
        yield item
    if empty:
        raise Boom("EmptyStreamError")


# making something of each --------------------------------------------------------------------


@hand("map", function=fn("tagged", "weigh", "same"))
def map_(items: Items, function: Any) -> Passed:
    for item in items:
        yield function(item)


@hand(
    "starmap", lambda function: ops.map(lambda item: (item,)) | ops.starmap(function), function=fn("tagged")
)
def starmap(items: Items, function: Any) -> Passed:
    for item in items:
        yield function(item)


@hand("flatten", lambda function: ops.map(function) | ops.flatten(), function=fn("several", "alone"))
def flatten(items: Items, function: Any) -> Passed:
    for item in items:
        yield from function(item)


@hand("enumerate", start=whole(0, 3))
def enumerate_(items: Items, start: int) -> Passed:
    number = start
    for item in items:
        yield number, item
        number += 1


@hand("pairwise")
def pairwise(items: Items) -> Passed:
    return pairs(items)


@hand("scan", function=fn("newest", "added"))
def scan(items: Items, function: Any) -> Passed:
    states: list[Any] = []
    for item in items:
        states.append(function(states[-1], item) if states else item)
        yield states[-1]


@hand("stateful_map", lambda function: ops.stateful_map(int, function, finish=str), function=fn("counted"))
def stateful_map(items: Items, function: Any) -> Passed:
    state = 0
    for item in items:
        state, result = function(state, item)
        yield result
    yield str(state)


@hand("tap", function=fn("same"))
def tap(items: Items, function: Any) -> Passed:
    for item in items:
        function(item)
        yield item


@hand("timestamp", lambda: ops.timestamp(lambda: 7))
def timestamp(items: Items) -> Passed:
    for item in items:
        yield item, 7


@hand("intersperse", separator="-")
def intersperse(items: Items, separator: Any) -> Passed:
    first = True
    for item in items:
        if not first:
            yield separator
        first = False
        yield item


@hand("start_with", _=lambda draw: ("s", "t")[: draw.random.randint(0, 2)])
def start_with(items: Items, _: Any) -> Passed:
    return chain(_, items)


@hand("end_with", _=lambda draw: ("y", "z")[: draw.random.randint(0, 2)])
def end_with(items: Items, _: Any) -> Passed:
    return chain(items, _)


# lists ---------------------------------------------------------------------------------------


@hand("batch", size=whole(1, 4))
def batch(items: Items, size: int) -> Passed:
    held: list[Any] = []
    try:
        for item in items:
            held.append(item)
            if len(held) == size:
                yield held
                held = []
    except Boom:  # what is held comes before the error
        if held:
            yield held
        raise
    if held:
        yield held


@hand("sliding", count=whole(1, 3), step=whole(1, 4))
def sliding(items: Items, count: int, step: int) -> Passed:
    so_far: list[Any] = []
    for item in items:
        so_far.append(item)
        begin = len(so_far) - count
        if begin >= 0 and begin % step == 0:
            yield so_far[begin:]


@hand("aggregate", lambda: ops.aggregate(ops.to_list()))
def aggregate(items: Items) -> Passed:
    yield list(items)


@hand(
    "aggregate",
    lambda function: ops.aggregate(ops.map(function) | ops.first(default="none")),
    function=fn("tagged"),
)
def aggregate_first(items: Items, function: Any) -> Passed:
    for item in items:
        yield function(item)
        return
    yield "none"


# errors and ends -----------------------------------------------------------------------------


@hand("materialize")
def materialize(items: Items) -> Passed:
    try:
        for item in items:
            yield "next", item
    except Boom as error:
        last: Any = ("failed", error.label)
    else:
        last = ("done",)
    yield last


@hand("dematerialize", lambda: ops.materialize() | ops.dematerialize())
def dematerialize(items: Items) -> Passed:
    yield from items


@hand("catch", lambda sources: ops.catch(lambda _: sources[0]), sources=other())
def catch(items: Items, sources: Any) -> Passed:
    try:
        yield from items
    except Boom:
        pass
    else:
        return
    yield from sources[0]


@hand("on_close", lambda: ops.on_close(lambda: None))
def on_close(items: Items) -> Passed:
    yield from items


@hand("retry", attempts=whole(1, 3))
def retry(items: Items, attempts: int) -> Passed:
    for attempt in range(1, attempts + 1):
        try:
            yield from items
        except Boom:
            if attempt == attempts:
                raise
        else:
            return


@hand("repeat", times=whole(1, 3))
def repeat(items: Items, times: int) -> Passed:
    for _ in range(times):
        yield from items


# several sources, in a fixed order -----------------------------------------------------------


@hand("concat", _=other())
def concat(items: Items, _: Any) -> Passed:
    for source in (items, *_):
        yield from source


@hand(
    "concat",
    lambda sources: (
        ops.concat(sources[0]) | ops.concat(*sources[1:]) if sources[1:] else ops.concat(*sources)
    ),
    sources=other(),
)
def concat_twice(items: Items, sources: Any) -> Passed:
    return chain(items, *sources)


@hand("valve", lambda: ops.valve(Valve()))
def valve(items: Items) -> Passed:
    yield from items


@hand("delay_start", seconds=seconds())
def delay_start(items: Any, seconds: float) -> Passed:
    items.hand.now += seconds
    yield from items
