"""Steps of one's own: names that only their text has, and steps that group."""

import asyncio
from asyncio import sleep
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from streamkit import Operator, Stream, ops, step
from streamkit.testing import run

LIMIT = 3


@step(
    setup="groups = {}",
    each="""
        name = item[0]
        state = groups.get(name)
        if state is None:
            enter()
        else:
            resume()
        run()
        if item[1] is None:
            end()
            groups.pop(name)
    """,
    finish="for name, state in groups.items():\n    end()",
    groups=True,
)
def sessions(pipe: Any) -> Operator[Any, Any]:
    return Operator(sessions, pipe=pipe)


@step(each="await sleep(pause)\nemit(Decimal(item))", uses=(sleep, {"pause": 1.0}, Decimal))
def slowly() -> Operator[Any, Decimal]:
    return Operator(slowly)


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


class TestUses:
    def test_an_import_that_only_a_piece_names_is_kept(self) -> None:
        """Of `sleep`: nothing else in this file says it, so ruff would remove it."""

        async def main() -> list[Any]:
            start = asyncio.get_running_loop().time()
            found = await collect(Stream([1, 2]) | slowly())
            return [*found, asyncio.get_running_loop().time() - start]

        assert run(main) == [Decimal(1), Decimal(2), 2.0]

    def test_a_mapping_gives_names_to_any_values(self) -> None:
        marked = self.declare(
            {"mark": "!", "double": lambda text: text * 2}, each="emit(double(item) + mark)"
        )
        assert list(Stream("ab") | marked()) == ["aa!", "bb!"]

    def test_a_class_is_no_mapping_whatever_it_has(self) -> None:
        made = self.declare([dict, Decimal], each="emit(dict(a=Decimal(item)))")
        assert list(Stream("1") | made()) == [{"a": Decimal(1)}]

    def test_it_comes_before_a_name_of_the_module(self) -> None:
        limited = self.declare({"LIMIT": 7}, each="emit(LIMIT)")
        assert list(Stream("a") | limited()) == [7]
        assert list(Stream("a") | self.declare((), each="emit(LIMIT)")()) == [LIMIT]

    def test_two_steps_may_use_different_values_of_one_name(self) -> None:
        first, second = (self.declare({"mark": mark}, each="emit(item + mark)") for mark in "xy")
        assert list(Stream("a") | first() | second() | first()) == ["axyx"]

    @pytest.mark.parametrize(
        ("uses", "message"),
        [
            (
                (partial(print, 1),),
                r"be functions and classes, not functools.partial\(.*\), which has no name",
            ),
            ((3,), "be functions and classes, not 3, which has no name of its own"),
            ((lambda: 1,), "be functions and classes, not <function .*, which has no name of its own"),
            ("print", "be several functions and classes, or a mapping, not 'print'"),
            (print, r"be several functions and classes, .*: write uses=\(print,\)"),
            (dict, r"be several functions and classes, .*: write uses=\(dict,\)"),
            (None, "be several functions and classes, or a mapping, not None"),
            ({"two words": 1}, "have names that Python code can say, not 'two words'"),
            ({"if": 1}, "have names that Python code can say, not 'if'"),
            ({3: 1}, "have names that Python code can say, not 3"),
        ],
    )
    def test_what_has_no_name(self, uses: Any, message: str) -> None:
        with pytest.raises(TypeError, match=f"step used: uses= must {message}"):
            self.declare(uses)

    @pytest.mark.parametrize(
        ("uses", "message"),
        [
            ({"size": 1}, "names that the step has already: size"),
            ({"item": 1, "emit": 2}, "names that the step has already: emit, item"),
            ({"held": 1}, "names that a piece assigns to: held"),
            (({"x": 1}, {"x": 2}), "two values of one name: x"),
        ],
    )
    def test_a_name_that_means_something_else(self, uses: Any, message: str) -> None:
        with pytest.raises(ValueError, match=f"step used: uses= must not have {message}"):
            self.declare(uses, setup="held = size", each="emit(held)")

    def declare(self, uses: Any, **pieces: str) -> Any:
        def used(size: int = 0) -> Operator[Any, Any]:
            return Operator(used, size=size)

        return step(**{"each": "pass", **pieces}, uses=uses)(used)


class TestGroups:
    """Steps that group: `group_by` is one of them, and anyone may write another."""

    ITEMS = (("a", 1), ("b", 1), ("a", 2), ("a", None), ("a", 3), ("b", 2))

    def test_a_group_ends_when_the_step_says_so_and_its_name_begins_anew(self) -> None:
        values = sessions(ops.map(lambda item: item[1]) | ops.to_list())
        assert list(Stream(self.ITEMS) | values) == [("a", [1, 2, None]), ("b", [1, 2]), ("a", [3])]

    def test_what_the_step_says_after_run_is_skipped_once_a_group_has_ended_early(self) -> None:
        assert list(Stream(self.ITEMS) | sessions(ops.take(1))) == [("a", ("a", 1)), ("b", ("b", 1))]

    def test_an_inner_group_that_ends_early_leaves_the_outer_one_as_it_is(self) -> None:
        pipe = sessions(ops.take(1)) | ops.count()
        assert list(Stream(self.ITEMS) | sessions(pipe)) == [("a", 1), ("b", 1), ("a", 1)]
