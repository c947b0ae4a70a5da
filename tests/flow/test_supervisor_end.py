"""How a flow ends: with its last child, or cancelled; nothing is left, and clean-up is waited for."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from streamkit import Stream, ops
from streamkit.flow import Child, Flow, Scope
from streamkit.testing import Faults, VirtualLoop, run
from tests.flow.jobs import Log, ends, fails, lasts


async def started(flow: Flow) -> None:
    await flow


def test_it_ends_in_the_moment_in_which_the_last_child_does() -> None:
    log = Log()
    flow = Flow(Child("a", log.job("a", ends(7.0))), Child("in", Flow(Child("b", log.job("b", ends(9.0))))))

    async def main() -> float:
        await flow
        return asyncio.get_running_loop().time()

    assert run(main) == 9.0
    assert run(lambda: started(Flow())) is None


def test_nothing_is_left_wherever_it_is_cancelled() -> None:
    def flow() -> Flow:
        log = Log()
        inner = Flow(Child("b", log.job("b", ends(3.0), closing=0.5)))
        a = Child("a", log.job("a", fails(1.0), ends(1.0), closing=1.0), backoff=0.5)
        return Flow(a, Child("in", inner, after=["a"]), scope=Scope.REST, on_error=log.fault)

    run(lambda: started(flow()), faults=Faults.CANCEL | Faults.SHUTDOWN)


def test_a_program_that_ends_waits_for_one_that_closes_and_was_stopped() -> None:
    closed: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(1.0)
        finally:
            try:
                await asyncio.sleep(2.0)
            except asyncio.CancelledError:
                await asyncio.sleep(2.0)
            closed.append("source")

    async def main() -> None:
        handle = Flow(Child("a", lambda: Stream(source) | ops.drain())).start()
        await asyncio.sleep(1.5)
        await handle.stop(0.0)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
    assert closed == ["source"]


def test_a_cancellation_waits_until_all_have_closed() -> None:
    log = Log()

    async def main() -> float:
        flow = Flow(
            Child("a", log.job("a", lasts(), closing=2.0)), Child("b", log.job("b", lasts(), closing=3.0))
        )
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.0):
                await flow
        return asyncio.get_running_loop().time()

    assert run(main) == 6.0
