"""How long tests wait for other threads: so long that a busy machine is no reason to fail.

Patience is counted in pieces, and not in seconds. Where other programs keep the processors busy, each piece
takes longer, as all that the other threads do.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from typing import Any, TypeVar

__all__ = ["PIECES", "comes", "done_in_time", "idle", "joined", "result_of"]

T = TypeVar("T")
PIECE, PIECES = 0.001, 5_000
"""Seconds of a piece, and after how many something counts as stuck."""
TURNS = 1_000
"""Turns of an event loop after which what is always ready counts as going on for ever."""


def comes(waits: Callable[[float], object]) -> bool:
    """Whether `waits`, which is told how many seconds to wait, comes true."""
    return any(waits(PIECE) for _ in range(PIECES))


def joined(thread: threading.Thread) -> bool:
    """Whether `thread` ends."""

    def ends(seconds: float) -> bool:
        thread.join(seconds)
        return not thread.is_alive()

    return comes(ends)


def result_of(future: Future[T]) -> T:
    """The result of `future`, which another thread sets."""
    assert comes(lambda seconds: wait([future], seconds).done), "the other thread is stuck"
    return future.result()


def done_in_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main`; it is cancelled if it is stuck. Nothing wakes its loop meanwhile."""
    done = threading.Event()

    async def watched() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def watch() -> None:
            if not comes(done.wait):
                loop.call_soon_threadsafe(task.cancel)

        threading.Thread(target=watch, daemon=True).start()
        return await main()

    try:
        return asyncio.run(watched())
    finally:
        done.set()


async def idle() -> None:
    """Let the running loop turn until nothing is left to do in it, no callback and no timer.

    What another thread wrote to wake the loop may arrive at any time after the call that it was for.
    """
    loop: Any = asyncio.get_running_loop()
    for _ in range(TURNS):
        await asyncio.sleep(0)
        if not loop._ready:
            break
    assert not loop._ready
    assert not [timer for timer in loop._scheduled if not timer.cancelled()]
