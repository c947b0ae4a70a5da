"""aggregate."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from weakref import ref

import pytest
from hypothesis import given, strategies as st

from streamkit import Contract, Operator, Sink, Stream, Suspend, ops, step
from streamkit.testing import run
from tests.operators.beside import ours

ITEMS = st.lists(st.integers(), max_size=6)


async def text_later(number: int) -> str:
    await asyncio.sleep(1.0)
    return str(number)


@step(setup="total = 0", each="total += item", result="total")
def total() -> Sink[int, int]:
    return Sink(total)


@step(
    setup="most = None",
    each="most = item\nif item > limit:\n    stop()",
    result="most",
    contract=Contract(result="most"),
)
def first_over(limit: int) -> Sink[int, int]:
    return Sink(first_over, limit=limit)


@step(each="pass", result="make()")
def made(make: Callable[[], Any]) -> Sink[Any, Any]:
    """Its result is what `make` returns."""
    return Sink(made, make=make)


class Thing:
    """What is seen to be gone."""


SINKS: dict[str, Any] = {
    "count": ops.count(),
    "list": ops.to_list(),
    "list of some": ops.map(str) | ops.filter(None) | ops.to_list(),
    "first": ops.first(default=None),
    "taken": ops.take(2) | ops.to_list(),
    "none taken": ops.take(0) | ops.to_list(),
    "rest": ops.batch(4) | ops.to_list(),
    "own": total(),
    "own that stops": first_over(2),
    "branches": ops.broadcast(ops.count(), ops.map(str) | ops.to_list()),
    "in itself": ops.aggregate(ops.count()) | ops.to_list(),
    "groups": ops.group_by(lambda item: item % 2, ops.count(), max_groups=2) | ops.to_list(),
    "later": ops.map(text_later) | ops.to_list(),
    "stage": ops.map(text_later, concurrency=3) | ops.to_list(),
    "buffer": ops.buffer(Suspend(2)) | ops.count(),
    "calls": ops.for_each(lambda _: None, concurrency=2),
}
every_sink = pytest.mark.parametrize("sink", SINKS.values(), ids=SINKS)


@every_sink
def test_the_one_item_is_the_result_of_the_sink(sink: Any) -> None:
    for count in (0, 1, 5):

        async def main(count: int = count) -> None:
            stream = Stream(range(count))
            result = await (stream | sink)
            assert await (stream | ops.aggregate(sink) | ops.to_list()) == [result]
            assert [item async for item in stream | ops.merge() | ops.aggregate(sink)] == [result]
            behind = ops.aggregate(sink) | ops.end_with("end") | ops.batch(2) | ops.map(tuple)
            assert await (stream | behind | ops.first()) == (result, "end")

        run(main)


@every_sink
def test_in_groups_and_branches(sink: Any) -> None:
    async def main() -> None:
        stream = Stream(range(5))
        odd, even = [await (Stream(part) | sink) for part in ([1, 3], [0, 2, 4])]
        groups = ops.group_by(lambda item: item % 2, ops.aggregate(sink), max_groups=2)
        assert sorted(await (stream | groups | ops.map(repr) | ops.to_list())) == [
            repr((0, even)),
            repr((1, odd)),
        ]
        branches = ops.broadcast(ops.aggregate(sink), ops.aggregate(ops.count()))
        result = await (stream | sink)
        assert sorted(await (stream | branches | ops.map(repr) | ops.to_list())) == sorted(
            [repr(result), "5"]
        )

    run(main)


def test_a_sink_that_has_enough_ends_the_stream() -> None:
    seen: list[int] = []
    stream = Stream(iter(range(99))) | ops.tap(seen.append) | ops.aggregate(first_over(2))
    assert list(stream | ops.concat(["end"])) == [3, "end"]
    assert seen == [0, 1, 2, 3]


def test_a_branch_of_which_a_sink_has_enough_leaves_the_others_alone() -> None:
    branches = ops.broadcast(ops.aggregate(ops.first()), ops.map(str))
    assert sorted(map(str, Stream(range(4)) | branches)) == ["0", "0", "1", "2", "3"]


def test_steps_run_in_one_loop() -> None:
    text = (Stream([1]) | ops.aggregate(ops.map(str) | ops.to_list()) | ops.map(len) | ops.drain()).explain(
        code=True
    )
    assert [part.kind for part in text.parts] == ["source", "segment"]
    assert len(text.code) == 1


@given(ITEMS)
def test_an_error_of_the_source_leaves_no_result(items: list[int]) -> None:
    for sink in (ops.count(), ops.to_list(), ops.batch(2) | ops.to_list()):
        assert ours(items, ops.aggregate(sink), fails=True) == ([], "Failed")
    assert ours(items, ops.aggregate(ops.count())) == ([len(items)], "end")


def test_an_error_of_the_sink_names_it() -> None:
    with pytest.raises(LookupError, match="empty stream") as caught:
        list(Stream([]) | ops.aggregate(ops.skip(1) | ops.first()))
    assert caught.value.__notes__[0].startswith("in first() at ")


def test_so_does_one_of_its_result() -> None:
    @step(setup="number = 0", each="number += 1", result="1 // number")
    def share() -> Sink[Any, int]:
        return Sink(share)

    def fail() -> None:
        raise ZeroDivisionError

    for sink, name in ((share(), "share"), (made(fail), "made")):
        with pytest.raises(ZeroDivisionError) as caught:
            list(Stream([]) | ops.aggregate(sink))
        assert caught.value.__notes__[0].startswith(f"in {name}(")


def test_what_makes_its_result_may_wait() -> None:
    async def make() -> int:
        await asyncio.sleep(0)
        return 5

    assert list(Stream([]) | ops.aggregate(made(make))) == [5]


def test_a_result_is_let_go_where_a_stream_was_made_of_it() -> None:
    seen: list[Any] = []

    async def inside(thing: Thing) -> AsyncIterator[Any]:
        there = ref(thing)
        del thing
        yield 1
        seen.append(there())

    assert list(Stream([]) | ops.aggregate(made(Thing)) | ops.flat_map(inside, concurrency=1)) == [1]
    assert seen == [None]


def test_it_is_shown_as_it_was_written_and_is_a_value() -> None:
    operator = ops.aggregate(ops.map(str) | ops.to_list())
    assert repr(operator) == "aggregate(map(str) | to_list())"
    assert operator == ops.aggregate(ops.map(str) | ops.to_list()) != ops.aggregate(ops.to_list())


def test_the_contract() -> None:
    told = (Stream("a") | ops.aggregate(ops.batch(4) | ops.to_list())).explain()
    assert told.at_end
    assert told.bound == 4
    assert told.parts[1].result == "every item"
    assert not (Stream("a") | ops.aggregate(ops.first())).explain().at_end


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (ops.take(1), "sink must be a sink, or operators and a sink, not take(1)"),
        (ops.count, "sink must be a sink, or operators and a sink, not <function count at"),
        (len, "sink must be a sink, or operators and a sink, not <built-in function len>"),
        (5, "sink must be a sink, or operators and a sink, not 5"),
        (None, "sink must be a sink, or operators and a sink, not None"),
        ([ops.count()], "sink must be a sink, or operators and a sink, not [count()]"),
    ],
)
def test_bad_argument(bad: Any, words: str) -> None:
    with pytest.raises(TypeError) as caught:
        ops.aggregate(bad)
    assert str(caught.value).startswith(words)


def test_an_operator_of_a_user_in_the_sink() -> None:
    @step(each="emit(-item)")
    def negated() -> Operator[int, int]:
        return Operator(negated)

    assert list(Stream([1, 2]) | ops.aggregate(negated() | total())) == [-3]
