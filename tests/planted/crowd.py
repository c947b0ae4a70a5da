"""Other tasks beside a program, which have nothing to do with it: more is ready, in more orders."""

from __future__ import annotations

import asyncio
from asyncio import Queue
from collections.abc import Coroutine
from typing import Any

from tests.planted.plant import Main

__all__ = ["crowded"]

ROUNDS = 12
QUARTER = 0.25


def crowded(main: Main, pairs: int) -> Main:
    """`main`, beside so many `pairs` of tasks that hand numbers to each other four times a second."""

    async def beside() -> Any:
        others = [asyncio.create_task(each) for _ in range(pairs) for each in _pair()]
        try:
            return await main()
        finally:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    return beside if pairs else main


def _pair() -> tuple[Coroutine[Any, Any, None], Coroutine[Any, Any, None]]:
    there, back = Queue[int](), Queue[int]()
    return _asks(there, back), _answers(there, back)


async def _asks(there: Queue[int], back: Queue[int]) -> None:
    for number in range(ROUNDS):
        await asyncio.sleep(QUARTER)
        there.put_nowait(number)
        await back.get()
    there.put_nowait(-1)


async def _answers(there: Queue[int], back: Queue[int]) -> None:
    while (number := await there.get()) >= 0:
        back.put_nowait(number)
