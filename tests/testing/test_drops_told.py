"""What a stream drops is told, wherever in the pipe that is."""

import asyncio
from typing import Any

import pytest

import streamkit
from streamkit import DropAll, DropIncoming, DropOldest, DropYoungest, Gap, KeepLatest, Stream, Suspend, ops
from streamkit.testing import Drops, check_marbles, drawn, expect, run
from streamkit.testing.drops import told_of_drops
from tests.marbles import Noted, note

Dropped = list[tuple[Any, str]]


def consumed(stream: Stream[Any], *busy: float) -> tuple[list[Any], Dropped]:
    """What came of `stream`, and what was dropped."""
    dropped: Dropped = []

    async def main() -> Noted:
        return await note(told_of_drops(stream, lambda item, reason: dropped.append((item, reason))), *busy)

    return [item for _, item in run(main)], dropped


async def slow(item: Any) -> Any:
    await asyncio.sleep(5.0)
    return item


class TestTold:
    @pytest.mark.parametrize(
        ("strategy", "items"),
        [
            (DropIncoming(1), "cd"),
            (DropOldest(1), "bc"),
            (KeepLatest(), "bc"),
            (DropYoungest(1), "bc"),
            (DropAll(1), "bc"),
        ],
        ids=repr,
    )
    def test_every_strategy_that_drops(self, strategy: Any, items: str) -> None:
        _, dropped = consumed(Stream(drawn("abcd|")) | ops.buffer(strategy), 9.0)
        assert dropped == [(item, "full") for item in items]

    def test_the_on_drop_of_the_user_is_called_as_before(self) -> None:
        theirs: Dropped = []
        strategy = DropOldest(1, on_drop=lambda item, reason: theirs.append((item, reason)))
        _, dropped = consumed(Stream(drawn("abcd|")) | ops.buffer(strategy), 9.0)
        assert dropped == theirs == [("b", "full"), ("c", "full")]

    def test_an_error_of_the_on_drop_fails_the_stream_as_before(self) -> None:
        def fails(item: Any, reason: str) -> None:
            raise OSError(item)

        stream = Stream(drawn("abcd|")) | ops.buffer(DropOldest(1, on_drop=fails))
        items, dropped = consumed(stream, 9.0)
        assert str(items[-1]) == "b"
        assert ("b", "full") not in dropped

    def test_gaps_stay(self) -> None:
        items, dropped = consumed(Stream(drawn("abcd|")) | ops.buffer(DropIncoming(1, gaps=True)), 9.0)
        assert dropped == [("c", "full"), ("d", "full")]
        assert any(isinstance(item, Gap) and item.count == 2 for item in items)

    def test_what_is_held_at_an_early_end(self) -> None:
        _, dropped = consumed(
            Stream(drawn("abc-")) | ops.buffer(DropOldest(2)) | ops.take_until(drawn("---x")), 9.0
        )
        assert dropped == [("b", "closed"), ("c", "closed")]

    @pytest.mark.parametrize(
        ("stream", "items"),
        [
            (Stream(drawn("ab--|")) | ops.exhaust_map(lambda _: drawn("---x|")), "b"),
            (Stream(drawn("ab-c|")) | ops.throttle_first(2.0), "b"),
            (Stream(drawn("abc---|")) | ops.debounce(2.0), "ab"),
            (Stream(drawn("abc---|")) | ops.sample(3.5), "ab"),
            (Stream(["x"]) | ops.concat(Stream("cd") | ops.buffer(KeepLatest())), "c"),
            (Stream(drawn("ab")) | ops.merge([], Stream("cd") | ops.buffer(KeepLatest())) | ops.take(3), "c"),
            (Stream("abcd") | ops.share(strategy=KeepLatest()), "abc"),
            (Stream("cd") | ops.group_by(len, ops.buffer(KeepLatest()) | ops.map(slow), max_groups=1), "c"),
            (
                Stream(drawn("cde|"))
                | ops.group_by(len, ops.buffer(KeepLatest()) | ops.map(slow), max_groups=1),
                "d",
            ),
            (streamkit.merge(Stream("cd") | ops.buffer(KeepLatest()), []), "c"),
            (
                Stream(drawn("cde|"))
                | ops.broadcast(ops.buffer(KeepLatest()) | ops.map(slow), ops.filter(lambda _: False)),
                "d",
            ),
        ],
        ids=repr,
    )
    def test_every_operator_that_drops_and_those_inside_of_others(self, stream: Any, items: str) -> None:
        _, dropped = consumed(stream)
        assert [item for item, _ in dropped] == list(items)

    @pytest.mark.parametrize("strategy", [Suspend(1), KeepLatest()], ids=repr)
    def test_a_share_has_one_run_still(self, strategy: Any) -> None:
        source = drawn("-abcd|")
        stream = Stream(source) | ops.buffer(strategy) | ops.share(strategy=strategy) | ops.map(str)

        async def main() -> None:
            other = asyncio.create_task(note(stream))
            async with expect(stream) as e:
                await e.next("a", "b", "c", "d")
                await e.end()
            assert [item for _, item in await other] == [*"abcd", "|"]

        run(main)
        assert source.runs == 1

    def test_a_stream_that_drops_nothing_is_the_same(self) -> None:
        stream = Stream("ab") | ops.buffer(Suspend(2)) | ops.map(str) | ops.zip("cd")
        assert told_of_drops(stream, print) == stream


class TestDrops:
    def test_a_push_is_seen(self) -> None:
        async def main() -> None:
            drops = Drops()
            stream, emitter = streamkit.push(KeepLatest(on_drop=drops), of=int)
            emitter.offer(1)
            emitter.offer(2)
            async with expect(stream, drops=drops) as e:
                emitter.offer(3)
                await e.dropped(1, 2)
                await e.next(3)
                emitter.offer(4)
                await e.leave()
                await e.dropped(4)

        run(main)

    def test_a_push_that_another_thread_fills_is_seen(self) -> None:
        async def main() -> None:
            drops = Drops()
            stream, emitter = streamkit.push(KeepLatest(on_drop=drops), of=int)

            def fill() -> None:
                for number in range(3):
                    emitter.offer(number)

            async with expect(stream, drops=drops, timeout=5.0) as e:
                filling = asyncio.get_running_loop().run_in_executor(None, fill)
                await e.dropped(0, 1)
                await filling
                await e.next(2)
                await e.leave()

        run(main, threads=True)

    def test_what_a_callback_makes_is_seen(self) -> None:
        drops = Drops()
        picture = """
            items     a-----|
            x         bcd---|
            demand    ^---^
            expected  b---d-|
            dropped   --c
        """

        def nested(items: Stream[Any], x: Stream[Any]) -> Stream[Any]:
            return items | ops.concat_map(lambda _: x | ops.buffer(KeepLatest(on_drop=drops)))

        run(lambda: check_marbles(nested, picture, drops=drops))

    def test_after_a_check_nobody_is_told(self) -> None:
        drops = Drops()

        async def main() -> None:
            with pytest.raises(AssertionError):
                async with expect([], drops=drops) as e:
                    await e.next(1)
            drops("late", "full")
            assert not any("late" in line for line in e._story)

        run(main)

    def test_no_drops(self) -> None:
        bad: Any = []
        with pytest.raises(TypeError, match=r"^drops must be streamkit\.testing\.Drops\(\), not \[\]$"):
            expect([], drops=bad)
        with pytest.raises(TypeError, match=r"^drops must be streamkit\.testing\.Drops\(\), not \[\]$"):
            run(lambda: check_marbles([], "|", drops=bad))
