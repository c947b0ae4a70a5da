"""Building: what an operator in a pipe costs before anything runs, and the place that it keeps."""

from __future__ import annotations

import builtins
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
from streamkit._core.catalogue import catalogue
from streamkit._core.places import USERS
from streamkit._engine.compile.key import key_of
from streamkit._engine.face.stream import plainly


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
    ("operator", "most"),
    [
        # the one of this test, the one that answers wrong arguments, the pipe, its link, and `|`
        (lambda: ops.map(same), 5),
        (lambda: ops.filter(same), 5),
        # besides, the operator and its checks; where it is a pipe, that is one call, with the link
        (lambda: ops.take(3), 7),
        (lambda: ops.enumerate(), 8),
    ],
)
def test_an_operator_is_made_in_few_calls(operator: Callable[[], Any], most: int) -> None:
    stream: Stream[int] = Stream([])
    assert len(calls_in(lambda: stream | operator())) <= most


def test_a_run_of_a_seen_shape_begins_in_few_calls() -> None:
    def begun(count: int) -> list[str]:
        job: Any = Stream([]).pipe(*[ops.map(same)] * count, *[ops.take(1)] * count) | ops.to_list()
        return calls_in(lambda: job.work(None).close())

    few, many = begun(1), begun(5)
    assert len(few) <= 12
    assert len(many) == len(few)  # what a plain function is called for is known as it is built


def test_what_is_made_plainly_is_what_the_operator_makes() -> None:
    plain = [declaration for declaration in catalogue() if declaration.plain is not None]
    assert {declaration.name for declaration in plain} >= {"map", "filter", "tap"}
    for declaration in plain:
        operator = getattr(ops, declaration.name)
        plainly(operator, type(operator(same)))
        USERS.discard(__name__)
        for _ in range(2):  # first where nothing is known of this module and of the function
            made, line = operator(same), sys._getframe().f_lineno
            slowly = declaration.function(same)
            assert (type(made), made) == (type(slowly), slowly)
            (link,), (other,) = made.links, slowly.links
            assert [*link.arguments] == [*other.arguments]
            assert (link.written, link.blamed, link.awaited) == ((__file__, line), None, False)
            key = link.key
            assert operator(same).links[0].known is key


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


def test_a_link_has_the_line_of_a_user_however_it_is_made() -> None:
    def mine() -> Any:
        return ops.filter(same)

    made: list[Any] = [
        ops.map(same),
        ops.map(same, concurrency=2),
        ops.map(abs),
        mine(),
        next(builtins.map(ops.map, [same])),
    ]
    first = test_a_link_has_the_line_of_a_user_however_it_is_made.__code__.co_firstlineno
    lines = [pipe.links[0].written for pipe in made]
    assert lines == [(__file__, first + line) for line in (5, 6, 7, 2, 9)]


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
    declaration, kept = ops.map(same).links[0].declaration, list[int]()
    for number in range(600):
        space: dict[str, Any] = {}
        exec(f"def function(item): return item + {number}", space)
        key_of(declaration, {"function": space["function"]})
        kept.append(len(declaration.seen.codes))
    assert max(kept) == 256


def test_so_are_those_of_a_step_with_ever_other_branches() -> None:
    steps = (ops.map(same), ops.filter(same), ops.enumerate())
    keys, kept = set[Any](), list[int]()
    for several in islice(product(steps, repeat=6), 300):
        branch: Any = reduce(or_, several)
        (link,) = ops.broadcast(branch).links
        keys.add(link.key)
        kept.append(len(link.declaration.seen.keys))
    assert (len(keys), max(kept)) == (300, 256)
