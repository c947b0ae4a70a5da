"""Steps of one's own: what may be spliced, what is refused where it is written, and what the pieces see."""

import asyncio
import pickle
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import ABSENT, Contract, Keep, Operator, Sink, Stream, Suspend, ops, step
from streamkit.testing import run

LIMIT = 3


def weigh(item: Any) -> int:
    return len(str(item))


@step(each="if weigh(item) < LIMIT:\n    emit(item)")
def light() -> Keep:
    return Keep(light)


@step(setup="seen = 0", each="seen += 1", finish="emit(seen)")
def counted() -> Operator[Any, int]:
    return Operator(counted)


@step(setup="emit('first')", each="emit(item)", finish="emit('last')")
def framed() -> Operator[Any, Any]:
    return Operator(framed)


@step(setup="if not open_for_business:\n    stop()", each="emit(item)", finish="emit('closed')")
def shop(open_for_business: bool) -> Operator[Any, Any]:
    return Operator(shop, open_for_business=open_for_business)


@step(
    each="""
        for number in range(item):
            if number == limit:
                stop()
            else:
                emit(number)
    """
)
def counting(limit: int) -> Operator[int, int]:
    return Operator(counting, limit=limit)


@step(setup="total = 0", each="total = total + function(item)", finish="total = -total", result="total")
def negative_sum(function: Any) -> Sink[Any, int]:
    return Sink(negative_sum, function=function)


@step(each="item_1 = item; left = item_1; emit(left)")
def shadowing() -> Keep:
    return Keep(shadowing)


@step(each="if label is ABSENT:\n    emit(item)\nelse:\n    emit((label, item))")
def labelled(label: Any = ABSENT) -> Operator[Any, Any]:
    return Operator(labelled, label=label)


@step(each="raise error(item)")
def raising(error: Any) -> Keep:
    return Keep(raising, error=error)


@step(each="emit(nowhere(item))")
def lost() -> Keep:
    return Keep(lost)


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def pass_on(item: Any) -> Any:
    return item


FORMS = (
    lambda stream: stream,
    lambda stream: stream | ops.buffer(Suspend(1)),
    lambda stream: stream | ops.concat([]),
    lambda stream: stream | ops.batch(2) | ops.flatten(),
)
"""What is before a step, so that its loop has one form or another."""


async def awaited(job: Any) -> Any:
    return await job


async def numbers() -> AsyncIterator[int]:
    for number in range(4):
        yield number


@step(
    setup="sums = [f(1), f(2)]; twice = [f(x) for x in range(2)]",
    each="emit((f(item), f(-item), sums, twice))",
)
def calling(f: Any) -> Operator[Any, Any]:
    return Operator(calling, f=f)


@step(each="f_got = 1; f_awaits = 2; emit((f(item), f_got, f_awaits))")
def gotten(f: Any) -> Operator[Any, Any]:
    return Operator(gotten, f=f)


@step(each="emit((f(item), f(-item)))")
def both(f: Any) -> Operator[Any, Any]:
    return Operator(both, f=f)


class TestCalls:
    def test_several_in_one_statement_keep_their_results(self) -> None:
        assert list(Stream([5, 6]) | calling(abs)) == [(5, 5, [1, 2], [0, 1]), (6, 6, [1, 2], [0, 1])]

    def test_several_in_one_statement_are_awaited(self) -> None:
        pairs = Stream([5, 6]) | both(lambda item: pass_on(item))
        assert run(lambda: collect(pairs)) == [(5, -5), (6, -6)]

    def test_names_of_the_piece_are_its_own(self) -> None:
        assert list(Stream([5, 6]) | gotten(abs)) == [(5, 1, 2), (6, 1, 2)]


class TestPieces:
    def test_names_of_the_module_are_looked_up(self) -> None:
        assert list(Stream([1, 10, 100, 1000]) | light()) == [1, 10]

    def test_builtins_are_there(self) -> None:
        assert list(Stream([2]) | counting(9)) == [0, 1]

    def test_finish_may_emit(self) -> None:
        assert list(Stream("abc") | counted()) == [3]
        assert list(Stream("") | counted()) == [0]

    def test_each_run_has_variables_of_its_own(self) -> None:
        stream = Stream("abc") | counted()
        assert list(stream) == list(stream) == [3]

    def test_two_of_the_same_step_do_not_share_variables(self) -> None:
        assert list(Stream("abc") | ops.take(3) | ops.take(2) | counted() | counted()) == [1]
        assert list(Stream("ab") | shadowing() | shadowing() | shadowing()) == ["a", "b"]

    def test_stop_ends_the_stream_and_runs_the_finish_of_the_steps_behind(self) -> None:
        assert list(Stream([2, 5, 9]) | counting(3) | counted()) == [5]

    def test_stop_in_setup_pulls_nothing(self) -> None:
        pulled: list[int] = []
        assert list(Stream(map(pulled.append, [1])) | shop(False) | counted()) == [0]
        assert pulled == []
        assert list(Stream("ab") | shop(True)) == ["a", "b", "closed"]

    def test_finish_does_not_run_after_an_error(self) -> None:
        finished: list[Any] = []
        with pytest.raises(OSError, match="5"):
            list(Stream([5]) | raising(OSError) | counted() | ops.tap(finished.append))
        assert finished == []

    def test_finish_does_not_run_when_the_consumer_leaves(self) -> None:
        seen: list[Any] = []

        async def main() -> None:
            async with (Stream(numbers) | ops.skip(0) | shop(True) | ops.tap(seen.append)).open() as items:
                await anext(items)

        run(main)
        assert seen == [0]

    def test_setup_may_emit(self) -> None:
        assert list(Stream("ab") | framed()) == ["first", "a", "b", "last"]
        assert list(Stream("ab") | framed() | ops.enumerate()) == [
            (0, "first"),
            (1, "a"),
            (2, "b"),
            (3, "last"),
        ]

    @pytest.mark.parametrize("wrap", [lambda call: call, lambda call: lambda item: call(item)])
    def test_a_parameter_that_is_called_may_return_an_awaitable(self, wrap: Any) -> None:
        async def later(item: int) -> int:
            await asyncio.sleep(1.0)
            return item

        assert run(lambda: awaited(Stream([1, 2]) | negative_sum(wrap(later)))) == -3
        assert (Stream([1, 2]) | negative_sum(abs)).run() == -3

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("wrap", [lambda call: call, lambda call: lambda item: call(item)])
    def test_what_setup_emits_reaches_callbacks_that_return_awaitables(self, form: Any, wrap: Any) -> None:
        async def later(item: Any) -> Any:
            await asyncio.sleep(1.0)
            return f"{item}!"

        stream = form(Stream("ab")) | framed() | ops.map(wrap(later))
        expected = ["first!", "a!", "b!", "last!"]
        assert run(lambda: collect(stream)) == expected
        assert run(lambda: awaited(stream | ops.to_list())) == expected
        assert run(lambda: collect(stream | ops.buffer(Suspend(1)))) == expected
        assert run(lambda: collect(stream | ops.map(pass_on, concurrency=2))) == expected

    def test_a_result_makes_a_sink_and_comes_after_finish(self) -> None:
        assert (Stream([1, 2]) | ops.map(abs) | negative_sum(abs)).run() == -3
        assert (Stream([]) | negative_sum(abs)).run() == 0

    def test_a_parameter_that_was_not_given_can_be_told_from_any_value(self) -> None:
        assert list(Stream("a") | labelled()) == ["a"]
        assert list(Stream("a") | labelled(None)) == [(None, "a")]

    def test_an_error_names_the_step_and_where_it_was_put_into_the_pipe(self) -> None:
        with pytest.raises(OSError, match="5") as caught:
            list(Stream([5]) | ops.take(2) | raising(OSError) | ops.skip(1))
        assert caught.value.__notes__[0].startswith("in raising(OSError) at ")
        assert "test_step.py:" in caught.value.__notes__[0]

    def test_a_name_that_is_nowhere_is_an_error_that_says_so(self) -> None:
        said = (
            "'nowhere' is neither a parameter nor a name of its module; give it what else it needs by uses="
        )
        with pytest.raises(NameError, match=f"^step lost: {said}"):
            list(Stream([1]) | lost())


class TestTargets:
    """The same step in every form that a loop has."""

    PIPES = (light, counted, framed, lambda: counting(2), lambda: shop(False), shadowing, labelled)

    @pytest.mark.parametrize("make", PIPES, ids=lambda each: each().__repr__().partition("(")[0])
    def test_every_form_of_loop_gives_the_same(self, make: Any) -> None:
        items = [1, 10, 5]

        async def source() -> AsyncIterator[int]:
            for item in items:
                yield item

        expected = list(Stream(items) | make())
        for stream in (
            Stream(lambda: iter(items)),
            Stream(source),
            Stream(source) | ops.buffer(Suspend(1)),
            Stream(items) | ops.concat([]),
        ):
            assert run(lambda stream=stream: collect(stream | make())) == expected
            assert run(lambda stream=stream: collect(stream | make() | ops.buffer(Suspend(1)))) == expected
            assert run(lambda stream=stream: awaited(stream | make() | ops.to_list())) == expected
            assert run(lambda stream=stream: collect(stream | ops.concat([]) | make())) == expected


class TestRefused:
    @pytest.mark.parametrize(
        ("statement", "kind"),
        [
            ("while True:\n    emit(item)", "While"),
            ("try:\n    emit(item)\nfinally:\n    pass", "Try"),
            ("with item:\n    emit(item)", "With"),
            ("def f():\n    pass", "FunctionDef"),
            ("class C:\n    pass", "ClassDef"),
            ("return item", "Return"),
            ("import os", "Import"),
            ("global x", "Global"),
            ("del item", "Delete"),
            ("assert item", "Assert"),
            ("for each in item:\n    break", "Break"),
            ("for each in item:\n    continue", "Continue"),
            ("match item:\n    case 1:\n        emit(item)", "Match"),
            ("if item:\n    while item:\n        emit(item)", "While"),
        ],
    )
    def test_statements_that_cannot_be_spliced(self, statement: str, kind: str) -> None:
        for piece in ("setup", "each", "finish"):
            with pytest.raises(
                SyntaxError, match=f"only assignments, calls, if, for and raise .* not {kind}"
            ):
                self.declare(**{piece: statement})

    @pytest.mark.parametrize(
        ("text", "signal"),
        [
            ("x = emit(item)", "emit"),
            ("print(emit(item))", "emit"),
            ("item or emit(item)", "emit"),
            ("pass_on = emit", "emit"),
            ("emit = 5", "emit"),
            ("[emit(each) for each in item]", "emit"),
            ("x = stop()", "stop"),
            ("stop", "stop"),
            ("for stop in item:\n    pass", "stop"),
        ],
    )
    def test_signals_that_are_no_statements_of_their_own(self, text: str, signal: str) -> None:
        with pytest.raises(SyntaxError, match=rf"{signal}\(\.\.\.\) must be a statement of its own"):
            self.declare(each=text)

    @pytest.mark.parametrize(
        "text", ["item = 5", "item += 1", "for item in []:\n    pass", "(item := 5)", "a, item = 1, 2"]
    )
    def test_the_item_is_not_assigned_to(self, text: str) -> None:
        with pytest.raises(SyntaxError, match="item cannot be assigned to"):
            self.declare(each=text)

    @pytest.mark.parametrize(
        ("pieces", "said"),
        [
            ({"each": "emit(item"}, "each, line 1: emit(item"),
            ({"each": "pass", "result": "x ="}, "result, line 1: x ="),
            ({"each": "pass", "setup": "a = 1\n1 1\nb = 2"}, "setup, line 2: 1 1"),
        ],
    )
    def test_what_is_no_python(self, pieces: dict[str, str], said: str) -> None:
        with pytest.raises(SyntaxError, match=rf"^step .*wrong: .* \({re.escape(said)}\)$"):
            self.declare(**pieces)

    def test_a_mistake_names_the_step(self) -> None:
        with pytest.raises(SyntaxError, match=r"step .*wrong: "):
            self.declare(each="return item")

    def test_a_function_that_was_not_declared_is_no_operator(self) -> None:
        with pytest.raises(
            TypeError, match=r"is no operator: decorate it with step\(\.\.\.\) or stage\(\.\.\.\)"
        ):
            Keep(weigh)

    def declare(self, **pieces: str) -> None:
        def wrong() -> Keep:
            return Keep(wrong)

        step(**{"each": "pass", **pieces})(wrong)


class TestSplicing:
    """What looks dangerous to splice into another loop, and is not."""

    def test_a_guard_in_a_nested_loop_skips_its_own_turn_only(self) -> None:
        odd = ops.filter(lambda number: number % 2)
        assert list(Stream([[1, 2, 3], [], [5]]) | ops.flatten() | odd | ops.take(3)) == [1, 3, 5]

    def test_a_guard_negates_the_whole_test(self) -> None:
        namespace: dict[str, Any] = {"step": step, "Keep": Keep}
        exec("@step(each='if -item: emit(item)')\ndef nonzero():\n    return Keep(nonzero)\n", namespace)
        assert list(Stream([0, 1, 2]) | namespace["nonzero"]()) == [1, 2]

    def test_what_is_awaited_may_be_any_expression(self) -> None:
        namespace: dict[str, Any] = {"step": step, "Operator": Operator, "sleep": asyncio.sleep}
        code = "@step(each='emit(await (item or sleep(1, 5)))')\ndef waited():\n    return Operator(waited)\n"
        exec(code, namespace)
        assert run(lambda: collect(Stream([None]) | namespace["waited"]())) == [5]

    def test_what_follows_an_emit_runs_although_a_later_step_drops_the_item(self) -> None:
        assert list(Stream(range(9)) | ops.take(3) | ops.filter(lambda _: False) | counted()) == [0]

    def test_a_callback_may_be_a_word_of_the_loops_own(self) -> None:
        namespace: dict[str, Any] = {"step": step, "Operator": Operator}
        code = "@step(each='emit(source(item, pace, leave))')\ndef odd(source, pace, leave):\n"
        code += "    return Operator(odd, source=source, pace=pace, leave=leave)\n"
        exec(code, namespace)
        assert list(Stream([1]) | namespace["odd"](lambda *all_of: all_of, 2, 3)) == [(1, 2, 3)]

    def test_contract_counts_in_the_explanation(self) -> None:
        namespace: dict[str, Any] = {"step": step, "Keep": Keep, "Contract": Contract}
        code = "@step(each='emit(item)', contract=Contract(holds='2 * n'))\n"
        code += "def kept(n):\n    return Keep(kept, n=n)\n"
        exec(code, namespace)
        assert (Stream([1]) | namespace["kept"](4)).explain().bound == 9

    def test_a_name_can_be_given(self) -> None:
        namespace: dict[str, Any] = {"step": step, "Keep": Keep}
        exec("@step(each='emit(item)', name='nicer')\ndef _plain():\n    return Keep(_plain)\n", namespace)
        assert repr(namespace["_plain"]()) == "nicer()"

    def test_a_step_of_ones_own_is_copied_by_pickle(self) -> None:
        assert list(Stream([2, 5]) | pickle.loads(pickle.dumps(counting(3)))) == [0, 1, 0, 1, 2]
