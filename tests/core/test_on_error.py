"""Resume, Replace, Return and Retry: what is done where a callback fails."""

import asyncio
import gc
import pickle
import weakref
from collections.abc import AsyncIterator, Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import (
    DROPPED,
    Backoff,
    EmitterClosedError,
    Failure,
    OnError,
    Operator,
    Replace,
    Resume,
    Retry,
    Return,
    Stream,
    Suspend,
    guarded,
    ops,
    push,
    stage,
    step,
)
from streamkit.testing import run


def inverse(number: int) -> int:
    return 6 // number


async def inverse_later(number: int) -> int:
    await asyncio.sleep(1.0)
    return 6 // number


def note(item: Any, error: Exception) -> None:
    print(item, error)


FUNCTIONS = [inverse, inverse_later, lambda number: inverse_later(number)]
FORMS: list[dict[str, Any]] = [{}, {"concurrency": 2}, {"concurrency": 9, "ordered": False}]


def collected(items: Any, *operators: Any) -> list[Any]:
    async def main() -> list[Any]:
        return [item async for item in Stream(items).pipe(*operators)]

    return run(main)


@pytest.mark.parametrize("form", FORMS, ids=repr)
@pytest.mark.parametrize("function", FUNCTIONS, ids=["sync", "async", "lambda"])
class TestMap:
    def test_resume(self, function: Any, form: dict[str, Any]) -> None:
        lost: list[Any] = []
        policy = Resume(lambda item, error: lost.append((item, type(error))))
        found = collected([1, 0, 2, 0, 3], ops.map(function, on_error=policy, **form))
        assert found == [6, 3, 2]
        assert lost == [(0, ZeroDivisionError)] * 2

    def test_return_passes_on_the_item_and_its_error(self, function: Any, form: dict[str, Any]) -> None:
        found = collected([1, 0, 2], ops.map(function, on_error=Return(), **form))
        [failure] = [each for each in found if isinstance(each, Failure)]
        assert (failure.item, type(failure.error)) == (0, ZeroDivisionError)
        assert {each for each in found if each is not failure} == {6, 3}

    def test_replace(self, function: Any, form: dict[str, Any]) -> None:
        policy = Replace(lambda item, error: (item, type(error)))
        found = collected([1, 0, 2], ops.map(function, on_error=policy, **form))
        assert sorted(found, key=str) == [(0, ZeroDivisionError), 3, 6]
        if form.get("ordered", True):
            assert found == [6, (0, ZeroDivisionError), 3]

    def test_replace_by_an_awaitable(self, function: Any, form: dict[str, Any]) -> None:
        async def later(item: Any, _: Exception) -> Any:
            await asyncio.sleep(1.0)
            return item

        assert set(collected([1, 0], ops.map(function, on_error=Replace(later), **form))) == {6, 0}

    def test_retry_then_resume(self, function: Any, form: dict[str, Any]) -> None:
        calls: list[int] = []

        def counted(number: int) -> Any:
            calls.append(number)
            return function(number)

        policy = Retry(3, 5.0, then=Resume())
        assert collected([1, 0, 2], ops.map(counted, on_error=policy, **form)) == [6, 3]
        assert sorted(calls) == [0, 0, 0, 1, 2]

    def test_retry_raises_the_last_error(self, function: Any, form: dict[str, Any]) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            collected([1, 0, 2], ops.map(function, on_error=Retry(2), **form))
        first, second = caught.value.__notes__
        assert first.startswith("this was attempt 2 of 2, after ZeroDivisionError: ")
        assert second.startswith("in map(")
        assert "on_error=Retry(2)" in second

    def test_errors_of_the_program_are_none_of_its(self, function: Any, form: dict[str, Any]) -> None:
        def fail(_: object) -> None:
            raise RecursionError

        for policy in (Resume(), Replace(note), Retry(None)):
            with pytest.raises(RecursionError):
                collected([1], ops.map(fail, on_error=policy, **form))


class TestResume:
    def test_dead_letters_may_be_asynchronous(self) -> None:
        lost: list[Any] = []

        async def later(item: Any, _: Exception) -> None:
            await asyncio.sleep(1.0)
            lost.append(item)

        assert collected([0, 1], ops.map(inverse, on_error=Resume(later))) == [6]
        assert lost == [0]

    def test_dead_letters_may_be_an_emitter(self) -> None:
        async def main() -> None:
            letters, emitter = push(Suspend(1), of=tuple[int, Exception])
            job = (Stream([0, 1, 0]) | ops.map(inverse, on_error=Resume(emitter)) | ops.to_list()).start()
            found = letters | ops.take(2) | ops.to_list()
            assert [(item, type(error)) for item, error in await found] == [(0, ZeroDivisionError)] * 2
            assert await job == [6]

        run(main)

    def test_an_emitter_that_has_ended_ends_the_stream(self) -> None:
        async def main() -> None:
            _, emitter = push(Suspend(1), of=tuple[int, Exception])
            emitter.close()
            with pytest.raises(EmitterClosedError) as caught:
                await (Stream([0]) | ops.map(inverse, on_error=Resume(emitter)) | ops.drain())
            assert isinstance(caught.value.__cause__, ZeroDivisionError)

        run(main)

    def test_the_state_stays_as_it_was(self) -> None:
        def divided(state: int, number: int) -> int:
            return state // number

        assert list(Stream([2, 0, 3]) | ops.scan(divided, 12, on_error=Resume())) == [6, 2]
        assert (Stream([2, 0, 3]) | ops.fold(divided, 12, on_error=Resume())).run() == 2

    def test_an_item_that_tap_fails_with_is_dropped_and_one_that_is_replaced_is_not(self) -> None:
        assert list(Stream([1, 0]) | ops.tap(inverse, on_error=Resume())) == [1]
        assert list(Stream([1, 0]) | ops.tap(inverse, on_error=Replace(lambda *_: None))) == [1, 0]

    def test_the_item_of_starmap_is_the_tuple(self) -> None:
        lost: list[Any] = []
        policy = Resume(lambda item, _: lost.append(item))
        assert list(Stream([(6, 0), (6, 2)]) | ops.starmap(lambda a, b: a // b, on_error=policy)) == [3]
        assert lost == [(6, 0)]

    def test_in_groups_in_branches_and_behind_what_counts(self) -> None:
        safe = ops.map(inverse, on_error=Resume())
        assert list(Stream([1, 0, 2]) | ops.group_by(bool, safe, max_groups=2)) == [(True, 6), (True, 3)]
        found = list(
            Stream([1, 0, 2, 0])
            | ops.group_by(
                bool,
                ops.enumerate() | ops.starmap(lambda place, number: (place, 6 // number), on_error=Resume()),
                max_groups=2,
            )
        )
        assert found == [(True, (0, 6)), (True, (1, 3))]
        assert (Stream([1, 0, 2]) | ops.broadcast(safe | ops.to_list(), ops.count())).run() == ([6, 3], 3)
        assert list(Stream([1, 0, 2, 3]) | ops.take(3) | safe) == [6, 3]
        assert list(Stream([[1, 0], [0, 2]]) | ops.flatten() | safe | ops.batch(2)) == [[6, 3]]

    def test_the_counts_stand_in_the_accounts(self) -> None:
        async def main() -> None:
            safe = ops.map(inverse, on_error=Resume())
            handle = (Stream([1, 0, 0]) | safe | ops.concat(Stream([0, 3]) | safe) | ops.to_list()).start()
            assert await handle == [6, 2]
            counts = [(stats.operator, stats.offered, stats.dropped) for stats in handle.buffers()]
            assert sum(dropped for _, _, dropped in counts) == 3
            assert {operator for operator, *_ in counts} == {"map(inverse, on_error=Resume())"}

        run(main)


class TestRetry:
    def test_waits_between_calls(self) -> None:
        begun: list[float] = []

        def fetch(_: object) -> str:
            begun.append(asyncio.get_running_loop().time())
            if len(begun) < 4:
                raise ConnectionError("refused")
            return "hello"

        backoff = Backoff(1.0, most=3.0, jitter=0.0)
        assert collected(["/"], ops.map(fetch, on_error=Retry(4, backoff))) == ["hello"]
        assert begun == [0.0, 1.0, 3.0, 6.0]

    def test_others_go_on_and_order_is_kept(self) -> None:
        tried: list[int] = []

        async def fetch(number: int) -> tuple[int, float]:
            tried.append(number)
            if number == 0 and tried.count(0) < 3:
                raise ConnectionError("refused")
            return number, asyncio.get_running_loop().time()

        found = collected(range(3), ops.map(fetch, concurrency=3, on_error=Retry(3, 5.0)))
        assert found == [(0, 10.0), (1, 0.0), (2, 0.0)]

    def test_only_errors_of_the_types_given(self) -> None:
        calls: list[int] = []

        def fail(number: int) -> None:
            calls.append(number)
            raise (ConnectionError if len(calls) < 2 else KeyError)("x")

        lost: list[Any] = []
        policy = Retry(9, errors=ConnectionError, then=Resume(lambda item, error: lost.append(error)))
        assert list(Stream([1]) | ops.map(fail, on_error=policy)) == []
        assert len(calls) == 2
        assert [type(error) for error in lost] == [KeyError]

    def test_what_follows_has_types_of_its_own(self) -> None:
        policy = Retry(2, then=Resume(errors=KeyError))
        with pytest.raises(ZeroDivisionError):
            list(Stream([0]) | ops.map(inverse, on_error=policy))

    def test_an_error_of_the_program_ends_it(self) -> None:
        raised = [ConnectionError("refused"), RecursionError("too deep"), ConnectionError("refused")]

        def fail(_: object) -> None:
            raise raised.pop(0)

        with pytest.raises(RecursionError):
            list(Stream([1]) | ops.map(fail, on_error=Retry(None, then=Resume())))
        assert len(raised) == 1

    def test_an_error_that_replaces_a_cancellation_ends_it(self) -> None:
        tried: list[int] = []

        async def fetch(number: int) -> None:
            tried.append(number)
            if len(tried) == 1:
                raise ConnectionError("refused")
            try:
                await asyncio.sleep(99.0)
            finally:
                raise KeyError("clean-up")

        async def main() -> None:
            task = asyncio.ensure_future(Stream([1]) | ops.map(fetch, on_error=Retry(None)) | ops.drain())
            await asyncio.sleep(1.0)
            task.cancel()
            with pytest.raises(KeyError, match="clean-up"):
                await task

        run(main)
        assert tried == [1, 1]

    def test_for_ever_lets_others_run(self) -> None:
        async def main() -> None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await (Stream([0]) | ops.map(inverse, on_error=Retry(None)) | ops.drain())

        asyncio.run(main())

    def test_in_a_plain_for(self) -> None:
        answers: Iterator[int] = iter([0, 0, 3])
        assert list(
            Stream([6]) | ops.map(lambda number: number // next(answers), on_error=Retry(3, 0.001))
        ) == [2]


class TestLettingGo:
    def test_nothing_of_a_dropped_item_is_kept(self) -> None:
        class Item:
            pass

        alive: weakref.WeakSet[Item] = weakref.WeakSet()

        def fail(_: Item) -> None:
            raise KeyError("x")

        async def source() -> AsyncIterator[Item]:
            for _ in range(5):
                item = Item()
                alive.add(item)
                yield item
                del item
                await asyncio.sleep(1.0)

        async def main() -> None:
            for form in FORMS:
                for policy in (Resume(), Replace(lambda *_: None), Retry(2, then=Resume())):
                    gc.collect()
                    gc.disable()
                    try:
                        await (Stream(source) | ops.map(fail, on_error=policy, **form) | ops.drain())
                        assert not alive
                    finally:
                        gc.enable()

        run(main)


class TestOwnOperators:
    def test_a_step(self) -> None:
        @step(setup="seen = 0", each="seen += 1\nemit((seen, function(item)))\nseen += 1")
        def twice(function: Any, on_error: OnError | None = None) -> Operator[Any, Any]:
            return Operator(twice, function=guarded("function", function, on_error))

        assert list(Stream([1, 0, 2]) | twice(inverse, Resume())) == [(1, 6), (4, 3)]
        assert repr(twice(inverse, Resume())) == "twice(inverse, on_error=Resume())"

    def test_a_callback_in_a_loop_of_the_step_drops_an_element(self) -> None:
        @step(each="emit([function(each) for each in item])\nfor each in item:\n    emit(function(each))")
        def each_of(function: Any) -> Operator[Any, Any]:
            return Operator(each_of, function=guarded("function", function, Resume()))

        assert list(Stream([[1, 0, 2]]) | each_of(inverse)) == [[6, 3], 6, 3]

    def test_a_step_that_calls_it_without_an_item_is_refused(self) -> None:
        @step(each="emit(item)", finish="emit(function(1))")
        def late(function: Any, on_error: OnError) -> Operator[Any, Any]:
            return Operator(late, function=guarded("function", function, on_error))

        with pytest.raises(TypeError, match="function of late is called where there is no item"):
            late(inverse, Resume())
        assert list(Stream([5]) | late(lambda _: 1 // 0, Replace(lambda item, _: item))) == [5, 1]

    def test_a_stage(self) -> None:
        async def _called(run: Any, source: Any, *, function: Any) -> AsyncIterator[Any]:
            async for item in run.open(source):
                yield await run.call(function, item)

        @stage(_called)
        def called(function: Any) -> Operator[Any, Any]:
            return Operator(called, function=guarded("function", function, Resume()))

        assert list(Stream([1, 0]) | called(inverse)) == [6, DROPPED]


class TestValues:
    def test_are_printed_as_they_were_written(self) -> None:
        assert repr(Resume()) == "Resume()"
        assert repr(Resume(note, errors=OSError)) == "Resume(note, errors=OSError)"
        assert repr(Replace(note)) == "Replace(note)"
        assert repr(Return()) == "Return()"
        assert repr(Retry(2, 0.5, then=Resume())) == "Retry(2, backoff=0.5, then=Resume())"
        assert repr(ops.map(inverse, concurrency=2, on_error=Resume())) == (
            "map(inverse, concurrency=2, on_error=Resume())"
        )

    def test_a_callback_with_a_policy_is_equal_to_its_like_only(self) -> None:
        assert guarded("f", inverse, Resume()) == guarded("f", inverse, Resume())
        for other in (inverse, guarded("f", inverse_later, Resume()), guarded("f", inverse, Retry())):
            assert guarded("f", inverse, Resume()) != other

    def test_one_of_ones_own_that_says_nothing_raises_the_error(self) -> None:
        class OwnError(OnError):
            """Has nothing of its own."""

        for policy in (OwnError(), OnError()):
            with pytest.raises(ZeroDivisionError):
                list(Stream([1, 0]) | ops.map(inverse, on_error=policy))

    def test_are_compared_hashed_copied_and_pickled(self) -> None:
        for one, other in (
            (Resume(note), Resume(note)),
            (Retry(2), Retry(2)),
            (Replace(note), Replace(note)),
        ):
            assert one == other == deepcopy(one) == pickle.loads(pickle.dumps(one))
            assert hash(one) == hash(other)
            assert ops.map(inverse, on_error=one) == ops.map(inverse, on_error=other) != ops.map(inverse)
            stream = pickle.loads(pickle.dumps(Stream([1]) | ops.map(inverse, on_error=one)))
            assert list(stream) == [6]

    @given(st.lists(st.integers(0, 3)), st.sampled_from(FORMS))
    def test_as_a_loop_by_hand_does(self, numbers: list[int], form: dict[str, Any]) -> None:
        expected = []
        for number in numbers:
            try:
                expected.append(inverse(number))
            except ZeroDivisionError:
                continue
        found = collected(numbers, ops.map(inverse, on_error=Resume(), **form))
        assert found == expected if form.get("ordered", True) else sorted(found) == sorted(expected)
