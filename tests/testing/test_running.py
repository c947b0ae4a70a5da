"""`run`: what its options are, which belong together, and that without them nothing is changed."""

import asyncio
from collections import deque
from typing import Any

import pytest

from streamkit.testing import Exhaustive, Faults, LeakError, run


async def main() -> int:
    await asyncio.gather(asyncio.sleep(1.0), asyncio.sleep(1.0))
    return 7


def test_one_schedule_is_asyncios_own_queue() -> None:
    async def queue() -> type:
        loop: Any = asyncio.get_running_loop()
        return type(loop._ready)

    assert run(queue) is deque
    assert run(queue, schedules=1, seed=5) is deque
    assert run(queue, schedules=2) is not deque


@pytest.mark.parametrize(
    "options",
    [
        {"schedules": 2},
        {"schedules": Exhaustive()},
        {"replay": "v1::00000000"},
        {"faults": Faults.CANCEL},
    ],
    ids=str,
)
def test_a_coroutine_runs_once_only(options: dict[str, Any]) -> None:
    with pytest.raises(
        TypeError, match=r"^main must be an async function without arguments where it runs more"
    ):
        run(main(), **options)
    assert run(main, **options) == 7
    assert run(main(), schedules=1, seed=3) == 7


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"schedules": 0}, ValueError, "schedules must be a whole number of at least 1, not 0"),
        ({"schedules": Exhaustive}, TypeError, r"write Exhaustive\(switches=2\)"),
        ({"schedules": 2.0}, TypeError, "schedules must be a whole number of at least 1, not 2.0"),
        ({"schedules": True}, TypeError, "schedules must be a whole number of at least 1, not True"),
        ({"seed": "7"}, TypeError, "seed must be a whole number, not '7'"),
        (
            {"faults": "CANCEL"},
            TypeError,
            r"faults must be Faults.CANCEL, Faults.SHUTDOWN or both, not 'CANCEL'",
        ),
        (
            {"replay": "v1::00000000", "schedules": 9},
            TypeError,
            "replay runs one schedule, with its faults: give no",
        ),
        (
            {"replay": "v1::00000000", "faults": Faults.CANCEL},
            TypeError,
            "replay runs one schedule, with its",
        ),
        ({"schedules": 2, "limit": -1.0}, ValueError, "limit must be"),
    ],
)
def test_wrong_options_are_named(options: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        run(main, **options)
    with pytest.raises(error, match=words):
        run(main(), **options)  # which is closed: it would warn that nobody awaited it


def test_a_name_that_is_nearly_right_is_told() -> None:
    options: Any = {"schedule": 2}
    with pytest.raises(TypeError, match=r"^testing.run\(.*takes no schedule: write schedules=2"):
        run(main, **options)


def test_main_has_to_return_a_coroutine() -> None:
    for options in ({}, {"schedules": 2}):
        with pytest.raises(TypeError, match=r"^main must be a"):
            run(lambda: 7, **options)  # type: ignore[arg-type, return-value]


def test_leaks_are_found_in_each_schedule_or_not_at_all() -> None:
    async def leaking() -> None:
        leaking.task = asyncio.create_task(asyncio.sleep(1.0))  # type: ignore[attr-defined]
        await asyncio.gather(asyncio.sleep(0.5), asyncio.sleep(0.5))

    with pytest.raises(LeakError):
        run(leaking, schedules=9)
    run(leaking, schedules=9, leaks=False)


def test_threads_are_waited_for_in_each_schedule() -> None:
    async def threaded() -> int:
        return sum(await asyncio.gather(asyncio.to_thread(int, 3), main()))

    assert run(threaded, schedules=5, seed=1, threads=True) == 10


def test_in_a_running_loop() -> None:
    async def outside() -> int:
        return run(main, schedules=5, seed=1)

    assert asyncio.run(outside()) == 7


def test_a_search_in_a_thread_that_a_search_waits_for() -> None:
    """It does not wait until that search is over, which waits for it."""

    async def waits() -> int:
        return await asyncio.to_thread(lambda: run(main, schedules=3, leaks=False))

    assert run(waits, schedules=2, threads=True) == 7
