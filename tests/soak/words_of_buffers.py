"""Words of what changes nothing in the items, and of what drops some and tells which.

What is told of dropped items decides: of those that came, all others must come out, in order.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import streamkit
from streamkit import Collect, Suspend, ops
from tests.soak.line import Line, UndecidedError
from tests.soak.words import Drop, Inner, free, hand, seconds, tactic, whole
from tests.soak.words_of_joins import in_order, line_of

AGES = 1e7
"""Seconds that no run takes."""


def passing(
    name: str,
    key: str,
    make: Callable[..., Any] | None = None,
    modes: str = "LT",
    keeps: bool = False,
    **draws: Any,
) -> None:
    """Enter an operator behind which everything is as before it."""

    def mean(items: Iterable[Any], **_: Any) -> Iterator[Any]:
        yield from items

    mean.__name__ = key
    hand(name, make, modes=modes, keeps=keeps, **draws)(mean)


passing("buffer", "buffer", strategy=tactic("Suspend", "Unbounded", "Spill"))
passing("buffer", "buffers", lambda: ops.buffer(Suspend(1)) | ops.buffer(Suspend(2)))
passing("buffer", "buffer_of_lists", lambda: ops.buffer(Collect(3)) | ops.flatten())
passing(
    "conflate",
    "conflate",
    lambda: ops.map(lambda item: [item]) | ops.conflate(lambda one, two: one + two) | ops.flatten(),
    keeps=True,
)
passing("extrapolate", "extrapolate_nothing", lambda: ops.extrapolate(lambda _: []))
passing(
    "batch_within",
    "batch_within_flat",
    lambda count, seconds: ops.batch_within(count, seconds=seconds) | ops.flatten(),
    modes="L",
    count=whole(1, 4),
    seconds=seconds(),
)
passing("timeout", "timeout_never", lambda: ops.timeout(AGES))
passing("keep_alive", "keep_alive_never", lambda: ops.keep_alive(AGES, function=lambda: None))
passing("delay", "delay_all", modes="L", seconds=seconds(), lookahead=whole(1, 3))
passing(
    "throttle",
    "throttle_all",
    lambda rate: ops.throttle(rate),
    modes="L",
    rate=lambda draw: 2.0 ** draw.random.randint(0, 9),
)
passing(
    "throttle",
    "throttle_by_one_key",
    lambda: ops.throttle(4.0, key=lambda _: 0, max_keys=1, lookahead=2),
    modes="L",
)
passing("pause_while", "pause_while_false", lambda: ops.pause_while([False]))
passing("take_until", "take_until_never", lambda: ops.take_until(streamkit.never()))
passing("race", "race_alone", lambda: ops.race(streamkit.never()))


passing("share", "share")
passing("share", "share_replaying", lambda: ops.share(2, strategy=Suspend(2)))


# what drops, and tells what -------------------------------------------------------------------


class Dropped:
    """What a run has told of its drops, and what came out behind."""

    def __init__(self, values: list[Any], found: list[Any]) -> None:
        self.values = values
        self.found = found

    def survivors(self, came: list[Any]) -> list[Any]:
        """Of those that came, all that were not dropped; of equal ones, those that came out."""
        left, found = [*self.values], [*self.found]
        kept: list[Any] = []
        for value in came:
            if found and found[0] == value:
                kept.append(found.pop(0))
            elif value in left:
                left.remove(value)
            else:
                kept.append(value)
        if left:
            raise AssertionError(f"{left} were told to be dropped, and never came, or came out all the same")
        return kept


def dropping(name: str, key: str, make: Callable[..., Any] | None = None, **draws: Any) -> None:
    """Enter an operator that passes on all but what it tells ``on_drop``."""

    def mean(line: Line, dropped: Dropped, **_: Any) -> list[Line]:
        return [line_of(dropped.survivors(line.values), line.error)]

    mean.__name__ = key
    free(name, make, dropped=lambda _: Drop(), **draws)(mean)


for kind in ("DropIncoming", "DropOldest", "DropYoungest", "DropAll"):
    dropping(
        "buffer",
        f"buffer_{kind}",
        lambda dropped, capacity, kind=kind: ops.buffer(getattr(streamkit, kind)(capacity, on_drop=dropped)),
        capacity=whole(1, 3),
    )
dropping("buffer", "buffer_KeepLatest", lambda dropped: ops.buffer(streamkit.KeepLatest(on_drop=dropped)))
for thinning in ("debounce", "audit", "throttle_first", "throttle_latest", "sample"):
    dropping(
        thinning,
        f"{thinning}_told",
        lambda dropped, seconds, name=thinning: getattr(ops, name)(seconds, on_drop=dropped),
        seconds=seconds(),
    )


@free(
    "exhaust_map",
    lambda function, dropped: ops.exhaust_map(function, on_drop=dropped),
    sure=False,
    function=lambda _: Inner(),
    dropped=lambda _: Drop(),
)
def exhaust_map_told(line: Line, function: Any, dropped: Dropped) -> list[Line]:
    values = [*line.values]
    for value in dropped.values:
        if values.count(value) > 1:
            raise UndecidedError("which of two equal items was dropped")
        values.remove(value)
    return [in_order(line_of(values, line.error), function)]
