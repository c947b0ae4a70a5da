"""What a fused loop costs beside the loop by hand, in opcodes: counted, not timed, so no machine is too slow.

Both sides are counted whole: callbacks, generators, tasks and the event loop. What a run costs to start
cancels out, because the run of some items is taken off the run of more. The loops by hand take their
functions as arguments, as ours do: a global costs an opcode less to call than a local.
"""

import asyncio
import gc
import inspect
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import pytest

from tests.compile.by_hand import (
    GROWING,
    SLICE,
    Work,
    add,
    ahead_by_hand,
    ahead_ours,
    async_by_hand,
    async_ours,
    flat_by_hand,
    flat_ours,
    iter_ours,
    iterated_by_hand,
    iterated_ours,
    looked_by_hand,
    looked_ours,
    mapped_by_hand,
    mapped_ours,
    merged_by_hand,
    merged_ours,
    plain_by_hand,
    plain_ours,
    pumped_by_hand,
    pumped_ours,
    range_by_hand,
    range_ours,
    spread_by_hand,
    spread_ours,
    ten_by_hand,
    ten_ours,
)

# counting --------------------------------------------------------------------------------------------------


class Tally:
    count = 0


@contextmanager
def counting() -> Generator[Tally, None, None]:
    """Count the opcodes that this thread executes in the block, in frames that begin there."""
    collects = gc.isenabled()
    gc.disable()  # what the collector calls is nobody's cost
    try:
        with _monitored() if sys.version_info >= (3, 12) else _traced() as tally:
            yield tally
    finally:
        if collects:
            gc.enable()


@contextmanager
def _traced() -> Generator[Tally, None, None]:
    tally = Tally()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode":
            tally.count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield tally
    finally:
        sys.settrace(before)


@contextmanager
def _monitored() -> Generator[Tally, None, None]:
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
    tally = Tally()
    thread = threading.get_ident()
    tool = next(each for each in range(6) if monitoring.get_tool(each) is None)
    instruction = monitoring.events.INSTRUCTION

    def count(_: CodeType, __: int) -> None:
        if threading.get_ident() == thread:
            tally.count += 1

    monitoring.use_tool_id(tool, __name__)
    try:
        monitoring.register_callback(tool, instruction, count)
        monitoring.set_events(tool, instruction)
        yield tally
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, instruction, None)
        monitoring.free_tool_id(tool)


def opcodes(work: Work, items: int) -> int:
    """How many it executes; the garbage of tests before it is not collected meanwhile."""
    gc.disable()
    try:
        with counting() as tally:
            _done(work, items)
    finally:
        gc.enable()
    return tally.count


def _done(work: Work, items: int) -> None:
    done = work(items)
    if inspect.iscoroutine(done):
        asyncio.run(done)


def per_item(work: Work) -> float:
    _done(work, GROWING)  # compiles, imports and fills caches
    return (opcodes(work, GROWING + 2 * SLICE) - opcodes(work, GROWING + SLICE)) / SLICE


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that loops size their slices by stands still: slices grow the same way in each run."""
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: 0.0)


# the guard -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    ours: Work
    by_hand: Work
    more: tuple[float, float, float]
    """Opcodes that ours executes more for each item, on Python 3.11, on 3.12, and on 3.13 and later."""

    @property
    def allowed(self) -> float:
        return self.more[min(sys.version_info.minor, 13) - 11]


LOOK = 0.2
"""Each slice looks at the clock: some 60 opcodes for 1024 items, or 45 for 256 where items are counted."""
NAME = 2
"""A result gets a name before it is yielded, where the loop by hand needs none: a store and a load."""
COUNT = (6, 6, 7)
"""`if not left: ...` and `left -= 1`, where a loop cannot be sliced; 3.13 executes one opcode more for it."""
FREED = 1
"""`del item`, before the next is asked for: nothing is kept while the source waits."""
COUNTED = (COUNT[0] + LOOK + FREED, COUNT[1] + LOOK + FREED, COUNT[2] + LOOK + FREED)
YIELDED = (
    COUNTED[0] + NAME / 2,
    COUNTED[1] + NAME / 2,
    COUNTED[2] + NAME / 2,
)  # every second one is passed on
PAIRS = [
    Pair(range_ours, range_by_hand, (LOOK,) * 3),
    Pair(iter_ours, range_by_hand, (LOOK,) * 3),
    Pair(ten_ours, ten_by_hand, (LOOK,) * 3),
    Pair(async_ours, async_by_hand, COUNTED),
    Pair(iterated_ours, iterated_by_hand, YIELDED),
    # of each list of eight the length, and whether it was gone through in parts
    Pair(flat_ours, flat_by_hand, (2.0, 2.0, 1.8)),
    # whether the result is of the same type as the last one was
    Pair(looked_ours, looked_by_hand, (10 + LOOK, 9 + LOOK, 9 + LOOK)),
    Pair(plain_ours, plain_by_hand, (NAME / 2 + LOOK,) * 3),
    # both loops look at a burst, where by hand they look at each item: as many opcodes as what they look for;
    # 0.6 of them count what comes in, a grant at a time
    Pair(pumped_ours, pumped_by_hand, (1.2 + FREED, 3.1 + FREED, 3.0 + FREED)),
    # for one of two, which gets past the filter: its number, its turn and its place, the clock, the
    # lane that counts it, and two loops of others that the worker runs, where by hand it has one, and a list;
    # one opcode is the price of the generator that hands it on, which saves items of ranges and lists a call
    Pair(spread_ours, spread_by_hand, (42.6, 41.6, 45.6)),
    # a turn, a place and the clock, the lane that counts it, and the loop of the reader, for a list by hand
    Pair(mapped_ours, mapped_by_hand, (61.5, 64.5, 64.5)),
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.ours.__name__)
def test_an_item_costs_what_it_costs_by_hand(pair: Pair) -> None:
    ours, by_hand = per_item(pair.ours), per_item(pair.by_hand)
    assert ours <= by_hand + pair.allowed, f"{ours - by_hand} opcodes more per item, not {pair.allowed}"


def test_an_item_of_a_merge_costs_at_most_half_more_than_through_a_queue() -> None:
    assert per_item(merged_ours) <= 1.5 * per_item(merged_by_hand)


def test_an_item_of_a_merge_that_reads_ahead_costs_less_than_through_one_deque() -> None:
    assert per_item(ahead_ours) <= 0.9 * per_item(ahead_by_hand)


# the counting itself ---------------------------------------------------------------------------------------


def test_one_statement_more_per_item_is_counted() -> None:
    def loop(items: int) -> None:
        for _ in range(items):
            pass

    def longer(items: int) -> None:
        for _ in range(items):
            found = items  # noqa: F841 - a load and a store

    assert per_item(longer) == per_item(loop) + 2


def test_the_same_work_counts_the_same_each_time() -> None:
    first, second = (opcodes(pumped_ours, SLICE) for _ in range(2))
    again = opcodes(pumped_ours, SLICE)
    assert second == again <= first


def test_counting_leaves_a_tracer_that_was_there_and_nothing_else() -> None:
    def tracer(*_: Any) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        with pytest.raises(KeyError), counting():
            raise KeyError
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    with counting() as tally:
        pass
    counted = tally.count
    add(1)
    assert tally.count == counted
    assert gc.isenabled()
