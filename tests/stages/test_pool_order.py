"""A concurrent map: the order of its results, and the bound."""

# ruff: noqa: B023 - what is defined in a loop runs in that turn of it

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Stream, ops
from streamkit.testing import VirtualLoop, run
from tests.stages.pools import BEFORE, FUNCTIONS, MANY, SOURCES, mixed, one_turn, outcome, plain, ready


class TestOrder:
    @pytest.mark.spread(2)
    @pytest.mark.parametrize("before", BEFORE)
    @pytest.mark.parametrize("function", FUNCTIONS)
    @pytest.mark.parametrize("source", SOURCES)
    def test_of_many_items_over_every_kind_of_source(self, source: str, function: Any, before: str) -> None:
        operators, options = BEFORE[before]
        stream = Stream(SOURCES[source](range(MANY))).pipe(*operators)
        kept = stream | ops.map(function, concurrency=7, **options) | ops.to_list()
        assert run(lambda: outcome(kept)) == [-item for item in range(MANY)]

    @pytest.mark.parametrize("function", FUNCTIONS)
    @pytest.mark.parametrize("source", ["list", "iterator"])
    def test_breathing_changes_nothing(
        self, source: str, function: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("streamkit._engine.compile.pace.Pace.due", lambda self: True)
        for operators, options in BEFORE.values():
            stream = Stream(SOURCES[source](range(300))).pipe(*operators)
            kept = stream | ops.map(function, concurrency=5, **options) | ops.to_list()
            assert run(lambda: outcome(kept)) == [-item for item in range(300)]

    @given(
        turns=st.lists(st.integers(0, 5), max_size=30),
        concurrency=st.integers(2, 6),
        source=st.sampled_from([*SOURCES]),
        before=st.sampled_from([*BEFORE]),
        behind=st.sampled_from([None, 0, 1, 2]),
        ordered=st.booleans(),
    )
    def test_it_is_what_python_makes(
        self,
        turns: list[int],
        concurrency: int,
        source: str,
        before: str,
        behind: int | None,
        ordered: bool,
    ) -> None:
        async def work(number: int) -> int:
            for _ in range(turns[number]):
                await asyncio.sleep(0)
            return -number

        async def busy(number: int) -> None:
            for _ in range(behind or 0):
                await asyncio.sleep(0)

        operators, options = BEFORE[before]
        numbers = range(len(turns))
        mapped = ops.map(work, concurrency=concurrency, ordered=ordered, **options)
        stream = Stream(SOURCES[source](numbers)).pipe(*operators) | mapped
        if behind is not None:
            stream = stream | ops.tap(lambda number: busy(number))
        found = run(lambda: outcome(stream | ops.batch(2) | ops.to_list()))
        assert [len(batch) for batch in found[:-1]] == [2] * len(found[:-1])
        flat = [number for batch in found for number in batch]
        assert (flat if ordered else sorted(flat, reverse=True)) == [-number for number in numbers]

    @pytest.mark.spread
    @pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
    @pytest.mark.parametrize("concurrency", [2, 5, 600])
    @pytest.mark.parametrize("function", [plain, ready, one_turn, mixed])
    @pytest.mark.parametrize("source", ["list", "iterator", "async"])
    def test_with_eager_tasks(self, source: str, function: Any, concurrency: int) -> None:
        begun: list[int] = []

        def noting(item: int) -> Any:
            begun.append(item)
            return function(item)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined,unused-ignore]
            for operators, options in BEFORE.values():
                begun.clear()
                stream = Stream(SOURCES[source](range(700))).pipe(*operators)
                kept = stream | ops.map(noting, concurrency=concurrency, **options) | ops.to_list()
                assert await kept == [-item for item in range(700)]
                assert begun == [*range(700)]

        run(main)


class Inside:
    """Counts the items that were begun and not delivered."""

    def __init__(self, turns: Callable[[int], int] = lambda item: item % 4) -> None:
        self.turns = turns
        self.now = self.most = 0

    async def __call__(self, item: int) -> int:
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(self.turns(item)):
            await asyncio.sleep(0)
        return item

    def delivered(self, _: int) -> None:
        self.now -= 1


class TestBound:
    @pytest.mark.spread
    @pytest.mark.parametrize("ordered", [True, False])
    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize("sink", ["fast", "slow", "returned", "for"])
    def test_no_more_are_begun_than_concurrency_allows(self, sink: str, source: str, ordered: bool) -> None:
        inside = Inside()

        async def later(item: int) -> None:
            inside.delivered(item)
            for _ in range(item % 3):
                await asyncio.sleep(0)

        async def main() -> None:
            stream = Stream(SOURCES[source](range(200))) | ops.map(inside, concurrency=5, ordered=ordered)
            if sink == "for":
                async for item in stream:
                    await later(item)
                return
            sinks: dict[str, Any] = {"fast": inside.delivered, "slow": later, "returned": lambda i: later(i)}
            await (stream | ops.for_each(sinks[sink]))

        run(main)
        assert inside.now == 0
        # what a callback behind returned is awaited in the hand of the loop that reads
        assert inside.most <= 5 + (sink == "returned")
        if source in ("range", "list", "tuple"):
            assert inside.most >= 5

    @pytest.mark.spread
    @pytest.mark.parametrize("before", ["", "lookahead"])
    @pytest.mark.parametrize("source", SOURCES)
    @pytest.mark.parametrize("concurrency", [2, 64, 500])
    def test_all_are_in_flight_within_a_few_steps(self, source: str, concurrency: int, before: str) -> None:
        begun: list[int] = []

        async def work(item: int) -> int:
            begun.append(loops[0].steps)
            await asyncio.sleep(1.0)
            return item

        loops: list[VirtualLoop] = []

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            loops.append(loop)
            operators, options = BEFORE[before]
            stream = Stream(SOURCES[source](range(2 * concurrency))).pipe(*operators)
            await (stream | ops.map(work, concurrency=concurrency, **options) | ops.drain())
            assert loop.time() == 2.0

        run(main)
        if source != "async turns":  # its items come one per step
            assert begun[concurrency - 1] - begun[0] <= 12 + concurrency / (2 if before else 4)

    def test_results_that_wait_for_their_turn_have_their_place(self) -> None:
        begun: list[tuple[float, int]] = []

        async def work(item: int) -> int:
            begun.append((asyncio.get_running_loop().time(), item))
            await asyncio.sleep(5.0 if item == 0 else 1.0)
            return item

        run(lambda: outcome(Stream(range(6)) | ops.map(work, concurrency=3) | ops.drain()))
        assert begun == [(0.0, 0), (0.0, 1), (0.0, 2), (5.0, 3), (5.0, 4), (5.0, 5)]
