"""What a callback returned: whether it has to be awaited, and how that is known of the next of its type."""

import asyncio
import inspect
import types
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any

import pytest

from streamkit._core.awaiting import PLAIN, Settling, awaits, is_awaitable, kind_of, let_go, pending
from streamkit.testing import run


class Own:
    """A value of a user's own type."""


class Waiting:
    def __await__(self) -> Generator[None, None, int]:
        yield
        return 1


@types.coroutine
def old_coroutine() -> Generator[None, None, int]:
    yield
    return 1


def generator() -> Generator[int, None, None]:
    yield 1


@pytest.mark.parametrize(
    "value", [Waiting(), Future(), old_coroutine()], ids=lambda value: type(value).__name__
)
def test_what_has_to_be_awaited(value: Any) -> None:
    plain = {*PLAIN}
    assert is_awaitable(value)
    assert awaits(value, plain)
    assert kind_of(value, plain) is None
    assert plain == PLAIN


@pytest.mark.parametrize("value", [Own(), Own], ids=["object", "class"])
def test_a_type_whose_values_need_not_be_is_known_from_then_on(value: Any) -> None:
    plain = {*PLAIN}
    assert kind_of(value, plain) is type(value)
    assert plain - PLAIN == {type(value)}
    assert not awaits(value, plain)


@pytest.mark.parametrize("value", [None, 1, "text", [1]], ids=repr)
def test_so_are_those_that_callbacks_return_most(value: Any) -> None:
    plain = {*PLAIN}
    assert kind_of(value, plain) is type(value)
    assert plain == PLAIN


def test_of_generators_some_are_coroutines_so_nothing_is_known_of_the_next() -> None:
    plain = {*PLAIN}
    value = generator()
    assert kind_of(value, plain) is True
    assert not awaits(value, plain)
    assert plain == PLAIN


def test_a_future_of_an_executor_is_awaited_as_one_of_the_loop() -> None:
    async def main() -> list[int]:
        done: Future[int] = Future()
        later: Future[int] = Future()
        done.set_result(1)
        asyncio.get_running_loop().call_later(5.0, later.set_result, 2)
        return [await pending(done), await pending(later), await pending(Waiting())]

    assert run(main) == [1, 2, 1]


async def told(said: list[Any]) -> int:
    try:
        said.append(await asyncio.sleep(1, "slept"))
        return 3
    except ValueError as error:
        said.append(error)
        return 4
    finally:
        said.append("ended")


def test_what_nobody_awaits_is_let_go_of_with_what_awaits_it() -> None:
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        said: list[Any] = []
        waiting, made = told(said), told(said)
        settling = Settling(waiting, made)
        let_go(future)
        let_go("anything else")
        settling.close()  # neither has begun: Python warns of none
        assert (future.cancelled(), said) == (True, [])
        assert [inspect.getcoroutinestate(each) for each in (waiting, made)] == [inspect.CORO_CLOSED] * 2
        assert await Settling(told(said), None) == 3
        error, thrown = ValueError(), Settling(told(said), None)
        begun: Any = thrown.send(None)
        with pytest.raises(StopIteration) as stopped:
            thrown.throw(error)
        begun.cancel()
        assert (stopped.value.value, said) == (4, ["slept", "ended", error, "ended"])

    run(main)
