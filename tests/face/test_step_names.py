"""Steps of one's own: names of the module, parameters that pieces assign to, names like the loop's own."""

import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any
from unittest import mock

import pytest

from streamkit import ABSENT, Operator, Sink, Stream, Suspend, ops, step
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit.testing import run
from tests.tiers import stride

RATE = 2


def declared(text: str, parameters: str = "", *, module: dict[str, Any] | None = None, **pieces: str) -> Any:
    """A step in `module`, or in a module of its own."""
    module = {} if module is None else module
    kind = Sink if "result" in pieces else Operator
    module |= {"step": step, "made": kind, "PIECES": {"each": text, **pieces}}
    given = ", ".join(f"{name}={name}" for name in parameters.split(", ") if name)
    exec(f"@step(**PIECES)\ndef own({parameters}):\n    return made(own, {given})\n", module)
    return module["own"]


@step(each="emit(weigh(item) * RATE)")
def rated() -> Operator[Any, Any]:
    return Operator(rated)


def weigh(item: Any) -> Any:
    return item


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


class TestModules:
    """What a piece says by a name of its module is looked up when it is said."""

    def test_a_patch_is_seen_and_its_end_too(self) -> None:
        stream = Stream([1]) | rated()
        assert list(stream) == [2]
        with mock.patch(f"{__name__}.RATE", 5), mock.patch(f"{__name__}.weigh", lambda item: item + 1):
            assert list(stream) == [10]
        assert list(stream) == [2]

    def test_a_change_is_seen_by_the_next_item(self) -> None:
        module: dict[str, Any] = {"RATE": 1}
        rating = declared("emit(item * RATE)", module=module)
        found = []
        for item in Stream([1, 1, 1]) | rating():
            found.append(item)
            module["RATE"] += 1
        assert found == [1, 2, 3]

    def test_a_change_does_not_reach_an_item_that_was_emitted(self) -> None:
        module: dict[str, Any] = {"RATE": 1}
        changing = declared("if change(item):\n    emit(item)", "change", module={})
        change = lambda item: module.update(RATE=item + 1) or True  # noqa: E731
        assert list(Stream("ab") | declared("emit(RATE)", module=module)() | changing(change)) == [1, 2]

    def test_a_builtin_may_be_shadowed_later(self) -> None:
        module: dict[str, Any] = {}
        sized = declared("emit(len(item))", module=module)
        assert list(Stream(["ab"]) | sized()) == [2]
        module["len"] = lambda item: 7
        assert list(Stream(["ab"]) | sized() | ops.batch(1)) == [[7]]

    def test_a_name_may_come_later(self) -> None:
        module: dict[str, Any] = {}
        late = declared("emit((found, SETTING))", setup="found = configure()", module=module)
        module["configure"] = lambda: module.update(SETTING=3)
        assert list(Stream([1]) | late()) == [(None, 3)]
        del module["SETTING"], module["configure"]
        with pytest.raises(NameError, match="configure"):
            list(Stream([1]) | late())

    def test_steps_of_several_modules_keep_to_their_own(self) -> None:
        first: dict[str, Any] = {"RATE": 2, "abs": lambda item: item + 1}
        second: dict[str, Any] = {"RATE": 3}
        both = (
            declared("emit(abs(item) * RATE)", module=first)()
            | declared("emit(abs(item) * RATE)", module=second)()
        )
        assert list(Stream([1]) | both) == [12]
        first["RATE"], second["RATE"] = -1, 5
        assert list(Stream([1]) | both) == [10]
        second["abs"] = str
        assert list(Stream([1]) | both) == ["-2" * 5]

    def test_a_name_that_looks_like_one_of_another_step_is_none_of_it(self) -> None:
        """The second step is at place 1: so its name is ``RATE_1`` in the loop, where the first says that."""
        first = declared("emit(item * RATE_1)", module={"RATE_1": 5})()
        assert list(Stream([1]) | first | declared("emit(item * RATE)", module={"RATE": 3})()) == [15]

    def test_a_value_from_uses_is_fixed(self) -> None:
        module: dict[str, Any] = {"RATE": 2}

        @step(each="emit(item * RATE)", uses={"RATE": 7})
        def fixed() -> Operator[Any, Any]:
            return Operator(fixed)

        assert list(Stream([1]) | fixed() | declared("emit(item + RATE)", module=module)()) == [9]

    def test_a_module_changes_nothing_for_the_loop_or_the_library(self) -> None:
        """It has another value for every name that the loops say, and its step says them all."""
        steps = tuple(link.key for link in (ops.map(weigh) | ops.batch(2)).links)
        shapes = [(Kind.PUSH, End.STAGE), (Kind.PULL, End.STAGE), (Kind.ITER, End.PLAIN)]
        shapes += itertools.product((Kind.SLICE, Kind.ITER, Kind.ASYNC, Kind.CHANNEL), (End.USER, End.FILL))
        loops = [compiled(kind, steps, end) for kind, end in shapes]
        said = {name for loop in loops if isinstance(loop, Loop) for name in _names(loop.code)}
        module: dict[str, Any] = dict.fromkeys(said, 3)
        odd = declared(f"emit([item, {', '.join(sorted(said))}])", module=module)
        form: Any
        for form in ([1, 2], lambda: iter([1, 2]), numbers, Stream([1, 2]) | ops.concat([])):
            stream = Stream(form) | ops.map(weigh) | odd() | ops.batch(2)
            for each in (stream, stream | ops.buffer(Suspend(1)), stream | ops.map(later, concurrency=2)):
                expected = [[[1, *[3] * len(said)], [2, *[3] * len(said)]]]
                assert run(lambda each=each: collect(each)) == expected
                assert run(lambda each=each: awaited(each | ops.to_list())) == expected

    def test_nor_for_what_becomes_of_an_error(self) -> None:
        named = declared("emit((1 // item, error))", module={"error": 3})
        sent = list[Any]()
        for source in ([1, 0], lambda: iter([1, 0]), Stream([1, 0]) | ops.map(later)):
            stream = Stream(source) | named()
            for each in (stream, stream | ops.buffer(Suspend(1)), stream | ops.merge([])):
                with pytest.raises(ZeroDivisionError):
                    run(lambda each=each: awaited(each | ops.for_each(sent.append)))
                with pytest.raises(ZeroDivisionError):
                    list(each | ops.tap(sent.append))
        assert sent == [(1, 3)] * 18


def _names(code: Any) -> set[str]:
    return {*code.co_names, *code.co_varnames, "loop", "error", "len", "min"} - {"item"}


async def numbers() -> AsyncIterator[int]:
    yield 1
    yield 2


class TestParameters:
    """A parameter that a piece assigns to is a variable, which begins with the argument in each run."""

    def test_it_keeps_its_value_from_item_to_item_and_not_longer(self) -> None:
        stream = Stream("abc") | declared("count += 1\nemit(count)", "count")(5)
        assert list(stream) == list(stream) == [6, 7, 8]

    def test_a_default_that_the_step_makes_itself(self) -> None:
        made = declared(
            "emit(label)", "label", setup="if label is ABSENT:\n    label = 'none'", module={"ABSENT": ABSENT}
        )
        assert list(Stream("ab") | made(ABSENT) | made("x")) == ["x", "x"]
        assert list(Stream("ab") | made(ABSENT)) == ["none", "none"]

    def test_each_group_has_its_own(self) -> None:
        counted = declared("count += 1\nemit(count)", "count")(0)
        assert list(Stream("aba") | ops.group_by(str, counted, max_groups=9)) == [
            ("a", 1),
            ("b", 1),
            ("a", 2),
        ]

    @pytest.mark.parametrize(
        "pieces",
        [
            {"each": "if item != 'b':\n    last = item\nemit(last)"},
            {"each": "last = item", "finish": "emit(last)"},
            {"each": "last = item", "result": "last"},
            {"each": "for last in item:\n    pass\nemit(last)"},
            {"each": "if item:\n    emit(0)\nelse:\n    last = 1\nlast += 1"},
        ],
    )
    def test_a_group_does_not_read_what_another_has_assigned(self, pieces: dict[str, str]) -> None:
        pipe = declared(
            pieces["each"], **{piece: text for piece, text in pieces.items() if piece != "each"}
        )()
        with pytest.raises(SyntaxError, match="step own: in groups, it must assign to last in setup"):
            list(Stream("aba") | ops.group_by(str, pipe, max_groups=9))

    def test_a_group_keeps_what_it_needs(self) -> None:
        text = "if item == 'a':\n    found = 1\nelse:\n    found = (other := 2) + other\nemit(found)"
        groups = ops.group_by(str, declared(text)(), max_groups=9)
        assert list(Stream("aba") | groups) == [("a", 1), ("b", 4), ("a", 1)]

    def test_two_steps_do_not_share_it(self) -> None:
        counted = declared("count += item\nemit(count)", "count")
        assert list(Stream([1, 1]) | counted(0) | counted(10)) == [11, 13]


NAMES = ["f_got", "got_f", "f_0", "f_0_got", "f_0_awaits", "item_0", "item_1", "probing", "left", "source"]
NAMES += [
    "pair",
    "pair_0",
    "groups",
    "state",
    "name",
    "lane",
    "held",
    "free",
    "pace",
    "leave",
    "loop",
    "settle",
]
NAMES += ["handed", "items", "given", "f_0_given", "_0_part1", "x_0_in1", "channel", "start", "part", "error"]
WHERE = ["variable", "parameter", "changed", "module"]


class TestNames:
    @pytest.mark.spread
    @pytest.mark.parametrize("name", NAMES)
    @pytest.mark.parametrize("where", WHERE)
    def test_no_name_meets_one_of_the_compilers(self, name: str, where: str) -> None:
        parameters = f"f, {name}" if where in ("parameter", "changed") else "f"
        setup = {"variable": f"{name} = 7", "changed": f"{name} += 0"}.get(where, "")
        text = f"a = [f(x) + {name} for x in [item]]\nemit((f(item) + f(0) and {name}, a, {name}))"
        made = declared(text, parameters, setup=setup, module={name: 7} if where == "module" else {})
        arguments = (7,) if where in ("parameter", "changed") else ()
        kinds = (abs, lambda item: later(item), later)
        every = stride(3)  # another kind of callback in each place; each name meets them all
        for function in kinds[(NAMES.index(name) + WHERE.index(where)) % every :: every]:
            first = Stream([1, 2]) | made(function, *arguments)
            assert run(lambda first=first: collect(first)) == [(7, [8], 7), (7, [9], 7)]
            pushed = (
                Stream([1, 2]) | ops.map(later, concurrency=2) | made(function, *arguments) | ops.to_list()
            )
            assert run(lambda pushed=pushed: awaited(pushed)) == [(7, [8], 7), (7, [9], 7)]


async def later(item: Any) -> Any:
    return item


async def awaited(job: Any) -> Any:
    return await job


class TestResult:
    @pytest.mark.parametrize("function", [str, later, lambda item: later(item)])
    def test_a_callback_in_it_is_awaited(self, function: Callable[[Any], Any]) -> None:
        made = declared("total += item", "f", setup="total = 0", result="f(total) and f(f(total))")
        found = run(lambda: awaited(Stream([1, 2]) | made(function)))
        assert found in (3, "3")


class TestSilence:
    """A step that emits nothing makes a stream of nothing, in every kind of loop."""

    @pytest.mark.parametrize("text", ["pass", "a = item", "f(item)", "raise KeyError(item)"])
    def test_it_never_emits(self, text: str) -> None:
        silent = declared(text, "f")(abs)
        for made in (Stream([]), Stream([1]) if "raise" not in text else Stream([])):
            assert list(made | silent) == []
            assert list(made | silent | silent) == []
            for each in (
                made | silent,
                made | silent | ops.buffer(Suspend(1)),
                made | ops.buffer(Suspend(1)) | silent,
                made | silent | ops.group_by(str, silent, max_groups=9),
                made | ops.map(later, concurrency=2) | silent,
            ):
                assert run(lambda each=each: collect(each)) == []
                assert run(lambda each=each: awaited(each | ops.count())) == 0
