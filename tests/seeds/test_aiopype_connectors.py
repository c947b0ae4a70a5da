"""What users of the sources of aiopype relied on, and their defects, which must be gone: by their numbers.

The numbers are those of the list of features in the project's notes. Servers and clients are those of the
libraries, on a network in memory, in virtual time.
"""

import asyncio
import json
from threading import Thread
from typing import Any

import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve

from streamkit import Backoff, DropOldest, Gap, Stream, Suspend, connect, ops
from streamkit.connect import HeartbeatLostError, Reconnect, Sender, SocketEvent
from streamkit.testing import on_network
from tests.connect.peers import Rooms, Site

SOON = Backoff(0.1, factor=1.0, jitter=0.0)


async def some(stream: Stream[Any], count: int) -> list[Any]:
    return await (stream | ops.take(count) | ops.to_list())


def test_ap19_a_poller_tells_of_too_many_failures_once_and_goes_on() -> None:
    """Three of six fail; bodies of failures were emitted there, as the status was not looked at."""
    statuses = [200, 500, 500, 500, 200, 200]
    told: list[tuple[str, int]] = []

    async def main() -> list[Any]:
        async def answer(_: web.Request) -> web.Response:
            status = statuses.pop(0)
            date = {"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}
            return web.Response(status=status, text=json.dumps({"left": len(statuses)}), headers=date)

        async with Site(answer) as site:
            rules = Reconnect(SOON, threshold=3, on_threshold=lambda error, n: told.append((str(error), n)))
            replies = await some(connect.poll(site.url, 2.0, reconnect=rules), 3)
            times = [when for when, _ in site.requests]
        assert times == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
        return [(reply.json(), str(reply.at)) for reply in replies]

    when = "1994-11-06 08:49:37+00:00"
    assert on_network(main) == [({"left": n}, when) for n in (5, 1, 0)]
    assert told == [("status 500 of http://127.0.0.1:8080/", 3)]


def test_ap19_requests_overlap_as_many_as_may_and_time_out() -> None:
    """A request every second, each answered in three; without a bound, there were ever more at once."""
    most = under_way = 0

    async def main() -> list[float]:
        nonlocal most, under_way

        async def answer(request: web.Request) -> web.Response:
            nonlocal most, under_way
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(3.0)
            under_way -= 1
            return web.Response(text="late")

        async with Site(answer) as site:
            stream = connect.poll(site.url, 1.0, overlap=2, timeout=8.0)
            await some(stream, 4)
            times = [when for when, _ in site.requests]
            await asyncio.sleep(3.0)  # the server does not know that nobody waits
            return times

    assert on_network(main)[:4] == [0.0, 1.0, 3.0, 4.0]
    assert most == 2

    async def hanging() -> None:
        async def never(_: web.Request) -> web.Response:
            await asyncio.sleep(100.0)
            return web.Response()

        async with Site(never) as site:
            with pytest.raises(TimeoutError):
                await some(connect.poll(site.url, 1.0, reconnect=Reconnect(SOON, threshold=2)), 1)
            assert asyncio.get_running_loop().time() == 16.1
            await asyncio.sleep(100.0)

    on_network(hanging)


def test_ap20_a_websocket_connects_again_when_it_is_dropped_or_silent() -> None:
    """Dropped twice, then silent: the heartbeat is lost, and the fourth connection goes on."""
    connections = 0
    reasons: list[str] = []

    async def main() -> list[Any]:
        async def speak(connection: ServerConnection) -> None:
            nonlocal connections
            connections += 1
            assert await connection.recv() == "subscribe"
            await connection.send(json.dumps(connections))
            if connections < 3:
                connection.transport.abort()
            elif connections == 3:  # it reads nothing any more, so it answers no ping
                connection.transport.pause_reading()
                await asyncio.sleep(60.0)
            else:
                await connection.wait_closed()

        async def subscribe(connection: Any) -> None:
            await connection.send("subscribe")

        async with serve(speak, "127.0.0.1", 8080, ping_interval=None, close_timeout=0.1):
            rules = Reconnect(SOON, on_retry=lambda error, *_: reasons.append(type(error).__name__))
            stream = connect.websocket(
                "ws://127.0.0.1:8080",
                parse=lambda text: {"number": json.loads(text)},
                on_connect=subscribe,
                heartbeat=30.0,
                reconnect=rules,
            )
            return await some(stream, 7)

    found = on_network(main)
    assert [item for item in found if not isinstance(item, Gap)] == [{"number": n} for n in (1, 2, 3, 4)]
    assert [isinstance(item, Gap) for item in found] == [False, True, False, True, False, True, False]
    assert reasons == ["ConnectionClosedError", "ConnectionClosedError", HeartbeatLostError.__name__]
    silent = found[5]
    assert silent.reason.startswith("HeartbeatLostError: nothing came for 30 s")
    assert 30.0 <= (silent.until - silent.since).total_seconds() <= 33.0


def test_ap20_a_websocket_gives_up_after_so_many_failures_in_a_row() -> None:
    """There the message was 'Disconnected too many times, stopped', and the flow went on without it."""

    async def main() -> None:
        with pytest.raises(ConnectionRefusedError) as caught:
            await some(connect.websocket("ws://127.0.0.1:9", reconnect=Reconnect(SOON)), 1)
        assert "this was failure 10 in a row" in caught.value.__notes__
        assert round(asyncio.get_running_loop().time(), 6) == 0.9

    on_network(main)


def test_ap21_a_socket_io_source_joins_listens_and_connects_again() -> None:
    """The handshake, the packets and the answers to pings are the library's: five a minute here."""

    async def main() -> list[Any]:
        peer = Rooms()
        await peer.start()
        async with connect.socketio_events(
            peer.url,
            strategy=DropOldest(10),
            on_connect=lambda client: client.emit("join", "prices"),
            reconnect=Reconnect(SOON, threshold=1000),
        ).open() as events:
            reading = asyncio.create_task(some(Stream(events), 3))
            await asyncio.sleep(60.0)  # pings were answered, or it would have been dropped by now
            await peer.send(1)
            await asyncio.sleep(1.0)
            await peer.stop()
            await peer.start()
            await asyncio.sleep(10.0)
            await peer.send(2)
            found = await reading
        await peer.stop()
        assert peer.joined == ["prices", "prices"]
        return found

    first, gap, second = on_network(main)
    assert (first, second) == (SocketEvent("number", 1), SocketEvent("number", 2))
    assert isinstance(gap, Gap)


class Pusher:
    """A client as that of the service: a thread of its own, which calls back."""

    def __init__(self, sender: Sender[str], course: list[str]) -> None:
        self.sender, self.course = sender, course
        self.thread = Thread(target=self.listen, name="pusher")
        self.closed = False

    def listen(self) -> None:
        match self.course.pop(0):
            case "raises":
                self.sender.send("before")
                raise KeyError("a defect of the client")
            case "bad state":
                self.sender.fail("unavailable")
            case "silent":
                self.sender.beat()
            case "sends":
                on_message = self.sender.guarded(self.sender.send)
                for word in ("a", "b"):
                    on_message(word)
                self.sender.end()

    def disconnect(self) -> None:
        self.closed = True
        self.thread.join()


def test_ap22_what_fails_in_a_thread_of_a_client_comes_to_the_stream() -> None:
    """An exception of its thread, a bad state and a lost heartbeat were seen by nobody."""
    clients: list[Pusher] = []
    failures: list[str] = []

    def pushed(course: list[str], **more: Any) -> Stream[Any]:
        def listen(sender: Sender[str]) -> Any:
            client = Pusher(sender, course)
            clients.append(client)
            if course[0] == "raises":
                sender.watch(client.thread)
            client.thread.start()
            return client.disconnect

        return connect.threaded(listen, strategy=Suspend(4), heartbeat=30.0, **more)

    async def main() -> list[Any]:
        rules = Reconnect(SOON, on_retry=lambda error, *_: failures.append(str(error)))
        course = ["raises", "bad state", "silent", "sends"]
        return await (pushed(course, reconnect=rules) | ops.to_list())

    found = on_network(main)
    assert [item for item in found if not isinstance(item, Gap)] == ["before", "a", "b"]
    assert failures == [
        "KeyError: 'a defect of the client'",
        "unavailable",
        "the client was not heard of for 30 s",
    ]
    assert len(clients) == 4
    assert all(each.closed and not each.thread.is_alive() for each in clients)

    async def failing() -> None:
        with pytest.raises(ConnectionError, match="a defect of the client") as caught:
            await (pushed(["raises"], reconnect=Reconnect(threshold=1)) | ops.drain())
        assert isinstance(caught.value.__cause__, KeyError)

    on_network(failing)
