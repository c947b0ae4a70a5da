"""What users of flows of managers relied on, and their defects, which must be gone: by their numbers.

The numbers are those of the list of features in the project's notes. A manager is a child of a flow here, and
the registry is a dict of functions that make jobs.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from threading import Thread
from typing import Any

import pytest

import streamkit
from streamkit import Backoff, Job, Stream, ops
from streamkit.flow import Child, Fault, Flow, Intensity, Restart, State
from streamkit.testing import run

NUMBERS = count(1)


class Numbers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(next(NUMBERS)).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def quiet(fault: Fault) -> None:
    """Faults are part of the scenario."""


async def awaited(flow: Flow) -> float:
    await flow
    return asyncio.get_running_loop().time()


def failing_twice(seen: list[int]) -> Callable[[], Job[None]]:
    """The source fails after three items in its first two runs, and ends in the third."""
    runs = count(1)

    async def source() -> AsyncIterator[int]:
        number = next(runs)
        for item in range(3):
            yield item
        if number < 3:
            raise ConnectionError("lost")

    return lambda: Stream(source) | ops.for_each(seen.append)


def test_ap9_a_named_pipeline_polls_a_server_to_its_end() -> None:
    seen: list[int] = []

    def read(port: int) -> int:
        connection = HTTPConnection("127.0.0.1", port, timeout=8.0)
        try:
            connection.request("GET", "/")
            return int(connection.getresponse().read())
        finally:
            connection.close()

    with HTTPServer(("127.0.0.1", 0), Numbers) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        port = server.server_address[1]

        def apple() -> Job[None]:
            fetched = streamkit.interval(0.001) | ops.map(lambda _: asyncio.to_thread(read, port))
            return fetched | ops.take(6) | ops.for_each(seen.append)

        try:
            assert Flow(Child("yahoo_apple", apple)).run().ended == ("flow/yahoo_apple",)
        finally:
            server.shutdown()
            thread.join()
    assert seen == [1, 2, 3, 4, 5, 6]


def test_ap10_flows_are_written_as_data_by_the_names_of_a_registry() -> None:
    seen: list[int] = []
    registry: dict[str, Callable[..., Job[Any]]] = {
        "numbers": lambda last: Stream(range(last)) | ops.for_each(seen.append),
        "letters": lambda: Stream("ab") | ops.map(ord) | ops.for_each(seen.append),
    }
    data: list[dict[str, Any]] = [
        {"name": "codes", "job": "letters", "after": ["yahoo_apple"]},
        {"name": "yahoo_apple", "job": "numbers", "args": {"last": 3}},
    ]

    def child(job: str, args: dict[str, Any] | None = None, **rules: Any) -> Child:
        return Child(make=lambda: registry[job](**(args or {})), **rules)

    run(lambda: awaited(Flow(*[child(**each) for each in data])))
    assert seen == [0, 1, 2, 97, 98]


def test_ap11_a_child_is_looked_up_by_its_name() -> None:
    async def main() -> None:
        inner = Flow(Child("yahoo_google", lambda: streamkit.never() | ops.drain()))
        handle = Flow(Child("yahoo_apple", lambda: Stream([1]) | ops.drain()), Child("more", inner)).start()
        await asyncio.sleep(1.0)
        assert handle["yahoo_apple"].status.state is State.DONE
        assert handle["more/yahoo_google"].status.state is State.RUNNING
        await handle.stop()
        await handle

    run(main)


def test_ap12_two_flows_run_in_one_process_and_know_nothing_of_each_other() -> None:
    seen: list[int] = []

    async def main() -> None:
        good = Flow(
            Child("a", lambda: streamkit.interval(1.0) | ops.take(3) | ops.for_each(seen.append)), name="good"
        )
        bad = Flow(
            Child("a", lambda: streamkit.fail(ConnectionError("lost")) | ops.drain()),
            name="bad",
            intensity=Intensity(0, seconds=1.0),
            on_error=quiet,
        )
        handles = good.start(), bad.start()
        with pytest.raises(ConnectionError):
            await handles[1]
        await handles[0]

    run(main)
    assert seen == [0, 1, 2]


def test_ap13_what_has_failed_runs_again_as_a_fresh_instance() -> None:
    seen: list[int] = []
    faults: list[Fault] = []
    run(lambda: awaited(Flow(Child("a", failing_twice(seen)), on_error=faults.append)))
    assert len(faults) == 2
    assert seen == [0, 1, 2] * 3


def test_ap14_restarts_wait_longer_each_time_and_have_a_limit() -> None:
    begun: list[float] = []

    async def source() -> AsyncIterator[int]:
        begun.append(asyncio.get_running_loop().time())
        raise ConnectionError("lost")
        yield 1

    backoff = Backoff(1.0, most=4.0, jitter=0.0)
    child = Child("a", lambda: Stream(source) | ops.drain(), backoff=backoff)
    with pytest.raises(ConnectionError):
        run(lambda: awaited(Flow(child, intensity=Intensity(4, seconds=60.0), on_error=quiet)))
    assert begun == [0.0, 1.0, 3.0, 7.0, 11.0]


@pytest.mark.parametrize("rule", [Restart.TRANSIENT, Restart.TEMPORARY])
def test_ap15_what_need_not_run_always_is_not_started_again(rule: Restart) -> None:
    seen: list[int] = []
    run(lambda: awaited(Flow(Child("a", lambda: Stream([1, 2]) | ops.for_each(seen.append), restart=rule))))
    assert seen == [1, 2]
    if rule is Restart.TEMPORARY:
        seen.clear()
        run(lambda: awaited(Flow(Child("a", failing_twice(seen), restart=rule), on_error=quiet)))
        assert seen == [0, 1, 2]


def test_ap16_a_handler_that_fails_once_handles_what_comes_later() -> None:
    events: asyncio.Queue[int] = asyncio.Queue()
    handled: list[int] = []

    def handle(event: int) -> None:
        if event == 1:
            raise ValueError("of this event")
        handled.append(event)

    async def main() -> None:
        listener = Child("listener", lambda: streamkit.from_queue(events) | ops.for_each(handle), backoff=0.0)
        handle_ = Flow(listener, on_error=quiet).start()
        for event in range(5):
            await events.put(event)
        await asyncio.sleep(1.0)
        await handle_.stop()
        await handle_

    run(main)
    assert handled == [0, 2, 3, 4]


def test_ap17_a_hook_is_told_the_error_and_the_name_or_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    faults: list[Fault] = []

    def job() -> Job[None]:
        return Stream(["1", "x"]) | ops.map(int) | ops.drain()

    failing = Child("yahoo_apple", job, restart=Restart.TEMPORARY)
    run(lambda: awaited(Flow(failing, name="stocks", on_error=faults.append)))
    (fault,) = faults
    assert isinstance(fault.error, ValueError)
    assert (fault.flow, fault.job, fault.operator, fault.items) == (
        "stocks",
        "yahoo_apple",
        "map(int)",
        ("x",),
    )
    assert fault.tags == {"flow": "stocks", "job": "yahoo_apple", "operator": "map", "action": "leave"}
    assert not caplog.records
    run(lambda: awaited(Flow(failing, name="stocks")))
    assert [(each.name, each.levelno) for each in caplog.records] == [("streamkit", logging.ERROR)]
    assert caplog.records[0].getMessage().startswith("stocks/yahoo_apple has failed in map(int) at ")


def test_ap18_it_ends_when_its_last_job_does() -> None:
    def children() -> list[Child]:
        return [Child(f"j{n}", lambda n=n: streamkit.timer(float(n)) | ops.drain()) for n in range(1, 4)]  # type: ignore[misc]

    assert run(lambda: awaited(Flow(*children()))) == 3.0
