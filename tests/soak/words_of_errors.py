"""Words of operators that are told what to do where their callback fails, and then go on: loops by hand.

Such a failure ends nothing. So whatever else goes wrong beside it, all other items come out as without it.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from streamkit import Replace, Resume, Retry, ops
from tests.soak.line import Line
from tests.soak.values import Boom
from tests.soak.words import WORDS, Fn, Inner, fn, free, hand, whole
from tests.soak.words_of_joins import attempt, failing, in_order

Items = Iterable[Any]
Passed = Iterator[Any]


def tried(function: Callable[..., Any], *arguments: Any) -> list[Any]:
    """The result of a call, in a list; none where it fails."""
    try:
        return [function(*arguments)]
    except Boom:
        return []


def resuming(name: str, **given: Any) -> Callable[..., Any]:
    """Makes the operator, which drops the items for which its callback fails."""
    return lambda **drawn: getattr(ops, name)(**drawn, **given, on_error=Resume())


def instead(item: Any, _: Exception) -> Any:
    return ("instead", item)


# one call after the other --------------------------------------------------------------------


@hand("map", resuming("map"), function=fn("tagged", "weigh"))
def map_resumed(items: Items, function: Any) -> Passed:
    for item in items:
        yield from tried(function, item)


@hand(
    "map",
    lambda function: ops.map(function, on_error=Replace(instead)),
    function=fn("tagged", "weigh"),
)
def map_replaced(items: Items, function: Any) -> Passed:
    for item in items:
        yield from tried(function, item) or [("instead", item)]


@hand(
    "map",
    lambda function, attempts: ops.map(function, on_error=Retry(attempts, then=Resume())),
    function=fn("tagged"),
    attempts=whole(1, 3),
)
def map_tried_again(items: Items, function: Any, attempts: int) -> Passed:
    yield from map_resumed(items, function)


@hand("filter", resuming("filter"), predicate=fn("often", "even"))
def filter_resumed(items: Items, predicate: Any) -> Passed:
    for item in items:
        if tried(predicate, item) == [True]:
            yield item


@hand("take_while", resuming("take_while"), predicate=fn("often", "even"))
def take_while_resumed(items: Items, predicate: Any) -> Passed:
    for item in items:
        passes = tried(predicate, item)
        if passes == [False]:
            return
        if passes:
            yield item


@hand("distinct", resuming("distinct"), key=fn("three", "weigh"))
def distinct_resumed(items: Items, key: Any) -> Passed:
    seen: list[Any] = []
    for item in items:
        for value in tried(key, item):
            if value not in seen:
                seen.append(value)
                yield item


@hand("scan", resuming("scan"), function=fn("added", "newest"))
def scan_resumed(items: Items, function: Any) -> Passed:
    states: list[Any] = []
    for item in items:
        found = tried(function, states[-1], item) if states else [item]
        states += found
        yield from found


@hand("tap", resuming("tap"), function=fn("same"))
def tap_resumed(items: Items, function: Any) -> Passed:
    for item in items:
        if tried(function, item):
            yield item


# several at once -----------------------------------------------------------------------------


@free(
    "map",
    resuming("map"),
    sure=False,
    function=fn("tagged", "weigh"),
    concurrency=whole(2, 4),
    lookahead=whole(0, 2),
)
def map_at_once_resumed(line: Line, function: Any, **_: Any) -> list[Line]:
    return [in_order(line, lambda item: tried(function, item))]


@free(
    "map",
    resuming("map", ordered=False),
    sure=False,
    function=fn("tagged", "weigh"),
    concurrency=whole(2, 4),
)
def map_unordered_resumed(line: Line, function: Any, **_: Any) -> list[Line]:
    return [attempt(lambda item=item: tried(function, item)) for item in line.values] + failing(line)


@free(
    "flat_map",
    resuming("flat_map"),
    sure=False,
    function=lambda _: Inner(),
    concurrency=whole(1, 3),
    lookahead=whole(1, 2),
)
def flat_map_resumed(line: Line, function: Any, **_: Any) -> list[Line]:
    streams = [found for item in line.values for found in tried(function, item)]
    return [attempt(lambda found=found: found) for found in streams] + failing(line)


@free("concat_map", resuming("concat_map"), sure=False, function=lambda _: Inner(), lookahead=whole(0, 2))
def concat_map_resumed(line: Line, function: Any, **_: Any) -> list[Line]:
    return [in_order(line, lambda item: [each for found in tried(function, item) for each in found])]


@free(
    "group_by",
    lambda key: ops.group_by(key, ops.map(same), max_groups=3, on_error=Resume()),
    key=Fn("three"),
)
def group_by_resumed(line: Line, key: Any) -> list[Line]:
    groups: dict[Any, list[Any]] = {}
    for item in line.values:
        for value in tried(key, item):
            groups.setdefault(value, []).append((value, item))
    return [attempt(lambda found=found: found) for found in groups.values()] + failing(line)


def same(item: Any) -> Any:
    return item


GOES_ON = {key for key, word in WORDS.items() if word.mean.__module__ == __name__}
"""These words."""
