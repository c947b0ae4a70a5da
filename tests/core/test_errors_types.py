"""Which errors an operator may take, which of several is raised, and what stands in for a cancellation."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import RunningLoopError, SourceConsumedError, attached
from streamkit._core.errors import error_types, is_error_types, noted, raise_first, replaces_cancellation
from streamkit.testing import run


class DeepError(RecursionError):
    """An error of the program, by its base."""


class TestTypes:
    @pytest.mark.parametrize("value", [OSError, Exception, (OSError,), (OSError, ValueError), ()], ids=repr)
    def test_a_type_of_error_or_several_are_some(self, value: Any) -> None:
        assert is_error_types(value)
        assert error_types("errors", value, "types of Exception") is value

    @pytest.mark.parametrize(
        "value",
        [BaseException, KeyboardInterrupt, int, OSError("no type"), "OSError", None, 5, [OSError]],
        ids=repr,
    )
    def test_nothing_else_is_not_even_beside_one(self, value: Any) -> None:
        for given in (value, (OSError, value), (value, OSError)):
            assert not is_error_types(given)
            with pytest.raises(TypeError) as caught:
                error_types("errors", given, "types of Exception")
            assert str(caught.value) == f"errors must be types of Exception, not {given!r}"

    @pytest.mark.parametrize("kind", [RecursionError, SourceConsumedError, DeepError])
    def test_errors_of_the_program_are_taken_by_none(self, kind: type[Exception]) -> None:
        for given in (kind, (OSError, kind)):
            assert is_error_types(given)
            with pytest.raises(ValueError, match="errors must") as caught:
                error_types("errors", given, "types of Exception")
            assert str(caught.value) == f"errors must not have {kind.__name__}: no operator catches that"
        assert error_types("errors", RunningLoopError, "") is RunningLoopError


class TestRaiseFirst:
    def test_of_none_nothing_is_raised(self) -> None:
        raise_first([])

    def test_the_first_is_raised_with_all_others_attached(self) -> None:
        first, *others = errors = [OSError("first"), ValueError("second"), KeyError("third")]
        with pytest.raises(OSError, match="first") as caught:
            raise_first(errors)
        assert caught.value is first
        assert [*attached(first)] == others
        assert len(first.__notes__) == 2


def test_a_note_is_put_on_an_error_without_any_once() -> None:
    error = OSError()
    for _ in range(2):
        noted(error, "in a pipe")
    assert error.__notes__ == ["in a pipe"]


async def cancelled_then(clean_up: Callable[[], Any]) -> bool:
    """Whether what `clean_up` raises, in a task that is cancelled, stands in for the cancellation."""

    async def work() -> bool:
        try:
            try:
                await asyncio.sleep(60.0)
            finally:
                clean_up()
        except Exception as error:
            return replaces_cancellation(error)
        raise AssertionError("nothing was raised")

    task = asyncio.ensure_future(work())
    await asyncio.sleep(1.0)
    task.cancel()
    found = await task
    assert task.cancelling() == 1
    return found


def fails() -> None:
    raise OSError("clean-up")


def fails_for_another_reason() -> None:
    try:
        raise KeyError
    except KeyError:
        raise OSError("clean-up") from None


def fails_twice() -> None:
    try:
        raise KeyError
    except KeyError:
        raise OSError("clean-up")  # noqa: B904 - the context, and not the cause, is looked at


def fails_with_a_cancellation_that_nobody_raised() -> None:
    error = OSError("clean-up")
    error.__context__ = asyncio.CancelledError()
    try:
        raise error
    finally:
        error.__context__ = asyncio.CancelledError()


def fails_with_a_cancellation_of_elsewhere() -> None:
    """As a future has one, which another task was cancelled with."""
    elsewhere: BaseException | None = None
    try:
        _cancelled()
    except asyncio.CancelledError as error:
        elsewhere = error
    assert elsewhere is not None
    error = OSError("clean-up")
    try:
        raise error
    finally:
        error.__context__ = elsewhere.with_traceback(_trace_of_another_frame(elsewhere))


def _cancelled() -> None:
    raise asyncio.CancelledError


def _trace_of_another_frame(error: BaseException) -> Any:
    assert error.__traceback__ is not None
    return error.__traceback__.tb_next


class TestCancellation:
    def test_so_does_one_that_has_come_through_frames_outside_of_it(self) -> None:
        async def inside() -> None:
            try:
                await asyncio.sleep(60.0)
            finally:
                fails()

        async def main() -> bool:
            task = asyncio.ensure_future(outside())
            await asyncio.sleep(1.0)
            task.cancel()
            return await task

        async def outside() -> bool:
            try:
                await inside()
            except OSError as error:
                return replaces_cancellation(error)
            raise AssertionError("nothing was raised")

        assert run(main) is True

    @pytest.mark.parametrize("clean_up", [fails, fails_twice])
    def test_an_error_of_the_clean_up_stands_in_for_it(self, clean_up: Callable[[], Any]) -> None:
        assert run(lambda: cancelled_then(clean_up)) is True

    @pytest.mark.parametrize(
        "clean_up",
        [
            fails_for_another_reason,
            fails_with_a_cancellation_that_nobody_raised,
            fails_with_a_cancellation_of_elsewhere,
        ],
    )
    def test_one_that_came_of_something_else_does_not(self, clean_up: Callable[[], Any]) -> None:
        assert run(lambda: cancelled_then(clean_up)) is False

    def test_where_nobody_was_cancelled_none_does(self) -> None:
        async def main() -> bool:
            try:
                try:
                    raise asyncio.CancelledError
                finally:
                    fails()
            except OSError as error:
                return replaces_cancellation(error)

        assert run(main) is False

    def test_nor_where_no_loop_runs_or_no_task(self) -> None:
        assert replaces_cancellation(OSError()) is False

        async def main() -> list[bool]:
            found = list[bool]()
            asyncio.get_running_loop().call_soon(lambda: found.append(replaces_cancellation(OSError())))
            await asyncio.sleep(1.0)
            return found

        assert run(main) == [False]
