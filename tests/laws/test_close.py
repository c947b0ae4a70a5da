"""Law 3: every exit finishes each source's clean-up once, in its own task, and leaves nothing."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from streamkit import StoppedError, attached
from streamkit.testing import VirtualLoop
from tests.laws.lab import STYLES, Boom, Lab, Sample, play, trying
from tests.laws.letting import (
    closed_in_another_thread,
    closed_twice,
    collected_in_a_cycle,
    polled,
)
from tests.samples import SAMPLES
from tests.tiers import stride

LONG = 60.0


async def consume(stream: Any, limit: int | None = None) -> list[Any]:
    """What comes out of `stream`, read to its end; of a job, its result."""
    if not hasattr(stream, "open"):
        return [await stream]
    out: list[Any] = []
    async with stream.open() as items:
        async for item in items:
            out.append(item)
            if len(out) == limit:
                break
    return out


# The exits: each is given a sample and a lab's style and kind, and runs pipelines to that exit. -----------


def exhaust(sample: Sample, style: str, kind: str) -> None:
    lab = Lab(style, kind)

    async def main() -> None:
        await consume(sample.built(lab))
        lab.check_finished()

    play(main)


def bare_loop(sample: Sample, style: str, kind: str) -> None:
    lab = Lab(style, kind)

    async def main() -> None:
        async for _ in sample.built(lab):
            pass
        lab.check_finished()

    play(main)


def bare_break(sample: Sample, style: str, kind: str) -> None:
    lab = Lab(style, kind)

    async def main() -> None:
        async for _ in sample.built(lab):
            break
        await asyncio.sleep(LONG)
        lab.check_finished()

    play(main)


def break_open(sample: Sample, style: str, kind: str) -> None:
    lab = Lab(style, kind)

    async def main() -> None:
        await consume(sample.built(lab), limit=1)
        lab.check_finished()

    play(main)


def break_late(sample: Sample, style: str, kind: str) -> None:
    """The consumer sleeps, so that what is read ahead fills, and the pumps wait for room."""
    lab = Lab(style, kind, count=9)

    async def main() -> None:
        async with sample.built(lab).open() as items:
            async for _ in items:
                await asyncio.sleep(LONG)
                break
        lab.check_finished()

    play(main)


def source_error(sample: Sample, style: str, kind: str) -> None:
    for failing in ("main", "other"):
        lab = Lab(style, kind, failing=(failing,))

        async def main(lab: Lab = lab) -> None:
            try:
                await consume(sample.built(lab))
            except Boom as error:
                assert error is lab.raised
            else:
                assert lab.raised is None or sample.catches, "the error of the source is lost"
            lab.check_finished()

        play(main)
        if lab.feeds == 1:
            break


def callback_error(sample: Sample, style: str, kind: str) -> None:
    for call in (1, 2):
        lab = Lab(style, kind, failing_call=call, failing=("main",) if sample.catches else ())

        async def main(lab: Lab = lab) -> None:
            try:
                await consume(sample.built(lab))
            except Boom as error:
                assert error is lab.raised
            else:
                assert lab.raised is None or sample.catches, "the error of the callback is lost"
            lab.check_finished()

        play(main)


def consumer_error(sample: Sample, style: str, kind: str) -> None:
    lab = Lab(style, kind)
    boom = Boom("consumer")

    async def main() -> None:
        seen = 0
        try:
            async with sample.built(lab).open() as items:
                async for _ in items:
                    seen += 1
                    if seen == 2:
                        raise boom
        except Boom as error:
            assert error is boom
        else:
            assert seen < 2
        lab.check_finished()

    play(main)


def cancelled_at_every_step(sample: Sample, style: str, kind: str, *, times: int = 1) -> None:
    every = stride(3)  # another third of the steps for each sample
    for number in count(1 + SAMPLES.index(sample) % every, every):
        lab = Lab(style, kind, count=3)

        async def main(lab: Lab = lab, number: int = number) -> bool:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            cancels: list[bool] = []
            work = loop.create_task(consume(sample.built(lab)))
            for later in range(times):
                loop.call_at_step(number + later, lambda: cancels.append(work.cancel()))
            await asyncio.wait([work])
            if not any(cancels):
                assert work.exception() is None
                lab.check_finished()
                return False
            assert work.cancelled(), "the cancellation was swallowed"
            assert work.cancelling() == sum(cancels), "Task.cancelling() lost its count"
            lab.check_clean()
            return True

        if not play(main):
            break
        assert number < 300


def cancelled_twice_at_every_step(sample: Sample, style: str, kind: str) -> None:
    cancelled_at_every_step(sample, style, kind, times=2)


def hanging(sample: Sample, style: str, kind: str) -> None:
    """The sources never yield again: pumps are pending when the consumer leaves, or the job is stopped."""
    lab = Lab(style, kind, count=3, hang=("main", "other"))

    async def main() -> None:
        built = sample.built(lab)
        if sample.at_end:
            async with built.open() as items:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONG):  # `wait_for` would pull in a task of its own on 3.11
                        await anext(items, None)
        elif hasattr(built, "open"):
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
                assert not ended
        lab.check_finished()

    play(main)


def pull_pending(sample: Sample, style: str, kind: str) -> None:
    """The iterator is closed from another task while a pull is pending."""
    lab = Lab(style, kind, count=3, hang=("main", "other"))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with sample.built(lab).open() as items:

            async def pull() -> None:
                async for _ in items:
                    pass

            task = loop.create_task(pull())
            await asyncio.sleep(4.5)
            await items.aclose()
            await asyncio.sleep(0)
            assert task.done(), "the pull that was pending is still pending"
            assert task.cancelling() == 0
            if not task.cancelled():
                assert task.exception() is None
        for visit in lab.visits:
            assert visit.cleaned == 1

    play(main)


def never_pulled(sample: Sample, style: str, kind: str) -> None:
    lab = Lab(style, kind)

    async def main() -> None:
        built = sample.built(lab)
        if hasattr(built, "open"):
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
            handle = built.start()
            if asyncio.get_running_loop().get_task_factory() is not None and lab.visits:
                await handle.stop()  # an eager task has begun
                lab.check_finished()
                return
            await handle.stop()
        assert not lab.visits

    play(main)


def blocking(sample: Sample, style: str, kind: str) -> None:
    """A plain ``for``, or ``job.run()``, without a loop: to the end, with a break, and with each error."""
    lab = Lab(style, kind)
    built = sample.built(lab)
    if not hasattr(built, "open"):
        built.run()
        lab.check_finished()
    else:
        for _ in built:
            pass
        lab.check_finished()
        lab = Lab(style, kind)
        for _ in sample.built(lab):
            break
        lab.check_finished()
    for lab in (
        Lab(style, kind, failing=("main",)),
        Lab(style, kind, failing=("main",), failing_call=1),
        Lab(style, kind, failing_call=2),
    ):
        built = sample.built(lab)
        try:
            list(built) if hasattr(built, "open") else built.run()
        except Boom as error:  # that of a callback that is called at the end hangs on that of the source
            assert lab.raised in (error, *attached(error))
        else:
            assert lab.raised is None or sample.catches
        lab.check_finished()


Exit = Callable[[Sample, str, str], None]

STREAM_EXITS: list[Exit] = [
    bare_loop,
    bare_break,
    break_open,
    break_late,
    consumer_error,
    pull_pending,
    collected_in_a_cycle,
    closed_twice,
    closed_in_another_thread,
    polled,
]
EXITS: list[Exit] = [
    exhaust,
    source_error,
    callback_error,
    cancelled_at_every_step,
    cancelled_twice_at_every_step,
    hanging,
    never_pulled,
    blocking,
]


def styles(leave: Exit) -> tuple[str, ...]:
    if leave is cancelled_twice_at_every_step:
        return ("turn",)
    # a plain `for` runs in real time: no clock
    return ("turn", "ready", "plain") if leave in (blocking, closed_in_another_thread) else STYLES


def kinds(sample: Sample, leave: Exit) -> tuple[str, ...]:
    if not sample.calls:
        return ("sync",)
    return ("async",) if leave in (cancelled_at_every_step, cancelled_twice_at_every_step) else sample.kinds


def exits(sample: Sample) -> list[Exit]:
    found = EXITS if sample.sink else STREAM_EXITS + EXITS
    return [leave for leave in found if leave is not callback_error or sample.calls]


MATRIX = [(sample, leave) for sample in SAMPLES for leave in exits(sample)]


@pytest.mark.spread
@pytest.mark.parametrize(
    ("sample", "leave"), MATRIX, ids=[f"{sample.name}-{leave.__name__}" for sample, leave in MATRIX]
)
def test_every_exit_closes(sample: Sample, leave: Exit) -> None:
    for style in styles(leave):
        for kind in kinds(sample, leave):
            with trying(style, kind):
                leave(sample, style, kind)
