"""The search: what is wrong is found, replayed exactly, and shrunk; what is not deterministic is said so."""

import asyncio
import gc
import itertools
import os
import random
import re
import subprocess
import sys
import threading
from typing import Any
from unittest import SkipTest

import pytest
from hypothesis.errors import UnsatisfiedAssumption

from streamkit._engine.compile import pace
from streamkit.testing import Faults, LivelockError, ScheduleError, run
from tests import tiers
from tests.testing.looping import ROOT
from tests.testing.schedules.programs import Main
from tests.testing.schedules.wrong import WRONG

SEEDS = range(0, 10, tiers.stride(10))


def failure(main: Main, **options: Any) -> tuple[BaseException, str]:
    """The error of a search, and its last note."""
    try:
        run(main, **options)
    except BaseException as error:
        return error, error.__notes__[-1]
    pytest.fail("nothing was found")


def token_in(note: str) -> str:
    found = re.search(r'run\(main, replay="(.*)"\)', note)
    assert found is not None
    return found[1]


@WRONG.each()
def test_what_is_wrong_passes_as_asyncio_runs_it(main: Main) -> None:
    run(main)


@WRONG.each()
def test_what_is_wrong_is_found_shrunk_and_replayed(main: Main) -> None:
    for seed in SEEDS:
        error, note = failure(main, schedules=1000, seed=seed)
        first, *switches, last = note.splitlines()
        assert re.fullmatch(
            rf"failed in schedule \d+ of 1000, seed {seed} "
            rf"\({len(switches)} switch(es)?(, shrunk from \d+)?\):",
            first,
        )
        assert 1 <= len(switches) <= 2
        for line in switches:
            assert re.match(r"  callback \d+, time [\d.]+: .* (waits|goes before)", line)
        for _ in range(3):
            again, told = failure(main, replay=token_in(last))
            assert type(again) is type(error)
            assert told.splitlines() == ["in this schedule:", *switches]


def test_the_same_seed_is_the_same_search() -> None:
    main = WRONG["lost_update"]
    notes = {failure(main, schedules=1000, seed=3)[1] for _ in range(2)}
    assert len(notes) == 1
    assert len(notes | {failure(main, schedules=1000, seed=seed)[1] for seed in range(2)}) > 1


@pytest.mark.full
def test_the_same_seed_is_the_same_search_in_another_process() -> None:
    """Where sets of texts, and addresses, are in another order."""
    code = """
from tests.testing.schedules.test_search import WRONG, failure
for main in WRONG:
    print(main.__name__, failure(main, schedules=1000, seed=3)[1])
"""
    notes = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": str(number), "PYTHONPATH": str(ROOT)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for number in range(3)
    }
    assert len(notes) == 1
    assert all(main.__name__ in text for text in notes for main in WRONG)


def test_a_seed_is_drawn_and_told() -> None:
    seeds = {re.search(r"seed (\d+)", failure(WRONG["dead_lock"], schedules=100)[1])[1] for _ in range(2)}  # type: ignore[index]
    assert len(seeds) == 2


def test_the_result_is_that_of_the_first_run() -> None:
    runs = 0

    async def main() -> tuple[int, list[str]]:
        nonlocal runs
        runs += 1
        said = list[str]()

        async def say(word: str) -> None:
            said.append(word)

        await asyncio.gather(say("one"), say("two"))
        return runs, said

    assert run(main, schedules=50, seed=1) == (1, ["one", "two"])
    assert runs == 50


def test_what_has_no_choice_is_run_once() -> None:
    runs = 0

    async def main() -> None:
        nonlocal runs
        runs += 1
        await asyncio.sleep(1.0)

    run(main, schedules=1000)
    assert runs == 1


# errors ----------------------------------------------------------------------------------------------


def test_an_error_of_the_first_run_comes_as_it_is() -> None:
    error = LookupError("always")
    runs = 0

    async def main() -> None:
        nonlocal runs
        runs += 1
        raise error

    with pytest.raises(LookupError) as caught:
        run(main, schedules=100, seed=4)
    assert caught.value is error
    assert runs == 1
    assert error.__notes__ == ["failed in the first schedule, in the order of asyncio (seed 4)"]


def test_the_line_that_runs_it_again_has_the_options() -> None:
    _, note = failure(WRONG["order_of_results"], schedules=50, seed=1, threads=True, leaks=False)
    assert re.search(r'^again: run\(main, threads=True, leaks=False, replay="v1:.*"\)$', note, re.MULTILINE)


def raising(error: BaseException) -> Main:
    """A program that raises `error` where a second task goes before a first."""

    async def main() -> None:
        said = list[int]()

        async def say(number: int) -> None:
            said.append(number)
            if said == [1]:
                raise error

        await asyncio.gather(say(0), say(1), return_exceptions=False)

    return main


class StubbornError(Exception):
    """Refuses notes."""

    def add_note(self, note: str, /) -> None:
        raise TypeError("no notes")


class FrozenError(Exception):
    """Refuses attributes, too."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)


@pytest.mark.parametrize("kind", [StubbornError, FrozenError])
def test_an_error_that_refuses_notes_has_one(kind: type[Exception]) -> None:
    error, note = failure(raising(kind("refuses")), schedules=50, seed=1)
    assert type(error) is kind
    assert token_in(note).startswith("v1:")


def test_what_fails_a_test_of_pytest_is_a_failure() -> None:
    async def main() -> None:
        said = list[int]()

        async def say(number: int) -> None:
            said.append(number)

        await asyncio.gather(say(0), say(1))
        if said == [1, 0]:
            pytest.fail("the wrong way round")

    error, note = failure(main, schedules=50, seed=1)
    assert isinstance(error, pytest.fail.Exception)
    assert "replay=" in note


class SkippedError(SkipTest):
    """Of a project's own."""


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        SystemExit(3),
        pytest.skip.Exception("skipped"),
        SkippedError("skipped"),
        UnsatisfiedAssumption(),
        BaseExceptionGroup("several", [ValueError(), KeyboardInterrupt()]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_ends_the_program_goes_through(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        run(raising(error), schedules=50, seed=1)
    assert caught.value is error
    assert not hasattr(error, "__notes__")


def test_a_schedule_that_does_not_end() -> None:
    async def main() -> None:
        order = list[int]()

        async def say(number: int) -> None:
            order.append(number)

        await asyncio.gather(say(0), say(1))
        while order == [1, 0]:  # noqa: ASYNC110
            await asyncio.sleep(0)

    error, note = failure(main, schedules=50, seed=1)
    assert isinstance(error, LivelockError)
    assert "(1 switch" in note


# determinism -----------------------------------------------------------------------------------------


def test_a_program_that_fails_once_only_is_not_deterministic() -> None:
    runs = itertools.count()

    async def main() -> None:
        await asyncio.gather(asyncio.sleep(1.0), asyncio.sleep(1.0))
        assert next(runs) != 5

    with pytest.raises(ScheduleError, match=r"(?s)^main is not det.* 6 .*run again, ended with no") as e:
        run(main, schedules=50, seed=1)
    assert isinstance(e.value.__cause__, AssertionError)


def test_a_program_that_takes_another_course_is_not_deterministic() -> None:
    runs = itertools.count()

    async def main() -> None:
        number = next(runs)
        await asyncio.gather(*(asyncio.sleep(1.0) for _ in range(2 + number % 2)))
        assert number < 4

    with pytest.raises(ScheduleError, match="came to other picks"):
        run(main, schedules=50, seed=1)


def test_a_program_that_fails_no_more_when_it_is_shrunk_is_not_deterministic() -> None:
    runs = 0

    def failing_before(last: float) -> Main:
        async def main() -> None:
            nonlocal runs
            runs += 1
            said = list[int]()

            async def say(number: int) -> None:
                said.append(number)

            await asyncio.gather(*map(say, range(4)))
            assert said == [0, 1, 2, 3] or runs >= last

        return main

    failure(failing_before(1e9), schedules=50, seed=1)
    needed, runs = runs, 0
    with pytest.raises(ScheduleError, match="a shrunk schedule fails now and then"):
        run(failing_before(needed), schedules=50, seed=1)


def test_a_token_of_another_program_does_not_fit() -> None:
    token = token_in(failure(WRONG["dead_lock"], schedules=1000, seed=1)[1])

    async def other() -> None:
        await asyncio.gather(*(asyncio.sleep(1.0) for _ in range(9)))

    with pytest.raises(ScheduleError, match="the schedule does not fit: its picks are other ones"):
        run(other, replay=token)

    async def shorter() -> None:
        await asyncio.sleep(1.0)

    with pytest.raises(
        ScheduleError, match="there is no place for some of its switches, and it ended with no error"
    ):
        run(shorter, replay=token)


def test_a_token_fits_when_what_it_found_is_mended() -> None:
    def program(*, mended: bool) -> Main:
        async def main() -> str:
            said = list[str]()

            async def say(word: str) -> None:
                said.append(word)

            await asyncio.gather(say("a"), say("b"))
            if not mended:
                assert said == ["a", "b"]
            await asyncio.gather(say("c"), say("d"))  # the course may go on in another way
            return "".join(sorted(said))

        return main

    token = token_in(failure(program(mended=False), schedules=9, seed=1)[1])
    assert run(program(mended=True), replay=token) == "abcd"


def test_random_draws_the_same_in_each_run_and_goes_on_behind() -> None:
    drawn = list[float]()

    async def main() -> None:
        drawn.append(random.random())
        await asyncio.gather(asyncio.sleep(1.0), asyncio.sleep(1.0))

    random.seed(8)
    expected = [random.random() for _ in range(2)]
    random.seed(8)
    found = [random.random()]
    run(main, schedules=20, seed=1)
    found.append(random.random())
    assert found == expected
    assert len({*drawn}) == 1


# what is set up around it ----------------------------------------------------------------------------


@pytest.mark.freezes
def test_all_is_as_before(frozen_by_a_program: None) -> None:
    """Also the objects that a program has frozen itself stay frozen."""
    clock = vars(pace)["perf_counter"]
    assert gc.get_freeze_count() > 1000
    assert not _collected(vars(pace))
    with pytest.raises(LookupError):
        run(raising(LookupError()), schedules=50, seed=1)
    run(WRONG["dead_lock"], faults=Faults(0))
    assert vars(pace)["perf_counter"] is clock
    assert not _collected(vars(pace))


def _collected(value: object) -> bool:
    """Whether the collector goes through `value`: it does not while that is frozen."""
    return any(each is value for each in gc.get_objects())


@pytest.mark.full
def test_a_search_within_a_search() -> None:
    async def inner() -> int:
        return len(await asyncio.gather(asyncio.sleep(1.0), asyncio.sleep(1.0)))

    async def main() -> int:
        await asyncio.gather(asyncio.sleep(1.0), asyncio.sleep(1.0))
        return run(inner, schedules=5, seed=2)

    assert run(main, schedules=5, seed=1) == 2


def test_searches_in_two_threads() -> None:
    clock = vars(pace)["perf_counter"]
    found = list[str]()

    def search() -> None:
        found.append(failure(WRONG["lost_update"], schedules=200, seed=1, leaks=False)[1])

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert len({*found}) == 1
    assert vars(pace)["perf_counter"] is clock
