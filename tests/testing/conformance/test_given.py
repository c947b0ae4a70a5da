"""What users give to the checks beside the operator is heeded; what cannot be is refused in words."""

import asyncio
import contextlib
import inspect
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from itertools import count, repeat
from threading import Thread
from typing import Any

import pytest

import streamkit
from streamkit import EmptyStreamError, Stream, Suspend, ops
from streamkit.testing import (
    Again,
    Exhaustive,
    Law,
    LawError,
    Report,
    check_operator,
    check_sink,
    check_source,
)
from streamkit.testing.conformance.trial import attempt


def same(item: Any) -> Any:
    return item


async def letters() -> AsyncIterator[str]:
    for letter in "abc":
        yield letter


def report_of(check: Callable[..., Report], checked: Any, **given: Any) -> Report:
    with pytest.raises(LawError) as caught:
        check(checked, **given)
    return caught.value.report


async def behind(source: Stream[Any], count: int) -> AsyncIterator[Any]:
    """Holds so many items back until others have come; which nothing declares."""
    held: list[Any] = []
    async with source.open() as items:
        async for item in items:
            held.append(item)
            if len(held) > count:
                yield held.pop(0)
    for item in held:
        yield item


class TestOperators:
    def test_items_that_it_may_hold(self) -> None:
        given: Any = {"holds": 1, "laws": Law.BOUND, "every": 9}
        assert check_operator(lambda: partial(behind, count=1), **given).tested == (Law.BOUND,)
        report = report_of(check_operator, lambda: partial(behind, count=4), **given)
        assert report.broken == (Law.BOUND,)

    def test_what_depends_on_time_may_pass_on_other_items_for_other_callbacks(self) -> None:
        def sampled(function: Callable[[Any], Any]) -> Any:
            return ops.map(function) | ops.debounce(0.5)

        given: Any = {"callbacks": [same], "laws": Law.AWAITABLES, "every": 9}
        assert check_operator(sampled, timed=True, **given).broken == ()

    def test_what_depends_on_time_may_not_stand_still_for_some_awaitables(self) -> None:
        def ending(function: Callable[[Any], Any]) -> Any:
            """Ends with the first result that is to be awaited."""

            async def operator(source: Stream[Any]) -> AsyncIterator[Any]:
                async with source.open() as items:
                    async for item in items:
                        made = function(item)
                        if hasattr(made, "__await__"):
                            if asyncio.iscoroutine(made):
                                made.close()
                            return
                        yield made

            return operator

        given: Any = {"callbacks": [same], "laws": Law.AWAITABLES, "every": 9}
        report = report_of(check_operator, ending, timed=True, **given)
        assert report.broken == (Law.AWAITABLES,)

    def test_a_callable_that_does_not_say_what_it_takes_makes_the_operator(self) -> None:
        factory = partial(next, repeat(ops.take(2)))
        assert check_operator(factory, items="abc", expected="ab", laws=Law.ACCOUNTING).broken == ()

    def test_an_error_where_there_are_enough_items_is_one(self) -> None:
        async def starves(source: Stream[Any]) -> AsyncIterator[Any]:
            async with source.open() as items:
                async for item in items:
                    yield item
            if asyncio.get_running_loop().time():
                raise EmptyStreamError("it had to wait")

        report = report_of(check_operator, starves, laws=Law.ERRORS, every=50)
        assert report.broken == (Law.ERRORS,)
        assert "EmptyStreamError" in report.findings[0].seen

    def test_a_bad_argument_is_refused_with_an_error_of_arguments(self) -> None:
        refuses = {"size": lambda: 1 // 0}
        report = report_of(check_operator, ops.take(1), refuses=refuses, laws=Law.VALIDATION)
        assert report.findings[0].expected == "TypeError, ValueError or LookupError for a bad size"
        assert report.findings[0].seen.startswith("ZeroDivisionError")

    def test_an_interrupt_of_the_user_ends_the_check(self) -> None:
        def interrupted(_: Stream[Any]) -> Any:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            check_operator(interrupted, needs=1, laws=Law.ACCOUNTING)

    def test_an_assertion_of_the_operator_is_no_end(self) -> None:
        async def asserts(source: Stream[Any]) -> AsyncIterator[Any]:
            async with source.open() as items:
                async for item in items:
                    yield item
            raise AssertionError("that was not the end")

        report = report_of(check_operator, asserts, needs=1, laws=Law, every=50)
        assert report.findings
        assert any("that was not the end" in each.seen for each in report.findings)

    def test_another_warning_than_of_awaitables_is_passed_on(self) -> None:
        async def warns(source: Stream[Any]) -> AsyncIterator[Any]:
            warnings.warn("use the other one", DeprecationWarning, stacklevel=2)
            async with source.open() as items:
                async for item in items:
                    yield item

        with pytest.warns(DeprecationWarning, match="use the other one"):
            assert check_operator(warns, laws=Law.ACCOUNTING, every=50).broken == ()

    @pytest.mark.parametrize(
        ("call", "words"),
        [
            (lambda: check_operator(lambda: 5), r"operator\(\) must return an operator or a function"),
            (lambda: check_operator(ops.map, callbacks=[5]), "callbacks must be callables, not 5"),  # type: ignore[list-item]
            (lambda: check_sink(gathered), r"gathered\(\) returns a coroutine: of a sink"),
            (lambda: check_source([1], callbacks=[same]), "source must be a callable, where callbacks are"),
            (lambda: check_source(streamkit.defer, callbacks=[5]), "callbacks must be callables, not 5"),  # type: ignore[list-item]
        ],
    )
    def test_what_is_none_of_it_is_refused(self, call: Callable[[], object], words: str) -> None:
        with pytest.raises(TypeError, match=words):
            call()

    def test_a_case_of_another_kind_of_source_is_refused(self) -> None:
        with pytest.raises(ValueError, match="case must be one that a report has named"):
            check_operator(ops.take(1), case="exhaust/nowhere/sync/3")
        with pytest.raises(ValueError, match="case must be one that a report has named"):
            check_operator(ops.take(1), case="exhaust/plain/sync/some")


@pytest.mark.parametrize("check", ["cancelled_at_every_step", "bounded", "cancelled_again_and_again"])
def test_a_case_at_one_step_is_run_at_that_step_only(check: str) -> None:
    report = check_operator(lambda: ops.buffer(Suspend(1)), case=f"{check}/turn/sync//2")
    assert (report.runs, report.broken) == (1, ())


@pytest.mark.parametrize("check", ["cancelled_at_every_step", "closed_while_pending"])
def test_a_case_of_a_source_at_one_step_is_run_at_that_step_only(check: str) -> None:
    async def slow() -> AsyncIterator[str]:
        for letter in "abc":
            await asyncio.sleep(1.0)
            yield letter

    for source, at in ((letters, 2), (slow, 3)):
        report = check_source(source, case=f"{check}/turn/sync//{at}")
        assert (report.runs, report.broken) == (1, ())


async def gathered(source: Stream[Any]) -> list[Any]:
    return [item async for item in source]


class TestSources:
    def test_callbacks_are_given_in_each_form(self) -> None:
        kinds = set[str]()

        def source(function: Callable[[int], Any]) -> Stream[Any]:
            kinds.add("async" if inspect.iscoroutinefunction(function) else type(function).__name__)
            return Stream(range(3)) | ops.map(function)

        assert check_source(source, callbacks=[same], expected=range(3), every=9).broken == ()
        assert {"async", "function"} < kinds

    def test_one_that_can_be_run_only_once_says_so_at_the_second_run(self) -> None:
        async def source_of(function: Callable[[int], Any]) -> AsyncIterator[Any]:
            for number in range(3):
                yield number

        given: Any = {"callbacks": [same], "expected": range(3), "laws": Law.ACCOUNTING}
        assert check_source(source_of, again=Again.NEVER, **given).broken == ()
        report = report_of(check_source, lambda _: range(3), again=Again.NEVER, **given)
        assert report.findings[0].expected == "SourceConsumedError"
        assert report.findings[0].seen == "no error"

    def test_one_that_goes_on_gives_the_rest_at_the_second_run(self) -> None:
        def source(_: object) -> Stream[int]:
            queue: asyncio.Queue[int | None] = asyncio.Queue()
            for item in (0, 1, 2, None):
                queue.put_nowait(item)
            return streamkit.from_queue(queue, end=None)

        given: Any = {"callbacks": [same], "expected": range(3), "laws": Law.ACCOUNTING}
        assert check_source(source, again=Again.REST, **given).broken == ()
        report = report_of(check_source, lambda _: range(3), again=Again.REST, **given)
        assert report.findings[0].expected == "[0, 1, 2] from two runs"

    def test_one_that_is_to_fail_and_does_not(self) -> None:
        report = report_of(check_source, letters, error=OSError, laws=Law.ERRORS)
        assert report.findings[0].expected == "OSError"
        assert report.findings[0].seen.startswith("no error, and ['a', 'b', 'c']")

    def test_one_that_fails_as_it_is_to_keeps_to_all_laws(self) -> None:
        async def fails() -> AsyncIterator[str]:
            yield "a"
            raise OSError("as it is to")

        assert check_source(fails, error=OSError, every=9).broken == ()

    def test_one_that_can_be_run_only_once_may_be_left_by_hand(self) -> None:
        def source(_: object) -> AsyncIterator[str]:
            return letters()

        given: Any = {"callbacks": [same], "expected": "abc", "laws": Law.CLOSE, "every": 9}
        assert check_source(source, again=Again.NEVER, **given).broken == ()

    def test_bad_arguments_that_it_refuses(self) -> None:
        refuses = {"seconds": lambda: streamkit.interval(-1.0)}
        report = check_source(letters, refuses=refuses, laws=Law.VALIDATION)
        assert report.tested == (Law.VALIDATION,)

    def test_one_that_does_not_end_has_to_be_said_to(self) -> None:
        with pytest.raises(ValueError, match=r"source must end within .* otherwise say ends=False"):
            check_source(lambda: count(), laws=Law.ACCOUNTING)

    def test_an_error_that_only_the_loop_hears_of_is_found(self) -> None:
        async def upsets() -> AsyncIterator[int]:
            asyncio.get_running_loop().call_soon(lambda: 1 // 0)
            yield 0

        report = report_of(check_source, upsets, laws=Law.CLOSE)
        assert "ZeroDivisionError" in report.findings[0].seen

    def test_an_error_that_ends_a_thread_is_found(self) -> None:
        def fails() -> None:
            raise OSError("the line is cut")

        def source() -> Iterator[int]:
            thread = Thread(target=fails, name="reader")
            thread.start()
            thread.join()
            yield 0

        report = report_of(check_source, source, threads=True, laws=Law.CLOSE)
        assert report.findings[0].seen == "thread 'reader' ends with OSError: the line is cut"


def test_one_that_yields_while_it_is_closed_in_a_plain_for_is_found() -> None:
    def clings() -> Iterator[int]:
        with contextlib.suppress(GeneratorExit):
            yield 0
            yield 1
        yield 2

    report = report_of(check_source, clings, expected=[0, 1, 2], laws=Law)
    assert Law.CLOSE in report.broken


def test_an_interrupt_in_a_check_is_none_of_its_findings() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(Law.CLOSE, interrupted)


def test_what_passes_on_nothing_before_the_end_is_left_while_its_source_hangs() -> None:
    assert check_operator(ops.take_last(2), laws=Law.CLOSE, every=9).broken == ()


def test_all_orders_are_tried_where_that_is_asked_for() -> None:
    report = check_operator(
        lambda: ops.map(same), items="ab", laws=Law.CLOSE, every=99, schedules=Exhaustive(20)
    )
    assert report.broken == ()


def test_what_needs_items_may_fail_where_it_has_too_few() -> None:
    assert check_sink(ops.first(), on_empty=EmptyStreamError, laws=Law.CLOSE, every=9).broken == ()
