"""Law 3: every exit finishes each source's clean-up once, in its own task, and leaves nothing."""

import asyncio
from unittest.mock import patch

import pytest

from streamkit.testing import VirtualLoop
from streamkit.testing.conformance.checks import EXITS, STREAM_EXITS, Check
from tests.laws.lab import Sample, trying
from tests.samples import SAMPLES
from tests.tiers import stride

MATRIX = [
    (sample, check)
    for sample in SAMPLES
    for check in (EXITS if sample.sink else STREAM_EXITS + EXITS)
    if not check.applies(sample)
]


@pytest.mark.spread
@pytest.mark.parametrize(
    ("sample", "check"), MATRIX, ids=[f"{sample.name}-{check.name}" for sample, check in MATRIX]
)
def test_every_exit_closes(sample: Sample, check: Check) -> None:
    every = stride(7)  # other steps for each sample; together they try them all
    # a plain `for` and `run()` make loops of their own, and would wait in real time
    with (
        patch.object(asyncio, "new_event_loop", VirtualLoop),
        patch.object(asyncio.events, "new_event_loop", VirtualLoop),
    ):
        for case in check.cases(sample, every, 1 + SAMPLES.index(sample) % every):
            with trying(case):
                check.run(sample, case)
