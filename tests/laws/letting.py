"""Ways to let go of an iterator where nobody may wait for its end, or where several close it.

Each is given a sample and a lab's style and kind, as the other exits of ``test_close.py`` are.
"""

import asyncio
import gc
import threading
from contextlib import suppress
from typing import Any

from tests.laws.lab import Lab, Sample, play

LONG = 60.0
CLEAN_UP = "streamkit clean-up"
"""The name of the thread in which a private loop ends."""


def check_once(lab: Lab) -> None:
    """Each source was cleaned up once; whoever lets go elsewhere has it done in another task."""
    for visit in lab.visits:
        assert visit.cleaned == 1, f"{visit.source} was cleaned up {visit.cleaned} times"


def collected_in_a_cycle(sample: Sample, style: str, kind: str) -> None:
    """The collector drops the iterator, with the object that holds it: in its own task, and in another."""
    for elsewhere in (False, True):
        lab = Lab(style, kind, count=9)

        async def main(lab: Lab = lab, elsewhere: bool = elsewhere) -> None:
            owner = Reader(sample.built(lab).__aiter__())
            await anext(owner.items, None)
            del owner
            gc.collect()
            await asyncio.sleep(LONG)
            check_once(lab)

        async def in_another_task(lab: Lab = lab) -> None:
            owner = Reader(sample.built(lab).__aiter__())
            await anext(owner.items, None)
            gc.disable()  # only the other task collects
            try:
                del owner
                await asyncio.ensure_future(collect())
            finally:
                gc.enable()
            await asyncio.sleep(LONG)
            check_once(lab)

        play(in_another_task if elsewhere else main)


class Reader:
    """Holds an iterator, and itself: only the collector frees it."""

    def __init__(self, items: Any) -> None:
        self.items = items
        self.itself = self


async def collect() -> None:
    gc.collect()


def closed_twice(sample: Sample, style: str, kind: str) -> None:
    """Two more tasks close while the block does, one gives up before that is over; then once more."""
    lab = Lab(style, kind, count=9)

    async def main() -> None:
        items = sample.built(lab).open()

        async def close(seconds: float) -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await items.aclose()

        async with items:
            await anext(items, None)
            others = [asyncio.ensure_future(close(seconds)) for seconds in (LONG, 0.0)]
        await asyncio.gather(*others)
        await items.aclose()
        lab.check_finished()

    play(main)


def polled(sample: Sample, style: str, kind: str) -> None:
    """Each pull is given up before its item has come, and made again: the same comes out."""

    async def main() -> None:
        lab = Lab(style, kind, count=3)
        async with sample.built(lab).open() as items:
            pulls = 0
            while pulls < 3000:
                pulls += 1
                try:
                    async with asyncio.timeout(0.3):
                        await anext(items)
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    break
            assert pulls < 3000
        lab.check_finished()

    play(main)


def closed_in_another_thread(sample: Sample, style: str, kind: str) -> None:
    """A plain ``for`` begins in a worker thread; it is closed, or dropped, where a loop runs."""
    for close in (True, False):
        lab = Lab(style, kind)

        def begin(lab: Lab = lab) -> Any:
            items = iter(sample.built(lab))
            next(items, None)
            return items

        async def main(begin: Any = begin, close: bool = close) -> None:
            items = await asyncio.to_thread(begin)
            if close:
                items.close()
            del items

        asyncio.run(main())
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.name == CLEAN_UP:
                thread.join(LONG)
        check_once(lab)
