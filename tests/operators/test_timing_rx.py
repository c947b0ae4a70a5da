"""debounce, and sample by time, beside what RxPY makes of the same items."""

from hypothesis import given, strategies as st
from reactivex import operators as of

from streamkit import Stream, ops
from tests.marbles import ERROR, drawn, noted
from tests.operators.pacing import gapped
from tests.operators.virtual import emitted

GAPS = st.lists(st.integers(0, 30).map(lambda eighths: eighths / 8), max_size=9)
ENDS = st.integers(0, 20).map(lambda eighths: eighths / 8)
OFF_BEAT = 1 + 1 / 16
"""Never ends in the turn in which an item comes. RxPY counts in whole microseconds: it is so many."""


@given(GAPS, ENDS)
def test_debounce_is_that_of_rxpy(gaps: list[float], ends: float) -> None:
    seen = noted(Stream(gapped(gaps, ends)) | ops.debounce(OFF_BEAT))
    assert seen == emitted(of.debounce(OFF_BEAT), gaps, ends)


def test_unlike_in_rxpy_an_error_does_not_lose_what_debounce_and_sample_hold() -> None:
    for ours, theirs in ((ops.debounce(9.0), of.debounce(9.0)), (ops.sample(9.0), of.sample(9.0))):
        assert noted(Stream(drawn("-aX")) | ours) == [(2.0, "a"), (2.0, ERROR)]
        assert emitted(theirs, [1.0], 1.0, fails=True) == [(2.0, ERROR)]


@given(GAPS, ENDS)
def test_sample_is_that_of_rxpy_but_for_the_last_period_which_ends_with_the_source(
    gaps: list[float], ends: float
) -> None:
    seen = noted(Stream(gapped(gaps, ends)) | ops.sample(OFF_BEAT))
    theirs = emitted(of.sample(OFF_BEAT), gaps, ends)
    over = sum(gaps) + ends
    assert [item for _, item in seen] == [item for _, item in theirs]
    assert [time for time, _ in seen] == [min(time, over) for time, _ in theirs]
