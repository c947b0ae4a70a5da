"""Sinks that pick one item."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import EmptyStreamError, SeveralItemsError, Stream, ops
from streamkit.testing import run
from tests.sinks.counting import Counted


async def awaited(job: Any) -> Any:
    return await job


async def failing() -> AsyncIterator[int]:
    yield 1
    raise OSError("gone")


class TestFirst:
    def test_pulls_one_item_and_closes_the_source(self) -> None:
        source = Counted()
        assert (Stream(source) | ops.first()).run() == 0
        assert (source.pulled, source.closed) == (1, 1)

    def test_ends_an_endless_stream(self) -> None:
        async def endless() -> AsyncIterator[int]:
            number = 0
            while True:
                yield number
                number += 1

        assert run(lambda: awaited(Stream(endless) | ops.skip(5) | ops.first())) == 5

    @pytest.mark.parametrize("item", [None, 0, "", []])
    def test_any_value_can_be_first(self, item: Any) -> None:
        assert (Stream([item, 5]) | ops.first()).run() == item
        assert (Stream([item, 5]) | ops.first(default=7)).run() == item


class TestLast:
    def test_is_what_came_last(self) -> None:
        source = Counted(5)
        assert (Stream(source) | ops.last()).run() == 4
        assert (source.pulled, source.closed) == (5, 1)

    @pytest.mark.parametrize("item", [None, 0, "", []])
    def test_any_value_can_be_last(self, item: Any) -> None:
        assert (Stream([5, item]) | ops.last()).run() == item
        assert (Stream([5, item]) | ops.last(default=7)).run() == item

    def test_an_error_after_an_item_is_no_last_item(self) -> None:
        with pytest.raises(OSError, match="gone"):
            run(lambda: awaited(Stream(failing) | ops.last(default=None)))


class TestSingle:
    @pytest.mark.parametrize("item", [None, 0, "", []])
    def test_is_the_only_item(self, item: Any) -> None:
        assert (Stream([item]) | ops.single()).run() is item
        assert (Stream([item]) | ops.single(default=7)).run() is item

    @pytest.mark.parametrize("given", [{}, {"default": 7}])
    def test_fails_at_a_second_item_and_closes_the_source(self, given: Any) -> None:
        source = Counted()
        with pytest.raises(SeveralItemsError, match="more than one item; first") as caught:
            (Stream(source) | ops.single(**given)).run()
        assert (source.pulled, source.closed) == (2, 1)
        assert isinstance(caught.value, ValueError)
        assert caught.value.__notes__[0].startswith("in single(")

    def test_reads_to_the_end_to_be_sure(self) -> None:
        with pytest.raises(OSError, match="gone"):
            run(lambda: awaited(Stream(failing) | ops.single()))


@pytest.mark.parametrize("sink", [ops.first, ops.last, ops.single], ids=["first", "last", "single"])
class TestEmptyStreams:
    def test_fail_with_the_name_of_the_sink_and_the_cure(self, sink: Any) -> None:
        with pytest.raises(EmptyStreamError, match=rf"{sink.__name__}\(\) of an empty stream; give default="):
            (Stream([]) | sink()).run()

    def test_can_be_caught_as_a_lookup_error(self, sink: Any) -> None:
        with pytest.raises(LookupError):
            (Stream([1]) | ops.filter(lambda number: number > 1) | sink()).run()

    def test_say_where_the_sink_was_written(self, sink: Any) -> None:
        with pytest.raises(EmptyStreamError) as caught:
            (Stream([]) | sink()).run()
        assert caught.value.__notes__[0].startswith(f"in {sink.__name__}() at ")

    @pytest.mark.parametrize("default", [None, 0, "", []])
    def test_have_the_default_as_their_result(self, sink: Any, default: Any) -> None:
        assert (Stream([]) | sink(default=default)).run() is default

    def test_take_the_default_by_name_only(self, sink: Any) -> None:
        with pytest.raises(TypeError):
            sink(None)
