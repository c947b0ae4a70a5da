"""Ways to let go of an iterator where nobody may wait for its end, or where several close it.

Each is given what is checked and how, as the other exits are.
"""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import suppress
from typing import Any

from streamkit._core.show import shown
from streamkit.testing.conformance.exits import consume
from streamkit.testing.conformance.items import plain
from streamkit.testing.conformance.lab import Lab, play
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.outcomes import same_at_any_pace
from streamkit.testing.conformance.subject import Case, Subject
from streamkit.testing.outside import aside

__all__ = ["closed_in_another_thread", "closed_twice", "collected_in_a_cycle", "polled"]

LONG = 60.0
_PULLS = 3000
"""More than a few items can need."""
CLEAN_UP = "streamkit clean-up"
"""The name of the thread in which a private loop ends."""


def check_once(lab: Lab) -> None:
    """Each source was cleaned up once; whoever lets go elsewhere has it done in another task."""
    for visit in lab.visits:
        once = f"{visit.source} was cleaned up {visit.cleaned} times"
        expect(Law.CLOSE, visit.cleaned == 1, "one clean-up of each source", once)


def collected_in_a_cycle(subject: Subject, case: Case) -> None:
    """The collector drops the iterator, with the object that holds it: in its own task, and in another."""
    for elsewhere in (False, True):
        lab = case.lab(count=9)

        async def main(lab: Lab = lab, elsewhere: bool = elsewhere) -> None:
            owner = Reader(subject.built(lab).__aiter__())
            await anext(owner.items, None)
            del owner
            gc.collect()
            await asyncio.sleep(LONG)
            check_once(lab)

        async def in_another_task(lab: Lab = lab) -> None:
            owner = Reader(subject.built(lab).__aiter__())
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


def closed_twice(subject: Subject, case: Case) -> None:
    """Two more tasks close while the block does, one gives up before that is over; then once more."""
    lab = case.lab(count=9)

    async def main() -> None:
        items = subject.built(lab).open()

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


def polled(subject: Subject, case: Case) -> None:
    """Each pull is given up before its item has come, and made again: the same comes out."""

    async def main() -> tuple[list[Any], list[Any]]:
        lab = case.lab(count=3)
        found: list[Any] = []
        async with subject.built(lab).open() as items:
            pulls = 0
            while pulls < _PULLS:
                pulls += 1
                try:
                    async with asyncio.timeout(0.3):
                        found.append(plain(await anext(items)))
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    break
            expect(Law.CANCELLATION, pulls < _PULLS, "an end", f"{pulls} pulls, and no end")
        lab.check_finished()
        expected = plain(await consume(subject.built(case.lab(count=3))))
        return found, expected

    found, expected = play(main)
    if found != expected and subject.steady:
        same_at_any_pace(subject, case)  # if it is not, items are lost without a cancellation, too
        lost = shown(expected), shown(found)  # pragma: no cover - `open` keeps a pull that is given up
        expect(Law.CANCELLATION, False, *lost)  # pragma: no cover - so only a fault of its own comes here


def closed_in_another_thread(subject: Subject, case: Case) -> None:
    """A plain ``for`` begins in a worker thread; it is closed, or dropped, where a loop runs."""
    for close in (True, False):
        lab = case.lab()

        def begin(lab: Lab = lab) -> Any:
            items = iter(subject.built(lab))
            next(items, None)
            return items

        async def main(begin: Any = begin, close: bool = close) -> None:
            items = await asyncio.to_thread(begin)
            if close:
                items.close()
            del items

        with aside():
            asyncio.run(main())
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.name == CLEAN_UP:
                thread.join(LONG)
        check_once(lab)
