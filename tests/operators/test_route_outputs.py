"""route by outputs: items that say for which branch they are, handed over one by one, and errors."""

import asyncio
import pickle
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import (
    Contract,
    DropOldest,
    Inlet,
    NoRouteError,
    Operator,
    Output,
    Resume,
    Run,
    Stream,
    Suspend,
    Tagged,
    ops,
    stage,
)
from streamkit.testing import run
from tests.files import over

PRICE, ERROR = Output[int]("price"), Output[Exception]("error")


def steps(pipe: Any) -> Any:
    return pipe


def tasks(pipe: Any) -> Any:
    """`pipe`, with a task of its own, and without a buffer."""
    return ops.take(99) | pipe


FORMS = pytest.mark.parametrize("form", [steps, tasks])


async def _lines(run: Run, source: Inlet[str]) -> AsyncIterator[Tagged[Any]]:
    channel = run.channel()
    lane = run.feed(channel, source)
    while await channel.wait():
        text = lane.take()
        if text.isdecimal():
            yield PRICE(int(text))
            yield PRICE(-int(text))
        else:
            yield ERROR(ValueError(text))


@stage(_lines, contract=Contract(holds="1", lookahead="1", spreads=True))
def lines() -> Operator[str, Tagged[Any]]:
    return Operator(lines)


def parse(text: str) -> Tagged[int] | Tagged[Exception]:
    try:
        return PRICE(int(text))
    except ValueError as error:
        return ERROR(error)


@FORMS
class TestOutputs:
    def test_each_branch_gets_what_is_for_its_output(self, form: Any) -> None:
        texts = ["1", "x", "2", "y"]
        routes: Any = {PRICE: form(ops.to_list()), "error": form(ops.map(type) | ops.to_list())}
        job = Stream(texts) | ops.map(parse) | ops.route(routes)
        assert job.run() == {"price": [1, 2], "error": [ValueError, ValueError]}

    def test_a_stage_may_send_to_several_for_each_item(self, form: Any) -> None:
        routes: Any = {PRICE: form(ops.map(str)), ERROR: form(ops.map(repr))}
        found = list(["1", "x", "2"] | lines() | ops.route(routes))
        assert [each for each in found if each[-1].isdecimal()] == ["1", "-1", "2", "-2"]
        assert [each for each in found if not each[-1].isdecimal()] == ["ValueError('x')"]

    def test_an_output_that_no_branch_takes(self, form: Any) -> None:
        routes: Any = {ERROR: form(ops.count())}
        with pytest.raises(NoRouteError, match="no branch takes the output 'price': add one, or otherwise="):
            (Stream([PRICE(1)]) | ops.route(routes)).run()
        rest: Any = form(ops.to_list())
        assert (Stream([PRICE(1)]) | ops.route(routes, otherwise=rest)).run() == {"error": 0, ...: [1]}

    def test_an_error_that_no_branch_takes_by_name_fails_the_run(self, form: Any) -> None:
        error = KeyError("it")
        rest: Any = form(ops.drain())
        for more in ({}, {"otherwise": rest}):
            routes: Any = {PRICE: form(ops.drain())}
            with pytest.raises(KeyError) as raised:
                (Stream([PRICE(1), ERROR(error), PRICE(2)]) | ops.route(routes, **more)).run()
            assert raised.value is error
            assert "it was sent to the output 'error', which no branch takes by name" in error.__notes__

    def test_what_comes_from_no_output(self, form: Any) -> None:
        routes: Any = {PRICE: form(ops.drain())}
        for item in (1, ("price", 1)):
            with pytest.raises(TypeError, match="an item must be what an Output makes"):
                (Stream([item]) | ops.route(routes)).run()

    def test_an_error_of_a_branch_ends_all(self, form: Any) -> None:
        def fail(item: int) -> None:
            raise LookupError(item)

        routes: Any = {PRICE: form(ops.for_each(fail)), ERROR: form(ops.drain())}
        with pytest.raises(LookupError):
            (Stream([PRICE(1), PRICE(2)]) | ops.route(routes)).run()


async def slow(item: int) -> int:
    await asyncio.sleep(1.0)
    return item


HANDED = [
    ops.map(str),
    ops.map(slow),
    ops.take(9) | ops.map(slow),
    ops.take_while(lambda _: True) | ops.map(lambda item: slow(item)),
    ops.map(slow) | ops.batch(1),
]


@over(HANDED)
def test_the_source_goes_on_when_the_branch_has_done_with_the_item(work: Any) -> None:
    """Whether it is a loop with the source, or a task."""
    said: list[str] = []

    async def source() -> AsyncIterator[Tagged[int]]:
        for number in range(4):
            yield (PRICE if number % 2 else Output[int]("other"))(number)
            said.append(f"after {number}")

    def done(item: Any) -> None:
        said.append(f"done {item if isinstance(item, (int, str)) else item[0]}")

    done_with: Any = work | ops.for_each(done)
    routes: Any = {"price": done_with, "other": done_with}
    run(lambda: awaited(Stream(source) | ops.route(routes)))
    assert said == [f"{word} {number}" for number in range(4) for word in ("done", "after")]


async def awaited(job: Any) -> Any:
    return await job


@pytest.mark.parametrize(
    ("strategy", "seen", "seconds"),
    [(Suspend(3), [0, 1, 2, 3], 0.0), (DropOldest(1), [0, 3], 0.0), (Suspend(1), [0, 1, 2, 3], 2.0)],
)  # fmt: skip
def test_a_branch_that_begins_with_a_buffer_is_decoupled_and_the_others_are_not(
    strategy: Any, seen: list[int], seconds: float
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ended: list[float] = []

        async def source() -> AsyncIterator[Tagged[Any]]:
            for number in range(4):
                yield PRICE(number)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
            ended.append(loop.time())
            yield ERROR(ValueError())
            ended.append(loop.time())

        routes: Any = {
            PRICE: ops.buffer(strategy) | ops.map(slow) | ops.to_list(),
            ERROR: ops.map(slow) | ops.count(),
        }
        assert await (Stream(source) | ops.route(routes)) == {"price": seen, "error": 1}
        assert ended == [seconds, seconds + 1.0]

    run(main)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers()), max_size=12), st.booleans())
def test_is_route_by_the_name_over_the_values(items: list[tuple[int, int]], own: bool) -> None:
    form = tasks if own else steps
    outputs = [Output[int](str(number)) for number in range(3)]
    routes: Any = {output.name: form(ops.to_list()) for output in outputs}
    found = (Stream(items) | ops.map(lambda pair: outputs[pair[0]](pair[1])) | ops.route(routes)).run()
    plain: Any = {str(number): ops.map(lambda pair: pair[1]) | ops.to_list() for number in range(3)}
    assert found == (Stream(items) | ops.route(lambda pair: str(pair[0]), plain)).run()


def test_a_branch_that_ends_early_drops_what_is_for_it_and_the_others_go_on() -> None:
    routes: Any = {PRICE: ops.take(1) | ops.to_list(), ERROR: ops.count()}
    items = [PRICE(1), PRICE(2), ERROR(ValueError()), PRICE(3)]
    assert (Stream(items) | ops.route(routes)).run() == {"price": [1], "error": 1}


def test_outputs_are_values() -> None:
    assert PRICE == Output("price") != Output("error")
    assert {PRICE: 1}[Output("price")] == 1
    assert PRICE(1) == ("price", 1)
    assert repr(PRICE) == "Output('price')"
    routes = PRICE.to(ops.drain()) | ERROR.to(ops.count())
    assert dict(routes) == {"price": ops.drain(), "error": ops.count()}
    assert (len(routes), repr(routes)) == (2, repr(dict(routes)))
    for branch in (ops.count(), ops.take(1) | ops.count()):
        pipe: Any = ops.route({PRICE: branch})
        again = pickle.loads(pickle.dumps(pipe))
        assert again == pipe
        assert hash(again) == hash(pipe)
        assert (Stream([PRICE(1)]) | again).run() == {"price": 1}
        assert repr(pipe).startswith("route(outputs, ")


def test_bad_argument() -> None:
    count: Any = ops.count()
    wrong: Any = ops.route
    for call, error, words in (
        (lambda: Output(5), TypeError, "name must be a text, not 5"),  # type: ignore[arg-type]
        (lambda: wrong({5: count}), TypeError, "routes must be a mapping of outputs, or their names"),
        (lambda: wrong({}), ValueError, "routes must be one or more, not none"),
        (lambda: wrong({PRICE: count}, {1: count}), TypeError, "key must be callable where routes are given"),
        (lambda: wrong({PRICE: count}, on_error=Resume()), ValueError, "on_error is for a key that fails"),
        (lambda: wrong({PRICE: count, ERROR: ops.skip(1)}), TypeError, "all operators or all sinks"),
        (lambda: wrong(len), TypeError, "routes must be a mapping, such as a dict"),
        (lambda: PRICE.to(len), TypeError, "branch must be operators or sinks"),
        (lambda: PRICE.to(ops.count()) | {}, TypeError, "unsupported operand"),  # type: ignore[operator]
    ):  # fmt: skip
        with pytest.raises(error, match=words):
            call()
