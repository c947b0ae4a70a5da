"""One run of a program in a given order, and its course."""

import asyncio
from contextlib import suppress
from typing import Any

from streamkit.testing import VirtualLoop
from streamkit.testing.schedules.course import Course
from streamkit.testing.schedules.orders import Given, Order
from streamkit.testing.schedules.ready import Ready
from streamkit.testing.schedules.tokens import Schedule, Switch
from tests.testing.schedules.programs import Main


def explored(main: Main, *switches: Switch, **options: Any) -> Ready:
    """Run `main` with these switches, and return the queue."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        ready = Ready(runner.get_loop(), Given(Schedule(switches)), **options)
        with ready.exploring():
            runner.run(main())
    return ready


def course(main: Main, order: Order) -> Course:
    """The course of a program, which may fail."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        ready = Ready(runner.get_loop(), order)
        with suppress(Exception), ready.exploring():
            runner.run(main())
    return ready.course


async def steps_of_tasks() -> None:
    """Three that are ready at once."""

    async def step() -> None: ...

    await asyncio.gather(*(step() for _ in range(3)))


async def waiters() -> None:
    """Three that wait for one event."""
    event = asyncio.Event()
    waiting = [asyncio.create_task(event.wait()) for _ in range(3)]
    await asyncio.sleep(1.0)
    event.set()
    await asyncio.wait(waiting)
