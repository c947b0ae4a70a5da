"""Pipes of the catalogue between faulty sources and faulty consumers: nothing is lost, all is closed once."""

import asyncio
from typing import Any

import pytest

from streamkit import StreamTimeoutError, attached
from streamkit.testing import Consumed, FaultySource, Leave, consume, run
from tests.laws.lab import Boom, all_attached, trying
from tests.testing.faults import CONSUMERS, FAULTS, cut_short, faults_of
from tests.testing.piping import ITEMS, LONG, OTHERS, PIPES, Pipe, numbers_in


class Trial:
    """One pipe between a faulty source, a healthy one beside it, and a consumer."""

    def __init__(self, pipe: Pipe, fault: str, consumer: str, *, beside: bool) -> None:
        self.pipe = pipe
        self.faults = faults_of(fault)
        self.consumer = dict(CONSUMERS[consumer])
        if "error" in self.consumer:
            self.consumer["error"] = Boom("consumer")
        self.items = OTHERS if beside else ITEMS
        self.faulty = FaultySource(self.items, **self.faults)
        self.healthy = FaultySource(ITEMS if beside else OTHERS, every=0.5)
        self.sources = (self.healthy, self.faulty) if beside else (self.faulty, self.healthy)

    @property
    def to_the_end(self) -> bool:
        """Whether the consumer takes whatever comes."""
        return self.consumer.keys() <= {"every", "stall", "at"} and "error" not in self.consumer

    async def run(self) -> Consumed[Any] | None:
        """What the consumer has seen; None, if the source hangs."""
        try:
            async with asyncio.timeout(LONG):
                seen = await consume(self.pipe.over(*self.sources), **self.consumer)
        except TimeoutError:
            assert "hangs" in self.faults
            return None
        if self.consumer.get("leave") is Leave.BREAK:
            await asyncio.sleep(LONG)  # the clean-up goes on behind the consumer
        return seen

    def check(self) -> None:
        seen = run(self.run, leaks=not self.breaks_and_fails())
        for source in self.sources:
            if not cut_short(source, self.consumer):
                source.check()
        for visit in self.faulty.visits:
            assert not visit.asked_after_end
        if seen is None:
            return
        if self.to_the_end:
            self.check_items(seen)
            self.check_error(seen)
        elif "error" in self.consumer and len(seen.items) == self.consumer["at"]:
            assert seen.error is self.consumer["error"]

    def breaks_and_fails(self) -> bool:
        """The loop's exception handler is told of what fails behind a consumer that waits for nothing."""
        return self.consumer.get("leave") is Leave.BREAK and "close_error" in self.faults

    def check_items(self, seen: Consumed[Any]) -> None:
        """All that the source gave has come, as far as the pipe leaves nothing out."""
        if self.pipe.chooses or not (seen.error is None or self.pipe.lossless):
            return
        came = [number for item in seen.items for number in numbers_in(item) if number in self.items]
        given = [number for visit in self.faulty.visits for number in self.items[: visit.given]]
        assert sorted(came) == sorted(given * self.pipe.copies)

    def check_error(self, seen: Consumed[Any]) -> None:
        """What the source raised comes out as itself, or hangs on the first error; nothing else comes."""
        if isinstance(seen.error, StreamTimeoutError):
            assert "hangs" in self.faults
            return
        errors = [self.faults[name] for name in ("error", "close_error") if name in self.faults]
        found = [] if seen.error is None else [seen.error, *all_attached(seen.error)]
        assert seen.error is None or seen.error in errors
        assert all(error in errors for error in found)
        times = self.faults.get("times", len(self.faulty.visits))
        failed = any(visit.ended for visit in self.faulty.visits[:times])
        if failed and "error" in self.faults and not self.pipe.catches:
            # Python replaces an error by that of the clean-up that it causes, and keeps it as the context
            known = [*found, *[error.__context__ for error in found]]
            assert self.faults["error"] in known
            assert not seen.ended


@pytest.mark.spread
@pytest.mark.parametrize("pipe", PIPES, ids=repr)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_consumer(pipe: Pipe, fault: str) -> None:
    for beside in (False, True)[: 1 + pipe.joins]:
        for consumer in CONSUMERS:
            with trying("beside" if beside else "first", consumer):
                Trial(pipe, fault, consumer, beside=beside).check()


def test_the_errors_of_two_sources_come_together() -> None:
    errors = [Boom("one"), Boom("two")]
    one, two = [FaultySource(ITEMS, every=1.0, close_seconds=1.0, close_error=error) for error in errors]
    (merge,) = [pipe for pipe in PIPES if pipe.name == "merge"]
    seen = run(lambda: consume(merge.over(one, two), at=4, leave=Leave.CLOSE))
    assert seen.error is not None
    assert [seen.error, *attached(seen.error)] == errors
