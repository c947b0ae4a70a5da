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
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops

Work = Callable[[int], Any]
"""Goes through so many items; one that is a coroutine function is run."""

SLICE = 1024
"""Items per slice of a loop whose clock stands still, once it has grown."""
GROWING = 1 + 4 + 16 + 64 + 256
"""Items in the slices before."""


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
    with counting() as tally:
        done = work(items)
        if inspect.iscoroutine(done):
            asyncio.run(done)
    return tally.count


def per_item(work: Work) -> float:
    opcodes(work, GROWING)  # compiles, imports and fills caches
    return (opcodes(work, GROWING + 2 * SLICE) - opcodes(work, GROWING + SLICE)) / SLICE


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock that loops size their slices by stands still: slices grow the same way in each run."""
    monkeypatch.setattr("streamkit._engine.compile.pace.perf_counter", lambda: 0.0)


# ours, and by hand -----------------------------------------------------------------------------------------


def add(number: int) -> int:
    return number + 1


def odd(number: int) -> int:
    return number % 2


def triple(number: int) -> int:
    return number * 3


async def numbers(items: int) -> AsyncIterator[int]:
    for number in range(items):
        yield number


def chain(source: Any) -> Any:
    return Stream(source) | ops.map(add) | ops.filter(odd) | ops.map(triple)


async def range_ours(items: int) -> list[int]:
    return await (chain(range(items)) | ops.to_list())


async def iter_ours(items: int) -> list[int]:
    return await (chain(iter(range(items))) | ops.to_list())


async def range_by_hand(items: int) -> list[int]:
    def loop(source: Any, function: Any, predicate: Any, function2: Any) -> list[int]:
        out: list[int] = []
        for item in source:
            value = function(item)
            if predicate(value):
                out.append(function2(value))
        return out

    return loop(range(items), add, odd, triple)


async def ten_ours(items: int) -> list[int]:
    stream: Any = Stream(range(items))
    for _ in range(10):
        stream = stream | ops.map(add)
    return await (stream | ops.to_list())


async def ten_by_hand(items: int) -> list[int]:
    def loop(source: Any, function: Any) -> list[int]:
        out: list[int] = []
        for item in source:
            value = function(item)
            value = function(value)
            value = function(value)
            value = function(value)
            value = function(value)
            value = function(value)
            value = function(value)
            value = function(value)
            value = function(value)
            out.append(function(value))
        return out

    return loop(range(items), add)


async def async_ours(items: int) -> list[int]:
    return await (chain(lambda: numbers(items)) | ops.to_list())


async def async_by_hand(items: int) -> list[int]:
    async def loop(source: Any, function: Any, predicate: Any, function2: Any) -> list[int]:
        out: list[int] = []
        async for item in source:
            value = function(item)
            if predicate(value):
                out.append(function2(value))
        return out

    return await loop(numbers(items), add, odd, triple)


async def iterated_ours(items: int) -> None:
    async for _ in chain(lambda: numbers(items)):
        pass


async def iterated_by_hand(items: int) -> None:
    async def loop(source: Any, function: Any, predicate: Any, function2: Any) -> AsyncIterator[int]:
        async for item in source:
            value = function(item)
            if predicate(value):
                yield function2(value)

    async for _ in loop(numbers(items), add, odd, triple):
        pass


def plain_ours(items: int) -> None:
    for _ in chain(range(items)):
        pass


def plain_by_hand(items: int) -> None:
    def loop(source: Any, function: Any, predicate: Any, function2: Any) -> Iterator[int]:
        for item in source:
            value = function(item)
            if predicate(value):
                yield function2(value)

    for _ in loop(range(items), add, odd, triple):
        pass


async def pumped_ours(items: int) -> list[int]:
    return await (Stream(lambda: numbers(items)) | ops.buffer(Suspend(64)) | ops.to_list())


async def pumped_by_hand(items: int) -> list[int]:
    """A deque and two futures; no queue, which costs more than half as much again."""
    loop = asyncio.get_running_loop()
    held: deque[int] = deque()
    roomy = ready = loop.create_future()

    async def pump() -> None:
        nonlocal roomy
        async for item in numbers(items):
            held.append(item)
            if not ready.done():
                ready.set_result(None)
            if len(held) == 64:
                roomy = loop.create_future()
                await roomy

    async def read() -> list[int]:
        nonlocal ready
        out: list[int] = []
        while True:
            while held:
                out.append(held.popleft())
                if len(held) == 32 and not roomy.done():
                    roomy.set_result(None)
            if task.done():
                return out
            ready = loop.create_future()
            await ready

    roomy = loop.create_future()
    task = loop.create_task(pump())
    task.add_done_callback(lambda _: ready.done() or ready.set_result(None))
    return await read()


async def turn(number: int) -> int:
    await asyncio.sleep(0)
    return number


async def spread_ours(items: int) -> list[int]:
    stream = Stream(iter([range(items)])) | ops.flatten() | ops.filter(odd)
    return await (stream | ops.map(turn, concurrency=8) | ops.to_list())


async def spread_by_hand(items: int) -> list[int]:
    def numbered(function: Any) -> Iterator[tuple[int, int]]:
        number = 0
        for item in range(items):
            if function(item):
                yield number, item
                number += 1

    async def work(function: Any) -> None:
        for number, item in todo:
            out[number] = await function(item)

    out, todo = [0] * items, numbered(odd)
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(work(turn))
    return out


async def merged_ours(items: int) -> list[int]:
    half = items // 2
    return await (Stream(lambda: numbers(half)) | ops.merge(lambda: numbers(half)) | ops.to_list())


async def merged_by_hand(items: int) -> list[int]:
    queue: asyncio.Queue[int | None] = asyncio.Queue(2)

    async def pump() -> None:
        async for item in numbers(items // 2):
            await queue.put(item)
        await queue.put(None)

    async with asyncio.TaskGroup() as group:
        group.create_task(pump())
        group.create_task(pump())
        out: list[int] = []
        for _ in range(2):
            while (item := await queue.get()) is not None:
                out.append(item)
    return out


SHARE = 16


async def ahead_ours(items: int) -> list[int]:
    first, *others = [lambda: numbers(items // 10)] * 10
    return await (Stream(first) | ops.merge(*others, lookahead=SHARE) | ops.to_list())


async def ahead_by_hand(items: int) -> list[int]:
    """Ten pumps into one deque, each of which may have its share there."""
    loop = asyncio.get_running_loop()
    held: deque[tuple[list[Any], int]] = deque()
    ready = loop.create_future()
    running = 10

    async def pump() -> None:
        nonlocal running
        room: list[Any] = [SHARE, None]
        async for item in numbers(items // 10):
            held.append((room, item))
            room[0] -= 1
            if len(held) == 1 and not ready.done():
                ready.set_result(None)
            if not room[0]:
                room[1] = loop.create_future()
                await room[1]
        running -= 1
        if not ready.done():
            ready.set_result(None)

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(pump())
        out: list[int] = []
        while running or held:
            if not held:
                ready = loop.create_future()
                await ready
            while held:
                room, item = held.popleft()
                out.append(item)
                room[0] += 1
                if room[0] == SHARE and room[1] is not None:
                    room[1].set_result(None)
                    room[1] = None
    return out


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

COUNTED = (COUNT[0] + LOOK, COUNT[1] + LOOK, COUNT[2] + LOOK)
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
    Pair(plain_ours, plain_by_hand, (NAME / 2 + LOOK,) * 3),
    # both loops look at a burst, where by hand they look at each item: as many opcodes as what they look for
    Pair(pumped_ours, pumped_by_hand, (0.5, 2.4, 2.4)),
    # for one of two, which gets past the filter: its number, its turn and its place, the clock, the
    # lane that counts it, and two loops of others that the worker runs, where by hand it has one, and a list
    Pair(spread_ours, spread_by_hand, (41.6, 40.1, 45.1)),
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.ours.__name__)
def test_an_item_costs_what_it_costs_by_hand(pair: Pair) -> None:
    ours, by_hand = per_item(pair.ours), per_item(pair.by_hand)
    assert ours <= by_hand + pair.allowed, f"{ours - by_hand} opcodes more per item, not {pair.allowed}"


def test_an_item_of_a_merge_costs_at_most_half_more_than_through_a_queue() -> None:
    assert per_item(merged_ours) <= 1.5 * per_item(merged_by_hand)


def test_an_item_of_a_merge_that_reads_ahead_costs_less_than_through_one_deque() -> None:
    assert per_item(ahead_ours) <= 0.95 * per_item(ahead_by_hand)


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
