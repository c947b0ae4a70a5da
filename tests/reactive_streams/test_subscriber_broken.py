"""`from_publisher`: what becomes of publishers that break the rules."""

import asyncio
import threading
from typing import Any

import pytest

from streamkit import BufferOverflowError, attached, ops
from streamkit.reactive_streams import Subscription, from_publisher
from streamkit.testing import run
from streamkit.testing.reactive_streams import Link, Upstream
from tests.reactive_streams.asking import rest
from tests.reactive_streams.publishing import collect

# Publishers that break the rules: each has one outcome, which docs/reactive-streams.md tells.


def test_more_than_was_requested_overflows_after_what_is_held_and_cancels_once() -> None:
    async def main() -> None:
        def answer(subscriber: Any, n: int) -> None:
            for number in range(n + 2):
                subscriber.on_next(number)

        upstream = Upstream(answer)
        items, error = await collect(from_publisher(upstream, lookahead=2))
        assert items == [0, 1]
        assert isinstance(error, BufferOverflowError)
        assert "rule 1.1" in str(error)
        assert upstream.links[0].cancels == 1

    run(main)


def test_an_overflow_from_a_thread_cancels_although_nobody_pulls() -> None:
    async def main() -> None:
        upstream = Upstream()
        async with from_publisher(upstream).open() as items:
            pull = asyncio.ensure_future(anext(aiter(items)))
            await rest()
            upstream.subscriber.on_next(1)
            assert await pull == 1
            await asyncio.to_thread(upstream.subscriber.on_next, 2)
            await asyncio.to_thread(upstream.subscriber.on_next, 3)
            await rest()
            assert upstream.links[0].cancels == 1
            assert await anext(aiter(items)) == 2
            with pytest.raises(BufferOverflowError):
                await anext(aiter(items))
        assert upstream.links[0].cancels == 1

    run(main, threads=True)


@pytest.mark.parametrize("late", ["on_next", "on_error", "on_complete"])
def test_the_first_terminal_signal_counts_and_what_comes_after_it_is_ignored(late: str) -> None:
    async def main() -> None:
        def answer(subscriber: Any, _: int) -> None:
            subscriber.on_next(1)
            subscriber.on_complete()
            arguments = {"on_next": (2,), "on_error": (LookupError(),), "on_complete": ()}[late]
            getattr(subscriber, late)(*arguments)

        assert await collect(from_publisher(Upstream(answer), lookahead=5)) == ([1], None)

    run(main)


def test_an_item_of_none_raises_there_and_here_and_cancels() -> None:
    async def main() -> None:
        raised: list[TypeError] = []

        def answer(subscriber: Any, _: int) -> None:
            subscriber.on_next(1)
            try:
                subscriber.on_next(None)
            except TypeError as error:
                raised.append(error)

        upstream = Upstream(answer)
        items, error = await collect(from_publisher(upstream, lookahead=5))
        assert items == [1]
        assert error is raised[0]
        assert "rule 2.13" in str(error)
        assert upstream.links[0].cancels == 1

    run(main)


def test_an_error_that_is_none_raises_there_and_here() -> None:
    async def main() -> None:
        upstream = Upstream(lambda subscriber, _: subscriber.on_error("no exception"))
        items, error = await collect(from_publisher(upstream))
        assert items == []
        assert isinstance(error, TypeError)
        assert "'no exception'" in str(error)

    run(main)


def test_items_from_several_threads_at_once_are_all_taken_in() -> None:
    async def main() -> None:
        upstream = Upstream()
        job = (from_publisher(upstream, lookahead=400) | ops.to_list()).start()
        await rest()
        together = threading.Barrier(4)

        def send(name: int) -> None:
            together.wait()
            for number in range(100):
                upstream.subscriber.on_next((name, number))

        await asyncio.gather(*[asyncio.to_thread(send, name) for name in range(4)])
        upstream.subscriber.on_complete()
        got = await job
        for name in range(4):
            assert [number for who, number in got if who == name] == [*range(100)]

    run(main, threads=True)


class Broken(Link):
    """A subscription whose methods raise."""

    def __init__(self, name: str) -> None:
        super().__init__(lambda _: self.fail() if name == "request" else None)
        self.name = name

    def fail(self) -> None:
        raise OSError(self.name)

    def cancel(self) -> None:
        super().cancel()
        if self.name == "cancel":
            self.fail()


class Of:
    """A publisher of one subscription, and of some items."""

    def __init__(self, link: Subscription, *items: Any) -> None:
        self.link, self.items = link, items

    def subscribe(self, subscriber: Any) -> None:
        subscriber.on_subscribe(self.link)
        for item in self.items:
            subscriber.on_next(item)


def test_a_cancel_that_raises_is_an_error_of_the_clean_up() -> None:
    async def main() -> None:
        link = Broken("cancel")
        with pytest.raises(OSError, match="cancel"):
            await (from_publisher(Of(link, 1)) | ops.take(1) | ops.drain())
        assert link.cancels == 1
        with pytest.raises(ZeroDivisionError) as caught:
            await (from_publisher(Of(Broken("cancel"), 0)) | ops.map(lambda item: 1 // item) | ops.drain())
        assert [type(error) for error in attached(caught.value)] == [OSError]

    run(main)


def test_a_request_that_raises_ends_the_stream_and_cancels() -> None:
    async def main() -> None:
        link = Broken("request")
        items, error = await collect(from_publisher(Of(link)))
        assert items == []
        assert isinstance(error, OSError)
        assert "3.16" in error.__notes__[0]
        assert link.cancels == 1

    run(main)


def test_a_subscribe_that_raises_ends_the_stream_and_cancels() -> None:
    class Raising(Upstream):
        def subscribe(self, subscriber: Any) -> None:
            super().subscribe(subscriber)
            raise OSError("subscribe")

    async def main() -> None:
        upstream = Raising()
        _, error = await collect(from_publisher(upstream))
        assert isinstance(error, OSError)
        assert upstream.links[0].cancels == 1

    run(main)


def test_an_end_without_on_subscribe_is_an_end() -> None:
    class Hasty:
        def subscribe(self, subscriber: Any) -> None:
            subscriber.on_complete()
            self.link = Link()
            subscriber.on_subscribe(self.link)

    async def main() -> None:
        hasty = Hasty()
        assert await collect(from_publisher(hasty)) == ([], None)
        assert hasty.link.cancels == 1
        assert not hasty.link.requests

    run(main)


def test_a_broken_rule_cancels_also_when_the_loop_of_the_reader_was_closed_before() -> None:
    upstream, loop = Upstream(lambda subscriber, n: subscriber.on_next(0)), asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # of the task that the loop leaves behind
    items, errors = aiter(from_publisher(upstream, lookahead=1)), list[TypeError]()

    async def first() -> int:
        return await anext(items)

    def late() -> None:
        with pytest.raises(TypeError, match=r"rule 2\.13") as caught:
            upstream.subscriber.on_next(None)
        errors.append(caught.value)

    assert loop.run_until_complete(first()) == 0
    loop.close()
    thread = threading.Thread(target=late)
    thread.start()
    thread.join()
    assert len(errors) == upstream.links[0].cancels == 1
