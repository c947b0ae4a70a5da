"""Pace of loops that have tasks of their own: when others have run meanwhile, they begin anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from streamkit._engine.compile.pace import FEW, NOTED, Own
from tests.compile.clocks import Clock


def looks(clock: Clock, at: float, made: Own) -> tuple[bool, int]:
    """Whether it is time, and how large the next slice is."""
    clock.now = at
    return made.due(), made.size


async def others_run(clock: Clock, at: float) -> None:
    clock.now = at
    await asyncio.sleep(0)


def test_time_counts_from_where_others_have_run_and_not_twice_of_one_turn(clock: Clock) -> None:
    async def main() -> None:
        made = Own()
        assert looks(clock, 100.25, made) == (False, 1)
        await others_run(clock, 100.75)
        # what the slice has cost is not known: the next is larger, but not by much
        assert looks(clock, 101.25, made) == (False, 4)
        assert looks(clock, 101.5, made) == (False, 4)
        assert looks(clock, 101.75, made) == (True, 4)
        await others_run(clock, 102.0)
        assert looks(clock, 102.875, made) == (False, FEW)
        await others_run(clock, 103.0)
        assert looks(clock, 103.25, made) == (False, FEW)
        # nobody else has run: it has cost all of it itself
        assert looks(clock, 104.0, made) == (True, 2)

    asyncio.run(main())


def test_what_a_turn_has_cost_others_is_not_counted(clock: Clock) -> None:
    async def main() -> None:
        first, second, late = Own(), Own(), Own()
        await others_run(clock, 100.125)
        assert looks(clock, 100.5, first) == (False, 4)
        assert looks(clock, 101.25, second) == (False, 4)  # since 100.5, when the first has looked
        assert looks(clock, 101.5, second) == (True, 4)
        clock.now = 102.0
        first.rested()
        assert looks(clock, 102.875, late) == (False, 4)  # since 102.0, when the first has rested
        assert looks(clock, 103.0, late) == (True, 4)

    asyncio.run(main())


def test_a_look_behind_a_quick_slice_is_told_to_nobody(clock: Clock) -> None:
    async def main() -> None:
        quick, other = Own(), Own()
        assert looks(clock, 100.0625, quick) == (False, 4)
        await others_run(clock, 100.09375)
        assert looks(clock, 100.15625, quick) == (False, 16)
        assert looks(clock, 101.09375, other) == (True, 4)  # since 100.09375, when the turn has begun

    asyncio.run(main())


def test_one_that_has_rested_begins_there(clock: Clock) -> None:
    async def main() -> None:
        made = Own()
        await others_run(clock, 100.5)
        clock.now = 101.0
        made.rested()
        made.size = 64
        assert looks(clock, 101.75, made) == (False, 21)  # a quarter of the budget, of 64 in 0.75
        assert looks(clock, 102.0, made) == (True, 21)

    asyncio.run(main())


@contextmanager
def asked() -> Iterator[list[Any]]:
    """What the running event loop is asked to note."""
    loop: Any = asyncio.get_running_loop()
    found = list[Any]()
    call_soon = loop.call_soon

    def noting(callback: Any, *arguments: Any, context: Any = None) -> Any:
        if getattr(callback, "__func__", None) is NOTED:
            assert context is not None
            assert not [*context]
            found.append(callback)
        return call_soon(callback, *arguments, context=context)

    loop.call_soon = noting
    yield found
    del loop.call_soon


def test_each_turn_is_noted_once_for_all_loops_that_ask() -> None:
    async def main() -> None:
        with asked() as found:
            for turn in (1, 2):
                for _ in range(3):
                    Own().due()
                assert len(found) == turn
                await asyncio.sleep(0)

    asyncio.run(main())


def test_each_event_loop_has_turns_of_its_own() -> None:
    def here(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        thread = Thread(target=asyncio.run, args=(work(),))
        thread.start()
        thread.join()

    async def asks() -> None:
        with asked() as found:
            Own()
            assert len(found) == 1
            done.append(1)

    async def main() -> None:
        Own()  # which has asked here, and nowhere else
        here(asks)
        with asked() as found:
            Own().due()
            assert found == []

    done = list[int]()
    asyncio.run(main())
    asyncio.run(asks())
    assert len(done) == 2


def test_where_no_event_loop_runs_none_is_asked() -> None:
    assert Own().size == 1
