"""Rows: which pumps a reader of several lanes steps for the next row, and what it tells their lanes."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import streamkit
from streamkit import ops
from streamkit._engine.buffer.driven import LATE, PARKED
from streamkit._engine.run.rows import RowReader
from streamkit.testing import run


class Lane:
    """A lane with room for `limit` items, whose pump brings as many in a step; or is late, once.

    Or it takes so long that it is time for the `tired` reader to let others run.
    """

    def __init__(self, limit: int, *, late: bool = False, tired: bool = False) -> None:
        self.limit = limit
        self.held: deque[int] = deque()
        self.stepped = self.given = self.eased = 0
        self.brought_from: list[int] = []
        self.account = SimpleNamespace(not_full=self._not_full)
        self._late, self._tired, self._next = late, tired, 0
        self.driver = SimpleNamespace(
            ready=True,
            stopped=bool,
            task=asyncio.current_task(),
            send=None,
            there=self._step,
            told=self._told,
        )

    def _step(self, *_: Any) -> Any:
        self.stepped += 1
        if self._late:
            self._late = False
            return LATE
        while len(self.held) < self.limit:
            self.held.append(self._next)
            self._next += 1
        if self._tired:
            self.tires()
        return PARKED

    def _told(self, waiting: Any, error: BaseException | None) -> bool:
        assert (waiting, error) == (LATE, None)
        self.tires()
        return False

    def tires(self) -> None:
        """The clock of the reader, which it is set to."""

    def _not_full(self) -> None:
        self.eased += 1

    def brought(self, before: int) -> None:
        self.brought_from.append(before)

    def gave(self, more: int) -> None:
        self.given += more


def reading(*lanes: Lane) -> Any:
    reader: Any = RowReader(asyncio.get_running_loop())
    assert not reader.late
    for lane in lanes:
        lane.tires = reader.clock.tires
        reader.reads(lane)
    reader.stop()  # nothing is filled up meanwhile, unless it is asked for
    reader._stopped = False
    reader.clock.size = reader.clock.left = 64
    return reader


def test_as_many_are_ready_as_the_fewest_that_one_lane_holds() -> None:
    async def main() -> None:
        for limits, expected in [
            ((1, 1), 1),
            ((3, 2), 2),
            ((3, 3), 3),
            ((1, 2), 1),
            ((2, 2), 2),
            ((2, 1), 1),
        ]:
            lanes = [Lane(limit) for limit in limits]
            assert reading(*lanes).ready() == expected, limits

    run(main)


def test_pumps_are_stepped_whose_lanes_are_empty() -> None:
    async def main() -> None:
        full, empty = Lane(1), Lane(1)
        reader = reading(full, empty)
        full.held.append(7)
        assert reader.ready() == 1
        assert (full.stepped, empty.stepped) == (0, 1)
        assert reader.row() == (7, 0)
        assert reader.ready() == 1
        assert (full.stepped, empty.stepped) == (1, 2)

    run(main)


def test_it_is_late_where_pumps_that_were_not_stepped_are_ready() -> None:
    async def main() -> None:
        for ready in (True, False):
            lanes = [Lane(1, tired=True), Lane(1), Lane(1)]
            lanes[1].driver.ready = False
            lanes[2].driver.ready = ready
            reader = reading(*lanes)
            reader.clock.left = 1
            assert not reader.ready()
            assert [lane.stepped for lane in lanes] == [1, 0, 0]
            assert reader.late is ready
            reader.rested()
            assert not reader.late
        reader = reading(Lane(1, late=True))
        assert not reader.ready()
        assert reader.late  # the pump itself goes on, when others have run

    run(main)


def test_lanes_are_told_what_was_taken_and_filled_up_when_others_have_run() -> None:
    async def main() -> None:
        lanes = [Lane(4), Lane(3)]
        reader = reading(*lanes)
        assert reader.ready() == 3
        rows = reader.rows(3)
        assert next(rows) == (0, 0)
        reader.count()
        assert [lane.given for lane in lanes] == [1, 1]
        assert [*rows] == [(1, 1), (2, 2)]
        reader.count()
        assert [lane.given for lane in lanes] == [3, 3]
        assert [lane.eased for lane in lanes] == [1, 1]
        await asyncio.sleep(0)
        assert [len(lane.held) for lane in lanes] == [4, 3]
        assert [lane.eased for lane in lanes] == [1, 1]
        assert [lane.brought_from for lane in lanes] == [[1], [0]]
        assert reader.row() == (3, 3)
        assert [lane.eased for lane in lanes] == [2, 2]
        assert [*reader.rows(1)] == [(4, 4)]
        assert [lane.eased for lane in lanes] == [2, 2]  # once, until they are filled up
        reader.count()
        assert [lane.given for lane in lanes] == [5, 5]
        reader.waits()
        assert [lane.brought_from[-1] for lane in lanes] == [2, 1]
        lanes[1].driver.ready = False
        await asyncio.sleep(0)
        assert [len(lane.held) for lane in lanes] == [4, 1]
        assert [lane.eased for lane in lanes] == [2, 2]
        stepped = lanes[0].stepped
        reader.fill()
        await asyncio.sleep(0)
        assert lanes[0].stepped == stepped  # it is full

    run(main)


def test_a_full_lane_is_noted_until_the_next_row_is_taken() -> None:
    async def main() -> None:
        lanes = [Lane(4), Lane(4)]
        reader = reading(*lanes)
        assert reader.ready() == 4
        rows = reader.rows(3)
        assert [lane.eased for lane in lanes] == [1, 1]
        reader.watch()
        assert next(rows) == (0, 0)
        assert [lane.eased for lane in lanes] == [2, 2]
        assert [*rows] == [(1, 1), (2, 2)]
        reader.watch()
        assert reader.row() == (3, 3)
        assert [lane.eased for lane in lanes] == [3, 3]

    run(main)


def test_sources_are_read_ahead_again_when_half_of_that_is_taken() -> None:
    """Also in the middle of rows that were there at once."""

    async def main(lookahead: int) -> set[int]:
        pulled, ahead = 0, list[int]()

        async def numbers() -> AsyncIterator[int]:
            nonlocal pulled
            for number in range(20):
                await asyncio.sleep(0.1)
                pulled += 1
                yield number

        async def work(row: tuple[int, int]) -> None:
            await asyncio.sleep(1.0)
            ahead.append(pulled // 2 - row[0] - 1)

        await (streamkit.zip(numbers, numbers, lookahead=lookahead) | ops.for_each(work))
        return {*ahead[: 20 - lookahead]}

    for lookahead, expected in [(1, {1}), (2, {2}), (4, {3, 4}), (7, {4, 5, 6, 7})]:
        assert run(partial(main, lookahead)) == expected
