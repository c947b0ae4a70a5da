"""Sources and stages that yield inside of a ``TaskGroup``: to close one raises a group that tells nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

import streamkit
from streamkit import Stream, Suspend, attached, ops
from streamkit.testing import run
from tests.run.staging import written

LATE = OSError("late")


class Grouped:
    """Numbers, from inside a group; its clean-up may fail, too."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.closed = 0

    async def __call__(self) -> AsyncIterator[int]:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(asyncio.sleep(1e9))
            try:
                for number in range(9):
                    await asyncio.sleep(1.0)
                    yield number
            finally:
                task.cancel()
                self.closed += 1
                if self.error is not None:
                    raise self.error


async def _opening(run: Any, source: Any) -> AsyncIterator[Any]:
    items = run.open(source)
    async for item in items:
        yield item
        break
    await run.close(items)
    await run.close(items)
    yield "closed"


async def _grouped(run: Any, source: Any) -> AsyncIterator[Any]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(asyncio.sleep(1e9))
        try:
            async for item in run.open(source):
                yield item
        finally:
            task.cancel()


def failing(number: int) -> int:
    if number:
        raise LookupError(number)
    return number


PIPES: dict[str, Any] = {
    "left": ops.take(1),
    "a stage that closes it": written(_opening, pumps=False) | ops.take(1),
    "a buffer": ops.buffer(Suspend(1)) | ops.take(1),
    "concat": ops.concat([]) | ops.take(1),
}


@pytest.mark.parametrize("pipe", PIPES.values(), ids=PIPES)
def test_its_end_is_no_error(pipe: Any) -> None:
    source = Grouped()

    async def main() -> list[Any]:
        return await (Stream(source) | pipe | ops.to_list())

    assert run(main) == [0]
    assert source.closed == 1


def test_a_stage_goes_on_behind_what_it_has_closed() -> None:
    source = Grouped()

    async def main() -> list[Any]:
        return await (Stream(source) | written(_opening, pumps=False) | ops.to_list())

    assert run(main) == [0, "closed"]
    assert source.closed == 1


def test_a_stage_sees_only_what_else_its_clean_up_raises() -> None:
    async def main() -> None:
        with pytest.RaisesGroup(pytest.RaisesExc(OSError, match="late")):
            await (Stream(Grouped(LATE)) | written(_opening, pumps=False) | ops.to_list())

    run(main)


def test_a_stage_itself_may_be_left_inside_of_one() -> None:
    source = Grouped()

    async def main() -> list[Any]:
        return await (Stream(source) | written(_grouped, pumps=False) | ops.take(1) | ops.to_list())

    assert run(main) == [0]
    assert source.closed == 1


@pytest.mark.parametrize("error", [None, LATE], ids=repr)
def test_an_error_behind_it_that_is_caught_has_nothing_attached_but_what_else_it_raises(
    error: Exception | None,
) -> None:
    source = Grouped(error)
    caught: list[Exception] = []

    def instead(error: Exception) -> list[int]:
        caught.append(error)
        return [-1]

    async def main() -> list[Any]:
        return await (Stream(source) | ops.map(failing) | ops.catch(instead) | ops.to_list())

    assert run(main) == [0, -1]
    (found,) = caught
    late = attached(found)
    assert [isinstance(each, BaseExceptionGroup) and each.subgroup(OSError) is not None for each in late] == (
        [] if error is None else [True]
    )
    assert source.closed == 1


@pytest.mark.parametrize("error", [None, LATE], ids=repr)
def test_a_resource_is_left_behind_it(error: Exception | None) -> None:
    log: list[str] = []
    source = Grouped(error)

    class Resource:
        async def __aenter__(self) -> "Resource":
            return self

        async def __aexit__(self, *_: object) -> None:
            log.append(f"left: {source.closed}")

    async def main() -> list[Any]:
        return await (streamkit.using(Resource, lambda _: source()) | ops.take(1) | ops.to_list())

    if error is None:
        assert run(main) == [0]
    else:
        with pytest.RaisesGroup(pytest.RaisesExc(OSError, match="late")):
            run(main)
    assert log == ["left: 1"]


def test_a_group_of_errors_alone_comes_out_of_a_clean_up_as_itself() -> None:
    group = ExceptionGroup("late", [LATE])

    async def source() -> AsyncIterator[int]:
        try:
            yield 0
        finally:
            raise group

    with pytest.raises(ExceptionGroup) as caught:
        run(lambda: Stream(source) | ops.take(1) | ops.to_list())
    assert caught.value is group
