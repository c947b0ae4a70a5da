"""Every operator, sink and source of the catalogue keeps to the laws that users' own are held to."""

from typing import Any

import pytest

from streamkit.testing.conformance.checks import CHECKS, EXITS, STREAM_EXITS
from streamkit.testing.conformance.laws import Law
from streamkit.testing.conformance.sources import SOURCE_CHECKS
from streamkit.testing.conformance.trial import Trial
from tests.laws.source_lab import SourceSample
from tests.samples import OPERATORS, SAMPLES, SINKS, Sample
from tests.samples.sources import SOURCES
from tests.tiers import stride

PROVEN = {*STREAM_EXITS, *EXITS}
"""What tests/laws/test_close.py tries already, over all samples."""
UNTRIED = {
    "bounded": "where samples keep results, tests/laws/test_demand.py has those that do not",
    "kept_by_a_stalled_run": "tests/laws/test_letting_go.py has how many items each keeps",
    "same_at_any_pace": "what many samples pass on depends on time",
}
"""What says nothing of some samples, and where it is tested instead."""
LAST = [check for check in CHECKS if check not in PROVEN and check.name not in UNTRIED]
SPREAD = 36
"""In the default tier, each so many-th sample is tried: the laws try all of them."""


def named(sample: Any) -> str:
    return str(sample.name)


@pytest.mark.parametrize("sample", [*OPERATORS, *SINKS][:: stride(SPREAD)], ids=named)
def test_what_the_catalogue_has_keeps_to_the_laws(sample: Sample) -> None:
    report = Trial(sample, LAST, (*Law,), every=stride(7)).report({})
    assert not report.findings, str(report)
    assert report.tested


@pytest.mark.parametrize("sample", SOURCES[:: stride(8)], ids=named)
def test_sources_keep_to_the_laws(sample: SourceSample) -> None:
    waits = sample.name.startswith(("timer", "interval")) or sample.wasted
    checks = [check for check in SOURCE_CHECKS if not (waits and check.real)]
    report = Trial(sample, checks, (*Law,), every=stride(5)).report({})
    assert not report.findings, str(report)


@pytest.mark.full
@pytest.mark.parametrize("sample", SAMPLES[::SPREAD], ids=named)
def test_the_whole_pack_over_some_of_the_catalogue(sample: Sample) -> None:
    """The test above and tests/laws/test_close.py try its parts over all of it."""
    checks = [check for check in CHECKS if check.name not in UNTRIED]
    report = Trial(sample, checks, (*Law,), every=3).report({})
    assert not report.findings, str(report)
