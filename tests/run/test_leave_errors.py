"""Errors that meet in one loop: of its source, of steps behind what others held, and of a cancellation."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Failed, Stream, attached, ops
from streamkit._engine.run.leave import combine, unreached
from streamkit.testing import run


async def one_and_fails() -> AsyncIterator[int]:
    yield 1
    raise OSError("first")


def test_an_error_is_raised_with_what_fails_as_steps_pass_on_what_they_held() -> None:
    def fails(_: Any) -> None:
        raise LookupError("second")

    with pytest.raises(OSError, match="first") as caught:
        run(lambda: Stream(one_and_fails) | ops.batch(2) | ops.map(fails) | ops.drain())
    assert [str(error) for error in attached(caught.value)] == ["second"]


def test_an_error_of_a_step_that_gets_what_was_held_is_told_with_it_and_all_is_passed_on() -> None:
    def fails(batch: list[int]) -> list[int]:
        if batch == [1]:
            raise LookupError("second")
        return batch

    passed = list[Any]()
    pipe = ops.start_with(8, 9) | ops.batch(2) | ops.map(fails) | ops.batch(2) | ops.tap(passed.append)
    with pytest.raises(OSError, match="first") as caught:
        run(lambda: Stream(one_and_fails) | pipe | ops.drain())
    assert [str(error) for error in attached(caught.value)] == ["second"]
    assert passed == [[[8, 9]]]


def test_what_a_branch_held_is_not_passed_on_where_another_has_failed() -> None:
    def fails(item: int) -> None:
        if item == 2:
            raise LookupError(item)

    passed = list[Any]()
    holding, failing = ops.batch(9) | ops.for_each(passed.append), ops.for_each(fails)
    for branches in ((holding, failing), (failing, holding)):
        with pytest.raises(LookupError):
            run(lambda branches=branches: Stream([1, 2]) | ops.broadcast(*branches))
    assert passed == []


def test_what_steps_held_is_not_passed_on_where_a_clean_up_fails_after_a_cancellation() -> None:
    passed = list[Any]()

    async def source() -> AsyncIterator[int]:
        yield 1
        try:
            await asyncio.sleep(9.0)
        finally:
            raise OSError("in the clean-up")

    async def main() -> None:
        async def work() -> None:
            await (Stream(source) | ops.batch(2) | ops.tap(passed.append) | ops.drain())

        task = asyncio.create_task(work())
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(OSError, match="in the clean-up"):
            await task

    run(main)
    assert passed == []


def test_of_an_error_of_the_program_no_step_makes_an_item() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        raise RecursionError("too deep")

    with pytest.raises(RecursionError, match="too deep"):
        run(lambda: Stream(source) | ops.materialize() | ops.to_list())


def test_of_an_error_that_looks_like_an_end_a_step_makes_an_item_of_the_one_in_its_place() -> None:
    def ends(_: int) -> int:
        raise StopIteration

    (item,) = run(lambda: Stream([1]) | ops.map(ends) | ops.materialize() | ops.to_list())
    assert isinstance(item, Failed)
    assert isinstance(item.error, RuntimeError)
    assert isinstance(item.error.__cause__, StopIteration)


def test_a_cancellation_knows_all_the_errors_that_it_has_overtaken() -> None:
    cancelled, errors = asyncio.CancelledError(), [OSError("first"), KeyError("second")]
    for error in errors:
        with pytest.raises(asyncio.CancelledError):
            combine(error, cancelled)
    assert unreached(cancelled) == errors


def test_what_a_step_raises_in_place_of_a_cancellation_comes_before_the_error_that_it_was_behind() -> None:
    async def fails(_: Any) -> None:
        try:
            await asyncio.sleep(9.0)
        finally:
            raise LookupError("in the clean-up")

    async def main() -> None:
        async def work() -> None:
            await (Stream(one_and_fails) | ops.batch(2) | ops.map(fails) | ops.drain())

        task = asyncio.create_task(work())
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(LookupError, match="in the clean-up") as caught:
            await task
        assert [str(error) for error in attached(caught.value)] == ["first"]

    run(main)
