"""explain: how many items of the source an item counts for, behind what makes batches and takes them apart."""

from typing import Any

import pytest

from streamkit import Stream, Suspend, ops

NONE: Any = Stream[int]([])
THREES: Any = NONE | ops.batch(3)
TENS: Any = NONE | ops.batch(5) | ops.batch(2)


@pytest.mark.parametrize(
    ("stream", "items"),
    [
        (NONE, 1),
        (THREES, 3),
        (TENS, 10),
        (TENS | ops.flatten(), 5),
        (TENS | ops.flatten() | ops.flatten(), 1),
        (TENS | ops.take(3) | ops.flatten(), 5),  # what passes items on leaves them as they are
        (TENS | ops.map(list) | ops.flatten(), 10),  # each that a callback returns may have all of it
        (NONE | ops.merge(THREES), 3),
        (NONE | ops.merge(THREES, TENS), 10),
        (TENS | ops.merge(THREES), 10),
        (TENS | ops.merge(THREES) | ops.flatten(), 5),
        (THREES | ops.merge(TENS) | ops.flatten() | ops.flatten(), 1),
        (TENS | ops.merge(THREES | ops.map(list)) | ops.flatten(), 5),
        (TENS | ops.merge(NONE | ops.batch(99) | ops.map(list)) | ops.flatten(), 99),
    ],
    ids=str,
)
def test_an_item_counts_for(stream: Any, items: float) -> None:
    assert (stream | ops.buffer(Suspend(1))).explain().parts[-1].lookahead == items


def test_no_item_counts_for_more_than_fits_in_any_memory() -> None:
    stream = NONE.pipe(*[ops.batch(1000)] * 200, ops.buffer(Suspend(1)))
    assert stream.explain().parts[-1].lookahead == 2**63
