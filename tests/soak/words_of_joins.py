"""Words of what is free in its order: which of several lines is first, nobody says.

Each is a function of the line before the operator. It returns lines: what comes out is any interleaving of
those, each of them whole and in order. What did come out was noted behind the operator; if it is one of them,
the reference goes on with it. So what stands behind is compared exactly.
"""

import math
from collections.abc import Iterator
from typing import Any

from streamkit import Suspend, Tumbling, ops
from tests.soak.line import Line, UndecidedError
from tests.soak.values import Boom
from tests.soak.words import Fn, Inner, fn, free, other, pipe, whole
from tests.workers import InLoop


def line_of(values: Any, error: str | None = None, *, cut: bool = False) -> Line:
    return Line(tuple([(0.0, value) for value in values]), 0.0, error, cut)


def hangs(line: Line) -> bool:
    """Whether nothing is known of what comes after the last item, or nothing does."""
    return line.cut or line.end == math.inf


def failing(line: Line) -> list[Line]:
    """The error of a line, as a line of its own: when it comes, the others may be cut."""
    return [line_of([], line.error)] if line.error is not None else []


def each_of(line: Line, function: Any) -> list[Line]:
    """A line for what `function` makes of each item."""
    return [attempt(lambda item=item: [function(item)]) for item in line.values] + failing(line)


def attempt(work: Any) -> Line:
    """What a list is, or the error that comes of making it."""
    try:
        return line_of(work())
    except Boom as error:
        return line_of([], error.label)


def in_order(line: Line, function: Any) -> Line:
    """What `function` makes of the items, up to the first error."""
    values: list[Any] = []
    try:
        for item in line.values:
            values += function(item)
    except Boom as error:
        return line_of(values, error.label)
    return line_of(values, line.error)


def split(line: Line, key: Any) -> tuple[dict[Any, list[Any]], str | None]:
    """The items by key, and the error that ends all of them."""
    found: dict[Any, list[Any]] = {}
    try:
        for item in line.values:
            found.setdefault(key(item), []).append(item)
    except Boom as error:
        return found, error.label
    return found, line.error


# calls at once -------------------------------------------------------------------------------


def mapped(function: Any, concurrency: int, **named: Any) -> Any:
    return ops.map(function, concurrency=concurrency, **named)


@free("map", sure=False, function=fn("tagged", "weigh"), concurrency=whole(2, 4), lookahead=whole(0, 2))
def map_at_once(line: Line, function: Any, **_: Any) -> list[Line]:
    return [in_order(line, lambda item: [function(item)])]


@free(
    "map",
    lambda **given: ops.buffer(Suspend(2)) | ops.map(**given),
    sure=False,
    function=fn("tagged"),
    concurrency=whole(2, 3),
)
def map_buffered(line: Line, function: Any, **_: Any) -> list[Line]:
    return [in_order(line, lambda item: [function(item)])]


@free("map", sure=False, function=fn("tagged", "weigh"), concurrency=whole(2, 4), ordered=False)
def map_unordered(line: Line, function: Any, **_: Any) -> list[Line]:
    return each_of(line, function)


@free(
    "map", sure=False, function=fn("tagged"), concurrency=whole(2, 4), key=Fn("three"), lookahead=whole(0, 2)
)
def map_by_key(line: Line, function: Any, key: Any, **_: Any) -> list[Line]:
    groups, error = split(line, key)
    lines = [in_order(line_of(items), lambda item: [function(item)]) for items in groups.values()]
    return lines + failing(line_of([], error))


@free(
    "map",
    lambda function, chunk, workers: ops.map(function, on=InLoop(workers), chunk=chunk),
    sure=False,
    function=fn("tagged", "weigh"),
    chunk=whole(1, 3),
    workers=whole(1, 3),
)
def map_on_workers(line: Line, function: Any, **_: Any) -> list[Line]:
    return [in_order(line, lambda item: [function(item)])]


@free(
    "on",
    lambda function, chunk, workers: ops.on(InLoop(workers), ops.map(function), chunk=chunk),
    sure=False,
    function=fn("tagged"),
    chunk=whole(1, 3),
    workers=whole(1, 3),
)
def on_workers(line: Line, function: Any, **_: Any) -> list[Line]:
    return [in_order(line, lambda item: [function(item)])]


@free(
    "balance",
    lambda function, workers: ops.balance(ops.map(function), workers=workers),
    sure=False,
    function=fn("tagged"),
    workers=whole(1, 3),
)
def balance(line: Line, function: Any, **_: Any) -> list[Line]:
    return each_of(line, function)


# several sources -----------------------------------------------------------------------------


@free("merge", _=other(), lookahead=whole(1, 3))
def merge(line: Line, _: Any, **__: Any) -> list[Line]:
    return [line, *[source.line() for source in _]]


def merges(sources: Any) -> Any:
    first = ops.merge(sources[0])
    return first | ops.merge(*sources[1:]) if sources[1:] else first


@free("merge", merges, sources=other())
def merge_twice(line: Line, sources: Any) -> list[Line]:
    return merge(line, sources)


@free("merge_prioritized", _=other(), lookahead=whole(1, 2))
def merge_prioritized(line: Line, _: Any, **__: Any) -> list[Line]:
    return merge(line, _)


def read_in_turn(line: Line, sources: Any, take: Any) -> list[Line]:
    """One line of several that are read in an order that `take` says."""
    values: list[Any] = []
    try:
        for value in take([line, *[source.line() for source in sources]]):
            values.append(value)
    except Boom as error:
        return [line_of(values, error.label)]
    return [line_of(values)]


def zipped(lines: list[Line], *, failed: bool) -> list[Line]:
    size = min(len(each.values) for each in lines)
    values = [*zip(*[each.values[:size] for each in lines], strict=True)]
    ending = [each for each in lines if len(each.values) == size]
    errors = [each.error for each in ending if each.error is not None]
    if errors and len(errors) + sum(map(hangs, ending)) < len(ending):
        raise UndecidedError("one source ends where another fails")
    longer = [each for each in lines if len(each.values) > size]
    if any(each.error is not None or (failed and hangs(each)) for each in longer):
        raise UndecidedError("one source ends where another may have failed")
    if failed and any(map(hangs, ending)) and not all(map(hangs, ending)):
        raise UndecidedError("one source ends, and another may have failed before it was read on")
    return [line_of(values, errors[0] if errors else None, cut=all(map(hangs, ending)))]


def zip_of_failed(line: Line, _: Any, **__: Any) -> list[Line]:
    return zipped([line, *[source.line() for source in _]], failed=True)


@free("zip", sure=False, early=True, broken=zip_of_failed, _=other(), lookahead=whole(1, 2))
def zip_(line: Line, _: Any, **__: Any) -> list[Line]:
    return zipped([line, *[source.line() for source in _]], failed=False)


def turns(lines: list[Line]) -> Iterator[Any]:
    queues = [[*line.values] for line in lines]
    while any(queues):
        yield from [queue.pop(0) for queue in queues if queue]


@free("interleave", sure=False, broken=merge, _=other(), lookahead=whole(1, 2))
def interleave(line: Line, _: Any, **__: Any) -> list[Line]:
    return read_in_turn(line, _, turns)


def least(key: Any) -> Any:
    def take(lines: list[Line]) -> Iterator[Any]:
        queues = [[*line.values] for line in lines]
        while any(queues):
            yield min([queue for queue in queues if queue], key=lambda queue: key(queue[0])).pop(0)

    return take


def keyed(line: Line, _: Any, key: Any, **__: Any) -> list[Line]:
    """The lines of several sources, each up to where `key` fails."""

    def same(item: Any) -> list[Any]:
        key(item)
        return [item]

    return [in_order(each, same) for each in merge(line, _)]


@free("merge_sorted", sure=False, broken=keyed, _=other(), key=Fn("weigh"), lookahead=whole(1, 2))
def merge_sorted(line: Line, _: Any, key: Any, **__: Any) -> list[Line]:
    return read_in_turn(line, _, least(key))


# streams of streams --------------------------------------------------------------------------


@free("flat_map", sure=False, function=lambda _: Inner(), concurrency=whole(1, 3), lookahead=whole(1, 2))
def flat_map(line: Line, function: Any, **_: Any) -> list[Line]:
    return [attempt(lambda item=item: function(item)) for item in line.values] + failing(line)


@free("concat_map", sure=False, function=lambda _: Inner())
def concat_map(line: Line, function: Any) -> list[Line]:
    return [in_order(line, function)]


@free(
    "expand",
    lambda function, **given: ops.expand(function, **given),
    sure=False,
    function=lambda _: Inner(),
    concurrency=whole(1, 3),
    depth_first=lambda draw: bool(draw.random.randrange(2)),
)
def expand(line: Line, function: Any, **_: Any) -> list[Line]:
    lines = [line]
    left = [*line.values]
    while left:
        item = left.pop()
        found = attempt(lambda item=item: function(item))
        lines.append(found)
        left += found.values
    return lines


# branches ------------------------------------------------------------------------------------


def branched(line: Line, parts: list[list[Any]], pipes: list[Any], error: str | None) -> list[Line]:
    """What each of `pipes` makes of its part of `line`; an error from before them ends all."""
    cut = hangs(line) and error is None
    lines = [pipe(line_of(part, error, cut=cut)) for pipe, part in zip(pipes, parts, strict=True)]
    if error is not None and all(each.error is None for each in lines):
        raise UndecidedError("all branches have ended when the error comes")
    unflushed(parts, pipes, lines, error)
    return lines


def unflushed(parts: list[list[Any]], pipes: list[Any], lines: list[Line], error: str | None) -> None:
    """Refuse `lines` that `pipes` make of `parts`, if one fails, and another may pass on what it holds early.

    An error of one ends the intake of all, wherever they are; `error` comes when each has all that it gets.
    """
    for part, made, line in zip(parts, pipes, lines, strict=True):
        for failed in lines:
            if failed is line or failed.error in (None, error):
                continue
            early = [made(line_of(part[:size], failed.error)).values for size in range(len(part))]
            if any(found != line.values[: len(found)] for found in early):
                raise UndecidedError("one branch fails, and what another holds then comes out early")


@free(
    "broadcast",
    early=True,
    make=lambda first, second: ops.broadcast(first, second),
    first=pipe(),
    second=pipe(),
)
def broadcast(line: Line, first: Any, second: Any) -> list[Line]:
    return branched(line, [line.values] * 2, [first, second], line.error)


@free(
    "broadcast",
    early=True,
    make=lambda first, second: ops.broadcast(ops.buffer(Suspend(2)) | first, second),
    sure=False,
    first=pipe(),
    second=pipe(),
)
def broadcast_buffered(line: Line, first: Any, second: Any) -> list[Line]:
    return broadcast(line, first, second)


@free(
    "partition",
    early=True,
    make=lambda predicate, first, second: ops.partition(predicate, first, second),
    predicate=fn("even", "often"),
    first=pipe(),
    second=pipe(),
)
def partition(line: Line, predicate: Any, first: Any, second: Any) -> list[Line]:
    groups, error = split(line, predicate)
    return branched(line, [groups.get(True, []), groups.get(False, [])], [first, second], error)


@free(
    "partition",
    early=True,
    make=lambda predicate, first, second: ops.partition(predicate, ops.buffer(Suspend(1)) | first, second),
    sure=False,
    predicate=fn("even"),
    first=pipe(),
    second=pipe(),
)
def partition_buffered(line: Line, predicate: Any, first: Any, second: Any) -> list[Line]:
    return partition(line, predicate, first, second)


@free(
    "route",
    early=True,
    make=lambda key, first, second: ops.route(key, {0: first}, otherwise=second),
    key=Fn("three"),
    first=pipe(),
    second=pipe(),
)
def route(line: Line, key: Any, first: Any, second: Any) -> list[Line]:
    groups, error = split(line, lambda item: key(item) != 0)
    return branched(line, [groups.get(False, []), groups.get(True, [])], [first, second], error)


@free("group_by", lambda key, pipe: ops.group_by(key, pipe, max_groups=3), key=Fn("three"), pipe=pipe())
def group_by(line: Line, key: Any, pipe: Any) -> list[Line]:
    groups, error = split(line, key)
    parts = [*groups.values()]
    made = [pipe(line_of(items, error)) for items in parts]
    unflushed(parts, [pipe] * len(parts), made, error)
    lines = [
        line_of([(value, item) for item in each.values], each.error)
        for value, each in zip(groups, made, strict=True)
    ]
    return lines + failing(line_of([], error))


@free(
    "group_by",
    lambda key, pipe: ops.group_by(key, ops.buffer(Suspend(1)) | pipe, max_groups=3),
    sure=False,
    key=Fn("three"),
    pipe=pipe(),
)
def group_by_buffered(line: Line, key: Any, pipe: Any) -> list[Line]:
    return group_by(line, key, pipe)


@free(
    "window",
    lambda count, pipe: (
        ops.window(Tumbling(count=count), pipe) | ops.map(lambda found: (found[0].start, found[1]))
    ),
    count=whole(1, 4),
    pipe=pipe(1),
)
def window(line: Line, count: int, pipe: Any) -> list[Line]:
    found: list[Any] = []
    for begin in range(0, len(line.values), count):
        part = line.values[begin : begin + count]
        whole_part = len(part) == count
        made = pipe(line_of(part, None if whole_part else line.error))
        found += [(begin, item) for item in made.values]
        if made.error is not None:
            return [line_of(found, made.error)]
    return [line_of(found, line.error)]
