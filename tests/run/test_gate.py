"""Stepping an awaitable by hand: what the event loop sends goes in, what comes out goes to the loop."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from streamkit._engine.run.gate import Drive, driven
from streamkit.testing import run


class Steps:
    """What is stepped: it notes what came, and answers with what is `left`; then it ends."""

    def __init__(self, *left: Any) -> None:
        self.left = [*left]
        self.came = list[Any]()

    def send(self, value: Any) -> Any:
        self.came.append(value)
        if not self.left:
            raise StopIteration("result")
        return self.left.pop(0)

    def throw(self, error: BaseException) -> Any:
        return self.send(error)


class TestSteps:
    def test_get_what_is_sent_and_what_is_thrown(self) -> None:
        steps, error = Steps("a", "b", "c"), LookupError()
        driven = Drive(steps).__await__()
        assert [next(driven), driven.send("value"), driven.throw(error)] == ["a", "b", "c"]
        with pytest.raises(StopIteration) as end:
            driven.send("last")
        assert end.value.value == "result"
        assert steps.came == [None, "value", error, "last"]

    def test_that_have_begun_wait_first_for_what_they_waited_for(self) -> None:
        steps = Steps("b")
        driven = Drive(steps, waiting="a").__await__()
        assert (next(driven), steps.came) == ("a", [])
        assert (driven.send("value"), steps.came) == ("b", ["value"])

    def test_that_have_begun_get_an_error_at_once(self) -> None:
        steps, error = Steps("b"), LookupError()
        driven = Drive(steps, waiting="a").__await__()
        next(driven)
        assert (driven.throw(error), steps.came) == ("b", [error])

    def test_end_with_their_own_error(self) -> None:
        async def fails() -> None:
            await asyncio.sleep(1.0)
            raise LookupError("own")

        async def main() -> None:
            await Drive(fails().__await__())

        with pytest.raises(LookupError, match="own"):
            run(main)

    def test_that_are_closed_close_what_is_stepped_if_that_can_be(self) -> None:
        class Closing(Steps):
            def close(self) -> None:
                self.came.append("closed")

        for steps, came in (Closing("a"), ["closed"]), (Steps("a"), list[str]()):
            driven = Drive(steps).__await__()
            next(driven)
            driven.close()
            assert steps.came == [None, *came]


class TestGates:
    def test_hold_what_is_resumed_until_they_are_open(self) -> None:
        async def work() -> float:
            await asyncio.sleep(1.0)
            return asyncio.get_running_loop().time()

        async def main() -> float:
            gate = asyncio.Event()
            asyncio.get_running_loop().call_later(5.0, gate.set)
            return await Drive(work().__await__(), gate=gate)

        assert run(main) == 6.0  # it has not begun before the gate was open

    def test_hold_what_has_not_begun_before_it_is_made_for_it_opens_what_it_reads(self) -> None:
        async def work() -> float:
            await asyncio.sleep(1.0)
            return asyncio.get_running_loop().time()

        async def main() -> list[float]:
            gate, loop, made = asyncio.Event(), asyncio.get_running_loop(), list[float]()
            loop.call_later(5.0, gate.set)

            def begin() -> Awaitable[float]:
                made.append(loop.time())
                return work()

            return [await driven(begin, gate), *made]

        assert run(main) == [6.0, 5.0]

    def test_let_those_pass_that_are_cancelled(self) -> None:
        async def work() -> None:
            try:
                await asyncio.sleep(1.0)
            finally:
                await asyncio.sleep(2.0)

        async def drive(gate: asyncio.Event) -> None:
            await Drive(work().__await__(), gate=gate)

        async def main() -> float:
            gate = asyncio.Event()
            gate.set()
            task = asyncio.create_task(drive(gate))
            await asyncio.sleep(0.5)
            gate.clear()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return asyncio.get_running_loop().time()

        assert run(main) == 2.5

    def test_hold_what_a_callback_of_the_loop_steps_by_hand(self) -> None:
        async def main() -> list[Any]:
            gate, steps, seen = asyncio.Event(), Steps("a"), list[Any]()
            driven = Drive(steps, gate=gate).__await__()
            loop = asyncio.get_running_loop()
            loop.call_soon(lambda: seen.append(next(driven)))
            await asyncio.sleep(1.0)
            assert (len(seen), steps.came) == (1, [])
            gate.set()
            await asyncio.wait(seen)
            loop.call_soon(lambda: seen.append(driven.send(None)))
            await asyncio.sleep(1.0)
            return [seen[1], *steps.came]

        assert run(main) == ["a", None]
