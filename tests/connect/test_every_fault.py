"""Every connector is put through every fault, on virtual time, against a server of its library."""

from typing import Any

import pytest

from streamkit import Backoff, DropOldest, Gap, Stream, Suspend, connect, ops
from streamkit.connect import Reconnect, Reply, Sender, ServerEvent, SocketEvent
from streamkit.testing import ConnectorFault, check_connector
from tests.connect.peers import Feed, Phone, Rooms, State, Talker
from tests.connect.postgres import Notifier

PATIENT = Reconnect(Backoff(0.5, most=10.0, seed=1), threshold=None)


def number(reply: Reply) -> Any:
    return reply.json()["number"]


def of_event(item: ServerEvent | Gap) -> int | Gap:
    return item if isinstance(item, Gap) else int(item.data)


def of_message(item: str | bytes | Gap) -> int | Gap:
    return item if isinstance(item, Gap) else int(item)


def of_room(item: SocketEvent | Gap) -> Any:
    return item if isinstance(item, Gap) else item.args[0]


def polled(peer: State) -> Stream[Any]:
    return connect.poll(peer.url, 1.0, jitter=0.2, reconnect=PATIENT) | ops.map(number)


def polled_at_once(peer: State) -> Stream[Any]:
    return connect.poll(peer.url, 1.0, overlap=3, reconnect=PATIENT) | ops.map(number)


def paged(peer: State) -> Stream[Any]:
    """Pages without an end: each leads to the next, which is there a second later."""
    return (
        connect.pages(peer.url, lambda _: "?next", limit=10**6, reconnect=PATIENT)
        | ops.throttle(1.0)
        | ops.filter(lambda reply: reply.status == 200)
        | ops.map(number)
    )


def heard(peer: Feed) -> Stream[Any]:
    return connect.events(peer.url, heartbeat=10.0, reconnect=PATIENT) | ops.map(of_event)


def resumed(peer: Feed) -> Stream[Any]:
    return connect.events(peer.url, heartbeat=10.0, resumes=True, reconnect=PATIENT) | ops.map(of_event)


def talked(peer: Talker) -> Stream[Any]:
    return connect.websocket(peer.url, heartbeat=10.0, reconnect=PATIENT) | ops.map(of_message)


def roomed(peer: Rooms) -> Stream[Any]:
    return connect.socketio_events(peer.url, strategy=DropOldest(100), reconnect=PATIENT) | ops.map(of_room)


def notified(peer: Notifier) -> Stream[Any]:
    told = connect.postgres_notifications(
        peer.dsn, "numbers", strategy=DropOldest(100), reconnect=PATIENT, heartbeat=10.0
    )
    return told | ops.map(of_message)


def phoned(peer: Phone) -> Stream[Any]:
    def listen(sender: Sender[int]) -> Any:
        return peer.call(sender)

    return connect.threaded(listen, strategy=Suspend(1000), heartbeat=10.0, reconnect=PATIENT)


CONNECTORS: dict[str, tuple[Any, Any, dict[str, bool]]] = {
    "poll": (polled, State, {"samples": True}),
    "poll, overlapping": (polled_at_once, State, {"samples": True}),
    "pages": (paged, State, {"samples": True, "repeats": True}),
    "events": (heard, Feed, {}),
    "events that resume": (resumed, lambda: Feed(replays=True), {}),
    "websocket": (talked, Talker, {}),
    "socketio": (roomed, Rooms, {}),
    "postgres_notifications": (notified, Notifier, {}),
    "threaded": (phoned, Phone, {}),
}


@pytest.mark.parametrize("name", CONNECTORS)
def test_comes_through_every_fault(name: str) -> None:
    connector, peer, terms = CONNECTORS[name]
    report = check_connector(connector, peer, **terms)
    assert len(report.outcomes) == len(ConnectorFault) == 12
    told = {outcome.fault: len(outcome.gaps) for outcome in report.outcomes}
    if name in ("events", "websocket", "socketio", "postgres_notifications", "threaded"):
        assert told[ConnectorFault.RESET] == 1
        assert told[ConnectorFault.HALF_OPEN] == 1
        assert told[ConnectorFault.CLOCK_CHANGE] == 0
    if name == "events that resume":
        assert [fault for fault, gaps in told.items() if gaps] == [ConnectorFault.LOST_SESSION]
