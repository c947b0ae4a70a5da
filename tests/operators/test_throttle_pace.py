"""throttle: the rate that it keeps, whatever the timers do, and the items that it leaves in a buffer."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Gap,
    KeepLatest,
    Stream,
    Suspend,
    ops,
    push,
)
from streamkit.testing import run
from tests.marbles import ERROR, drawn, note, noted


def in_time() -> float:
    return 0.0


RATES = st.floats(-2.0, 6.0).map(lambda power: 10.0**power)


def coarse(grain: float, late: Callable[[], float]) -> None:
    """Have the timers of the running loop ring on the beat of `grain` only, and `late` even then."""
    loop: Any = asyncio.get_running_loop()
    exact = loop.call_at

    def call_at(when: float, *arguments: Any, **named: Any) -> Any:
        beat = math.ceil(when / grain) * grain if grain else when
        return exact(max(beat, when) + late(), *arguments, **named)

    loop.call_at = call_at


def times(rate: float, count: int, grain: float = 0.0, late: Callable[[], float] = in_time) -> list[float]:
    """When each of `count` items passes that all wait from the start."""

    async def main() -> list[float]:
        coarse(grain, late)
        seen = await note(Stream(range(count)) | ops.throttle(rate))
        return [when for when, item in seen if item != "|"]

    return run(main)


class TestRates:
    @given(RATES)
    def test_any_rate_is_exact_where_the_timers_are(self, rate: float) -> None:
        seen = times(rate, 1001)
        assert seen[-1] == pytest.approx(1000 / rate, rel=1e-6)
        assert seen[500] == pytest.approx(500 / rate, rel=1e-6)

    @given(RATES, st.sampled_from([0.001, 0.015]))
    def test_coarse_timers_are_made_up_for(self, rate: float, grain: float) -> None:
        seen = times(rate, 1001, grain)
        assert 1000 / rate - 1e-6 <= seen[-1] <= 1000 / rate + grain + 1e-6
        for number, when in enumerate(seen):
            assert when >= number / rate - 1e-6  # nothing passes before it is due

    @given(RATES, st.lists(st.floats(0.0, 0.09), min_size=1, max_size=9))
    def test_so_are_late_ones(self, rate: float, late: list[float]) -> None:
        turns = iter(late * 1001)
        seen = times(rate, 1001, late=lambda: next(turns))
        assert 1000 / rate - 1e-6 <= seen[-1] <= 1000 / rate + max(late) + 1e-6

    def test_an_item_that_comes_after_a_late_timer_and_a_pause_finds_no_more_than_burst(self) -> None:
        async def source() -> AsyncIterator[int]:
            for number in range(40):
                if number == 20:
                    await asyncio.sleep(50.0)
                yield number

        async def main() -> list[tuple[float, Any]]:
            coarse(0.0, lambda: 0.05)
            return await note(Stream(source) | ops.throttle(100.0))

        seen = [when for when, item in run(main) if item != "|"]
        assert seen[20] > 50.0
        assert seen[21] > seen[20]

    @pytest.mark.full
    def test_in_real_time(self) -> None:
        async def main() -> float:
            begun = 0.0
            async for number in Stream(range(4001)) | ops.throttle(20_000.0):
                if not number:
                    begun = time.perf_counter()
            return time.perf_counter() - begun

        took = min(asyncio.run(main()) for _ in range(3))
        assert 0.199 < took < 0.25


def numbers(until: int) -> Callable[[], AsyncIterator[int]]:
    """0, 1, 2 and so on, one every second, from the first second on."""

    async def source() -> AsyncIterator[int]:
        for number in range(until):
            await asyncio.sleep(1.0)
            yield number

    return source


LOSSY: dict[str, tuple[Any, list[Any]]] = {
    "KeepLatest": (KeepLatest(), [0, 10, 20]),
    "DropOldest": (DropOldest(2), [0, 9, 19]),
    "DropYoungest": (DropYoungest(2), [0, 1, 10]),
    "DropIncoming": (DropIncoming(2), [0, 1, 2]),
    "DropAll": (DropAll(3), [0, 10, 20]),
    "Conflate": (Conflate(max), [0, 10, 20]),
    "Collect": (Collect(99), [[0], [*range(1, 11)], [*range(11, 21)]]),
    "gaps": (KeepLatest(gaps=True), [0, Gap(9), 10]),
}
THROTTLES: dict[str, Any] = {
    "plain": lambda: ops.throttle(0.1),
    "cost": lambda: ops.throttle(0.1, cost=lambda _: 1),
    "waiting cost": lambda: ops.throttle(0.1, cost=_one),
    "behind a step": lambda: ops.map(lambda item: item) | ops.throttle(0.1),
    "behind steps": lambda: ops.filter(lambda _: True) | ops.enumerate() | _second() | ops.throttle(0.1),
    "in a group": lambda: ops.throttle(0.1),
}


async def _one(_: Any) -> int:
    await asyncio.sleep(0)
    return 1


def _second() -> Any:
    return ops.map(lambda pair: pair[1])


@pytest.mark.parametrize("name", LOSSY)
@pytest.mark.parametrize("throttle", THROTTLES)
def test_an_item_in_a_buffer_can_be_replaced_until_it_may_pass(name: str, throttle: str) -> None:
    strategy, wants = LOSSY[name]
    pipe = ops.buffer(strategy) | THROTTLES[throttle]()
    if throttle == "in a group":
        pipe = ops.group_by(lambda _: "key", pipe, max_groups=1) | _second()
    seen = noted(Stream(numbers(25)) | pipe)
    assert seen[:3] == [(1.0, wants[0]), (11.0, wants[1]), (21.0, wants[2])]


@pytest.mark.parametrize("name", LOSSY)
def test_so_can_one_in_the_buffer_of_a_source(name: str) -> None:
    strategy, wants = LOSSY[name]

    async def main() -> list[tuple[float, Any]]:
        stream, emitter = push(strategy)

        async def send() -> None:
            async for number in Stream(numbers(25)):
                emitter.offer(number)
            emitter.close()

        sending = asyncio.create_task(send())
        seen = await note(stream | ops.throttle(0.1))
        await sending
        return seen

    assert [item for _, item in run(main)][:3] == wants


def test_a_lossless_buffer_is_read_as_before() -> None:
    seen = noted(Stream(numbers(3)) | ops.buffer(Suspend(2)) | ops.throttle(0.1))
    assert seen == [(1.0, 0), (11.0, 1), (21.0, 2), (21.0, "|")]


def test_the_end_and_an_error_do_not_wait_for_tokens() -> None:
    for marbles, end in (("a-b--|", (10.0, "|")), ("a-b--X", (10.0, ERROR)), ("a----X", (5.0, ERROR))):
        seen = noted(Stream(drawn(marbles)) | ops.buffer(KeepLatest()) | ops.throttle(0.1))
        assert seen[-1] == end


def test_with_flatten_each_item_made_of_one_waits_and_the_rest_stays_in_the_buffer() -> None:
    pipe: Any = (
        ops.buffer(KeepLatest()) | ops.map(lambda item: [item] * 2) | ops.flatten() | ops.throttle(0.1)
    )
    seen = noted(Stream(numbers(45)) | pipe)
    assert seen[:5] == [(1.0, 0), (11.0, 0), (21.0, 20), (31.0, 20), (41.0, 40)]


def test_failing_looks_at_when_an_item_comes() -> None:
    seen = noted(Stream(numbers(3)) | ops.buffer(KeepLatest()) | ops.throttle(0.1, failing=True))
    assert [type(item).__name__ for _, item in seen] == ["int", "RateExceededError"]


def test_the_buffer_is_counted_and_named_as_its_own() -> None:
    dropped: list[Any] = []

    async def main() -> None:
        buffer = ops.buffer(KeepLatest(on_drop=lambda item, _: dropped.append(item)))
        handle = (Stream(numbers(25)) | buffer | ops.throttle(0.1) | ops.drain()).start()
        await handle
        (stats,) = handle.buffers()
        assert stats.operator.startswith("buffer(")
        assert (stats.offered, stats.delivered, stats.dropped) == (25, 4, 21)

    run(main)
    assert len(dropped) == 21


@pytest.mark.parametrize(
    "pipe",
    [
        *(ops.throttle(1.0), ops.throttle(0.25), ops.delay_start(5.0)),
        ops.throttle(1.0, cost=lambda _: 1.0),  # a stage of its own, no step of its reader
    ],
    ids=repr,
)
def test_a_timeout_of_the_source_fires_in_it_while_its_item_waits(pipe: Any) -> None:
    fired: list[int] = []

    async def source() -> AsyncIterator[int]:
        for number in range(3):
            try:
                async with asyncio.timeout(2.0):
                    yield number
            except TimeoutError:
                fired.append(number)

    stream = Stream(source) | pipe | ops.throttle(0.2)
    assert run(lambda: stream | ops.to_list()) == [0, 1, 2]
    assert 1 in fired


def test_in_debt_it_leaves_items_in_a_buffer_though_steps_stand_between_and_each_has_a_cost() -> None:
    buffered = Stream(drawn("abcdefghij|")) | ops.buffer(DropOldest(1)) | ops.map(str.upper)
    seen = noted(buffered | ops.throttle(1 / 3, cost=lambda _: 2.0))
    # A leaves a debt of 1 token, which lasts until 3.0: what is newest then waits for a full bucket
    assert seen == [(0.0, "A"), (6.0, "D"), (12.0, "J"), (12.0, "|")]


def test_a_scope_of_the_source_that_fires_while_its_item_waits_for_a_token_is_the_sources() -> None:
    """It is so in each form of the loop that has the throttle inside: of a job, an iterator and a pump."""

    async def source() -> AsyncIterator[str]:
        yield "a"
        try:
            async with asyncio.timeout(1.0):
                yield "b"
                yield "never"
        except TimeoutError:
            yield "late"
        yield "c"

    slow = Stream(source) | ops.throttle(1 / 3)
    wanted = [(0.0, "a"), (3.0, "b"), (6.0, "late"), (9.0, "c")]
    seen: list[tuple[float, str]] = []

    async def job(stream: Stream[str]) -> None:
        time = asyncio.get_running_loop().time
        await (stream | ops.for_each(lambda item: seen.append((time(), item))))

    for stream in (slow, slow | ops.buffer(Suspend(1)), slow | ops.throttle(1e6)):
        del seen[:]
        run(lambda stream=stream: job(stream))
        assert [(round(time, 3), item) for time, item in seen] == wanted
        found = noted(stream)
        assert [(round(time, 3), item) for time, item in found[:-1]] == wanted


def test_a_gap_at_the_end_of_a_buffer_is_the_last_that_comes() -> None:
    stream = Stream(drawn("abcd|")) | ops.buffer(DropIncoming(1, gaps=True)) | ops.throttle(0.25)
    assert noted(stream) == [(0.0, "a"), (4.0, "b"), (8.0, Gap(2)), (8.0, "|")]
