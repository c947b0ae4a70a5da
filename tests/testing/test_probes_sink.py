"""The probe at the end of a pipe: the test asks for each item, and says what it expects."""

import asyncio
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.testing import FaultySource, ProbeError, SinkProbe, SourceProbe, run

GONE = OSError("gone")


def misused(main: Any) -> str:
    with pytest.raises(ProbeError) as caught:
        run(main)
    return str(caught.value)


class TestTaking:
    def test_an_item_at_a_time_and_the_end(self) -> None:
        async def main() -> None:
            source = FaultySource("abc")
            async with SinkProbe(Stream(source) | ops.map(str.upper)) as sink:
                assert (sink.waiting, sink.done) == (False, False)
                assert [await sink.next() for _ in "abc"] == [*"ABC"]
                assert (sink.requested, source.visit.given, source.visit.asked) == (3, 3, 3)
                await sink.ended()
                assert sink.done
            assert sink.items == [*"ABC"]
            assert sink.error is None
            source.check()

        run(main)

    def test_it_asks_for_no_more_than_it_was_told_to(self) -> None:
        async def main() -> None:
            source = FaultySource(range(9))
            async with SinkProbe(Stream(source) | ops.buffer(Suspend(2))) as sink:
                await asyncio.sleep(5.0)
                assert source.visits == []
                sink.request(3)
                await asyncio.sleep(5.0)
                assert sink.items == [0, 1, 2]
                assert source.visit.given == 5
                assert not sink.waiting
                sink.request()
                assert await sink.next() == 0
                await asyncio.sleep(5.0)
                assert (sink.items, sink.requested) == ([0, 1, 2, 3], 4)

        run(main)

    def test_quiet_and_then_an_item(self) -> None:
        async def main() -> None:
            async with SinkProbe(FaultySource("ab", every=5.0)) as sink:
                await sink.quiet(4.0)
                assert (sink.waiting, sink.requested) == (True, 1)
                assert await sink.next() == "a"
                assert asyncio.get_running_loop().time() == 5.0

        run(main)

    def test_an_error(self) -> None:
        async def main() -> None:
            async with SinkProbe(FaultySource("ab", error=GONE)) as sink:
                assert [await sink.next(), await sink.next()] == [*"ab"]
                assert await sink.failed() is GONE
                assert sink.error is GONE

        run(main)

    def test_what_is_left_to_read_can_be_read_after_the_end(self) -> None:
        async def main() -> None:
            async with SinkProbe(Stream("ab")) as sink:
                sink.request(3)
                await asyncio.sleep(1.0)
                assert sink.done
                assert [await sink.next(), await sink.next()] == [*"ab"]
                await sink.ended()

        run(main)

    def test_on_an_ordinary_loop(self) -> None:
        async def main() -> None:
            async with SinkProbe(Stream("a")) as sink:
                assert await sink.next() == "a"
                await sink.ended()

        asyncio.run(main())


class TestLeaving:
    @pytest.mark.parametrize("waits", [True, False])
    def test_cancel_returns_when_all_is_closed(self, waits: bool) -> None:
        async def main() -> None:
            source = FaultySource("abc", every=1.0, close_seconds=5.0)
            async with SinkProbe(Stream(source)) as sink:
                await sink.next()
                if waits:
                    sink.request()
                    await asyncio.sleep(0)
                await sink.cancel()
                assert sink.done
                assert asyncio.get_running_loop().time() == 6.0
                source.check()
            assert source.visit.cancelled == int(waits)

        run(main)

    def test_cancel_takes_no_more_of_a_source_that_ignores_it(self) -> None:
        async def main() -> None:
            source = FaultySource("abc", every=4.0, ignores_cancel=1)
            async with SinkProbe(source) as sink:
                sink.request(3)
                await asyncio.sleep(1.0)
                await sink.cancel()
                assert sink.items == ["a"]
                assert asyncio.get_running_loop().time() == 5.0
                source.check()

        run(main)

    def test_a_clean_up_is_not_interrupted_by_a_second_cancel(self) -> None:
        source = FaultySource("abc", at=1, hangs=True, close_seconds=20.0)

        async def main() -> None:
            async with SinkProbe(source, patience=9.0) as sink:
                sink.request(2)
                await asyncio.sleep(1.0)
                with pytest.raises(
                    ProbeError, match=r"^cancel\(\): within 9.0 seconds the stream was not closed"
                ):
                    await sink.cancel()
                with pytest.raises(ProbeError, match="was not closed"):
                    await sink.cancel()

        run(main)
        assert source.visit.cancelled == 1
        source.check()

    def test_so_does_the_end_of_the_block(self) -> None:
        source = FaultySource("abc", close_seconds=5.0)

        async def main() -> float:
            async with SinkProbe(Stream(source)) as sink:
                await sink.next()
            source.check()
            return asyncio.get_running_loop().time()

        assert run(main) == 5.0

    def test_so_does_a_cancellation_of_the_test(self) -> None:
        source = FaultySource("abc", at=1, hangs=True, close_seconds=3.0)

        async def main() -> float:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(5.0), SinkProbe(Stream(source) | ops.buffer(Suspend(1))) as sink:
                    await sink.next()
                    await sink.next()
            source.check()
            return asyncio.get_running_loop().time()

        assert run(main) == 8.0

    @pytest.mark.parametrize(
        "faults",
        [{"at": 0, "error": GONE}, {"close_error": GONE}, {"close_error": GONE, "at": 1, "hangs": True}],
        ids=["source", "clean-up", "cancelled"],
    )
    def test_an_error_that_the_test_has_not_looked_at_is_raised(self, faults: Any) -> None:
        async def main() -> None:
            async with SinkProbe(Stream(FaultySource("abc", **faults))) as sink:
                sink.request(2)
                await asyncio.sleep(1.0)

        with pytest.raises(OSError, match="gone") as caught:
            run(main)
        assert caught.value is GONE

    def test_beside_an_error_of_the_test_it_is_a_note(self) -> None:
        async def main() -> None:
            async with SinkProbe(Stream(FaultySource("abc", close_error=GONE))) as sink:
                raise AssertionError(await sink.next())

        with pytest.raises(AssertionError, match=r"^a\n") as caught:
            run(main)
        assert caught.value.__notes__ == [
            "in the SinkProbe, the stream has failed, after 1 item: OSError: gone"
        ]

    def test_a_stream_that_does_not_close(self) -> None:
        async def main(*, fails: bool) -> None:
            source = SourceProbe[int](holds_close=True)
            try:
                async with SinkProbe(Stream(source), patience=9.0) as sink:
                    sink.request()
                    await source.send(1)
                    assert await sink.next() == 1
                    assert not fails, "of the test"
            finally:
                source.release()
                await asyncio.sleep(1.0)

        told = (
            "cancel(): within 9.0 seconds the stream was not closed; "
            "the stream was asked for 1 item and has given 1"
        )
        assert misused(lambda: main(fails=False)) == told
        with pytest.raises(AssertionError, match=r"^of the test") as caught:
            run(lambda: main(fails=True))
        assert caught.value.__notes__ == [told]


class TestMisuse:
    async def expecting(self, expect: Any, **faults: Any) -> None:
        async with SinkProbe(FaultySource("ab", **faults), patience=30.0) as sink:
            await sink.next()
            await expect(sink)

    @pytest.mark.parametrize(
        ("expect", "faults", "text"),
        [
            (lambda sink: sink.next(), {"at": 1, "hangs": True}, "next(): within 30.0 seconds no item came"),
            (
                lambda sink: sink.next(),
                {"at": 1, "error": GONE},
                "next(): the stream has failed, after 1 item: OS",
            ),
            (lambda sink: sink.ended(), {}, "ended(): 'b' came"),
            (
                lambda sink: sink.ended(),
                {"at": 1, "hangs": True},
                "ended(): within 30.0 seconds nothing came",
            ),
            (
                lambda sink: sink.ended(),
                {"at": 1, "error": GONE},
                "ended(): the stream has failed, after 1 item",
            ),
            (lambda sink: sink.failed(), {}, "failed(): 'b' came"),
            (lambda sink: sink.quiet(3.0), {"every": 2.0}, "quiet(3.0): after 2.0 seconds 'b'"),
            (
                lambda sink: sink.quiet(3.0),
                {"at": 1, "error": GONE},
                "quiet(3.0): after 0.0 seconds the stream has failed",
            ),
        ],
    )
    def test_something_else_comes(self, expect: Any, faults: Any, text: str) -> None:
        async def main() -> None:
            await self.expecting(expect, **faults)

        assert misused(main).startswith(text)

    @pytest.mark.parametrize(
        ("expect", "text"),
        [
            (lambda sink: sink.next(), "next(): the stream has ended, after 1 item"),
            (lambda sink: sink.failed(), "failed(): the stream has ended, after 1 item"),
            (
                lambda sink: asyncio.sleep(0, sink.request(2)),
                "request(2): the stream has ended, after 1 item",
            ),
            (lambda sink: sink.cancel(), "cancel(): the stream has ended, after 1 item"),
        ],
    )
    def test_after_the_end(self, expect: Any, text: str) -> None:
        async def main() -> None:
            async with SinkProbe(Stream("a")) as sink:
                await sink.next()
                await sink.ended()
                await expect(sink)

        assert misused(main) == text

    def test_the_error_of_the_stream_is_the_cause(self) -> None:
        with pytest.raises(ProbeError) as caught:
            run(lambda: self.expecting(lambda sink: sink.next(), at=1, error=GONE))
        assert caught.value.__cause__ is GONE

    def test_outside_its_block(self) -> None:
        async def main() -> None:
            await SinkProbe(Stream("a")).next()

        assert misused(main) == (
            "next(): use the probe in a block, as in async with SinkProbe(stream) as sink"
        )

    def test_in_two_blocks(self) -> None:
        async def main() -> None:
            sink = SinkProbe(Stream("a"))
            for _ in range(2):
                async with sink:
                    pass

        assert misused(main) == "a SinkProbe is used in one block only: make another"

    def test_bad_arguments(self) -> None:
        wrong: Any = "abc"
        with pytest.raises(TypeError, match=r"^source must be a stream, or an async iterable, not 'abc'"):
            SinkProbe(wrong)
        with pytest.raises(ValueError, match=r"^patience must be"):
            SinkProbe(Stream("a"), patience=-1.0)

        async def main() -> None:
            async with SinkProbe(Stream("a")) as sink:
                for count in (0, -1):
                    with pytest.raises(ValueError, match=r"^count must be a whole number of at least 1"):
                        sink.request(count)

        run(main)

    def test_it_says_how_far_it_is(self) -> None:
        async def main() -> list[str]:
            async with SinkProbe(Stream("a")) as sink:
                await sink.next()
                found = [repr(sink)]
            return [*found, repr(sink)]

        assert run(main) == [
            "<SinkProbe asked for 1 item, got 1>",
            "<SinkProbe the stream was left, after 1 item>",
        ]
