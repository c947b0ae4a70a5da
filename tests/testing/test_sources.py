"""Faulty sources: each fault by itself, what is noted, and what is refused."""

import asyncio
import math
from contextlib import aclosing
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.testing import AfterEnd, FaultySource, consume, run

GONE = OSError("gone")


def now() -> float:
    return asyncio.get_running_loop().time()


def taken(source: Any, count: int = 99) -> tuple[list[Any], float, BaseException | None]:
    """At most so many items of `source`, when the last had come and all was closed, and the error."""

    async def main() -> tuple[list[Any], float, BaseException | None]:
        items: list[Any] = []
        try:
            async with aclosing(aiter(source)) as opened:
                async for item in opened:
                    items.append(item)
                    if len(items) == count:
                        break
        except Exception as error:
            return items, now(), error
        return items, now(), None

    return run(main)


class TestFaults:
    def test_none(self) -> None:
        source = FaultySource("abc")
        assert taken(source) == taken(source) == (["a", "b", "c"], 0.0, None)
        assert [visit.number for visit in source.visits] == [1, 2]
        source.check()

    @pytest.mark.parametrize(("every", "time"), [(None, 0.0), (0.0, 0.0), (2.0, 8.0)])
    def test_it_drips(self, every: float | None, time: float) -> None:
        assert taken(FaultySource("abc", every=every)) == (["a", "b", "c"], time, None)

    def test_zero_seconds_let_others_run_before_each_item(self) -> None:
        turns: list[int] = []

        async def main(source: FaultySource[str]) -> int:
            task = asyncio.create_task(beside())
            count = [len(turns) async for _ in source][-1]
            task.cancel()
            return count

        async def beside() -> None:
            while True:
                turns.append(1)
                await asyncio.sleep(0)

        assert run(lambda: main(FaultySource("abc"))) == 0
        assert run(lambda: main(FaultySource("abc", every=0.0))) >= 3

    @pytest.mark.parametrize("at", [0, 2, 3, None])
    def test_it_fails_after_so_many_items(self, at: int | None) -> None:
        source = FaultySource("abc", at=at, error=GONE)
        items, _, error = taken(source)
        assert (items, error) == ([*"abc"][:at], GONE)
        assert error is GONE
        visit = source.visit
        assert (visit.asked, visit.given, visit.ended) == (len(items) + 1, len(items), True)

    def test_a_class_of_errors_makes_one_for_each_visit(self) -> None:
        source = FaultySource("abc", error=OSError)
        _, _, first = taken(source)
        _, _, second = taken(source)
        assert type(first) is type(second) is OSError
        assert first is not second

    def test_it_fails_in_its_first_visits_only(self) -> None:
        source = FaultySource("abc", at=1, error=GONE, times=2)
        assert [len(taken(source)[0]) for _ in range(4)] == [1, 1, 3, 3]

    def test_it_hangs(self) -> None:
        source = FaultySource("abc", at=1, hangs=True)

        async def main() -> list[str]:
            items: list[str] = []
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(9.0):
                    async for item in source:
                        items.append(item)
            return items

        assert run(main) == ["a"]
        assert (source.visit.cancelled, source.visit.ended, source.visit.closed) == (1, False, 1)

    def test_it_is_slow_to_close(self) -> None:
        source = FaultySource("abc", every=1.0, close_seconds=5.0)
        assert taken(source, 2) == (["a", "b"], 7.0, None)

    def test_it_never_closes(self) -> None:
        source = FaultySource("abc", close_seconds=math.inf)

        async def main() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(9.0), aclosing(aiter(source)) as items:  # type: ignore[type-var]
                    await anext(items)

        run(main)
        assert (source.visit.closing, source.visit.closed, source.visit.cancelled) == (1, 0, 1)
        with pytest.raises(AssertionError, match="its clean-up began and did not end"):
            source.check()

    @pytest.mark.parametrize("count", [2, 99], ids=["left", "ended"])
    def test_it_refuses_to_close(self, count: int) -> None:
        source = FaultySource("abc", close_error=GONE)
        assert taken(source, count)[2] is GONE
        assert source.visit.closed == 1

    def test_it_ignores_a_cancellation_and_waits_anew(self) -> None:
        source = FaultySource("ab", every=3.0, ignores_cancel=1)

        async def main() -> tuple[list[str], float]:
            task = asyncio.create_task(collect())
            await asyncio.sleep(2.0)
            task.cancel()
            await asyncio.sleep(2.0)  # 4.0: it would have given the item at 3.0
            assert source.visit.given == 0
            return await task, now()

        async def collect() -> list[str]:
            return [item async for item in source]

        assert run(main) == (["a", "b"], 11.0)
        assert source.visit.cancelled == 1


class TestAfterTheEnd:
    def asked(self, after_end: AfterEnd, **faults: Any) -> tuple[FaultySource[str], list[Any]]:
        source = FaultySource("ab", after_end=after_end, **faults)
        seen: list[Any] = []

        async def main() -> None:
            items = aiter(source)
            for _ in range(6):
                try:
                    seen.append(await asyncio.wait_for(anext(items), 9.0))
                except Exception as error:
                    seen.append(type(error))
            await items.aclose()  # type: ignore[attr-defined]

        run(main)
        return source, seen

    @pytest.mark.parametrize("error", [None, OSError])
    def test_it_gives_its_items_again(self, error: Any) -> None:
        source, seen = self.asked(AfterEnd.ITEMS, error=error)
        end = error or StopAsyncIteration
        assert seen == ["a", "b", end, "a", "b", StopAsyncIteration]
        assert source.visit.asked_after_end == 3

    @pytest.mark.parametrize(
        ("after_end", "answer"),
        [
            (AfterEnd.END, StopAsyncIteration),
            (AfterEnd.ERROR, RuntimeError),
            (AfterEnd.HANG, TimeoutError),
        ],
    )
    def test_it_does_something_else(self, after_end: AfterEnd, answer: type[Exception]) -> None:
        _, seen = self.asked(after_end)
        assert seen == ["a", "b", StopAsyncIteration, answer, answer, answer]


class TestTheRecord:
    def test_an_iterator_that_is_never_asked_is_no_visit(self) -> None:
        source = FaultySource("abc")
        aiter(source)
        run(lambda: consume(Stream(source) | ops.take(0)))
        assert source.visits == []

    def test_without_a_visit_there_is_no_latest(self) -> None:
        with pytest.raises(AssertionError, match=r"FaultySource\('abc', every=1.0\) was never asked"):
            _ = FaultySource("abc", every=1.0).visit

    def test_a_visit_by_two_tasks_is_a_wrong(self) -> None:
        source = FaultySource("abc")

        async def main() -> None:
            items = aiter(source)
            await asyncio.create_task(anext(items), name="one")  # type: ignore[arg-type]
            await anext(items)
            await items.aclose()  # type: ignore[attr-defined]

        run(main)
        with pytest.raises(AssertionError) as caught:
            source.check()
        text = str(caught.value)
        assert "FaultySource('abc') was not used as a source may be:\n  visit 1: a pull in task" in text
        assert "but the first pull was in task 'one'" in text
        assert "visit 1: the clean-up in task" in text

    def test_what_is_thrown_in_is_a_wrong_and_a_cancellation_is_not(self) -> None:
        for error, told in (
            (ValueError("mine"), ["ValueError was thrown into it"]),
            (asyncio.CancelledError(), []),
        ):
            source = FaultySource("abc")

            async def main() -> None:
                items: Any = aiter(source)  # noqa: B023
                await anext(items)
                with pytest.raises(type(error)):  # noqa: B023
                    await items.athrow(error)  # noqa: B023

            run(main)
            assert source.visit.faults() == told

    def test_a_visit_that_was_never_closed_is_told(self) -> None:
        source = FaultySource("abc")
        left: list[Any] = []

        async def main() -> None:
            left.append(aiter(source))
            await anext(left[0])
            with pytest.raises(AssertionError, match="visit 1: it was never closed"):
                source.check()
            await left[0].aclose()

        run(main)
        source.check()

    def test_several_at_once_are_visits_of_their_own(self) -> None:
        source = FaultySource("abc", every=1.0)
        assert len(run(lambda: consume(Stream(source) | ops.merge(source))).items) == 6
        assert [visit.given for visit in source.visits] == [3, 3]
        source.check()


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"items": 3}, TypeError, "^items must be an iterable, not 3$"),
        ({"items": iter("abc")}, TypeError, "^items must be a collection .*, not the iterator <str_"),
        ({"items": 5}, TypeError, "items must be an iterable, not 5"),
        ({"every": -1.0}, ValueError, "^every must be a finite number of seconds of at least 0, not -1.0"),
        ({"every": "1"}, TypeError, "^every must be a finite"),
        ({"at": 1}, ValueError, "^at=1 says when it fails: give error= or hangs=True too"),
        ({"times": 1}, ValueError, "^times=1 says when it fails"),
        ({"at": -1, "hangs": True}, ValueError, "^at must be a whole number of at least 0, not -1"),
        ({"at": 4, "hangs": True}, ValueError, "^at must be at most the number of items, 3, not 4"),
        ({"times": 0, "hangs": True}, ValueError, "^times must be"),
        ({"error": "gone"}, TypeError, "^error must be an exception, or a class of exceptions, not 'gone'"),
        ({"error": StopAsyncIteration}, ValueError, "^error must be an error that a source can raise"),
        ({"error": GONE, "hangs": True}, ValueError, "^a source that hangs never raises error=OSError"),
        ({"hangs": 1}, TypeError, "^hangs must be True or False, not 1"),
        ({"after_end": "items"}, TypeError, "^after_end must be one of AfterEnd.END, .*, not 'items'"),
        ({"close_seconds": -1}, ValueError, "^close_seconds must be"),
        ({"close_error": 5}, TypeError, "^close_error must be an exception"),
        ({"ignores_cancel": -1}, ValueError, "^ignores_cancel must be"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        FaultySource(arguments.pop("items", "abc"), **arguments)


def test_it_is_shown_as_it_is_written() -> None:
    source = FaultySource(
        [1, 2], every=0.5, at=1, hangs=True, times=2, close_seconds=math.inf, ignores_cancel=1
    )
    assert repr(source) == (
        "FaultySource([1, 2], every=0.5, at=1, hangs=True, times=2, close_seconds=inf, ignores_cancel=1)"
    )
    assert repr(FaultySource(range(3), error=OSError)) == "FaultySource(range(0, 3), error=<class 'OSError'>)"
