"""Laws 4 and 11: the first error arrives as itself, after what is held; nothing is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from streamkit._engine.face.stream import Stream
from streamkit.testing.conformance.exits import LONG, consume
from streamkit.testing.conformance.lab import Lab, all_attached, play
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.subject import Case, Subject, iterated
from streamkit.testing.conformance.visits import Boom

__all__ = [
    "clean_up_fails_after_a_break",
    "clean_up_fails_after_a_callback",
    "clean_up_fails_after_a_cancellation",
    "clean_up_fails_after_the_consumer",
    "end_of_an_iterator",
    "held_comes_first",
    "nothing_is_thrown_in",
    "read",
    "recursion_error",
]


async def read(built: Any, lab: Lab) -> None:
    """Read `built` to its end; what comes out is noted as delivered."""
    if not iterated(built):
        await built
        return
    async with built.open() as items:
        async for value in items:
            lab.drop(value)


def held_comes_first(subject: Subject, case: Case) -> None:
    """A source fails while the consumer sleeps: what is held comes out, and then the error."""
    lab = case.lab(count=2, failing=("main",))
    kept: list[Any] = []
    built = subject.built(lab)

    async def main() -> None:
        error: BaseException | None = None
        try:
            async with built.open() as items:
                async for value in items:
                    lab.drop(value)
                    kept.append(value)
                    if len(kept) == 1:
                        await asyncio.sleep(LONG)
        except Boom as caught:
            error = caught
        expect(Law.ERRORS, error is lab.raised, f"{lab.raised!r} as itself", repr(error))
        count = lab.inside()
        lost = f"{count} {'item is' if count == 1 else 'items are'} still held when the error has come"
        lost += "; if it only looks back at them, or drops them then, say lossless=False"
        held = lab.inside() > subject.in_hand(built)
        expect(Law.ERRORS, not held, "all that is held, before the error", lost)

    play(main)


def end_of_an_iterator(subject: Subject, case: Case, form: str = "await") -> None:
    """A callback raises `StopIteration`, and `StopAsyncIteration`."""
    for kind in (StopIteration, StopAsyncIteration):
        lab = case.lab(failing_call=1, failing=("main",) if subject.catches else (), error=kind)
        built = subject.built(lab)
        seen: BaseException | None = None
        try:
            if form == "await":
                play(partial(read, built, lab))
            elif iterated(built):
                list(built)
            else:
                built.run()
        except RuntimeError as error:
            seen = error
        if lab.raised is not None:
            cause = None if seen is None else seen.__cause__
            text = f"RuntimeError with {kind.__name__} as its cause"
            expect(Law.ERRORS, cause is lab.raised, text, repr(seen))
        lab.check_finished()


def clean_up_fails_after_a_callback(subject: Subject, case: Case) -> None:
    """A callback fails at its first call, and then the clean-up of each source."""
    lab = case.lab(count=9, failing_call=1, dirty=("main", "other"))

    async def main() -> None:
        error: BaseException | None = None
        try:
            await read(subject.built(lab), lab)
        except (Boom, OSError) as caught:  # a source may have ended before the first call
            error = caught
        found = [] if error is None else [error, *all_attached(error)]
        told = lab.raised is None or lab.raised in found
        expect(Law.ERRORS, told, f"{lab.raised!r} as itself", repr(error))
        lab.check_told(error)
        failed = f"{len(lab.dirt)} of {len(lab.visits)}"
        expect(Law.CLOSE, len(lab.dirt) == len(lab.visits), "a clean-up of each source", failed)

    play(main)


def clean_up_fails_after_a_break(subject: Subject, case: Case) -> None:
    """The clean-up of each source fails when the consumer has left after the first item."""
    lab = case.lab(count=9, dirty=("main", "other"))

    async def main() -> BaseException | None:
        error: BaseException | None = None
        try:
            async with subject.built(lab).open() as items:
                async for _ in items:
                    break
        except OSError as caught:
            error = caught
        lab.check_finished()
        return error

    lab.check_told(play(main))  # after that: if something was left behind, no more can be told


def clean_up_fails_after_the_consumer(subject: Subject, case: Case) -> None:
    """The consumer fails at the first item, and then the clean-up of each source."""
    lab = case.lab(count=9, dirty=("main", "other"))
    boom = Boom("consumer")
    reached: list[Any] = []

    async def main() -> BaseException | None:
        error: BaseException | None = None
        try:
            async with subject.built(lab).open() as items:
                async for item in items:
                    reached.append(item)
                    raise boom
        except (
            Boom,
            OSError,
        ) as caught:  # that of a source that ended, or was left, before the first came out
            error = caught
        return error

    error = play(main)
    if reached:
        expect(Law.ERRORS, error is boom, "the consumer's own error", repr(error))
    lab.check_told(error)


def clean_up_fails_after_a_cancellation(subject: Subject, case: Case) -> None:
    """The consumer is cancelled while it sleeps, and then the clean-up of each source fails."""
    lab = case.lab(count=9, dirty=("main", "other"))
    caught: list[BaseException] = []

    async def consumer() -> None:
        try:
            async with subject.built(lab).open() as items:
                async for _ in items:
                    await asyncio.sleep(LONG)
        except asyncio.CancelledError as error:
            caught.append(error)
            raise

    async def main() -> bool:
        work = asyncio.get_running_loop().create_task(consumer())
        await asyncio.sleep(LONG / 2)
        cancelled = work.cancel()
        await asyncio.wait([work])
        if cancelled:
            expect(Law.CANCELLATION, work.cancelled(), "a task that is cancelled", "it was swallowed")
        return cancelled

    if play(main):
        lab.check_told(caught[0])


def nothing_is_thrown_in(subject: Subject, case: Case) -> None:
    """The consumer fails: the source sees no more of that than that it is closed."""
    seen: list[BaseException] = []
    lab = case.lab(count=9)

    async def source() -> AsyncIterator[Any]:
        try:
            for number in range(lab.count):
                yield subject.shape(lab.item(number))
        except BaseException as error:
            seen.append(error)
            raise

    async def main() -> None:
        try:
            async with subject.over(Stream(source), lab).open() as items:
                async for _ in items:
                    raise Boom("consumer")
        except Boom:
            pass
        thrown = [error for error in seen if not isinstance(error, (GeneratorExit, asyncio.CancelledError))]
        expect(Law.ERRORS, not thrown, "nothing thrown into the source but its close", thrown)

    play(main)


def recursion_error(subject: Subject, case: Case) -> None:
    """The source fails with `RecursionError`."""
    lab = case.lab(failing=("main",), error=RecursionError)

    async def main() -> None:
        error: BaseException | None = None
        try:
            await consume(subject.built(lab))
        except RecursionError as caught:
            error = caught
        seen = "it is swallowed" if error is None else repr(error)
        expect(Law.DEPTH, error is lab.raised, f"{lab.raised!r} as itself", seen)
        lab.check_finished()

    play(main)
