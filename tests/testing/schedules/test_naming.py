"""Names of callbacks, as a note on a failure shows them."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.testing import run
from streamkit.testing.schedules.naming import name_of, task_name, task_of
from tests.testing.looping import the_loop


class Odd:
    """Whose attributes cannot be asked for."""

    def __call__(self, *_: object) -> None: ...

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        return "Odd()"

    def method(self) -> None: ...


def unnumbered(task: object) -> None:
    """No task has a number."""


@pytest.mark.parametrize(
    ("callback", "arguments", "name"),
    [
        (print, ("text",), "print()"),
        (Odd, (), "Odd()"),
        (Odd().method, (), "Odd.method()"),
        (partial(partial(print, 1), 2), (), "print()"),
        (Odd(), (), "Odd()()"),
        (lambda: None, (), "<lambda>()"),
    ],
    ids=["builtin", "class", "method", "partial", "object", "lambda"],
)
def test_callbacks(callback: Any, arguments: tuple[object, ...], name: str) -> None:
    async def main() -> None:
        assert name_of(the_loop().call_soon(callback, *arguments), unnumbered) == name

    run(main)


def test_timers() -> None:
    async def main() -> None:
        timer: Any = the_loop().call_later(1.0, print)
        assert name_of(the_loop().call_soon(timer.fire), unnumbered) == "the timer of print()"
        timer.cancel()
        assert name_of(the_loop().call_soon(timer.fire), unnumbered) == "the timer of None()"

    run(main)


def test_a_sleep_is_that_of_its_task() -> None:
    """The callback of its timer is one of asyncio, whose name tells nothing."""

    async def sleeps() -> None:
        await asyncio.sleep(1.0)

    async def main() -> None:
        task = asyncio.create_task(sleeps(), name="sleeper")
        await asyncio.sleep(0)
        (_, _, timer), *_ = the_loop()._timers._heap
        handle = the_loop().call_soon(timer.fire)
        name = "the sleep of task 'sleeper' (test_a_sleep_is_that_of_its_task.sleeps)"
        assert name_of(handle, unnumbered) == name
        await task

    run(main)


def test_a_task_of_a_pipe_is_named_by_the_function_that_it_runs() -> None:
    names: list[str] = []

    async def slow(item: int) -> int:
        await asyncio.sleep(1.0)
        return item

    async def main() -> None:
        async def look() -> None:
            await asyncio.sleep(0.5)
            names.extend(task_name(task, lambda task: 1) for task in asyncio.all_tasks())

        looking = asyncio.create_task(look(), name="look")
        await (Stream([1, 2]) | ops.map(slow, concurrency=2) | ops.drain())
        await looking

    run(main)
    name = "test_a_task_of_a_pipe_is_named_by_the_function_that_it_runs"
    assert names.count(f"task 1 ({name}.slow)") == 2, names


def test_tasks() -> None:
    """A name that asyncio gave counts all tasks of the process, so another number stands there."""

    async def work() -> None: ...

    async def main() -> None:
        given, plain = asyncio.create_task(work(), name="worker 7"), asyncio.create_task(work())
        assert task_name(given, unnumbered) == "task 'worker 7' (test_tasks.work)"
        assert task_name(plain, unnumbered) == "task test_tasks.work"
        assert task_name(plain, lambda task: 5) == "task 5 (test_tasks.work)"
        loop: Any = the_loop()
        assert [name_of(handle, lambda task: 5) for handle in loop._ready] == [
            "task 'worker 7' (test_tasks.work)",
            "task 5 (test_tasks.work)",
        ]
        called = loop.call_soon(print, given)
        assert name_of(called, unnumbered) == "print(task 'worker 7' (test_tasks.work))"
        await asyncio.gather(given, plain)

    run(main)


def test_the_cancel_of_a_task_is_none_of_its_steps() -> None:
    async def main() -> None:
        task = asyncio.current_task()
        assert task is not None
        assert task_of(task.cancel) is None
        assert task_of(vars(asyncio.tasks)["_PyTask"].__dict__["cancel"]) is None
        assert task_of(Odd()) is None

    run(main)


def test_callbacks_of_any_kind_are_run() -> None:
    async def main() -> None:
        loop = the_loop()
        loop.call_soon(Odd())
        loop.call_soon(Odd())
        future = loop.create_future()
        future.add_done_callback(Odd())
        future.set_result(None)
        await asyncio.gather(asyncio.sleep(1.0), asyncio.sleep(1.0))

    run(main, schedules=20, seed=1)


def test_a_sleep_is_told_by_who_sleeps_and_a_task_of_ours_by_what_it_runs() -> None:
    async def first_things_first() -> AsyncIterator[int]:
        for number in (1, 1):
            yield number
            await asyncio.sleep(1.0)

    async def main() -> None:
        said: list[int] = []

        async def buy(number: int) -> None:
            if not said:
                await asyncio.sleep(1.0)
                said.append(number)

        await (Stream(first_things_first) | ops.map(buy, concurrency=2) | ops.drain())
        assert len(said) == 1

    with pytest.raises(AssertionError) as caught:
        run(main, schedules=100, seed=1)
    told = "\n".join(caught.value.__notes__)
    assert "the sleep of task" in told
    assert "buy)" in told
    assert "first_things_first)" in told
