"""Building: what an operator in a pipe costs before anything runs, and the place that it keeps."""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Callable
from functools import reduce
from itertools import islice, product
from operator import or_
from types import CodeType, FrameType
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit._engine.compile.key import key_of


def same(item: Any) -> Any:
    return item


def calls_in(work: Callable[[], object]) -> list[str]:
    """The functions of Python that `work` calls, itself not counted."""
    work()
    called: list[str] = []

    def profile(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_name)

    gc.disable()  # what other tests have left would be cleaned up meanwhile
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
        gc.enable()
    return called[1:]


@pytest.mark.parametrize(
    ("operator", "checks"),
    [
        (lambda: ops.map(same), 1),
        (lambda: ops.filter(same), 1),
        (lambda: ops.take(3), 1),
        (lambda: ops.enumerate(), 2),
    ],
)
def test_an_operator_is_made_in_few_calls(operator: Callable[[], Any], checks: int) -> None:
    stream: Stream[int] = Stream([])
    # the one of this test, the one that answers wrong arguments, the operator, its checks, the pipe, who has
    # called it, its link, and `|`
    assert len(calls_in(lambda: stream | operator())) <= 3 + checks + 4


def test_a_pipe_that_is_extended_copies_nothing() -> None:
    added = ops.map(same)
    short, long = Stream([1]) | added, Stream([1]).pipe(*[added] * 200)
    assert calls_in(lambda: long | added) == calls_in(lambda: short | added) == ["__or__"]


def test_a_link_has_the_line_where_it_was_written() -> None:
    pipe = ops.map(same)
    pipe = (
        pipe  # of the line above
        | ops.take(3)
    )
    first = test_a_link_has_the_line_where_it_was_written.__code__.co_firstlineno
    assert [link.written for link in pipe.links] == [(__file__, first + 1), (__file__, first + 4)]


def test_a_pickled_link_stands_in_its_line_and_pins_no_code() -> None:
    (link,) = ops.map(same).links
    found = pickle.loads(pickle.dumps(link))
    assert (found.written, found.place) == (link.written, link.place)
    assert not any(isinstance(part, CodeType) for part in found.__reduce__()[1])


def test_steps_alike_have_one_key() -> None:
    (one,), (other,), (third,) = ops.map(same).links, ops.map(str.upper).links, ops.map(same).links
    assert one.key is third.key
    assert one.key is not other.key
    assert ops.take(1).links[0].key is ops.take(2).links[0].key


def test_keys_of_one_step_are_bounded() -> None:
    declaration = ops.map(same).links[0].declaration
    for number in range(600):
        space: dict[str, Any] = {}
        exec(f"def function(item): return item + {number}", space)
        key_of(declaration, {"function": space["function"]})
    assert len(declaration.seen.codes) <= 256


def test_so_are_those_of_a_step_with_ever_other_branches() -> None:
    steps = (ops.map(same), ops.filter(same), ops.enumerate())
    links = [
        ops.broadcast(reduce(or_, several)).links[0] for several in islice(product(steps, repeat=6), 300)
    ]
    assert len({each.key for each in links}) == 300
    assert len(links[0].declaration.seen.keys) <= 256
