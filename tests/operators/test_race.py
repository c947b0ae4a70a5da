"""race."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import KeepLatest, Stream, Suspend, attached, ops
from streamkit.testing import run


class Runner:
    """A source that waits before each item, and notes what becomes of it."""

    def __init__(
        self,
        seconds: float,
        *items: Any,
        error: Exception | None = None,
        late: Exception | None = None,
        clean_up: float = 0.0,
    ) -> None:
        self.seconds = seconds
        self.items = items
        self.error = error
        self.late = late
        """Raised by its clean-up."""
        self.clean_up = clean_up
        """Seconds that it takes."""
        self.pulled = 0
        self.cleaned: float | None = None

    async def __call__(self) -> AsyncIterator[Any]:
        begun = asyncio.current_task()
        try:
            for item in self.items:
                await asyncio.sleep(self.seconds)
                self.pulled += 1
                yield item
            await asyncio.sleep(self.seconds)
            if self.error is not None:
                raise self.error
        finally:
            assert asyncio.current_task() is begun
            await asyncio.sleep(self.clean_up)
            self.cleaned = asyncio.get_running_loop().time()
            if self.late is not None:
                raise self.late


async def read(stream: Any) -> tuple[list[tuple[float, Any]], BaseException | None]:
    """What comes out of `stream`, and when; and the error that ends it."""
    out: list[tuple[float, Any]] = []
    loop = asyncio.get_running_loop()
    try:
        async for item in stream:
            out.append((loop.time(), item))
    except Exception as error:
        return out, error
    return out, None


def raced(*runners: Runner) -> tuple[list[tuple[float, Any]], BaseException | None]:
    return run(lambda: read(Stream(runners[0]) | ops.race(*runners[1:])))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_first_that_emits_wins_and_the_others_are_closed_then(place: int) -> None:
    runners = [Runner(5.0, "slow"), Runner(5.0, "slow"), Runner(5.0, "slow")]
    runners[place] = Runner(1.0, "a", "b")
    assert raced(*runners) == ([(1.0, "a"), (2.0, "b")], None)
    assert [each.cleaned for each in runners] == [3.0 if each is runners[place] else 1.0 for each in runners]


def test_a_source_that_ends_first_without_an_item_wins() -> None:
    assert raced(Runner(2.0, "a"), Runner(1.0)) == ([], None)


def test_a_source_that_fails_first_wins() -> None:
    failure, other = OSError("first"), Runner(2.0, "a")
    assert raced(other, Runner(1.0, error=failure)) == ([], failure)
    assert other.cleaned == 1.0


def test_an_error_of_a_loser_is_none_of_ours() -> None:
    assert raced(Runner(1.0, "a"), Runner(1.5, error=OSError("late"))) == ([(1.0, "a")], None)


@pytest.mark.parametrize("first", [True, False])
def test_one_that_fails_in_the_turn_in_which_another_wins_has_lost(first: bool) -> None:
    async def fails() -> AsyncIterator[str]:
        raise OSError("at once")
        yield ""

    async def wins() -> AsyncIterator[str]:
        for letter in "ab":
            yield letter

    sources = [wins, fails] if first else [fails, wins]
    found, error = run(lambda: read(Stream(sources[0]) | ops.race(sources[1])))
    if first:
        assert ([item for _, item in found], error) == (["a", "b"], None)
    else:
        assert found == []
        assert str(error) == "at once"


def test_where_all_are_ready_the_one_that_stands_first_wins() -> None:
    assert list(Stream("ab") | ops.race([1, 2], "xy")) == ["a", "b"]


def test_the_items_do_not_wait_for_the_clean_up_of_a_loser_and_the_end_does() -> None:
    loser = Runner(5.0, "slow", clean_up=10.0)

    async def main() -> float:
        assert await read(Stream(Runner(1.0, "a", "b")) | ops.race(loser)) == (
            [(1.0, "a"), (2.0, "b")],
            None,
        )
        return asyncio.get_running_loop().time()

    assert run(main) == loser.cleaned == 11.0


def test_all_losers_are_cleaned_up_at_once() -> None:
    losers = [Runner(5.0, "slow", clean_up=10.0) for _ in range(9)]
    raced(Runner(1.0, "a"), *losers)
    assert {each.cleaned for each in losers} == {11.0}


def test_what_the_clean_up_of_a_loser_raises_is_raised_at_the_end() -> None:
    late = OSError("clean-up")
    found, error = raced(Runner(1.0, "a", "b"), Runner(5.0, "slow", late=late))
    assert (found, error) == ([(1.0, "a"), (2.0, "b")], late)


def test_an_error_of_the_winner_has_those_of_clean_ups_attached() -> None:
    failure, late = OSError("winner"), OSError("clean-up")
    found, error = raced(Runner(1.0, "a", error=failure), Runner(5.0, "slow", late=late))
    assert ([item for _, item in found], error) == (["a"], failure)
    assert attached(failure) == (late,)


def test_the_winner_is_read_one_item_ahead_and_losers_no_more() -> None:
    winner, loser = Runner(1.0, *range(9)), Runner(1.5, *range(9))

    async def main() -> None:
        async with (Stream(winner) | ops.race(loser)).open() as items:
            assert (winner.pulled, loser.pulled) == (0, 0)
            await anext(items)
            await asyncio.sleep(60.0)
            assert (winner.pulled, loser.pulled) == (2, 0)

    run(main)


@pytest.mark.parametrize("strategy", [Suspend(3), KeepLatest()])
def test_a_buffer_before_it_is_its_own(strategy: Any) -> None:
    winner = Runner(1.0, *range(9))

    async def main() -> None:
        stream = Stream(winner) | ops.buffer(strategy) | ops.race(Runner(9.0, "slow"))
        async with stream.open() as items:
            assert await anext(items) == 0
            await asyncio.sleep(60.0)
            assert winner.pulled == (9 if strategy == KeepLatest() else 4)
            assert await anext(items) == (8 if strategy == KeepLatest() else 1)

    run(main)


def test_a_thousand_sources() -> None:
    runners = [Runner(9.0, "slow") for _ in range(999)]
    assert raced(*runners, Runner(1.0, "a")) == ([(1.0, "a")], None)
    assert {each.cleaned for each in runners} == {1.0}


def test_without_other_sources_it_is_the_stream() -> None:
    assert list(Stream("abc") | ops.race()) == ["a", "b", "c"]


def test_where_tasks_begin_at_once_the_first_that_is_ready_is_the_only_one_that_begins() -> None:
    factory: Callable[..., Any] | None = getattr(asyncio, "eager_task_factory", None)
    if factory is None:
        pytest.skip("eager tasks came with Python 3.12")
    loser = Runner(0.0, "b")

    async def main() -> list[Any]:
        asyncio.get_running_loop().set_task_factory(factory)
        return [item async for item in Stream("ab") | ops.race(loser)]

    assert run(main) == ["a", "b"]


@pytest.mark.parametrize("bad", [5, None, object(), ops.take(1)])
def test_a_source_that_cannot_be_iterated(bad: Any) -> None:
    with pytest.raises(TypeError, match=r"source must be an iterable"):
        ops.race(bad)


def test_a_list_of_streams_is_no_source() -> None:
    with pytest.raises(TypeError, match=r"write race\(\*sources\)"):
        ops.race([Stream("a"), Stream("b")])
