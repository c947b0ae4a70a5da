"""What an error leaves: steps that only regroup pass on what they hold, and then the error comes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from streamkit import Contract, Operator, Stream, Suspend, attached, ops, step
from streamkit.testing import run

FAILURE = OSError("source")


def synchronous(count: int) -> Callable[[], Iterator[int]]:
    def source() -> Iterator[int]:
        yield from range(count)
        raise FAILURE

    return source


def asynchronous(count: int, pause: float = 0.0) -> Callable[[], AsyncIterator[int]]:
    async def source() -> AsyncIterator[int]:
        for number in range(count):
            await asyncio.sleep(number % 2)
            yield number
        await asyncio.sleep(pause)
        raise FAILURE

    return source


def _fail_at(count: int) -> Any:
    def check(number: int) -> int:
        if number == count:
            raise FAILURE
        return number

    return ops.map(check)


async def same(number: int) -> int:
    return number


async def later(number: int) -> int:
    await asyncio.sleep(0.5)
    return number


SOURCES: dict[str, Callable[[int], Any]] = {
    "iterator": lambda count: Stream(synchronous(count)),
    "async iterator": lambda count: Stream(asynchronous(count)),
    "failing step over a list": lambda count: Stream([*range(count + 3)]) | _fail_at(count),
    "failing step over an async iterator": lambda count: Stream(asynchronous(count + 3)) | _fail_at(count),
    "awaiting step": lambda count: Stream(synchronous(count)) | ops.map(same),
    "probing step": lambda count: Stream(synchronous(count)) | ops.map(lambda item: same(item)),
    "buffer": lambda count: Stream(asynchronous(count)) | ops.buffer(Suspend(3)),
    "concurrent map": lambda count: Stream(asynchronous(count, 9.0)) | ops.map(later, concurrency=3),
    "merge": lambda count: Stream(asynchronous(count)) | ops.merge([]),
    "concat": lambda count: Stream(synchronous(count)) | ops.concat([1]),
    "flat_map": lambda count: Stream([0]) | ops.flat_map(lambda _: Stream(synchronous(count)), concurrency=1),
    "filter": lambda count: Stream(synchronous(count)) | ops.filter(lambda _: True),
}


def _buffered() -> Any:
    return ops.buffer(Suspend(1))


PIPES: dict[str, Any] = {
    "batch": lambda: ops.batch(4),
    "batch of batch": lambda: ops.batch(4) | ops.batch(3),
    "batch, map, batch": lambda: ops.batch(4) | ops.map(list) | ops.batch(3),
    "batch, awaiting map, batch": lambda: ops.batch(4) | ops.map(later) | ops.batch(3),
    "batch, flatten": lambda: ops.batch(4) | ops.flatten(),
    "batch, buffer, batch": lambda: ops.batch(4) | _buffered() | ops.batch(3),
    "batch_within": lambda: ops.batch_within(4, seconds=60.0),
    "batch in a group": lambda: ops.group_by(lambda number: number % 3, ops.batch(3), max_groups=3),
    "take and batch in a group": lambda: ops.group_by(
        lambda number: number % 3, ops.take(99) | ops.batch(3), max_groups=3
    ),
    "batch in a group of groups": lambda: ops.group_by(
        lambda number: number % 2,
        ops.group_by(lambda number: number % 3, ops.batch(3), max_groups=3),
        max_groups=2,
    ),
    "batch in a group with a task": lambda: ops.group_by(
        lambda number: number % 3, ops.map(same) | ops.batch(3), max_groups=3
    ),
    "branches": lambda: ops.broadcast(ops.batch(4), ops.map(str) | ops.batch(3)),
    "branches, batch": lambda: ops.broadcast(ops.batch(4), ops.map(str) | ops.batch(3)) | ops.batch(3),
    "batch in an inner stream": lambda: ops.batch(4) | ops.flat_map(lambda each: [each], concurrency=1),
}


def flat(found: Any) -> list[Any]:
    """The items in lists of lists."""
    if isinstance(found, (list, tuple)):
        return [each for part in found for each in flat(part)]  # pyright: ignore[reportUnknownVariableType]
    return [found]


async def consumed(stream: Any, how: str) -> tuple[list[Any], BaseException | None]:
    got: list[Any] = []
    try:
        match how:
            case "sink":
                await (stream | ops.for_each(got.append))
            case "slow sink":

                async def take(item: Any) -> None:
                    await asyncio.sleep(2.0)
                    got.append(item)

                await (stream | ops.for_each(take))
            case "started":
                await (stream | ops.for_each(got.append)).start()
            case _:
                async with stream.open() as items:
                    async for item in items:
                        got.append(item)
    except OSError as error:
        return got, error
    return got, None


HOW = ("sink", "slow sink", "started", "opened")


@pytest.mark.spread
@pytest.mark.parametrize("pipe", PIPES)
@pytest.mark.parametrize("source", SOURCES)
def test_what_only_regroups_loses_nothing(source: str, pipe: str) -> None:
    how = HOW[([*SOURCES].index(source) + [*PIPES].index(pipe)) % len(HOW)]
    for count in (5, 11):
        got, error = run(lambda: consumed(SOURCES[source](count) | PIPES[pipe](), how))  # noqa: B023
        assert error is FAILURE
        wants, _ = run(lambda: consumed(Stream(range(count)) | PIPES[pipe](), "opened"))  # noqa: B023
        assert sorted(map(str, flat(got))) == sorted(map(str, flat(wants))), count


async def _failing(_: Any) -> None:
    raise ValueError("later")


@pytest.mark.spread
@pytest.mark.parametrize("how", ["sink", "opened", "started"])
@pytest.mark.parametrize("source", ["iterator", "async iterator", "buffer", "merge"])
@pytest.mark.parametrize("failing", [_failing, lambda _: 1 // 0], ids=["awaited", "plain"])
def test_an_error_of_what_is_passed_on_hangs_on_the_first(source: str, how: str, failing: Any) -> None:
    got, error = run(lambda: consumed(SOURCES[source](5) | ops.batch(9) | ops.map(failing), how))
    assert got == []
    assert error is FAILURE
    assert [type(each) for each in attached(error)] in ([ValueError], [ZeroDivisionError])
    FAILURE.__dict__.clear()


@pytest.mark.spread
@pytest.mark.parametrize("how", ["sink", "opened", "started"])
@pytest.mark.parametrize("source", SOURCES)
def test_a_step_that_has_enough_ends_the_stream_before_the_error(source: str, how: str) -> None:
    assert run(lambda: consumed(SOURCES[source](5) | ops.batch(9) | ops.take(1), how)) == (
        [[*range(5)]],
        None,
    )


@pytest.mark.parametrize("how", ["sink", "opened", "started"])
def test_an_error_from_behind_a_batch_is_not_one_of_its_source(how: str) -> None:
    seen: list[Any] = []

    def check(each: list[int]) -> list[int]:
        seen.append(each)
        if len(seen) == 2:
            raise FAILURE
        return each

    pipe: Any = (
        ops.map(lambda item: [item, item]) | ops.flatten() | ops.batch(3) | ops.map(check) | ops.batch(9)
    )
    got, error = run(lambda: consumed(Stream(range(99)) | pipe, how))
    assert error is FAILURE
    assert seen == [[0, 0, 1], [1, 2, 2]]
    assert got == [[[0, 0, 1]]]


def test_nothing_is_passed_on_when_the_consumer_leaves_or_is_cancelled() -> None:
    got: list[Any] = []

    async def main() -> None:
        stream = Stream(asynchronous(99)) | ops.batch(2) | ops.batch(9) | ops.tap(got.append)
        task = asyncio.ensure_future(stream | ops.drain())
        await asyncio.sleep(5.5)
        task.cancel()
        await asyncio.wait([task])
        async with stream.open() as items:
            waiting = asyncio.ensure_future(anext(items))
            await asyncio.sleep(5.5)
            waiting.cancel()
            await asyncio.wait([waiting])

    run(main)
    assert got == []


def test_a_plain_for_gets_what_is_held() -> None:
    got: list[Any] = []

    def take() -> None:
        for item in Stream(synchronous(5)) | ops.batch(3) | ops.map(lambda each: each):
            got.append(item)

    with pytest.raises(OSError, match="source"):
        take()
    assert got == [[0, 1, 2], [3, 4]]


def test_the_error_names_the_step_that_raised_it() -> None:
    stream = Stream(range(5)) | ops.map(lambda number: 1 // (3 - number)) | ops.batch(9)
    with pytest.raises(ZeroDivisionError) as caught:
        list(stream)
    (note,) = caught.value.__notes__
    assert note.startswith("in map(<lambda>)")


def test_a_step_of_a_user_says_that_it_only_regroups() -> None:
    def seen(contract: Contract) -> list[Any]:
        got: list[Any] = []

        @step(
            setup="kept = []",
            each="kept.append(item)",
            finish="for each in kept:\n    emit(each)",
            contract=contract,
        )
        def late() -> Operator[int, int]:
            return Operator(late)

        stream = Stream(synchronous(3)) | late() | ops.for_each(got.append)
        with pytest.raises(OSError, match="source"):
            stream.run()
        return got

    assert seen(Contract(holds="unbounded", regroups=True)) == [0, 1, 2]
    assert seen(Contract(holds="unbounded")) == []
