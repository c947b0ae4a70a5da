"""What a thread does that waits for a lock, in whatever words, is seen; and that it does nothing else."""

import contextlib
import functools
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from streamkit._stages.locks import lock_awaited
from tests.patience import comes, joined
from tests.stages.owning import OWNERS, Owner


def place(worker: threading.Thread) -> object:
    """Where `worker` is seen to wait; looked at until it is."""
    seen: list[object] = []

    def looks(seconds: float) -> bool:
        time.sleep(seconds)
        seen.append(lock_awaited(worker.ident))
        return seen[-1] is not None

    comes(looks)
    return seen[-1]


@pytest.mark.parametrize("owner", OWNERS)
def test_a_thread_that_waits_is_seen_again_and_again_at_one_place(owner: str) -> None:
    own: Owner = OWNERS[owner]()
    with contextlib.ExitStack() as until_seen:
        ended = threading.Event()
        owning = threading.Thread(target=own.hold_until, args=(ended,), daemon=True)
        until_seen.callback(ended.set)
        owning.start()
        assert comes(own.owned.wait)
        worker = threading.Thread(target=own.take, args=(owning,), daemon=True)
        worker.start()
        first = place(worker)
        assert first is not None
        assert lock_awaited(worker.ident) == first
    assert joined(worker)


BUSY: dict[str, Callable[[threading.Event], object]] = {
    "asleep": lambda ended: time.sleep(0.05),
    "computing": lambda ended: sum(range(2_000_000)),
    "after a lock": lambda ended: (threading.Lock().acquire(), time.sleep(0.05)),
    "with one in hand": functools.partial(
        lambda lock, ended: [None for _ in range(500_000)], queue.SimpleQueue()
    ),
}


@pytest.mark.parametrize("work", BUSY)
def test_a_thread_that_is_busy_or_asleep_is_not(work: str) -> None:
    worker = threading.Thread(target=BUSY[work], args=(threading.Event(),), daemon=True)
    worker.start()
    seen: list[Any] = []
    while worker.is_alive():
        seen.append(lock_awaited(worker.ident))
        time.sleep(0.001)
    assert not any(place is not None and place == after for place, after in zip(seen, seen[1:], strict=False))


def test_a_thread_that_is_none_or_gone_is_not() -> None:
    worker = threading.Thread(target=int)
    worker.start()
    assert joined(worker)
    assert lock_awaited(worker.ident) is None
    assert lock_awaited(None) is None
