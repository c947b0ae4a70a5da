"""The probe at the beginning of a pipe: the test gives each item, and sees what the pipe does."""

import asyncio
import math
from collections.abc import Coroutine
from typing import Any

import pytest

from streamkit import Job, Stream, Suspend, attached, ops
from streamkit.testing import DeadlockError, ProbeError, SinkProbe, SourceProbe, run

GONE = OSError("gone")
FULL = ValueError("full")


def listed(*sources: Any) -> Job[list[Any]]:
    first, *others = map(Stream, sources)
    return (first | ops.merge(*others) if others else first) | ops.to_list()


def misused(main: Any) -> str:
    with pytest.raises(ProbeError) as caught:
        run(main)
    return str(caught.value)


class TestGiving:
    def test_items_and_the_end(self) -> None:
        async def main() -> list[int]:
            probe = SourceProbe[int]()
            handle = listed(probe).start()
            for number in range(3):
                await probe.send(number)
                assert probe.demand >= number + 1
            assert not probe.closed
            await probe.end()
            result: list[int] = await handle
            assert (probe.closed, probe.waiting, probe.cancelled, probe.demand) == (True, False, 0, 4)
            probe.check()
            return result

        assert run(main) == [0, 1, 2]

    @pytest.mark.parametrize("error", [GONE, BlockingIOError])
    def test_an_error(self, error: Any) -> None:
        async def main() -> None:
            probe = SourceProbe[int]()
            handle = listed(probe).start()
            await probe.send(1)
            await probe.fail(error)
            with pytest.raises(error if isinstance(error, type) else type(error)) as caught:
                await handle
            assert caught.value is error or error is BlockingIOError
            assert probe.visit.ended
            probe.check()

        run(main)

    def test_it_waits_until_the_pipe_asks(self) -> None:
        async def main() -> list[float]:
            loop, probe = asyncio.get_running_loop(), SourceProbe[int]()
            times: list[float] = []
            handle = (Stream(probe) | ops.map(asyncio.sleep) | ops.drain()).start()
            for seconds in (5, 7, 0):
                await probe.send(seconds)
                times.append(loop.time())
            await probe.end()
            await handle
            return times

        assert run(main) == [0.0, 5.0, 12.0]

    def test_what_is_offered_before_a_cancelled_pull_could_take_it_is_for_the_next(self) -> None:
        async def main() -> int:
            probe = SourceProbe[int](patience=9.0)
            items = aiter(Stream(probe) | ops.map(lambda item: item))
            pull = asyncio.ensure_future(anext(items))
            await probe.wanted()
            sending = asyncio.create_task(probe.send(7))
            await asyncio.sleep(0)
            pull.cancel()
            with pytest.raises(asyncio.CancelledError):
                await pull
            item = await anext(items)
            await sending
            await items.aclose()
            return item

        assert run(main) == 7


class TestSeeing:
    def test_demand_is_what_the_pipe_reads_ahead(self) -> None:
        async def main() -> None:
            probe = SourceProbe[int](patience=3.0)
            async with SinkProbe(Stream(probe) | ops.buffer(Suspend(2))) as sink:
                sink.request()
                for number in range(3):
                    await probe.send(number)
                with pytest.raises(ProbeError, match=r"^wanted\(\): within 3.0 seconds nobody asked"):
                    await probe.wanted()
                assert (probe.demand, sink.items) == (3, [0])
                await sink.next()
                await sink.next()
                assert await probe.wanted() == 4

        run(main)

    def test_a_sibling_that_fails_has_it_cancelled_and_closed(self) -> None:
        async def main() -> None:
            one, two = SourceProbe[int](), SourceProbe[int](holds_close=True)
            handle = listed(one, two).start()
            await one.wanted()
            await two.wanted()
            await one.fail(GONE)
            await two.closing()
            assert (two.cancelled, two.closed) == (1, False)
            await asyncio.sleep(60.0)
            assert not two.closed
            two.release(FULL)
            with pytest.raises(OSError, match="gone") as caught:
                await handle
            assert attached(caught.value) == (FULL,)
            one.check()
            two.check()

        run(main)

    def test_a_clean_up_that_is_cancelled_has_not_ended(self) -> None:
        async def main() -> None:
            probe = SourceProbe[int](holds_close=True)
            reader = asyncio.ensure_future(anext(aiter(probe)))
            for step in (probe.wanted, probe.closing):
                await step()
                reader.cancel()
            await asyncio.wait([reader])
            assert reader.cancelled()
            assert (probe.cancelled, probe.closed) == (2, False)
            with pytest.raises(AssertionError, match="its clean-up began and did not end"):
                probe.check()

        run(main)

    def test_the_pipe_leaves_it(self) -> None:
        async def main() -> None:
            probe = SourceProbe[int]()
            handle = (Stream(probe) | ops.take(1) | ops.to_list()).start()
            await probe.send(1)
            await probe.closing()
            assert await handle == [1]
            probe.check()
            assert (probe.demand, probe.closed, probe.visit.ended) == (1, True, False)

        run(main)

    def test_on_an_ordinary_loop(self) -> None:
        async def main() -> list[int]:
            probe = SourceProbe[int]()
            handle = listed(probe).start()
            await probe.send(1)
            await probe.end()
            result: list[int] = await handle
            return result

        assert asyncio.run(main()) == [1]


class TestAfterTheEnd:
    def test_it_goes_on_if_it_is_asked(self) -> None:
        async def main() -> None:
            probe = SourceProbe[int](goes_on=True)
            items: Any = aiter(probe)
            for number in (1, 2, 3):
                ended = asyncio.ensure_future(_outcome(anext(items)))
                await (probe.fail(GONE) if number == 2 else probe.end())
                assert type(await ended) is (OSError if number == 2 else StopAsyncIteration)
                more = asyncio.ensure_future(anext(items))
                assert await probe.wanted() == 2 * number
                await probe.send(number)
                assert await more == number
            assert probe.visit.asked_after_end == 5
            await items.aclose()

        run(main)

    def test_a_pipe_does_not_ask(self) -> None:
        async def main() -> list[int]:
            probe = SourceProbe[int](goes_on=True, patience=5.0)
            handle = listed(probe, [1, 2]).start()
            await probe.end()
            with pytest.raises(
                ProbeError, match=r"^send\(3\): within 5.0 seconds nobody asked for it; it was"
            ):
                await probe.send(3)
            result: list[int] = await handle
            return result

        assert run(main) == [1, 2]


class TestMisuse:
    def test_it_is_opened_once(self) -> None:
        async def main() -> None:
            probe = SourceProbe[int]()
            await asyncio.gather(listed(probe, probe).start(), probe.end())

        assert "was opened a second time: give each run a probe of its own" in misused(main)

    def test_each_run_has_its_own(self) -> None:
        async def main() -> list[int]:
            probes = [SourceProbe[int](), SourceProbe[int]()]
            left = iter(probes)
            handle = (Stream(lambda: next(left)) | ops.retry(attempts=2) | ops.to_list()).start()
            await probes[0].send(1)
            await probes[0].fail(GONE)
            await probes[1].send(2)
            await probes[1].end()
            result: list[int] = await handle
            return result

        assert run(main) == [1, 2]

    @pytest.mark.parametrize(
        ("act", "text"),
        [
            (lambda probe: probe.send("a"), "send('a'): within 60.0 seconds nobody asked for it"),
            (
                lambda probe: probe.fail(GONE),
                "fail(OSError('gone')): within 60.0 seconds nobody asked for it",
            ),
            (lambda probe: probe.end(), "end(): within 60.0 seconds nobody asked for it"),
            (lambda probe: probe.wanted(), "wanted(): within 60.0 seconds nobody asked for an item"),
            (lambda probe: probe.closing(), "closing(): within 60.0 seconds nobody closed it"),
        ],
    )
    def test_nobody_listens(self, act: Any, text: str) -> None:
        async def main() -> None:
            await act(SourceProbe[str]())

        assert misused(main) == f"{text}; the probe was never opened"

    def test_without_end_of_patience_it_is_a_deadlock(self) -> None:
        with pytest.raises(DeadlockError, match=r"SourceProbe\.send"):
            run(lambda: SourceProbe[int](patience=math.inf).send(1))

    def test_two_offers_at_once(self) -> None:
        async def main() -> None:
            probe = SourceProbe[int]()
            await asyncio.gather(probe.send(1), probe.send(2))

        assert misused(main) == "send(2): send(1) still waits to be taken"

    @pytest.mark.parametrize("end", ["end", "close"])
    def test_after_the_end(self, end: str) -> None:
        async def main() -> None:
            probe = SourceProbe[int]()
            handle = (Stream(probe) | ops.take(1 if end == "close" else 9) | ops.to_list()).start()
            await probe.send(1)
            if end == "end":
                await probe.end()
            await handle
            await probe.send(2)

        told = "the probe has ended" if end == "end" else "the pipe has closed the probe"
        assert misused(main) == f"send(2): {told}, after 1 item"

    def test_the_pipe_closes_it_while_an_offer_waits(self) -> None:
        async def main() -> None:
            probe = SourceProbe[int]()
            async with SinkProbe(Stream(probe)) as sink:
                sink.request()
                await probe.send(1)
                await asyncio.gather(probe.send(2), sink.cancel())

        assert misused(main) == "send(2): the pipe has closed the probe, after 1 item"

    def test_release_of_what_is_not_held(self) -> None:
        for probe in (SourceProbe[int](), SourceProbe[int](holds_close=True)):
            with pytest.raises(ProbeError, match=r"^release\(\): its clean-up is not held"):
                probe.release()
                probe.release()

    @pytest.mark.parametrize(
        ("arguments", "kind"),
        [({"patience": 0}, ValueError), ({"goes_on": 1}, TypeError), ({"holds_close": None}, TypeError)],
    )
    def test_bad_arguments(self, arguments: dict[str, Any], kind: type[Exception]) -> None:
        with pytest.raises(kind, match=f"^{next(iter(arguments))} must be"):
            SourceProbe(**arguments)

    def test_what_is_no_error_cannot_be_raised(self) -> None:
        wrong: Any = "gone"
        with pytest.raises(TypeError, match=r"^error must be an exception"):
            run(lambda: SourceProbe[int]().fail(wrong))

    def test_it_says_how_far_it_is(self) -> None:
        assert repr(SourceProbe()) == "<SourceProbe asked for 0 items, given 0, closed=False>"
        with pytest.raises(AssertionError, match="it was never asked for an item"):
            SourceProbe().check()


async def _outcome(awaitable: Any) -> Any:
    try:
        return await awaitable
    except (StopAsyncIteration, Exception) as error:
        return error


def _typed(probe: SourceProbe[int]) -> Coroutine[Any, Any, None]:
    return probe.send(1)
