"""Every strategy with arguments, as it is written."""

from operator import add
from typing import Any

from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    KeepLatest,
    Spill,
    Strategy,
    Suspend,
    Unbounded,
)


def fuse(first: Strategy, then: Strategy) -> Strategy | None:
    return first.before(then)


def noted(item: Any, reason: str) -> None:
    """An ``on_drop`` that can be pickled."""


SHOWN = {
    "Suspend(capacity=4)": Suspend(4),
    "Fail(capacity=4)": Fail(4),
    "DropIncoming(capacity=4)": DropIncoming(4),
    "DropOldest(capacity=4, gaps=True)": DropOldest(4, gaps=True),
    "DropYoungest(capacity=4, on_drop=noted)": DropYoungest(4, on_drop=noted),
    "DropAll(capacity=4, on_drop=noted, gaps=True)": DropAll(4, on_drop=noted, gaps=True),
    "KeepLatest()": KeepLatest(),
    "KeepLatest(gaps=True)": KeepLatest(gaps=True),
    "KeepLatest(on_drop=noted, gaps=True)": KeepLatest(on_drop=noted, gaps=True),
    "Conflate(add)": Conflate(add),
    "Collect(limit=4)": Collect(4),
    "Spill(capacity=4, directory=None)": Spill(4),
    "Unbounded()": Unbounded(),
}
ALL = [*SHOWN.values()]
