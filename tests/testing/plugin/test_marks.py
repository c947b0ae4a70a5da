"""The mark: which tests run in virtual time, with which arguments, and what is wrong with a mark."""

import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from pytest_streamkit.running import no_real_waiting

if TYPE_CHECKING:
    from tests.testing.plugin.conftest import Room


def suite(text: str) -> str:
    return textwrap.dedent(text)


def test_a_marked_test_runs_in_virtual_time(room: "Room") -> None:
    result = room(
        suite("""
        @pytest.mark.streamkit
        async def test_an_hour():
            await asyncio.sleep(3600.0)
            assert asyncio.get_running_loop().time() == 3600.0
        """)
    )
    result.assert_outcomes(passed=1)


def test_parameters_plain_fixtures_and_classes_are_as_in_any_test(room: "Room") -> None:
    result = room(
        suite("""
        @pytest.fixture
        def base():
            return 10

        @pytest.mark.streamkit
        @pytest.mark.parametrize("number", [1, 2])
        async def test_sum(base, number, tmp_path):
            assert base + number == 11 and tmp_path.is_dir()

        @pytest.mark.streamkit
        class TestClass:
            def setup_method(self):
                self.begun = True

            async def test_method(self, base):
                assert self.begun and base == 10

            @staticmethod
            async def test_static(base):
                assert base == 10

            def test_plain(self):
                assert self.begun
        """),
        "-v",
    )
    result.assert_outcomes(passed=4, failed=1)
    result.stdout.fnmatch_lines(
        ["*::test_sum?1? PASSED*", "*::test_sum?2? FAILED*", "*::test_static PASSED*"]
    )


def test_skip_xfail_and_fail_mean_what_they_mean(room: "Room") -> None:
    result = room(
        suite("""
        pytestmark = pytest.mark.streamkit

        async def test_skip():
            pytest.skip("not today")

        async def test_xfail():
            pytest.xfail("known")

        @pytest.mark.xfail(raises=ZeroDivisionError, strict=True)
        async def test_marked():
            1 / 0

        async def test_fail():
            pytest.fail("so it is")
        """)
    )
    result.assert_outcomes(skipped=1, xfailed=2, failed=1)


def test_a_failure_shows_the_line_of_the_test_and_none_of_the_plugin(room: "Room") -> None:
    result = room(
        suite("""
        @pytest.mark.streamkit
        async def test_fails():
            number = 1
            assert number == 2
        """)
    )
    result.stdout.fnmatch_lines([">       assert number == 2", "E       assert 1 == 2"])
    result.stdout.no_fnmatch_line("*pytest_streamkit*.py*")


def test_what_is_left_behind_is_an_error_of_one_line_for_each(room: "Room") -> None:
    result = room(
        suite("""
        @pytest.mark.streamkit
        async def test_leaves_a_task():
            asyncio.create_task(asyncio.sleep(1.0), name="forgotten")

        @pytest.mark.streamkit(leaks=False)
        async def test_may_leave_it():
            asyncio.create_task(asyncio.sleep(1.0))
        """)
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*LeakError: left behind when main ended:", "  task 'forgotten': sleep*"])
    result.stdout.no_fnmatch_line("*clock.py*")


def test_the_closest_mark_wins_argument_by_argument(room: "Room") -> None:
    result = room(
        suite("""
        pytestmark = pytest.mark.streamkit(threads=True, leaks=False)

        several = pytest.param(True, marks=pytest.mark.streamkit(threads=True))

        @pytest.mark.streamkit(threads=False)
        @pytest.mark.parametrize("threads", [False, several])
        async def test_argument(threads):
            assert asyncio.get_running_loop().threads is threads
            asyncio.create_task(asyncio.sleep(1.0))  # leaks=False is from the module
        """)
    )
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("schedule=3", "*takes no schedule: write schedules=3"),
        ("1000", "it takes keyword arguments only, as in schedules=1000, not 1000"),
        ("limit=-1.0", "limit must be *, not -1.0"),
        ("schedules=0", "schedules must be *, not 0"),
        ("seed='x'", "seed must be *, not 'x'"),
        ("faults='cancel'", "faults must be *, not 'cancel'"),
        ("replay='v2'", "replay must be *, not 'v2'"),
        ("replay='v1::00000000', schedules=2", "replay runs one schedule*"),
    ],
)
def test_a_wrong_mark_is_told_at_collection(room: "Room", mark: str, told: str) -> None:
    result = room(
        suite(f"""
        @pytest.mark.streamkit({mark})
        async def test_it():
            raise AssertionError("it ran")
        """),
        "--collect-only",
    )
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([f"*::test_it: the mark streamkit: {told}"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_marked_test_that_is_not_async_is_told_at_collection(room: "Room") -> None:
    result = room("@pytest.mark.streamkit\ndef test_plain(): ...")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*::test_plain: the mark streamkit is for tests that are `async def`*"])


def test_a_marked_test_that_only_looks_async_is_told_what_it_is(room: "Room") -> None:
    """It begins with `async def`, so "is for tests that are `async def`" would send its reader astray."""
    result = room("@pytest.mark.streamkit\nasync def test_it():\n    yield")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*::test_it: the mark streamkit is for tests without a `yield`*"])
    drawn = "@hypothesis.given(strategies.integers())\nasync def test_it(number): ..."
    result = room(f"import hypothesis\nfrom hypothesis import strategies\n\n@pytest.mark.streamkit\n{drawn}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*::test_it: *hypothesis: write a plain `def`, and in it call the fixture*"])


@pytest.mark.parametrize(
    "late",
    [
        """
        @pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.streamkit)])
        async def test_it(x): ...
        """,
        """
        import unittest

        @pytest.mark.streamkit
        class TestIt(unittest.IsolatedAsyncioTestCase):
            async def test_it(self): ...
        """,
    ],
    ids=["parameter", "unittest"],
)
def test_a_mark_that_cannot_be_followed_is_told(room: "Room", late: str) -> None:
    result = room(suite(late))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*::test_it*: the mark streamkit came after the test was collected*"])


def test_real_waiting_is_an_error_that_names_what_to_do(room: "Room") -> None:
    before = time.sleep
    result = room(
        suite("""
        real = time.sleep

        @pytest.mark.streamkit
        async def test_waits():
            time.sleep(0.5)

        @pytest.mark.streamkit
        async def test_waits_in_a_thread():
            await asyncio.to_thread(time.sleep, 0.001)
            time.sleep(0)

        @pytest.mark.streamkit
        async def test_replaces_it(monkeypatch):
            monkeypatch.setattr(time, "sleep", lambda seconds: None)
            time.sleep(5.0)

        def test_not_marked():
            assert time.sleep is real
        """)
    )
    assert time.sleep is before
    result.assert_outcomes(failed=1, passed=3)
    result.stdout.fnmatch_lines(
        [">       time.sleep(0.5)", "E       RuntimeError: time.sleep(0.5) stops the loop*"]
    )


def test_a_sleep_that_a_test_leaves_replaced_is_not_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def other(seconds: float) -> None: ...

    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", time.sleep)
        with no_real_waiting():
            time.sleep = other
        assert time.sleep is other


def test_the_mark_and_the_options_are_listed(room: "Room") -> None:
    room("", "--markers").stdout.fnmatch_lines(["@pytest.mark.streamkit(schedules=1, seed=None, *"])
    room("", "--help").stdout.fnmatch_lines(["*--streamkit-schedules=N", "*--streamkit-replay=TOKEN"])


def test_what_is_no_function_is_collected_as_without_the_mark(room: "Room") -> None:
    result = room(
        suite("""
        from functools import partial

        pytestmark = pytest.mark.streamkit

        def check(number):
            assert number == 1

        test_right = partial(check, 1)
        test_wrong = partial(check, 2)
        """)
    )
    result.assert_outcomes(passed=1, failed=1)
