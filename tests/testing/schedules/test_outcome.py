"""What came of a run: which errors are of one kind, and which are no failures."""

import asyncio
from collections.abc import Callable

import pytest

from streamkit.testing import DeadlockError, LeakError, LivelockError, run
from streamkit.testing.schedules.outcome import is_verdict, signature


def raised(function: Callable[[], object]) -> BaseException:
    try:
        function()
    except BaseException as error:
        return error
    pytest.fail("nothing was raised")


def fail(number: int) -> None:
    if number:
        raise LookupError(number)
    raise LookupError("nothing")


def test_errors_of_one_line_are_of_one_kind() -> None:
    assert signature(raised(lambda: fail(1))) == signature(raised(lambda: fail(2)))
    assert signature(raised(lambda: fail(1))) != signature(raised(lambda: fail(0)))
    assert signature(None) == ()
    assert signature(LookupError()) == (LookupError,)


def test_a_group_is_of_the_kind_of_its_first_error() -> None:
    def group(*numbers: int) -> BaseException:
        return ExceptionGroup("several", [LookupError(number) for number in numbers])

    assert signature(group(1, 2)) == signature(group(3))
    assert signature(group(1)) != signature(LookupError())


def test_leaks_and_deadlocks_are_of_one_kind_each() -> None:
    """What they name has numbers, and lines of whatever waits."""
    assert signature(LeakError(("task 1",))) == signature(LeakError(("task 2", "task 3")))
    assert signature(DeadlockError("1")) == signature(DeadlockError("2"))
    assert signature(DeadlockError("1")) != signature(LivelockError("1"))


def test_lines_of_asyncio_and_of_ours_do_not_count() -> None:
    async def main() -> None:
        await asyncio.wait_for(asyncio.sleep(2.0), 1.0)

    kind, *line = signature(raised(lambda: run(main)))
    assert kind is TimeoutError
    assert line[0] == __file__


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError(), True),
        (asyncio.CancelledError(), True),
        (ExceptionGroup("several", [ValueError()]), True),
        (BaseExceptionGroup("several", [asyncio.CancelledError()]), True),
        (pytest.fail.Exception("failed"), True),
        (BaseExceptionGroup("several", [ValueError(), SystemExit()]), False),
        (SystemExit(), False),
        (GeneratorExit(), False),
        (pytest.skip.Exception("skipped"), False),
    ],
    ids=repr,
)
def test_what_is_a_failure(error: BaseException, expected: bool) -> None:
    assert is_verdict(error) is expected
