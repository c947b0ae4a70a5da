"""Every strategy as a picture: what comes, what is dropped and when, and when the source is asked."""

from operator import add
from typing import Any

import pytest

from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    KeepLatest,
    Suspend,
    Unbounded,
    ops,
)
from streamkit.testing import check_marbles, run

PICTURES: list[tuple[Any, str]] = [
    (
        Suspend(2),
        """
        items        a   -b-c-d-e-f|
        items.asked  (^^)-^----^----^-----!
        demand       ^   ------^----^-----!
        expected     a   ------b----c
        """,
    ),
    (
        DropIncoming(2),
        """
        items        a   -b-c-d-e-f|
        items.asked  (^^)-^-^-^-^-^
        demand       ^   --------^--^
        expected     a   --------b--(cf|)
        dropped      -   -----d-e
        """,
    ),
    (
        DropOldest(2),
        """
        items        a   -b-c-d-e-f|
        items.asked  (^^)-^-^-^-^-^
        demand       ^   --------^--^
        expected     a   --------d--(ef|)
        dropped      -   -----b-c
        """,
    ),
    (
        DropYoungest(2),
        """
        items        a   -b-c-d-e-f|
        demand       ^   --------^--^
        expected     a   --------b--(ef|)
        dropped      -   -----c-d
        """,
    ),
    (
        DropAll(2),
        """
        items        a   -b-c-d   -e-f|
        demand       ^   ------   --^--^
        expected     a   ------   --d--(ef|)
        dropped      -   -----(bc)
        """,
    ),
    (
        KeepLatest(),
        """
        items        a   -b-c-d-e-f|
        demand       ^   --------^--^
        expected     a   --------e--(f|)
        dropped      -   ---b-c-d
        """,
    ),
    (
        Conflate(add),
        """
        items        a   -b-c-d-e-f|
        demand       ^   ------^----^
        expected     a   ------x----(y|)
        """,
    ),
    (
        Collect(2),
        """
        items        a   -b-c-d-e-f|
        items.asked  (^^)-^--^^--^^
        demand       ^   ----^---^---^
        expected     p   ----q---r---(s|)
        """,
    ),
    (
        Unbounded(),
        """
        items        a   -b-c-d-e-f|
        items.asked  (^^)-^-^-^-^-^
        demand       ^   --------^--^
        expected     a   --------b--(cdef|)
        """,
    ),
]
VALUES = {"x": "bcd", "y": "ef", "p": ["a"], "q": ["b", "c"], "r": ["d", "e"], "s": ["f"]}


@pytest.mark.parametrize(("strategy", "picture"), PICTURES, ids=[repr(strategy) for strategy, _ in PICTURES])
def test_of(strategy: Any, picture: str) -> None:
    run(lambda: check_marbles(ops.buffer(strategy), picture, values=VALUES))
