"""Virtual time beside sockets, pipes and subprocesses; and where there are no sockets at all."""

import asyncio
import math
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from streamkit.testing import DeadlockError, VirtualLoop, run
from tests.testing.looping import quickly, the_loop

LATE = "import time; time.sleep(0.1); print('late', flush=True)"


def answering(seconds: float) -> tuple[int, threading.Thread]:
    """A port at which one connection gets a line after some real seconds."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as connection:
            time.sleep(seconds)
            connection.sendall(b"hello\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return server.getsockname()[1], thread


async def connected(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(3600.0):
            return await reader.readline()
    finally:
        writer.close()


async def spoken() -> bytes:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", LATE), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(3600.0):
        out, _ = await process.communicate()
    return out


async def ended() -> int:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-S", "-c", LATE), stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(3600.0):
        return await process.wait()


class TestWaiting:
    @pytest.mark.parametrize("patience", [None, 2.0])
    def test_a_socket_is_waited_for(self, patience: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
        port, thread = answering(0.1)
        monkeypatch.setattr(threading, "active_count", lambda: 1)  # as if the other side were a process
        assert run(lambda: connected(port), threads=True, patience=patience) == b"hello\n"
        thread.join()

    def test_the_output_of_a_subprocess_is_waited_for(self) -> None:
        assert run(spoken, threads=True).strip() == b"late"

    def test_the_end_of_a_subprocess_is_waited_for(self) -> None:
        assert run(ended, threads=True) == 0

    @pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")
    @pytest.mark.parametrize("threads", [False, True])
    def test_a_signal_is_heard(self, threads: bool) -> None:
        async def main() -> float:
            loop, came = the_loop(), asyncio.Event()
            loop.add_signal_handler(signal.SIGUSR1, came.set)
            loop.call_later(60.0, signal.raise_signal, signal.SIGUSR1)
            async with asyncio.timeout(3600.0):
                await came.wait()
            assert loop.remove_signal_handler(signal.SIGUSR1)
            return loop.time()

        assert run(main, threads=threads) == 60.0

    def test_patience_has_an_end(self) -> None:
        async def main() -> float:
            reader, writer = os.pipe()
            loop = the_loop()
            loop.add_reader(reader, lambda: None)
            await asyncio.sleep(1000.0)
            loop.remove_reader(reader)
            os.close(reader)
            os.close(writer)
            return loop.time()

        with quickly():
            assert run(main, threads=True, patience=0.01) == 1000.0

    def test_so_has_the_wait_for_a_thread(self) -> None:
        async def main() -> None:
            await asyncio.Event().wait()

        with pytest.raises(DeadlockError, match=r"0\.05 real seconds"):
            run(main, threads=True, limit=0.05)

    @pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
    @pytest.mark.parametrize("name", ["patience", "limit"])
    def test_how_long_is_checked(self, name: str, value: float) -> None:
        async def main() -> None:
            pytest.fail("it ran")

        with pytest.raises(ValueError, match=f"{name} must be"):
            run(main, threads=True, **{name: value})  # type: ignore[arg-type]


OUTSIDE: dict[str, Callable[[], Any]] = {
    "create_connection": lambda: connected(9),
    "create_server": lambda: asyncio.start_server(lambda *_: None, "127.0.0.1", 0),
    "subprocess_exec": spoken,
    "subprocess_shell": lambda: asyncio.create_subprocess_shell("true"),
    "add_reader": lambda: _called("add_reader", 0, print),
    "add_writer": lambda: _called("add_writer", 1, print),
    "sock_recv": lambda: _called("sock_recv", None, 1),
    "connect_read_pipe": lambda: _called("connect_read_pipe", None, None),
    "create_datagram_endpoint": lambda: _called("create_datagram_endpoint", None),
}


async def _called(name: str, *arguments: Any) -> None:
    await getattr(the_loop(), name)(*arguments)


@pytest.mark.parametrize("name", OUTSIDE)
def test_without_threads_what_waits_for_others_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(RuntimeError, match=rf"{name}: virtual time waits for .* only with .*threads=True"):
        run(OUTSIDE[name])


class TestWithoutSockets:
    @pytest.fixture(autouse=True)
    def no_sockets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refused(*_: Any, **__: Any) -> Any:
            raise PermissionError("no sockets here")

        monkeypatch.setattr(socket, "socketpair", refused)

    def test_virtual_time_needs_none(self) -> None:
        async def main() -> float:
            loop = the_loop()
            loop.call_soon_threadsafe(lambda: None)
            await asyncio.sleep(1000.0)
            return loop.time()

        assert run(main) == 1000.0


class TestOddTimes:
    @pytest.mark.parametrize("seconds", [math.nan, math.inf - math.inf, -math.inf])
    def test_a_time_that_is_none_fires_at_once_and_in_turn(self, seconds: float) -> None:
        async def main() -> list[tuple[str, float]]:
            loop = the_loop()
            fired: list[tuple[str, float]] = []
            for name, delay in (("first", 1.0), ("odd", seconds), ("third", 1.0), ("last", 1.5)):
                loop.call_later(delay, lambda name=name: fired.append((name, loop.time())))  # type: ignore[misc]
            await asyncio.sleep(2.0)
            return fired

        assert run(main) == [("odd", 0.0), ("first", 1.0), ("third", 1.0), ("last", 1.5)]

    def test_a_time_without_end_never_comes(self) -> None:
        async def main() -> float:
            the_loop().call_later(math.inf, pytest.fail)
            await asyncio.sleep(2.0)
            return the_loop().time()

        assert run(main) == 2.0

    @pytest.mark.parametrize("when", [None, "soon"])
    def test_what_is_no_time_is_refused(self, when: Any) -> None:
        async def main() -> None:
            with pytest.raises(TypeError):
                the_loop().call_at(when, print)

        run(main)

    def test_a_fraction_is_a_time(self) -> None:
        async def main() -> float:
            fired = asyncio.Event()
            the_loop().call_at(Fraction(1, 3), fired.set)  # type: ignore[arg-type]
            await fired.wait()
            return the_loop().time()

        assert run(main) == Fraction(1, 3)


class TestDebug:
    def test_a_coroutine_is_no_callback(self) -> None:
        async def main() -> None:
            the_loop().set_debug(True)
            with pytest.raises(TypeError, match="coroutines cannot be used"):
                the_loop().call_at(1.0, main)

        run(main)

    def test_another_thread_may_set_no_timer(self) -> None:
        async def main() -> None:
            the_loop().set_debug(True)
            with pytest.raises(RuntimeError, match="Non-thread-safe"):
                await asyncio.to_thread(the_loop().call_at, 1.0, print)

        run(main)


def test_an_executor_wakes_a_loop_without_threads() -> None:
    async def main() -> int:
        return await asyncio.to_thread(lambda: 5)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(main()) == 5
