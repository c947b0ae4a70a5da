"""`check_connector` sees what connectors do wrong, each in the fault that shows it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from streamkit import Gap, Stream, connect, ops
from streamkit.connect import Reconnect
from streamkit.testing import ConnectorError, ConnectorFault, check_connector
from tests.connect.peers import Feed, Phone, State
from tests.connect.test_every_fault import number, of_event, phoned

F = ConnectorFault
BUSY_ONLY = Reconnect(0.5, threshold=None, longest=0.5)


def heard(peer: Feed, **options: Any) -> Stream[Any]:
    given = {"heartbeat": 10.0, "reconnect": Reconnect(threshold=None), **options}
    return connect.events(peer.url, **given) | ops.map(of_event)


def without_gaps(peer: Feed) -> Stream[Any]:
    return heard(peer) | ops.filter(lambda item: not isinstance(item, Gap))


def twice(peer: Feed) -> Stream[Any]:
    return heard(peer) | ops.map(lambda item: [item, item]) | ops.flatten()


def leaking(peer: Feed) -> Stream[Any]:
    async def source() -> AsyncIterator[Any]:
        tasks.append(asyncio.create_task(asyncio.sleep(1e6), name="forgotten"))
        async with heard(peer).open() as items:
            async for item in items:
                yield item

    tasks: list[Any] = []
    return Stream(source)


def slow_to_close(peer: Feed) -> Stream[Any]:
    async def source() -> AsyncIterator[Any]:
        try:
            async with heard(peer).open() as items:
                async for item in items:
                    yield item
        finally:
            await asyncio.sleep(16.0)

    return Stream(source)


def wordy(peer: Feed) -> Stream[Any]:
    return heard(peer) | ops.map(lambda item: item if isinstance(item, Gap) or item < 2 else str(item))


WRONG: list[tuple[str, Callable[[Any], Stream[Any]], ConnectorFault, str]] = [
    ("no heartbeat", lambda peer: heard(peer, heartbeat=None), F.HALF_OPEN, "nothing that was sent after it"),
    (
        "in a hurry",
        lambda peer: heard(peer, reconnect=Reconnect(0.1, threshold=None)),
        F.REFUSED,
        "times in 30 s",
    ),
    (
        "deaf to Retry-After",
        lambda peer: heard(peer, reconnect=BUSY_ONLY),
        F.BUSY,
        "sooner than Retry-After asks",
    ),
    ("losing in silence", without_gaps, F.RESET, "are missing, and no Gap says so"),
    ("trusting", lambda peer: heard(peer, resumes=True), F.ROTATION, "are missing, and no Gap says so"),
    ("twice", twice, F.CLOCK_CHANGE, "1 came after 1"),
    ("leaking", leaking, F.CLOCK_JUMP, "left behind when main ended:\n  task 'forgotten'"),
    ("slow to close", slow_to_close, F.CUT, "it took 16 s to close"),
    (
        "giving up",
        lambda peer: heard(peer, reconnect=Reconnect(threshold=1)),
        F.BROKEN,
        "it failed: ClientPayloadError",
    ),
    ("ending", lambda peer: heard(peer) | ops.take(4), F.CLOCK_CHANGE, "it ended"),
    (
        "never beginning",
        lambda _: connect.websocket("ws://127.0.0.1:1/"),
        F.HANGS,
        "no 3 numbers came within 60 s",
    ),
]


@pytest.mark.parametrize(
    ("connector", "fault", "words"), [each[1:] for each in WRONG], ids=[each[0] for each in WRONG]
)
def test_what_a_connector_does_wrong_is_told(
    connector: Callable[[Any], Stream[Any]], fault: ConnectorFault, words: str
) -> None:
    with pytest.raises(ConnectorError) as caught:
        check_connector(connector, Feed, faults=[fault])
    assert caught.value.report.broken == (fault,)
    assert words in str(caught.value)


def test_what_is_no_number_is_told_at_once() -> None:
    with pytest.raises(ConnectorError, match="'2' came, which is no number that was sent"):
        check_connector(wordy, Feed, faults=[F.CLOCK_CHANGE])


def test_the_report_is_a_table() -> None:
    def polled(peer: State) -> Stream[Any]:
        return connect.poll(peer.url, 1.0) | ops.map(number)

    report = check_connector(polled, State, faults=[F.CLOCK_CHANGE, F.HALF_OPEN], samples=True, lasts=9.0)
    head, change, half = str(report).splitlines()
    assert head.split() == ["fault", "again", "after", "items", "gaps", "dials"]
    assert change.split()[0] == "CLOCK_CHANGE"
    assert change.split()[-1] == "0"
    assert half.split()[0] == "HALF_OPEN"
    assert report.broken == ()
    assert repr(report.outcomes[0].fault) == "ConnectorFault.CLOCK_CHANGE"


def test_a_connector_with_threads_gets_real_time_for_them() -> None:
    terms: Any = {"faults": [F.RESET, F.CLOCK_JUMP], "lasts": 2.0, "threads": True}
    report = check_connector(phoned, Phone, **terms)
    assert [len(each.gaps) for each in report.outcomes] == [1, 0]


def test_an_error_of_the_connector_itself_is_raised_as_it_is() -> None:
    def defect(_: Any) -> Stream[Any]:
        raise LookupError("defect")

    with pytest.raises(LookupError):
        check_connector(defect, Feed)


def test_wrong_arguments_are_told_at_the_call() -> None:
    check: Any = check_connector
    for words, given, more in (
        ("connector must be", (3, Feed), {}),
        (r"connector must return a stream: Stream\(source\), not \[1\]", (lambda _: [1], Feed), {}),
        ("peer must be", (heard, 3), {}),
        ("faults must be", (heard, Feed), {"faults": ["x"]}),
        ("samples must be", (heard, Feed), {"samples": 1}),
        ("lasts must be", (heard, Feed), {"lasts": 0.0}),
        ("dials must be", (heard, Feed), {"dials": 0}),
        ("threads must be", (heard, Feed), {"threads": None}),
    ):
        with pytest.raises((TypeError, ValueError), match=words):
            check(*given, **more)
