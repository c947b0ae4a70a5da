"""Frames as they are put together again, however the socket has cut them."""

import socket
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from streamkit.executors.frames import FROM_PROCESS, HEAD, Inflow, Say

Pair = tuple[socket.socket, Inflow]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """One end of a pair of sockets, and what comes in at the other."""
    here, there = socket.socketpair()
    with here, there:
        yield here, Inflow(there, FROM_PROCESS)


def frame(number: int, body: bytes, kind: int = Say.DONE, size: int | None = None) -> bytes:
    return HEAD.pack(kind, number, 0.5, 7, len(body) if size is None else size) + body


def bodies(frames: Any) -> list[bytes]:
    return [bytes(body) for *_, body in frames]


@pytest.mark.parametrize("most", [7_001, 60_000])
def test_frames_of_any_size_come_whole_in_order_and_stay_as_they_are(pair: Pair, most: int) -> None:
    here, inflow = pair
    random = Random(most)
    sizes = [0, 1, 20_000, 3, 100_000, 65_536 - HEAD.size, 300_000, 2, 16_384, 16_383, 70_000, 0]
    sent = [random.randbytes(size) for size in sizes]
    data = b"".join([frame(number, body) for number, body in enumerate(sent)])
    found: list[Any] = []
    while data:
        cut = random.randint(1, most)
        here.sendall(data[:cut])
        data = data[cut:]
        while True:
            try:
                found += inflow.read(socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
    assert [number for _, number, *_ in found] == [*range(len(sizes))]
    assert bodies(found) == sent, "none was overwritten by what came later"
    assert not inflow.over
    here.close()
    assert inflow.read() == []
    assert inflow.over


@pytest.mark.parametrize(
    ("after", "over"),
    [(b"garbage" * 100, True), (frame(2, b"", kind=Say.CALL), True), (frame(2, b"x", size=1 << 60), False)],
)
def test_what_is_no_frame_is_the_end_and_what_is_too_long_is_waited_for(
    pair: Pair, after: bytes, *, over: bool
) -> None:
    here, inflow = pair
    here.sendall(frame(1, b"ab") + after)
    assert bodies(inflow.read()) == [b"ab"]
    assert inflow.over is over
