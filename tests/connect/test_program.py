"""Programs as sources: their lines, their ends, and that nothing of them runs on."""

import asyncio
import os
import pickle
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streamkit import connect, ops
from streamkit.testing import run

PYTHON = (sys.executable, "-I", "-S", "-c")


def test_lines_come_as_they_are_written_and_the_last_needs_no_end() -> None:
    said = connect.command(*PYTHON, "print('a'); print('b', end='')")
    assert [list(said), list(said)] == [["a", "b"], ["a", "b"]]


def test_where_it_runs_and_with_what(tmp_path: Path) -> None:
    program = "import os; print(os.getcwd()); print(os.environ.get('LETTER'))"
    said = connect.command(*PYTHON, program, directory=tmp_path, environment={"LETTER": "a"})
    assert list(said) == [str(tmp_path.resolve()), "a"]


def test_a_program_that_fails_is_an_error_with_what_it_said_last() -> None:
    program = "import sys; print('a'); print('why', file=sys.stderr); sys.exit(3)"
    found: list[str] = []
    with pytest.raises(connect.CommandError, match=r"ended with exit code 3: why") as caught:
        (connect.command(*PYTHON, program) | ops.for_each(found.append)).run()
    assert found == ["a"]
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.code, copy.errors, str(copy)) == (3, ("why",), str(caught.value))
    with pytest.raises(connect.CommandError, match="was ended by signal 9"):
        list(connect.command(*PYTHON, "import os; os.kill(os.getpid(), 9)"))


def test_much_on_its_standard_error_does_not_make_it_wait() -> None:
    program = "import sys; sys.stderr.write('x' * 1_000_000); print('a')"
    assert list(connect.command(*PYTHON, program)) == ["a"]


def test_a_line_that_is_too_long_is_an_error_and_ends_the_program() -> None:
    with pytest.raises(ValueError, match=r"a line of more than 1,000 bytes: longest="):
        list(connect.command(*PYTHON, "print('a' * 100_000)", longest=1_000))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_program_is_ended_when_the_consumer_leaves(stubborn: bool) -> None:
    program = f"""if True:
        import os, signal, time
        if {stubborn}: signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print(os.getpid(), flush=True)
        time.sleep(600)
    """
    begun = time.monotonic()
    (pid,) = list(connect.command(*PYTHON, program, grace=0.05) | ops.take(1))
    assert not alive(int(pid))
    assert time.monotonic() - begun < 300  # it was not waited for to its end


def test_a_cancelled_run_ends_its_program() -> None:
    pids: list[int] = []

    async def main() -> None:
        program = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
        heard = asyncio.Event()

        def told(line: str) -> None:
            pids.append(int(line))
            heard.set()

        job = asyncio.ensure_future(connect.command(*PYTHON, program) | ops.for_each(told))
        await heard.wait()
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert not alive(pids[0])

    run(main, threads=True, limit=60.0)
    assert pids


def test_a_run_that_is_cancelled_while_its_program_begins_ends() -> None:
    async def main() -> None:
        for steps in range(10):
            job = asyncio.ensure_future(connect.command("sleep", "600") | ops.drain())
            for _ in range(steps):
                await asyncio.sleep(0)
            job.cancel()
            await asyncio.wait([job], timeout=30.0)
            assert job.cancelled(), steps

    run(main, threads=True, limit=60.0)


@pytest.mark.parametrize("steps", range(1, 6))
def test_a_program_of_python_that_ends_while_another_begins_ends(steps: int) -> None:
    jobs: list[asyncio.Future[None]] = []

    async def main() -> None:
        jobs.append(asyncio.ensure_future(connect.command("sleep", "600") | ops.drain()))
        for _ in range(steps):
            await asyncio.sleep(0)

    with asyncio.Runner() as runner:
        runner.run(main())
    assert jobs[0].cancelled()


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: connect.command(), TypeError, "words must be a program and its arguments"),
        (lambda: connect.command("ls", 7), TypeError, "words must be a path"),
        (lambda: connect.command("ls", environment={"A": 1}), TypeError, "map texts to texts, not 'A' to 1"),
        (lambda: connect.command("ls", grace=-1), ValueError, "grace must be"),
        (lambda: connect.command("ls", encoding="none"), ValueError, "encoding must be"),
    ],
)
def test_bad_arguments_are_told_at_the_call(
    make: Callable[[], object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        make()


def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        list(connect.command("no-such-program-is-here"))
    with pytest.raises(FileNotFoundError) as caught:
        list(connect.command("no-such-program -f"))
    assert caught.value.__notes__ == ["no shell takes a line apart: write command('no-such-program', '-f')"]
