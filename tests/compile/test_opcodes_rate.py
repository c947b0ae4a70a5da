"""What an item costs that is lost or folded because nobody takes any, or that waits for a list to be full."""

from functools import partial

import pytest

from benchmarks.workload import HAND, OURS
from benchmarks.workloads.neighbours import queued
from benchmarks.workloads.strategies import collecting
from streamkit import Collect, Stream, ops
from streamkit._core.strategy import Strategy
from tests.compile.lossy_by_hand import (
    LOSSY,
    batched_by_hand,
    batched_ours,
    folded_by_hand,
    folded_ours,
    lossy_by_hand,
    lossy_ours,
)
from tests.compile.test_opcodes import (
    per_item,
    still as still,  # noqa: PLC0414 - the clock stands still here, too
)

SHED, FOLDED = 10.2, 5.2
"""Whether it floods, which stands behind whether an append is granted; the count is an attribute."""


@pytest.mark.parametrize("strategy", LOSSY, ids=repr)
def test_an_item_that_is_lost_costs_little_more_than_an_append(strategy: Strategy) -> None:
    assert per_item(lossy_ours(strategy)) <= per_item(lossy_by_hand) + SHED


def test_an_item_that_is_folded_costs_little_more_than_the_fold() -> None:
    assert per_item(folded_ours) <= per_item(folded_by_hand) + FOLDED


def test_an_item_of_a_batch_costs_no_more_than_by_hand_in_one_task() -> None:
    assert per_item(batched_ours) <= per_item(batched_by_hand)


PLACES = 64


async def collected(items: int) -> list[list[int]]:
    return await (Stream(range(items)) | ops.buffer(Collect(PLACES)) | ops.to_list())


async def collected_by_hand(items: int) -> int:
    return await collecting(PLACES, items)


def test_what_there_is_room_for_comes_out_of_a_list_with_no_line_for_each() -> None:
    assert per_item(collected) <= 0.8 * per_item(collected_by_hand)


def test_an_item_of_a_subject_costs_less_than_through_a_queue_of_its_loop() -> None:
    ours, by_hand = (partial(queued.contenders[name], 1) for name in (OURS, HAND))
    assert per_item(ours) <= 0.92 * per_item(by_hand)
