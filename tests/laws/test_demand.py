"""Laws 1 and 2: nothing is pulled beyond the declared lookahead, and no more is inside than the bound."""

import pytest

from streamkit.testing.conformance.checks import of_bounds
from streamkit.testing.conformance.demand import bounded, stalled_callback, stalled_consumer
from tests.laws.lab import STYLES, Case, Sample, trying
from tests.samples import OPERATORS, SAMPLES, SINKS
from tests.tiers import examples

SEEDS = examples(6)
BOUNDED = [each for each in SAMPLES if not each.sink or not of_bounds(each)]


def named(sample: Sample) -> str:
    return sample.name


@pytest.mark.spread
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sample", OPERATORS, ids=named)
def test_a_stalled_consumer_stalls_the_source(sample: Sample, style: str) -> None:
    for kind in sample.kinds:
        with trying(kind):
            stalled_consumer(sample, Case(style, kind))


@pytest.mark.parametrize("sample", [each for each in SINKS if each.calls], ids=named)
def test_a_stalled_callback_of_a_sink_stalls_the_source(sample: Sample) -> None:
    for style in STYLES:
        with trying(style):
            stalled_callback(sample, Case(style, "async"))


@pytest.mark.spread
@pytest.mark.parametrize("busy", [False, True], indirect=True, ids=["idle", "busy"])
@pytest.mark.parametrize("sample", BOUNDED, ids=named)
def test_no_more_is_inside_than_explain_says(sample: Sample, busy: bool) -> None:
    bounded(sample, Case(), SEEDS)
