"""What is the same for every sink."""

import asyncio
from collections.abc import Iterator
from operator import add
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.testing import run
from tests.sinks.counting import Counted

SINKS: dict[str, Any] = {
    "to_list": ops.to_list(),
    "fold": ops.fold(add, 0),
    "count": ops.count(),
    "first": ops.first(default=None),
    "last": ops.last(default=None),
    "for_each": ops.for_each(bool),
    "for_each, concurrent": ops.for_each(bool, concurrency=3),
    "drain": ops.drain(),
    "single": ops.take(1) | ops.single(),
    "to_queue": ops.to_queue(asyncio.Queue()),
    "to_set": ops.to_set(),
    "to_dict": ops.to_dict(key=str),
    "reduce": ops.reduce(add),
    "sum": ops.sum(),
    "mean": ops.mean(),
    "min": ops.min(),
    "max": ops.max(key=str),
    "all": ops.all(bool),
    "any": ops.any(),
    "contains": ops.contains(5),
    "is_empty": ops.is_empty(),
    "sequence_equal": ops.sequence_equal([0, 1]),
}


@pytest.mark.parametrize("sink", SINKS.values(), ids=SINKS)
class TestEverySink:
    def test_makes_a_new_run_at_each_await(self, sink: Any) -> None:
        source = Counted(2)
        job = Stream(source) | sink

        async def main() -> None:
            assert await job == await job

        run(main)
        assert source.closed == 2

    def test_takes_any_iterable_from_the_left(self, sink: Any) -> None:
        assert ([1, 2] | sink).run() == (Stream([1, 2]) | sink).run()

    def test_behind_operators_is_a_sink(self, sink: Any) -> None:
        joined = ops.map(lambda number: number + 1) | sink
        assert (Stream([1, 2]) | joined).run() == (Stream([2, 3]) | sink).run()

    def test_nothing_can_stand_behind_it(self, sink: Any) -> None:
        with pytest.raises(TypeError):
            sink | ops.take(1)

    def test_an_error_of_the_source_comes_as_itself(self, sink: Any) -> None:
        error = OSError("gone")

        def source() -> Iterator[int]:
            raise error
            yield 1

        with pytest.raises(OSError, match="gone") as caught:
            (Stream(source) | sink).run()
        assert caught.value is error
