"""The pool's end of a socket: frames out and in, also where the other end, or the loop, is gone."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from streamkit.executors.frames import HEAD, Say
from streamkit.executors.hand import loop_hears
from streamkit.executors.wire import Wire


def wired(use: Callable[[Wire, socket.socket, list[Any]], Awaitable[None]], **heard: Any) -> list[Any]:
    """What a wire hears, "lost" at the end, while it is used; `heard` says what then happens."""
    found: list[Any] = []

    async def main() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            wire = Wire(asyncio.get_running_loop(), ours, got, lambda: found.append("lost"))
            wires.append(wire)
            async with asyncio.timeout(10.0):
                await use(wire, theirs, found)
            wire.close()

    def got(frame: Any) -> None:
        found.append(frame[1])
        if heard.get("closes") == frame[1]:
            wires[0].close()

    wires: list[Wire] = []
    asyncio.run(main())
    return found


def frames(*numbers: int) -> bytes:
    return b"".join([HEAD.pack(Say.DONE, number, 0.0, 0, 2) + b"ab" for number in numbers])


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0)


@pytest.mark.parametrize(("closes", "expected"), [(None, [1, 2, "lost"]), (1, [1])])
def test_what_has_come_is_given_on_unless_it_is_closed_meanwhile(closes: int | None, expected: Any) -> None:
    async def use(wire: Wire, theirs: socket.socket, found: list[Any]) -> None:
        theirs.sendall(frames(1, 2) + frames(3)[:-1])
        theirs.close()
        await until(lambda: found[-1:] == expected[-1:])
        wire.send(Say.CALL, 4)

    assert wired(use, closes=closes) == expected


def test_what_nobody_reads_any_more_is_given_up() -> None:
    async def use(wire: Wire, theirs: socket.socket, found: list[Any]) -> None:
        theirs.close()
        wire.send(Say.CALL, 1, b"x" * 1000)
        assert found == [], "reading tells"
        await until(lambda: found)

    assert wired(use) == ["lost"]


def test_one_whose_loop_has_ended_is_closed() -> None:
    ours, theirs = socket.socketpair()
    loop = asyncio.new_event_loop()
    wire = Wire(loop, ours, lambda frame: None, lambda: None)
    loop.close()
    wire.close()
    with theirs:
        assert theirs.recv(1) == b""


def test_an_error_of_a_loop_is_not_taken_for_its_end() -> None:
    class Bad(asyncio.SelectorEventLoop):
        def call_soon_threadsafe(self, *arguments: Any, **named: Any) -> Any:
            raise RuntimeError("bad")

    loop = Bad()
    with pytest.raises(RuntimeError, match="bad"):
        loop_hears(loop, print)
    loop.close()
    assert not loop_hears(loop, print)
