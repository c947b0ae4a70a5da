"""Every operator between faulty sources and faulty consumers: it ends, and each source is closed once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Stream
from streamkit.testing import Consumed, FaultySource, Leave, consume, run
from streamkit.testing.conformance.checks import of_streams_apart
from tests.laws.items import Item
from tests.laws.lab import Lab, Sample, all_attached, trying
from tests.samples import OPERATORS
from tests.testing.faults import CONSUMERS, FAULTS, cut_short, faults_of

COUNT = 6
THIRD = 3
"""Each sample meets a third of the consumers with each fault, and all of them with three."""
LONG = 1000.0
"""Seconds after which a pipe whose source hangs is cancelled, and then those in which the rest ends."""


class FaultyLab(Lab):
    """A lab whose first source has faults, or all others have."""

    def __init__(self, faults: dict[str, Any], *, beside: bool) -> None:
        super().__init__()
        self.faults = faults
        self.beside = beside
        self.sources: list[FaultySource[Any]] = []

    def source(self, shape: Callable[[Item], Any] = lambda item: item) -> Any:
        faulty = bool(self.sources) == self.beside
        items = [shape(Item(number)) for number in range(COUNT)]
        self.sources.append(FaultySource(items, **(self.faults if faulty else {"every": 0.5})))
        return self.sources[-1]


def seen(sample: Sample, fault: str, consumer: dict[str, Any], *, beside: bool) -> None:
    """Run the sample, and check what came of it."""
    lab = FaultyLab(faults_of(fault), beside=beside)
    stream = Stream(lab.source(sample.shape)) | sample.make(lab)

    async def main() -> Consumed[Any] | None:
        try:
            async with asyncio.timeout(LONG):
                found = await consume(stream, **consumer)
        except TimeoutError:
            assert "hangs" in lab.faults, "it hangs, and its sources do not"
            return None
        if consumer.get("leave") is Leave.BREAK:
            await asyncio.sleep(LONG)
        return found

    # what fails behind a consumer that has broken out is told to the loop
    found = run(main, leaks=not (consumer.get("leave") is Leave.BREAK and "close_error" in lab.faults))
    for source in lab.sources:
        if not cut_short(source, consumer):
            source.check()
        assert not any(visit.asked_after_end for visit in source.visits), "asked after its end"
    if found is not None and consumer.keys() <= {"every", "stall", "at"}:
        check_error(found, sample, lab)


def check_error(found: Consumed[Any], sample: Sample, lab: FaultyLab) -> None:
    """An error of a source comes, unless the operator goes on after it; it never ends a stream in silence."""
    known = [lab.faults[name] for name in ("error", "close_error") if name in lab.faults]
    failed = [
        source.visits
        for source in lab.sources
        if "error" in lab.faults and bool(source is not lab.sources[0]) == lab.beside
    ]
    if any(visit.ended for visits in failed for visit in visits[: lab.faults.get("times", COUNT)]):
        assert sample.catches or not found.ended
    if known and found.error is not None and "hangs" not in lab.faults and not sample.catches:
        told = [found.error, *all_attached(found.error)]
        assert any(each in known for each in told) or isinstance(found.error, TimeoutError)


@pytest.mark.spread
@pytest.mark.parametrize("sample", OPERATORS, ids=repr)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_operator(sample: Sample, fault: str) -> None:
    first = (OPERATORS.index(sample) + FAULTS.index(fault)) % THIRD
    nested = bool(of_streams_apart(sample))
    for name, consumer in [*CONSUMERS.items()][first::THIRD]:
        if nested and name == "breaks":
            continue
        for beside in (False, True):
            with trying(name, "beside" if beside else "first"):
                seen(sample, fault, consumer, beside=beside)
