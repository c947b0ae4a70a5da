"""Law 6: a source lives in one task: its scopes and variables work."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from functools import reduce
from itertools import repeat
from operator import or_
from typing import Any

import pytest

from streamkit import Stream, StreamTimeoutError, Suspend, ops
from streamkit._core.contract import amount
from streamkit.testing import run
from streamkit.testing.conformance.variables import sees_variables
from tests.laws.lab import STYLES, Case, Sample, play
from tests.samples import SAMPLES

LONG = 60.0
VAR: ContextVar[str] = ContextVar("var", default="nobody")


def named(sample: Sample) -> str:
    return sample.name


LONG_PIPE: Any = reduce(or_, [ops.map(str)] * 200)


async def endless() -> AsyncIterator[int]:
    yield -1
    await asyncio.sleep(10 * LONG)


# Scopes of the source's own (PEP 789) ---------------------------------------------------------------------


class Scoped:
    """A source with a timeout around its yields, as PEP 789 warns of; it notes what happened in it."""

    def __init__(self, *, catches: bool = True) -> None:
        self.catches = catches
        self.log: list[str] = []

    async def __call__(self) -> AsyncIterator[str]:
        task = asyncio.current_task()
        assert task is not None
        try:
            async with asyncio.timeout(5.0):
                for name in "abcdefgh":
                    yield name
        except TimeoutError:
            self.log.append("timed out")
            if not self.catches:
                raise
        finally:
            self.log.append("closed")
            assert asyncio.current_task() is task
            assert task.cancelling() == 0
        yield "after"


READ_IN_A_PUMP: dict[str, Callable[[], Any]] = {
    "buffer": lambda: ops.buffer(Suspend(1)),
    "larger buffer": lambda: ops.buffer(Suspend(3)),
    "merge": lambda: ops.merge(endless),
    "zip": lambda: ops.zip(lambda: repeat(-1)) | ops.starmap(lambda item, _: item),
    "timeout": lambda: ops.timeout(9.0),
    "steps before it": lambda: ops.map(str) | ops.filter(bool) | ops.buffer(Suspend(1)),
    "a step that emits several": lambda: ops.batch(1) | ops.flatten() | ops.buffer(Suspend(1)),
    "two stages": lambda: ops.buffer(Suspend(1)) | ops.timeout(9.0) | ops.merge(),
    "concurrent map": lambda: ops.map(str, concurrency=2),
    "flat_map": lambda: ops.flat_map(lambda item: [item], concurrency=2),
    "concat": lambda: ops.concat([-1]) | ops.buffer(Suspend(1)),
    "catch": lambda: ops.catch(lambda _: [], errors=KeyError) | ops.buffer(Suspend(1)),
    "concat and catch between steps": lambda: (
        ops.map(str)
        | ops.concat()
        | ops.catch(lambda _: [], errors=KeyError)
        | ops.map(str)
        | ops.timeout(9.0)
    ),
    "concat, twice": lambda: ops.concat() | ops.map(str) | ops.concat([-1]) | ops.buffer(Suspend(1)),
    "concat into a concurrent map": lambda: ops.concat() | ops.map(str, concurrency=2),
    "a step that emits several, and concat": lambda: (
        ops.batch(1) | ops.flatten() | ops.concat([-1]) | ops.buffer(Suspend(1))
    ),
    "a long pipe": lambda: LONG_PIPE | ops.buffer(Suspend(1)),
    "a long pipe and concat": lambda: LONG_PIPE | ops.concat() | ops.buffer(Suspend(1)),
}


@pytest.mark.parametrize("make", READ_IN_A_PUMP.values(), ids=READ_IN_A_PUMP)
class TestAScopeThatFiresWhileThePumpWaits:
    def test_is_handed_to_the_source_and_no_item_is_lost(self, make: Callable[[], Any]) -> None:
        async def main() -> list[str]:
            seen: list[str] = []
            async with (Stream(source) | make()).open() as items:
                async for item in items:
                    if item != -1:
                        seen.append(item)
                    await asyncio.sleep(LONG if len(seen) == 2 else 0.0)
                    if item == "after":
                        break
            return seen

        source = Scoped()
        seen = play(main)
        assert source.log == ["timed out", "closed"]
        # the scope fired while "c" or a later item waited: what came before it is all there
        assert seen[-1] == "after"
        assert seen[:-1] == list("abcdefgh")[: len(seen) - 1]
        assert 2 <= len(seen[:-1]) < 8

    def test_comes_out_as_the_error_of_the_source_after_what_is_held(self, make: Callable[[], Any]) -> None:
        source = Scoped(catches=False)
        seen: list[str] = []

        async def main() -> None:
            async for item in Stream(source) | make():
                if item != -1:
                    seen.append(item)
                await asyncio.sleep(LONG if len(seen) == 2 else 0.0)

        with pytest.raises(TimeoutError) as caught:
            play(main)
        assert not isinstance(caught.value, StreamTimeoutError)
        assert getattr(caught.value, "__notes__", []) == []  # as of any other error of a source
        assert source.log == ["timed out", "closed"]
        assert seen == list("abcdefgh")[: len(seen)]

    def test_that_does_not_fire_changes_nothing(self, make: Callable[[], Any]) -> None:
        async def main() -> None:
            seen: list[str] = []
            async with (Stream(source) | make()).open() as items:
                async for item in items:
                    if item != -1:
                        seen.append(item)
                    if item == "after":
                        break
            assert seen == [*"abcdefgh", "after"]

        source = Scoped()
        play(main)
        assert source.log == ["closed"]

    def test_leaves_the_source_open_to_a_close_that_comes_later(self, make: Callable[[], Any]) -> None:
        async def main() -> None:
            async with (Stream(source) | make()).open() as items:
                await anext(items)
                await asyncio.sleep(LONG)

        source = Scoped()
        play(main)
        assert source.log in (["timed out", "closed"], ["closed"])


@pytest.mark.parametrize("make", READ_IN_A_PUMP.values(), ids=READ_IN_A_PUMP)
class TestScopesThatFireOneAfterTheOther:
    """While the consumer stalls: all but the first meet a source of which an item more is in hand already."""

    def test_are_told_to_the_source_and_no_item_is_lost(self, make: Callable[[], Any]) -> None:
        fired: list[int] = []

        async def source() -> AsyncIterator[int]:
            for number in range(12):
                try:
                    async with asyncio.timeout(1.0):
                        yield number
                except TimeoutError:
                    fired.append(number)

        async def main() -> list[int]:
            seen: list[int] = []
            async with (Stream(source) | make()).open() as items:
                async for item in items:
                    seen += [int(item)] if item != -1 else []
                    await asyncio.sleep(LONG if int(item) in (2, 3) else 0.0)
                    if len(seen) == 12:
                        break
            return seen

        seen = play(main)
        ordered = all(
            amount(link.declaration.contract.ordered, link.arguments) is True for link in make().links
        )
        assert (seen if ordered else sorted(seen)) == [*range(12)]
        assert len(fired) > 1

    @pytest.mark.parametrize("catches", [True, False])
    def test_one_inside_the_other_are_told_both(self, make: Callable[[], Any], catches: bool) -> None:
        log: list[str] = []

        async def source() -> AsyncIterator[str]:
            task = asyncio.current_task()
            assert task is not None
            try:
                async with asyncio.timeout(9.0):
                    try:
                        async with asyncio.timeout(5.0):
                            for name in "abcdefgh":
                                yield name
                    except TimeoutError:
                        log.append("inner")
                    yield "between"
                    await asyncio.sleep(9 * LONG)
            except TimeoutError:
                log.append("outer")
                assert task.cancelling() == 0
                if not catches:
                    raise
            yield "last"

        seen: list[str] = []

        async def main() -> None:
            async with (Stream(source) | make()).open() as items:
                async for item in items:
                    seen.extend([item] if item != -1 else [])
                    await asyncio.sleep(LONG if len(seen) == 2 else 0.0)
                    if item == "last":
                        break

        if catches:
            play(main)
            assert (seen.pop(), seen.pop()) == ("last", "between")
        else:
            with pytest.raises(TimeoutError):
                play(main)
            seen = [item for item in seen if item != "between"]
        assert log == ["inner", "outer"]
        assert seen == [*"abcdefgh"[: len(seen)]]


def test_the_error_of_a_scope_is_caught_by_a_catch_between() -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        catch = ops.concat([]) | ops.catch(lambda _: ["caught"], errors=TimeoutError)
        async with (Stream(source) | catch | ops.buffer(Suspend(1))).open() as items:
            async for item in items:
                seen.append(item)
                await asyncio.sleep(LONG if len(seen) == 2 else 0.0)
        return seen

    source = Scoped(catches=False)
    seen = play(main)
    assert source.log == ["timed out", "closed"]
    assert seen == [*"abcdefgh"[: len(seen) - 1], "caught"]


def test_a_scope_that_fires_while_the_source_itself_waits_needs_no_help() -> None:
    async def source() -> AsyncIterator[str]:
        for name in "ab":
            try:
                async with asyncio.timeout(2.0):
                    await asyncio.sleep(LONG)
            except TimeoutError:
                yield name

    async def main() -> None:
        for make in READ_IN_A_PUMP.values():
            async with (Stream(source) | make()).open() as items:
                assert [item async for item in items if item != -1] == ["a", "b"]

    play(main)


def test_a_cancellation_of_the_consumer_is_never_taken_for_one_of_the_source() -> None:
    async def main() -> None:
        source = Scoped()

        async def consume() -> None:
            async with (Stream(source) | ops.buffer(Suspend(1))).open() as items:
                async for _ in items:
                    await asyncio.sleep(1.0)

        task = asyncio.ensure_future(consume())
        await asyncio.sleep(1.5)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert task.cancelling() == 1
        assert source.log == ["closed"]

    play(main)


# Context variables ----------------------------------------------------------------------------------------


@pytest.mark.spread
@pytest.mark.parametrize("sample", SAMPLES, ids=named)
@pytest.mark.parametrize("style", STYLES)
def test_every_source_sees_the_context_variables_of_who_runs_the_stream(sample: Sample, style: str) -> None:
    sees_variables(sample, Case(style))


@pytest.mark.parametrize("before", [[], [ops.buffer(Suspend(2))], [ops.batch(2), ops.flatten()]], ids=repr)
def test_what_a_source_sets_is_not_seen_by_the_calls_of_a_concurrent_map(before: list[Any]) -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(50):
            VAR.set("source")
            yield number

    async def work(number: int) -> int:
        assert VAR.get() == "runner"
        await asyncio.sleep(number % 3)
        return number

    async def main() -> None:
        VAR.set("runner")
        stream = Stream(source).pipe(*before) | ops.map(work, concurrency=20)
        assert await (stream | ops.count()) == 50

    play(main)


@pytest.mark.parametrize("stage", [ops.buffer(Suspend(2)), ops.merge([]), ops.timeout(9.0)], ids=repr)
def test_what_a_source_sets_in_a_task_of_its_own_is_seen_by_nobody_else(stage: Any) -> None:
    async def source() -> AsyncIterator[int]:
        VAR.set("source")
        for number in range(3):
            assert VAR.get() == "source"
            yield number

    async def main() -> None:
        VAR.set("runner")
        async for _ in Stream(source) | stage:
            assert VAR.get() == "runner"

    play(main)


def test_callbacks_that_run_at_once_see_the_variables_of_who_runs_the_stream() -> None:
    async def work(_: int) -> str:
        await asyncio.sleep(1.0)
        return VAR.get()

    async def main() -> None:
        VAR.set("runner")
        assert await (Stream(range(4)) | ops.map(work, concurrency=2) | ops.to_list()) == ["runner"] * 4

    play(main)


async def busy(_: object) -> None:
    await asyncio.sleep(1e6)


@pytest.mark.parametrize(
    "rest",
    [
        ops.timeout(100.0) | ops.for_each(busy),
        ops.keep_alive(100.0, function=lambda: 0) | ops.for_each(busy),
        ops.throttle(0.001) | ops.drain(),
        ops.throttle(0.001) | ops.buffer(Suspend(1)) | ops.drain(),
        ops.throttle(0.001, cost=lambda _: 1) | ops.buffer(Suspend(1)) | ops.drain(),
    ],
)
def test_a_cancellation_that_is_put_off_does_not_put_off_the_end(rest: Any) -> None:
    fired: list[int] = []

    async def impatient() -> AsyncIterator[int]:
        for number in range(9):
            try:
                async with asyncio.timeout(1.0):
                    yield number
            except TimeoutError:
                fired.append(number)

    async def main() -> None:
        handle = (Stream(impatient) | rest).start()
        await asyncio.sleep(5.0)
        await asyncio.wait_for(handle.stop(), 1.0)
        assert fired

    run(main)
