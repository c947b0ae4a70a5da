"""window on arrival time: by the clock of the event loop; beside RxPY on its virtual time."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as rx
from reactivex.testing import ReactiveTest, TestScheduler

from streamkit import Hopping, Session, Sliding, Stream, Tumbling, Window, ops
from streamkit.testing import run
from tests.marbles import drawn, noted
from tests.operators.grouping import upper
from tests.operators.windowing import pipes

PAUSES = st.lists(st.integers(0, 12).map(lambda quarters: quarters / 4), max_size=12).map(
    lambda pauses: [0.125, *pauses]
)
"""Items come between the quarters of a second, windows end at them: so none comes as a window ends."""


def paused(pauses: list[float]) -> Any:
    async def source() -> AsyncIterator[int]:
        for number, pause in enumerate(pauses):
            await asyncio.sleep(pause)
            yield number

    return source


def of_rx(pauses: list[float], make: Any) -> list[tuple[float, list[int]]]:
    """What an operator of RxPY makes of the items, in its virtual time; without empty lists."""
    scheduler = TestScheduler()
    messages, now = [], 200
    for number, pause in enumerate(pauses):
        now += int(pause * 1000)
        messages.append(ReactiveTest.on_next(now, number))
    source = scheduler.create_hot_observable(*messages, ReactiveTest.on_completed(now))
    result = scheduler.start(lambda: source.pipe(make(scheduler)), disposed=now + 1)
    return [
        ((message.time - 200) / 1000, message.value.value)
        for message in result.messages
        if message.value.kind == "N" and message.value.value
    ]


class TestTumbling:
    @given(PAUSES, st.sampled_from([0.25, 1.0, 2.5]))
    def test_it_is_what_rx_does_but_for_empty_windows(self, pauses: list[float], seconds: float) -> None:
        found = noted(Stream(paused(pauses)) | ops.window(Tumbling(seconds=seconds), ops.to_list()))
        # RxPY counts from the subscription, ours from the first pull: both are the start
        expected = of_rx(pauses, lambda scheduler: rx.buffer_with_time(seconds * 1000, scheduler=scheduler))
        assert [(time, items) for time, (_, items) in found[:-1]] == expected

    @pytest.mark.parametrize("pipe", pipes(ops.to_list()), ids=str)
    def test_a_window_ends_when_nothing_comes(self, pipe: Any) -> None:
        stream = Stream(drawn("a--b----------c|")) | ops.window(Tumbling(seconds=2), pipe)
        assert noted(stream) == [
            (2.0, (Window(0, 2), ["a"])),
            (4.0, (Window(2, 4), ["b"])),
            (15.0, (Window(14, 16), ["c"])),
            (15.0, "|"),
        ]

    def test_what_comes_as_a_window_ends_is_in_the_next(self) -> None:
        stream = Stream(drawn("a-b|")) | ops.window(Tumbling(seconds=2), ops.to_list())
        assert [items for _, (_, items) in noted(stream)[:-1]] == [["a"], ["b"]]

    def test_a_consumer_that_is_late_stalls_the_source(self) -> None:
        stream = Stream("abc") | ops.window(Tumbling(seconds=2), ops.map(upper))
        assert noted(stream, 3.0) == [
            (0.0, (Window(0, 2), "A")),
            (3.0, (Window(2, 4), "B")),
            (3.0, (Window(2, 4), "C")),
            (3.0, "|"),
        ]

    def test_one_timer_for_all_keys_inside_a_window(self) -> None:
        keys = ops.group_by(upper, ops.count(), max_groups=9)
        stream = Stream(drawn("ab-A--b")) | ops.window(Tumbling(seconds=4), keys) | ops.take(3)
        assert noted(stream) == [
            (4.0, (Window(0, 4), ("A", 2))),
            (4.0, (Window(0, 4), ("B", 1))),
            (8.0, (Window(4, 8), ("B", 1))),
            (8.0, "|"),
        ]

    def test_each_key_can_have_windows_of_its_own(self) -> None:
        windows = ops.window(Tumbling(seconds=4), ops.count())
        stream = Stream(drawn("-a-bA--|")) | ops.group_by(upper, windows, max_groups=9)
        assert noted(stream) == [
            (5.0, ("A", (Window(0, 4), 2))),  # counted from when the group began, at 1
            (7.0, ("B", (Window(0, 4), 1))),
            (7.0, "|"),
        ]


class TestOthers:
    def test_hopping(self) -> None:
        stream = Stream(drawn("a--b|")) | ops.window(Hopping(seconds=4, every=2), ops.to_list())
        assert noted(stream) == [
            (2.0, (Window(-2, 2), ["a"])),
            (4.0, (Window(0, 4), ["a", "b"])),
            (4.0, (Window(2, 6), ["b"])),
            (4.0, "|"),
        ]

    @pytest.mark.parametrize("pipe", pipes(ops.to_list()), ids=str)
    def test_sessions(self, pipe: Any) -> None:
        stream = Stream(drawn("a-b---c---------|")) | ops.window(Session(gap=3), pipe)
        assert noted(stream) == [
            (5.0, (Window(0, 5), ["a", "b"])),
            (9.0, (Window(6, 9), ["c"])),
            (16.0, "|"),
        ]

    def test_a_session_has_the_bounds_that_it_has_so_far(self) -> None:
        stream = Stream(drawn("a-b|")) | ops.window(Session(gap=3), ops.map(upper))
        assert [bounds for _, (bounds, _) in noted(stream)[:-1]] == [Window(0, 3), Window(0, 5)]

    def test_sliding(self) -> None:
        stream = Stream(drawn("ab-c-d|")) | ops.window(Sliding(seconds=3), ops.to_list(), max_held=9)
        assert noted(stream)[:-1] == [
            (0.0, (Window(-3, 0), ["a"])),
            (1.0, (Window(-2, 1), ["a", "b"])),
            (3.0, (Window(0, 3), ["b", "c"])),
            (5.0, (Window(2, 5), ["c", "d"])),
        ]

    def test_a_clock_that_goes_backwards_stands_still(self) -> None:
        async def main() -> list[Any]:
            loop = asyncio.get_running_loop()
            real, back = loop.time, [0.0]

            async def source() -> AsyncIterator[str]:
                yield "a"
                await asyncio.sleep(5.0)
                yield "b"
                back[0] = 4.0
                yield "c"

            with patch.object(loop, "time", lambda: real() - back[0]):
                windows = ops.window(Tumbling(seconds=2), ops.to_list())
                return [each async for each in Stream(source) | windows]

        assert run(main) == [(Window(0, 2), ["a"]), (Window(4, 6), ["b", "c"])]

    def test_nothing_is_left_when_the_consumer_leaves(self) -> None:
        async def main() -> None:
            for pipe in pipes(ops.map(upper)):
                async with (Stream(drawn("ab")) | ops.window(Tumbling(seconds=3), pipe)).open() as items:
                    async for _ in items:
                        break

        run(main)
