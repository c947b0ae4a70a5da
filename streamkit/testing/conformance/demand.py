"""Laws 1 and 2: nothing is pulled beyond the declared lookahead, and no more is inside than the bound."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from streamkit.testing.conformance.exits import LONG
from streamkit.testing.conformance.lab import Lab, play
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.subject import Case, Subject, iterated
from streamkit.testing.conformance.visits import STYLES

__all__ = ["MANY", "Schedule", "bounded", "measured", "stalled_callback", "stalled_consumer"]

PAUSES = (0, 0, 0, 0.5, 1.0, 3.0)
MANY = 50
"""Items of a source that is not to be read to its end."""


def stalled_consumer(subject: Subject, case: Case) -> None:
    """The consumer waits before its first pull, and after the first item."""
    lab = case.lab(count=MANY)

    async def main() -> None:
        stream = subject.built(lab)
        ahead = subject.ahead(stream)
        async with stream.open() as items:
            await asyncio.sleep(LONG)
            asked = f"{lab.taken} taken before anything was asked for"
            expect(Law.DEMAND, lab.taken == 0, "no item taken", asked)
            async for _ in items:
                before = lab.taken
                await asyncio.sleep(LONG)
                more = f"{lab.taken - before} more taken while the consumer was stalled"
                expect(Law.DEMAND, lab.taken <= before + ahead, f"{ahead:g} at most, its lookahead", more)
                break
            taken, of_main = lab.taken, lab.taken_of_main
        if subject.at_end:
            early = f"something after {of_main} of {lab.count}"
            expect(Law.DEMAND, of_main == lab.count, "nothing before its source has ended", early)
        elif subject.needs is not None:
            _within(subject.needs + ahead, taken, "taken")
            _within(subject.needs + subject.ahead_of_main(stream), of_main, "taken of the first source")

    play(main)


def _within(most: float, found: int, what: str) -> None:
    items = "item" if most == 1 else "items"
    text = f"{most:g} {items} at most {what} for the first that comes out, lookahead included"
    expect(Law.DEMAND, found <= most, text, f"{found}")


def stalled_callback(subject: Subject, case: Case) -> None:
    """The callback of a sink waits, as good as forever, with the first item."""
    lab = case.lab(count=MANY)

    async def main() -> None:
        lab.stall = 1e9
        job = subject.built(lab)
        handle = job.start()
        await asyncio.sleep(LONG)
        taken = lab.taken
        await handle.stop()
        most = (subject.needs or 1) + subject.ahead(job)
        expect(Law.DEMAND, 0 < taken <= most, f"1 to {most:g} items taken", f"{taken}")

    play(main)


def measured(subject: Subject) -> int | None:
    """How many items it takes for the first that it passes on, where each comes after a long time."""
    lab = Lab("clock", count=MANY)

    async def main() -> int | None:
        async with subject.built(lab).open() as items:
            async for _ in items:
                return lab.taken
        return None

    try:
        return play(main, leaks=False)
    except Exception:  # what a check finds, and says better
        return None


class Schedule:
    """Random pauses of the sources, the callbacks and the consumer; and a check of the bound meanwhile."""

    lab: Lab
    built: Any
    bound: float

    def __init__(self, subject: Subject, case: Case, seed: int) -> None:
        self.random: random.Random = random.Random(f"{subject.name} {seed}")
        style = self.random.choice(STYLES)
        kind = self.random.choice(subject.kinds)
        failing = ("main",) if subject.catches else ()
        count = 15 if case.most is None else min(15, case.most)
        self.lab = Lab(style, kind, count=count, failing=failing, pause=self.pause)
        if self.random.random() < 0.5:
            self.lab.stall = self.random.choice(PAUSES)
        self.built = subject.built(self.lab)
        self.bound = subject.bound(self.built)

    def pause(self) -> float:
        """Seconds of the next pause."""
        return self.random.choice(PAUSES)

    def check(self) -> None:
        """No more is inside than may be."""
        inside = self.lab.inside()
        expect(Law.BOUND, inside <= self.bound, f"{self.bound:g} items inside at most", f"{inside}")

    async def watch(self) -> None:
        """Check, again and again."""
        while True:
            self.check()
            await asyncio.sleep(0.25)

    async def consume(self) -> None:
        """Read the stream with pauses."""
        async with self.built.open() as items:
            async for value in items:
                self.lab.drop(value)
                del value
                self.check()
                await asyncio.sleep(self.pause())
                self.check()

    async def main(self) -> None:
        """Run it to its end."""
        watch = asyncio.get_running_loop().create_task(self.watch())
        try:
            await (self.consume() if iterated(self.built) else self.built)
            if watch.done():
                watch.result()
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)


def bounded(subject: Subject, case: Case, seeds: int = 6) -> None:
    """Sources, callbacks and the consumer pause at random; meanwhile it is counted what is inside."""
    for seed in case.steps(0):
        schedule = Schedule(subject, case, seed)
        play(schedule.main)
        schedule.check()
        if seed + 1 >= seeds:
            break
