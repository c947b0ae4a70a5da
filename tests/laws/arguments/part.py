"""Arguments of the families `part` and `pick`."""

from collections.abc import Callable
from itertools import count as counted
from typing import Any

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.lab import Lab
from tests.laws.ways import COUNTS, SIZES, Way, every, ways

__all__ = ["ARGUMENTS"]


def but(lab: Lab, keeps: Callable[[int], bool], operator: Any) -> Any:
    """`operator`, before which is noted what it leaves out: of which the number is none that it `keeps`."""
    numbers = counted()
    return ops.tap(lambda item: None if keeps(next(numbers)) else lab.drop(item)) | operator


def sliced(lab: Lab, start: int, count: int, step: int) -> Any:
    kept = range(start, start + count * step, step)
    return but(lab, kept.__contains__, ops.slice(start, start + count * step, step))


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "element_at": ways(
        "element_at", lambda lab, index: but(lab, index.__eq__, ops.element_at(index)), index=COUNTS
    ),
    "find": ways("find", lambda lab, size: ops.find(every(lab, size)), size=SIZES),
    "skip_last": ways("skip_last", lambda lab, count: ops.skip_last(count), count=COUNTS),
    "slice": ways("slice", sliced, start=COUNTS, count=SIZES, step=SIZES)
    | ways("slice", lambda lab: ops.slice(None)),
    "take_last": ways("take_last", lambda lab, count: ops.take_last(count), count=SIZES),
}
