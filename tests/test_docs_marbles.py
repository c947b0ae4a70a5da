"""The pictures in the docstrings of operators are what the operators do, where marbles can be read."""

import inspect
import operator
import re
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.testing import check_marbles, run
from tests.marbles import ERROR

VALUES: dict[str, Any] = {digit: int(digit) for digit in "0123456789"} | {"T": True, "F": False, "#": ERROR}

Pipe = Callable[..., Any]


def odd(number: int) -> bool:
    return number % 2 == 1


def inner(**streams: Stream[Any]) -> Callable[[str], Stream[Any]]:
    return streams.__getitem__


def again(items: Stream[Any], again: Stream[Any]) -> Stream[Any]:
    """The source of ``retry``, drawn once as it fails and once as it goes well."""
    tries = iter([items, again])
    return Stream(lambda: next(tries)) | ops.retry(2)


CASES: dict[str, Any] = {
    "aggregate": ops.aggregate(ops.count()),
    "audit": ops.audit(5.0),
    "catch": ops.catch(lambda error: "c"),
    "concat": lambda items, source: items | ops.concat(source),
    "debounce": ops.debounce(5.0),
    "default_if_empty": ops.default_if_empty(0),
    "delay": ops.delay(5.0),
    "delay_start": ops.delay_start(5.0),
    "distinct": ops.distinct(),
    "distinct_until_changed": ops.distinct_until_changed(),
    "element_at": ops.element_at(2),
    "end_with": ops.end_with("x"),
    "filter": ops.filter(odd),
    "find": ops.find(lambda number: number > 5),
    "ignore_items": ops.ignore_items(),
    "interleave": lambda items, source: items | ops.interleave(source),
    "keep_alive": ops.keep_alive(5.0, function=lambda: "f"),
    "map": ops.map(lambda number: number * 2),
    "merge": lambda items, source: items | ops.merge(source),
    "merge_sorted": lambda items, source: items | ops.merge_sorted(source),
    "on_close": ops.on_close(lambda: None),
    "pause_while": lambda items, signal: items | ops.pause_while(signal),
    "race": lambda items, source: items | ops.race(source),
    "repeat": ops.repeat(2),
    "retry": again,
    "scan": ops.scan(operator.add),
    "skip": ops.skip(2),
    "skip_last": ops.skip_last(2),
    "skip_until": lambda items, signal: items | ops.skip_until(signal),
    "skip_while": ops.skip_while(lambda number: number < 5),
    "slice": ops.slice(1, 4),
    "start_with": ops.start_with("x"),
    "take": ops.take(2),
    "take_last": ops.take_last(2),
    "take_until": lambda items, signal: items | ops.take_until(signal),
    "take_while": ops.take_while(lambda number: number < 5),
    "tap": ops.tap(lambda item: None),
    "throttle_first": ops.throttle_first(5.0),
    "throttle_latest": ops.throttle_latest(5.0),
    "concat_map": lambda items, a, b, c: items | ops.concat_map(inner(a=a, b=b, c=c)),
    "exhaust_map": lambda items, a, c: items | ops.exhaust_map(inner(a=a, c=c)),
    "flat_map": lambda items, a, b, c: items | ops.flat_map(inner(a=a, b=b, c=c), concurrency=2),
    "switch_map": lambda items, a, b, c: items | ops.switch_map(inner(a=a, b=b, c=c)),
}
"""By the name of an operator: what is drawn, as an operator or a function of the sources."""


def drawn(name: str) -> str:
    """The picture in the docstring of an operator, as `check_marbles` reads it."""
    for block in (inspect.getdoc(getattr(ops, name)) or "").split("\n\n"):
        first, *others = block.splitlines()
        if found := re.match(r" {4}items\s+", first):
            lines = [f"items {first[found.end() :]}"]
            for line in others:
                if source := re.match(r" {4}(?:stream of )?(a|b|c|again|source|signal) +(?=\S)", line):
                    lines.append(f"{source[1]} {line[source.end() :]}")
                elif result := re.match(rf" {{4}}{name}(?:\([^-|]*\))? *", line):
                    lines.append(f"expected {line[min(found.end(), result.end()) :]}")
            return "\n".join(lines).replace("X", "#")
    raise LookupError(f"{name} has no picture")


@pytest.mark.parametrize("name", CASES)
def test_the_picture_of(name: str) -> None:
    run(lambda: check_marbles(CASES[name], drawn(name), values=VALUES))
