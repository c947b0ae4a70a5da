"""Law 3, and with it 4 and 5: every exit of a run finishes each source's clean-up once, and leaves nothing.

Each exit is given what is checked and how, and runs pipelines to that exit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

from streamkit._core.errors import StoppedError, attached
from streamkit.testing.clock import VirtualLoop
from streamkit.testing.conformance.lab import Lab, play
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.subject import Case, Subject, iterated
from streamkit.testing.conformance.visits import Boom

__all__ = [
    "LONG",
    "MOST",
    "bare_break",
    "bare_loop",
    "blocking",
    "break_late",
    "break_open",
    "callback_error",
    "cancelled_at_every_step",
    "cancelled_twice_at_every_step",
    "consume",
    "consumer_error",
    "exhaust",
    "few",
    "hanging",
    "never_pulled",
    "pull_pending",
    "source_error",
    "virtual_loop",
]

LONG = 60.0
MOST = 300
"""Steps of the loop that are tried at most; a run of a few items takes fewer."""


async def consume(stream: Any, limit: int | None = None) -> list[Any]:
    """What comes out of `stream`, read to its end; of a job, its result."""
    if not iterated(stream):
        return [await stream]
    out: list[Any] = []
    async with stream.open() as items:
        async for item in items:
            out.append(item)
            if len(out) == limit:
                break
    return out


def virtual_loop() -> VirtualLoop:
    """The loop that runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def exhaust(subject: Subject, case: Case) -> None:
    """It is read to its end inside ``async with stream.open()``, or the job is awaited."""
    lab = case.lab()

    async def main() -> None:
        with few(subject, case):
            await consume(subject.built(lab))
        lab.check_finished()

    play(main)


@contextmanager
def few(subject: Subject, case: Case) -> Generator[None, None, None]:
    """Let it fail as it may where it has too few items, if the case has few."""
    try:
        yield
    except subject.on_empty:
        if case.most is None:
            raise


def bare_loop(subject: Subject, case: Case) -> None:
    """It is read to its end by a bare ``async for``."""
    lab = case.lab()

    async def main() -> None:
        async for _ in subject.built(lab):
            pass
        lab.check_finished()

    play(main)


def bare_break(subject: Subject, case: Case) -> None:
    """A bare ``async for`` is left with ``break``."""
    lab = case.lab()

    async def main() -> None:
        async for _ in subject.built(lab):
            break
        await asyncio.sleep(LONG)
        lab.check_finished()

    play(main)


def break_open(subject: Subject, case: Case) -> None:
    """``async with stream.open()`` is left after the first item."""
    lab = case.lab()

    async def main() -> None:
        await consume(subject.built(lab), limit=1)
        lab.check_finished()

    play(main)


def break_late(subject: Subject, case: Case) -> None:
    """The consumer sleeps, so that what is read ahead fills, and the pumps wait for room."""
    lab = case.lab(count=9)

    async def main() -> None:
        async with subject.built(lab).open() as items:
            async for _ in items:
                await asyncio.sleep(LONG)
                break
        lab.check_finished()

    play(main)


def _is_told(subject: Subject, lab: Lab, error: BaseException | None) -> None:
    """The error that was raised has arrived, as itself."""
    if error is not None:
        expect(Law.ERRORS, error is lab.raised, f"{lab.raised!r} as itself", repr(error))
    else:
        expect(
            Law.ERRORS, lab.raised is None or subject.catches, f"{lab.raised!r}", "no error: it is swallowed"
        )


def source_error(subject: Subject, case: Case) -> None:
    """A source fails after its last item."""
    for failing in ("main", "other"):
        lab = case.lab(failing=(failing,))

        async def main(lab: Lab = lab) -> None:
            error: BaseException | None = None
            try:
                await consume(subject.built(lab))
            except Boom as caught:
                error = caught
            _is_told(subject, lab, error)
            lab.check_finished()

        play(main)
        if lab.feeds == 1:
            break


def callback_error(subject: Subject, case: Case) -> None:
    """A callback fails at its first call, and at its second."""
    for call in (1, 2):
        lab = case.lab(failing_call=call, failing=("main",) if subject.catches else ())

        async def main(lab: Lab = lab) -> None:
            error: BaseException | None = None
            try:
                await consume(subject.built(lab))
            except Boom as caught:
                error = caught
            _is_told(subject, lab, error)
            lab.check_finished()

        play(main)


def consumer_error(subject: Subject, case: Case) -> None:
    """The consumer raises at the second item."""
    lab = case.lab()
    boom = Boom("consumer")

    async def main() -> None:
        seen = 0
        error: BaseException | None = None
        try:
            async with subject.built(lab).open() as items:
                async for _ in items:
                    seen += 1
                    if seen == 2:
                        raise boom
        except Boom as caught:
            error = caught
        expect(Law.ERRORS, error is (boom if seen == 2 else None), "the consumer's own error", repr(error))
        lab.check_finished()

    play(main)


def cancelled_at_every_step(subject: Subject, case: Case, *, times: int = 1) -> None:
    """The task that reads it, or awaits the job, is cancelled at each step of the loop in turn."""
    for number in case.steps():
        lab = case.lab(count=3)

        async def main(lab: Lab = lab, number: int = number) -> bool:
            loop = virtual_loop()
            cancels: list[bool] = []
            work = loop.create_task(consume(subject.built(lab)))
            for later in range(times):
                loop.call_at_step(number + later, lambda: cancels.append(work.cancel()))
            await asyncio.wait([work])
            if not any(cancels):
                work.result()
                lab.check_finished()
                return False
            ended = "the task ended: the cancellation was swallowed"
            expect(Law.CANCELLATION, work.cancelled(), "a task that is cancelled", ended)
            count = f"{work.cancelling()} after {sum(cancels)} calls of cancel()"
            expect(
                Law.CANCELLATION, work.cancelling() == sum(cancels), "Task.cancelling() with its count", count
            )
            lab.check_clean()
            return True

        if not play(main) or number >= MOST:
            break


def cancelled_twice_at_every_step(subject: Subject, case: Case) -> None:
    """It is cancelled at each step in turn, and once more at the next."""
    cancelled_at_every_step(subject, case, times=2)


def hanging(subject: Subject, case: Case) -> None:
    """The sources never yield again: pumps are pending when the consumer leaves, or the job is stopped."""
    lab = case.lab(count=3, hang=("main", "other"))

    async def main() -> None:
        built = subject.built(lab)
        if subject.at_end:
            async with built.open() as items:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONG):  # `wait_for` would pull in a task of its own on 3.11
                        await anext(items, None)
        elif iterated(built):
            async with built.open() as items:
                with suppress(TimeoutError):  # of some, nothing comes while their source hangs
                    async with asyncio.timeout(LONG):
                        async for _ in items:
                            break
                await asyncio.sleep(1.5)
        else:
            handle = built.start()
            await asyncio.sleep(LONG)
            ended = handle.done
            await handle.stop()
            try:
                await handle
            except StoppedError:
                expect(Law.CANCELLATION, not ended, "the result of a job that had ended", "StoppedError")
        lab.check_finished()

    play(main)


def pull_pending(subject: Subject, case: Case) -> None:
    """The iterator is closed from another task while a pull is pending."""
    lab = case.lab(count=3, hang=("main", "other"))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with subject.built(lab).open() as items:

            async def pull() -> None:
                async for _ in items:
                    pass

            task = loop.create_task(pull())
            await asyncio.sleep(4.5)
            await items.aclose()
            await asyncio.sleep(0)
            expect(Law.CLOSE, task.done(), "a pull that sees the end", "it is still pending")
            count = f"{task.cancelling()} cancellations"
            expect(Law.CANCELLATION, task.cancelling() == 0, "no cancellation of the task that pulls", count)
            if not task.cancelled():  # pragma: no branch - nobody has cancelled it, as was checked above
                task.result()
        for visit in lab.visits:
            once = f"{visit.source} was cleaned up {visit.cleaned} times"
            expect(Law.CLOSE, visit.cleaned == 1, "one clean-up of each source", once)

    play(main)


def never_pulled(subject: Subject, case: Case) -> None:
    """It is opened, and closed or dropped before the first pull."""
    lab = case.lab()

    async def main() -> None:
        built = subject.built(lab)
        if iterated(built):
            async with built.open():
                pass
            async with built.open():
                await asyncio.sleep(1.0)
            items = built.__aiter__()
            await items.aclose()
            items = built.__aiter__()
            del items
            await asyncio.sleep(1.0)
        else:
            await built.start().stop()
            eager = asyncio.get_running_loop().get_task_factory() is not None
            if eager:  # pragma: no cover - only in `make variants`; it has begun then
                lab.check_finished()
                return
        expect(Law.DEMAND, not lab.visits, "no source is opened before the first pull", lab.visits)

    play(main)


def blocking(subject: Subject, case: Case) -> None:
    """A plain ``for``, or ``job.run()``, without a loop: to the end, with a break, and with each error."""
    lab = case.lab()
    built = subject.built(lab)
    if not iterated(built):
        with few(subject, case):
            built.run()
        lab.check_finished()
    else:
        with few(subject, case):
            for _ in built:
                pass
        lab.check_finished()
        lab = case.lab()
        with few(subject, case):
            for _ in subject.built(lab):
                break
        lab.check_finished()
    for lab in (
        case.lab(failing=("main",)),
        case.lab(failing=("main",), failing_call=1),
        case.lab(failing_call=2),
    ):
        _fails_blocking(subject, case, lab)


def _fails_blocking(subject: Subject, case: Case, lab: Lab) -> None:
    built = subject.built(lab)
    try:
        with few(subject, case):
            list(built) if iterated(built) else built.run()
    except Boom as error:  # that of a callback that is called at the end hangs on that of the source
        told = lab.raised in (error, *attached(error))
        expect(Law.ERRORS, told, f"{lab.raised!r} as itself", repr(error))
    else:
        _is_told(subject, lab, None)
    lab.check_finished()
