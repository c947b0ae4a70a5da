"""A stage that is a sink: what fails when it ends is told beside what it failed with. What is no stage."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Sink, Stream, Suspend, ops, stage
from streamkit.testing import run


class Rough:
    """A source without an end that cannot be closed."""

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        return 1

    async def aclose(self) -> None:
        raise OSError("late")


async def opened(run: Any, source: Any, *, fails: bool) -> str:
    assert await anext(run.open(source)) == 1
    return answer(fails)


async def pumped(run: Any, source: Any, *, fails: bool) -> str:
    channel = run.channel()
    run.pump(source, into=channel.lane(Suspend(1)))
    async for item in channel:
        assert item == 1
        return answer(fails)
    raise AssertionError("it has no end")


def answer(fails: bool) -> str:
    if fails:
        raise ValueError("first")
    return "done"


@stage(opened)
def opens(fails: bool) -> Sink[Any, str]:
    return Sink(opens, fails=fails)


@stage(pumped)
def pumps(fails: bool) -> Sink[Any, str]:
    return Sink(pumps, fails=fails)


@pytest.mark.parametrize("sink", [opens, pumps])
@pytest.mark.parametrize(
    "before", [ops.take(9), ops.buffer(Suspend(2)), ops.take(9) | ops.buffer(Suspend(2))]
)
def test_a_sink_that_failed_is_left_all_the_same(sink: Any, before: Any) -> None:
    async def main(fails: bool) -> Any:
        return await (Stream(Rough()) | before | sink(fails=fails))

    with pytest.raises(ValueError, match=r"^first") as caught:
        run(lambda: main(fails=True))
    assert caught.value.__notes__[-1] == "then failed too: OSError: late"
    assert caught.value.__notes__[0].startswith(f"in {sink.__name__}(True) at ")
    with pytest.raises(OSError, match=r"^late"):
        run(lambda: main(fails=False))


def test_one_that_reads_on_behind_the_end_looks_like_no_end_to_others() -> None:
    with pytest.raises(RuntimeError) as caught:
        (Stream([]) | opens(fails=False)).run()
    assert str(caught.value) == "opens(False) raised StopAsyncIteration"
    assert isinstance(caught.value.__cause__, StopAsyncIteration)


def generator(run: Any, source: Any) -> Any:
    yield


async def careless(run: Any) -> None: ...


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (5, "runs must be {kinds}, not 5"),
        (generator, "runs must be {kinds}, not the generator function generator: write async def generator"),
        (
            careless,
            "runs must take the run and the stream before it, not as careless(run: Any) -> None: "
            "write careless(run, source, *, ...)",
        ),
    ],
    ids=["no function", "a generator", "without the stream"],
)
def test_what_cannot_run_a_stage(runs: Any, words: str) -> None:
    with pytest.raises(TypeError) as caught:
        stage(runs)
    kinds = "an async generator function, a coroutine function or a function"
    assert str(caught.value) == words.format(kinds=kinds)
