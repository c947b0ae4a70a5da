"""Many schedules: how a failure is told, how it is replayed, and what the command line overrides."""

import re
import shlex
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.testing.plugin.conftest import lines

if TYPE_CHECKING:
    from tests.testing.plugin.conftest import Room

RACE = textwrap.dedent("""
    @pytest.fixture
    async def told():
        return []

    async def tell(told, word):
        told.append(word)

    async def both(told):
        async with asyncio.TaskGroup() as group:
            group.create_task(tell(told, "one"))
            group.create_task(tell(told, "two"))
        assert told == ["one", "two"]
""")
MARKED = RACE + textwrap.dedent("""
    @pytest.mark.streamkit(schedules=50, seed=7)
    @pytest.mark.parametrize("text", ["it's", "[plain]"])
    async def test_race(told, text):
        await both(told)
    """)
BY_FIXTURE = RACE + textwrap.dedent("""
    def test_race(streamkit_run):
        streamkit_run(lambda: both([]), schedules=50, seed=7)
    """)


def command(result: pytest.RunResult) -> list[str]:
    """The words of the first line to paste."""
    line = next(line for line in result.outlines if line.startswith("    pytest "))
    return shlex.split(line)


@pytest.mark.parametrize("suite", [MARKED, BY_FIXTURE], ids=["mark", "fixture"])
def test_a_failure_says_how_it_comes_again(room: "Room", suite: str) -> None:
    failed = room(suite, "-k", "not plain")
    failed.assert_outcomes(failed=1, deselected=len(re.findall("plain", suite)))
    failed.stdout.fnmatch_lines(
        [
            "*- streamkit -*",
            "schedule * of 50, seed 7; this schedule again:",
            "    pytest *--streamkit-replay*",
        ]
    )
    _, name, *options = command(failed)
    again = room(suite, name, *options)
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines([f"streamkit: replay={options[1]}", "E*in this schedule:"])


def test_the_line_in_the_test_is_one_to_paste(room: "Room") -> None:
    failed = room(MARKED)
    mark = next(
        line.strip() for line in failed.outlines if line.startswith("    @pytest.mark.streamkit(replay")
    )
    again = room(MARKED.replace("@pytest.mark.streamkit(schedules=50, seed=7)", mark))
    again.assert_outcomes(failed=2)
    assert re.fullmatch(r'@pytest\.mark\.streamkit\(replay="v1:[^"]+"\)', mark)


def test_a_mended_test_passes_when_it_is_replayed_or_does_not_fit(room: "Room") -> None:
    name, *options = command(room(MARKED))[1:]
    mended = MARKED.replace('told == ["one", "two"]', "sorted(told)")
    room(mended, name, *options).assert_outcomes(passed=1)
    other = MARKED.replace("await both(told)", "pass")
    result = room(other, name, *options)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*ScheduleError: the schedule does not fit*"])


def test_a_failure_of_any_schedule_has_no_line_to_paste(room: "Room") -> None:
    result = room("@pytest.mark.streamkit(schedules=3)\nasync def test_it():\n    assert False")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line("*streamkit-replay*")


def test_an_async_fixture_is_new_in_each_schedule(room: "Room") -> None:
    suite = RACE.replace('assert told == ["one", "two"]', "assert len(told) == 2")
    result = room(
        f"{suite}\n@pytest.mark.streamkit(schedules=20)\nasync def test_it(told):\n    await both(told)"
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("capture", ["fd", "sys", "tee-sys", "no"])
def test_output_is_that_of_the_schedule_that_failed(room: "Room", capture: str) -> None:
    suite = RACE + textwrap.dedent("""
        import logging

        @pytest.mark.streamkit(schedules=20)
        async def test_it(told):
            print("it", "begins")
            logging.getLogger().warning("%s begins", "log")
            await both(told)
    """)
    result = room(suite, f"--capture={capture}")
    result.assert_outcomes(failed=1)
    report = lines(result).partition("= FAILURES =")[2]
    assert report.count("it begins") == (capture != "no")
    assert report.count("log begins") == 1


def test_faults_are_arguments_of_the_mark(room: "Room") -> None:
    suite = textwrap.dedent("""
        from streamkit.testing import Faults

        closed = []

        @pytest.mark.streamkit(faults=Faults.CANCEL)
        async def test_it():
            try:
                await asyncio.sleep(1.0)
            finally:
                closed.append(1)

        def test_afterwards():
            assert len(closed) > 1
    """)
    room(suite).assert_outcomes(passed=2)


def test_the_command_line_overrides_the_mark(room: "Room") -> None:
    once = MARKED.replace("schedules=50, seed=7", "")
    room(once).assert_outcomes(passed=2)
    result = room(once, "--streamkit-schedules=50", "--streamkit-seed=8")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["streamkit: schedules=50 seed=8", "schedule * of 50, seed 8; *"])
    room(MARKED, "--streamkit-schedules=1").assert_outcomes(passed=2)
    room(BY_FIXTURE, "--streamkit-schedules=1").assert_outcomes(passed=1)
    replayed = MARKED.replace("schedules=50, seed=7", "replay='v1::00000000'")
    room(replayed, "--streamkit-schedules=50").assert_outcomes(failed=2)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--streamkit-schedules=0"], "*--streamkit-*: schedules must be *, not 0"),
        (["--streamkit-schedules=many"], "*argument --streamkit-schedules: invalid int value: 'many'"),
        (["--streamkit-replay=v1:what"], "*--streamkit-*: replay must be a token*"),
        (
            ["--streamkit-replay=v1::00000000", "--streamkit-seed=1"],
            "*--streamkit-replay*neither schedules nor seed*",
        ),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(room: "Room", options: list[str], told: str) -> None:
    result = room(MARKED, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in lines(result)
    result.stderr.fnmatch_lines([told])


def test_a_token_is_for_one_test(room: "Room") -> None:
    result = room(MARKED, "--streamkit-replay=v1::00000000")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["--streamkit-replay runs one test, and 2 are selected: *"])


@pytest.mark.full
def test_on_workers(room: "Room") -> None:
    result = room(MARKED, "-n", "2", plugins=("streamkit", "xdist"))
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*- streamkit -*", "schedule * of 50, seed 7; *", "    pytest *streamkit-replay*"]
    )
    name, *options = command(result)[1:]
    room(MARKED, name, *options, "-n", "2", plugins=("xdist", "streamkit")).assert_outcomes(failed=1)
