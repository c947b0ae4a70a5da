"""The laws of sources: what each gives, when it is asked, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from streamkit import ops
from streamkit._core.errors import SourceConsumedError
from streamkit._core.show import shown, told
from streamkit._core.strategy import Suspend
from streamkit._engine.face.stream import Stream
from streamkit.testing.conformance.exits import LONG, virtual_loop
from streamkit.testing.conformance.items import plain
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.pacing import clock
from streamkit.testing.conformance.source import Again, SourceSubject, played, read
from streamkit.testing.conformance.subject import Case

__all__ = [
    "PLACES",
    "cancelled_at_every_step",
    "closed_after_each_item",
    "closed_while_pending",
    "each_run_is_its_own",
    "fails_as_it_should",
    "gives_its_items",
    "gives_them_in_a_plain_for",
    "lets_go",
    "lets_others_run",
    "outcome",
    "waits_to_be_asked",
]

MOST = 60
"""Steps that are tried of a source that never ends."""


def _same(item: Any) -> Any:
    return item


def _made(stream: Any) -> Stream[Any]:
    return Stream(lambda: stream)


def _true(_: Any) -> bool:
    return True


PLACES: dict[str, Callable[[Any], Any]] = {
    "where it stands alone": _same,
    "behind a step": lambda stream: stream | ops.filter(_true),
    "behind a buffer": lambda stream: stream | ops.buffer(Suspend(2)),
    "in a merge": lambda stream: stream | ops.merge([]),
    "in a concat": lambda stream: Stream[Any]([]) | ops.concat(stream),
    "in a flat_map": lambda stream: Stream([stream]) | ops.flat_map(_same, concurrency=1),
    "behind workers": lambda stream: stream | ops.map(_same, concurrency=3),
    "made by a callable": _made,
}
"""Where a source may stand."""


async def outcome(subject: SourceSubject, stream: Stream[Any]) -> list[Any]:
    """Its items; if it fails, with the error that it is to fail with, none."""
    if subject.error is None:
        return await read(stream, subject.most)
    try:
        found = await read(stream, subject.most)
    except subject.error:
        return []
    expect(Law.ERRORS, False, f"{subject.error.__name__}", f"no error, and {shown(found)}")
    return found  # pragma: no cover - `expect` has raised


def gives_its_items(subject: SourceSubject, case: Case) -> None:
    """It stands in a pipe at several places: the same comes out."""
    for place, put in PLACES.items():
        found = played(subject, partial(outcome, subject, put(subject.make(case.lab()))))
        wanted, found = subject.wanted(found)
        expect(Law.ACCOUNTING, found == wanted, f"{shown(wanted, 200)}, {place}", shown(found, 200))


def gives_them_in_a_plain_for(subject: SourceSubject, case: Case) -> None:
    """A plain ``for`` reads it, without a loop."""
    wanted, found = subject.wanted(plain([*subject.make(case.lab())]))
    expect(Law.ACCOUNTING, found == wanted, shown(wanted, 200), shown(found, 200))


def each_run_is_its_own(subject: SourceSubject, case: Case) -> None:
    """One stream is run twice, one run after the other and both at once."""

    async def main(stream: Stream[Any]) -> None:
        if subject.again is Again.NEVER:
            await read(stream, 1)
            seen = "no error"
            try:
                await read(stream)
            except SourceConsumedError as error:
                seen = str(error)
            expect(Law.ACCOUNTING, "can be run only once, and was" in seen, "SourceConsumedError", seen)
            return
        if subject.again is Again.REST:
            wanted, found = subject.wanted(await read(stream, 1) + await read(stream))
            expect(Law.ACCOUNTING, found == wanted, f"{shown(wanted)} from two runs", shown(found))
            return
        for _ in range(2):
            wanted, found = subject.wanted(await outcome(subject, stream))
            expect(Law.ACCOUNTING, found == wanted, f"{shown(wanted)} in each run", shown(found))
        for each in await asyncio.gather(outcome(subject, stream), outcome(subject, stream)):
            wanted, found = subject.wanted(each)
            expect(Law.ACCOUNTING, found == wanted, f"{shown(wanted)} in both runs", shown(found))

    played(subject, lambda: main(subject.make(case.lab())))


def waits_to_be_asked(subject: SourceSubject, case: Case) -> None:
    """It is opened; then the consumer takes one item, and waits."""
    lab = case.lab()

    async def main() -> None:
        stream = subject.make(lab)
        made = lab.made
        async with stream.open() as items:
            await asyncio.sleep(LONG)
            seen = f"{lab.calls} calls, {len(lab.visits)} sources opened, {lab.made - made} items made"
            nothing = (lab.calls, lab.visits, lab.made) == (0, [], made)
            expect(Law.DEMAND, nothing, "nothing done before it is asked", seen)
            if subject.first:
                await anext(items, None)
                ahead = stream.explain().lookahead
                await asyncio.sleep(LONG)
                seen = f"{lab.calls} calls, {lab.taken} items taken"
                few = lab.calls <= 1 + ahead and lab.taken <= 1 + ahead
                expect(Law.DEMAND, few, f"{1 + ahead:g} at most", seen)

    played(subject, main)


def fails_as_it_should(subject: SourceSubject, case: Case) -> None:
    """It is read until it fails."""
    played(subject, lambda: outcome(subject, subject.make(case.lab())))


def lets_others_run(subject: SourceSubject, case: Case) -> None:
    """It is read to its end, and each look at the clock says that it is time to let others run."""

    async def main() -> int:
        found = await outcome(subject, subject.make(case.lab()))
        expect(Law.FAIRNESS, len(found) < MOST or virtual_loop().steps > 1, "others run meanwhile", "none do")
        return len(found)

    with clock(1.0):
        played(subject, main)


def closed_after_each_item(subject: SourceSubject, case: Case) -> None:
    """It is left after any number of items, by a consumer and by ``take``."""

    async def main(number: int) -> None:
        lab = case.lab()
        found = await read(subject.make(lab), number)
        expect(Law.ACCOUNTING, len(found) == number, f"{number} items", f"{len(found)}")
        lab.check_finished()
        if subject.again is Again.SAME:
            await asyncio.wait_for(_bare(subject.make(case.lab()), number), LONG)

    for number in range(subject.wasted, len(subject.first) + 1):
        played(subject, partial(main, number))


async def _bare(stream: Stream[Any], number: int) -> None:
    """Leave a stream by hand: what is left to do then is done by a task of the loop."""
    items = aiter(stream)
    for _ in range(number):
        await anext(items)
    await items.aclose()


async def _reading(subject: SourceSubject, lab: Any) -> None:
    try:
        await read(subject.make(lab), None if subject.ends else len(subject.first) + 1)
    except Exception as error:
        _expected(subject, error)


def _expected(subject: SourceSubject, error: Exception) -> None:
    if subject.error is None or not isinstance(error, subject.error):
        wanted = "no error" if subject.error is None else subject.error.__name__
        expect(Law.ERRORS, False, wanted, told(error))


def cancelled_at_every_step(subject: SourceSubject, case: Case) -> None:
    """The task that reads it is cancelled at each step of the loop in turn."""
    for number in case.steps():

        async def main(number: int = number) -> bool:
            lab = case.lab(kind=subject.kinds[number % len(subject.kinds)])
            loop = virtual_loop()
            work = loop.create_task(_reading(subject, lab))
            fired: list[bool] = []
            loop.call_at_step(number, lambda: fired.append(work.cancel()))
            await asyncio.wait([work], timeout=LONG)  # what never comes, and never ends
            late = work.cancel()
            await asyncio.wait([work])
            if not work.cancelled():
                swallowed = "the cancellation was swallowed"
                expect(Law.CANCELLATION, not any(fired) and not late, "a task that is cancelled", swallowed)
                work.result()
                lab.check_finished()
            lab.check_clean()
            return any(fired)

        if not played(subject, main) or (number > MOST and not subject.ends):
            break


def closed_while_pending(subject: SourceSubject, case: Case) -> None:
    """Its iterator is closed from another task, while a pull is pending, at each step of the loop in turn."""
    for number in case.steps():

        async def main(number: int = number) -> bool:
            lab = case.lab(kind=subject.kinds[number % len(subject.kinds)])
            loop = virtual_loop()
            items: Any = aiter(subject.make(lab))
            fired = asyncio.Event()
            loop.call_at_step(number, fired.set)

            async def pull() -> None:
                try:
                    async for item in items:
                        del item
                        if fired.is_set():
                            return
                except Exception as error:
                    _expected(subject, error)

            work, waits = loop.create_task(pull()), loop.create_task(fired.wait())
            await asyncio.wait([work, waits], return_when=asyncio.FIRST_COMPLETED, timeout=LONG)
            pending = not work.done()
            waits.cancel()
            await items.aclose()
            await work
            lab.check_finished()
            return pending and fired.is_set()

        if not played(subject, main) or number > MOST:
            break


def lets_go(subject: SourceSubject, case: Case) -> None:
    """The consumer drops each item, and then the iterator: no more are alive than the source keeps."""

    async def main() -> None:
        lab = case.lab()
        stream = subject.make(lab)
        refs: list[weakref.ref[Any]] = []
        async with stream.open() as items:
            for _ in subject.first:
                refs.append(weakref.ref(_followable(await anext(items, None))))
            gc.collect()
            alive = max(len(lab.alive), _alive(refs))
            most = subject.keeps + stream.explain().lookahead
            expect(Law.NOTHING_PINNED, alive <= most, f"{most:g} items alive at most", f"{alive}")
        del items
        alive = max(len(lab.alive), _alive(refs))
        expect(Law.NOTHING_PINNED, alive <= subject.keeps, f"{subject.keeps} items alive at most", f"{alive}")

    played(subject, main)


class _Gone:
    """Stands for an item of which Python keeps no weak references."""


def _alive(refs: list[weakref.ref[Any]]) -> int:
    """How many objects are alive; a source may give one again and again."""
    return len({id(found) for ref in refs if (found := ref()) is not None})


def _followable(item: Any) -> Any:
    try:
        weakref.ref(item)
    except TypeError:
        return _Gone()
    return item
