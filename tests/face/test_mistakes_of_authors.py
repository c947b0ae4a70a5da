"""What authors of steps and stages get wrong: it is refused where it is written, or named where it fails."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Keep, Operator, Stream, Suspend, ops, stage, step
from streamkit._core.catalogue import Declaration, catalogue
from streamkit.testing import run
from tests.files import over

OWN = [each for each in catalogue() if each.function.__module__.startswith("streamkit.")]
decorators: Any = {"step": step(each="emit(item)")}
makes: Any = Keep
named: Any = step
declares: Any = stage


async def passed(run: Any, source: Any, *, times: int = 1) -> Any:
    async for item in run.open(source):
        yield item


async def counted(run: Any, source: Any, *, times: int, start: int = 0) -> Any:
    async for item in run.open(source):
        yield item


def generator(run: Any, source: Any) -> Any:
    yield from source


async def alone(run: Any) -> Any:
    yield run


def stepped(**pieces: Any) -> Any:
    def mine(times: int, function: Any = None) -> Any:
        return Keep(mine, times=times, function=function)

    return step(**{"each": "emit(item)", **pieces})(mine)


def made(declare: Callable[[Any], Any], **arguments: Any) -> Any:
    """The operator `mine`, declared so and made with these arguments."""

    def mine(times: int = 1) -> Any:
        return makes(mine, **arguments)

    return declare(mine)()


def made_of_two() -> Any:
    """Made without any, where two are read."""

    def mine(times: int = 1, start: int = 0) -> Any:
        return makes(mine)

    return step(each="emit(item * times + start)")(mine)()


TIMES: Any = step(each="emit(item * times)")
CHANGED: Any = step(each="times += 1")

WRITTEN: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    # what the decorators are given
    "function for a piece": (
        lambda: stepped(each=len),
        TypeError,
        "each must be Python in quotes, not <built",
    ),
    "no text": (lambda: stepped(setup=5), TypeError, "setup must be Python in quotes, not 5"),
    "call it": (lambda: stepped(finish=len), TypeError, 'write finish="emit(function(item))"'),
    "step over a class": (
        lambda: decorators["step"](Keep),
        TypeError,
        "@step(...) must stand above",
    ),
    "stage over a class": (
        lambda: stage(passed)(Keep),
        TypeError,
        "@stage(passed) must stand above",
    ),
    "bare step": (lambda: named(passed), TypeError, "write @step(...)"),
    "bare stage": (lambda: stage(passed)(times=3), TypeError, "@stage(passed)(function) takes no times"),  # type: ignore[call-arg]
    "generator": (lambda: stage(generator), TypeError, "write async def generator"),
    "no source": (lambda: stage(alone), TypeError, "write alone(run, source, *, ...)"),
    # what the operator is made with
    "forgotten": (
        lambda: made(TIMES),
        TypeError,
        "not without it: write Keep(mine, times=...)",
    ),
    "of a variable": (lambda: made(CHANGED), TypeError, "must be made with times, not without it"),
    "another": (lambda: made(TIMES, time=3), TypeError, "made with times, not time:"),
    "one too many": (lambda: made(TIMES, times=3, more=3), TypeError, "must be made with times, not more"),
    "one of two": (made_of_two, TypeError, "must be made with start and times, not without it"),
    "of a stage": (lambda: made(stage(counted)), TypeError, "must be made with times, not without it"),
    "another of a stage": (
        lambda: made(stage(counted), time=3),
        TypeError,
        "made with times, not time:",
    ),
    "no function": (lambda: makes(times=3), TypeError, "write Keep(function, size=size)"),
    "not returned": (lambda: Stream([1]) | decorators["step"](lambda: None)(), TypeError, "must return it"),
    # variables
    "no setup": (
        lambda: stepped(each="n += 1"),
        SyntaxError,
        "assigned to n before: do so in setup",
    ),
    "in a test": (lambda: stepped(each="if n:\n    emit(n)\nn = item"), SyntaxError, "(each, line 1: if n:)"),
    "in a call": (lambda: stepped(each="emit(n)\nn = item"), SyntaxError, "(each, line 1: emit(n))"),
    "second": (
        lambda: stepped(each="a = 1\nemit(a + b)\nb = 2"),
        SyntaxError,
        "assigned to b before",
    ),
    # no function
    "no stage": (lambda: declares(5), TypeError, "runs must be an async generator function"),
    # statements
    "while": (
        lambda: stepped(each="while item:\n    pass"),
        SyntaxError,
        "not While: call a function",
    ),
    "return": (lambda: stepped(each="return"), SyntaxError, "not Return: put the rest below an if"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_is_answered_at_once(name: str) -> None:
    write, kind, words = WRITTEN[name]
    with pytest.raises(kind, match=re.escape(words)):
        write()


@pytest.mark.parametrize(
    "each",
    [
        "if times > 1:\n    emit(last)\nlast = item",
        "if times > 1 and last:\n    emit(last)\nlast = item",
        "emit(last if times > 1 else item)\nlast = item",
        "for n in range(2):\n    if n:\n        emit(last)\n    last = item",
        "emit((last := item) + last)",
        "emit([last for last in [item]])\nlast = item",
        "emit((lambda: last) and item)\nlast = item",
        "last = item\nlast += 1\nemit(last)",
    ],
)
def test_variables_that_may_be_there_are_let_be(each: str) -> None:
    assert len(list(Stream([1, 2]) | stepped(each=each)(1))) in (0, 2)


@pytest.mark.parametrize("before", [[], [ops.take(1)], [ops.buffer(Suspend(1)), ops.batch(1)]])
@pytest.mark.parametrize("after", [[], [ops.map(str)], [ops.tap(str), ops.buffer(Suspend(1))]])
def test_a_variable_that_was_not_there_is_named(before: list[Any], after: list[Any]) -> None:
    mine = stepped(each="if item:\n    emit(last)\nlast = item")
    with pytest.raises(UnboundLocalError) as caught:
        list(Stream([1]).pipe(*before, mine(1), *after))
    where, words = caught.value.__notes__
    assert where.startswith("in mine(1) at ")
    assert words == "nothing had assigned to last before: do so in setup, as in last = ..."


def test_an_error_that_a_piece_raises_is_its_own() -> None:
    with pytest.raises(UnboundLocalError) as caught:
        list(Stream([1]) | stepped(each="raise UnboundLocalError('of its own')")(1))
    assert len(caught.value.__notes__) == 1


def test_a_variable_of_a_callback_is_its_own() -> None:
    def failing(item: Any) -> Any:
        last_1 += item  # type: ignore[name-defined]  # noqa: F821, F841

    with pytest.raises(UnboundLocalError) as caught:
        list(Stream([1]) | ops.map(failing))
    assert len(caught.value.__notes__) == 1


class TestStages:
    @pytest.mark.parametrize("returns", [None, 5, passed(None, None), work := Stream([1])])
    def test_a_plain_function_returns_a_channel(self, returns: Any) -> None:
        with pytest.raises(TypeError, match=r"a stage must return what run.channel\(\) made, not") as caught:
            list(Stream([1]) | made(stage(lambda run, source: returns)))
        assert caught.value.__notes__[0].startswith("in mine() at ")

    @pytest.mark.parametrize("read", ["async for", "for"])
    def test_its_source_is_read_through_its_run(self, read: str) -> None:
        async def mine(run: Any, source: Any) -> Any:
            if read == "for":
                for item in source:
                    yield item
            async for item in source:
                yield item

        async def main() -> None:
            with pytest.raises(TypeError, match=re.escape("write async for item in run.open(source)")):
                await (Stream([1]) | made(stage(mine)) | ops.drain())

        run(main)

    def test_one_that_takes_all_is_given_all(self) -> None:
        async def mine(run: Any, source: Any, **given: Any) -> Any:
            async for item in run.open(source):
                yield item, given

        assert list(Stream([1]) | made(stage(mine), times=3)) == [(1, {"times": 3})]


@over(OWN, named=lambda each: f"{each.name}-{each.function.__name__}")
def test_our_own_know_what_they_need(declaration: Declaration) -> None:
    assert declaration.needed <= declaration.taken
    with pytest.raises(TypeError, match=rf"^the operator {declaration.name} must .*, not nonsense"):
        Operator(declaration.function, nonsense=Suspend(1))
