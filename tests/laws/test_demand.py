"""Laws 1 and 2: nothing is pulled beyond the declared lookahead, and no more is inside than the bound."""

import asyncio
import random
from functools import partial
from typing import Any

import pytest

from tests.laws.lab import STYLES, Lab, Sample, play, trying
from tests.samples import OPERATORS, SAMPLES, SINKS
from tests.tiers import examples

LONG = 60.0
PAUSES = (0, 0, 0, 0.5, 1.0, 3.0)
SEEDS = range(examples(6))


def named(sample: Sample) -> str:
    return sample.name


@pytest.mark.spread
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sample", OPERATORS, ids=named)
def test_a_stalled_consumer_stalls_the_source(sample: Sample, style: str) -> None:
    async def main(lab: Lab) -> None:
        stream = sample.built(lab)
        async with stream.open() as items:
            await asyncio.sleep(LONG)
            assert lab.taken == 0, "pulled before anything was asked for"
            async for _ in items:
                before = lab.taken
                await asyncio.sleep(LONG)
                assert lab.taken <= before + stream.explain().lookahead
                break
            taken, of_main = lab.taken, lab.taken_of_main
        if sample.at_end:
            assert of_main == lab.count, "it emitted something before its source had ended"
        else:
            assert taken <= sample.needs + stream.explain().lookahead
            assert of_main <= sample.needs + sample.ahead_of_main(stream)

    for kind in sample.kinds:
        with trying(kind):
            play(partial(main, Lab(style, kind, count=50)))


@pytest.mark.parametrize("sample", [each for each in SINKS if each.calls], ids=named)
def test_a_stalled_callback_of_a_sink_stalls_the_source(sample: Sample) -> None:
    async def main(lab: Lab) -> None:
        lab.stall = 1e9
        job = sample.built(lab)
        handle = job.start()
        await asyncio.sleep(LONG)
        taken = lab.taken
        await handle.stop()
        assert 0 < taken <= sample.needs + job.explain().lookahead

    for style in STYLES:
        with trying(style):
            play(partial(main, Lab(style, "async", count=50)))


class Schedule:
    """Random pauses of the sources, the callbacks and the consumer; and a check of the bound meanwhile."""

    def __init__(self, sample: Sample, seed: int) -> None:
        self.random = random.Random(f"{sample.name} {seed}")
        style = self.random.choice(STYLES)
        kind = self.random.choice(sample.kinds)
        failing = ("main",) if sample.catches else ()
        self.lab = Lab(style, kind, count=15, failing=failing, pause=self.pause)
        if self.random.random() < 0.5:
            self.lab.stall = self.random.choice(PAUSES)
        self.built = sample.built(self.lab)
        self.bound = self.built.explain().bound

    def pause(self) -> float:
        return self.random.choice(PAUSES)

    def check(self) -> None:
        inside = self.lab.inside()
        assert inside <= self.bound, f"{inside} items inside, bound {self.bound}"

    async def watch(self) -> None:
        while True:
            self.check()
            await asyncio.sleep(0.25)

    async def consume(self) -> None:
        async with self.built.open() as items:
            async for value in items:
                self.lab.drop(value)
                del value
                self.check()
                await asyncio.sleep(self.pause())
                self.check()

    async def main(self) -> None:
        watch = asyncio.get_running_loop().create_task(self.watch())
        try:
            await (self.consume() if hasattr(self.built, "open") else self.built)
            assert not watch.done(), watch.exception()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)


def keeps_a_result(sample: Sample) -> bool:
    built: Any = sample.built(Lab())
    return sample.sink and any(part.result for part in built.explain().parts)


@pytest.mark.spread
@pytest.mark.parametrize("busy", [False, True], indirect=True, ids=["idle", "busy"])
@pytest.mark.parametrize("sample", [each for each in SAMPLES if not keeps_a_result(each)], ids=named)
def test_no_more_is_inside_than_explain_says(sample: Sample, busy: bool) -> None:
    for seed in SEEDS:
        with trying(f"seed {seed}"):
            schedule = Schedule(sample, seed)
            play(schedule.main)
            schedule.check()
