"""Sources and callbacks that the workloads share, so that all contenders call the same ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any


def iterator(count: int) -> Iterator[int]:
    """Any iterator that is no range or list."""
    yield from range(count)


async def numbers(count: int, start: int = 0) -> AsyncIterator[int]:
    for number in range(start, start + count):
        yield number


def add_one(number: int) -> int:
    return number + 1


async def aioreactive_list(observable: Any) -> list[Any]:
    """All that an observable of aioreactive emits."""
    import aioreactive

    out: list[Any] = []

    async def send(item: Any) -> None:
        out.append(item)

    await aioreactive.run(observable, aioreactive.AsyncAwaitableObserver(send), timeout=60)
    return out


def rx_last(observable: Any) -> Any:
    """What an observable of RxPY emits last; `run` starts a thread for every source, unless told not to."""
    from reactivex.scheduler import CurrentThreadScheduler

    return observable.run(CurrentThreadScheduler.singleton())


def checked(items: Iterable[int]) -> tuple[int, int]:
    """What can be compared of items that come in any order."""
    found = list(items)
    return len(found), sum(found)
