"""Arguments of the family `window`."""

from collections.abc import Callable
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import Hopping, Session, Sliding, Suspend, Tumbling, Until, ops
from tests.laws.lab import Lab
from tests.laws.ways import SECONDS, SIZES, Way, every, same, ways

__all__ = ["ARGUMENTS"]


def numbers() -> Callable[[Any], int]:
    """A time for each item: how many there were before it."""
    following = count()
    return lambda _: next(following)


def always(_: Any) -> bool:
    return True


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "window": ways("window", lambda lab, size: ops.window(Tumbling(count=size), ops.batch(size)), size=SIZES)
    | ways(
        "window-until",
        lambda lab, size: ops.window(Until(every(Lab(), size)), ops.batch(size)),
        size=SIZES,
    )
    | ways(
        "window-time",
        lambda lab, size: ops.window(
            Tumbling(seconds=size), ops.batch(size), timestamp=numbers(), on_late=lab.drop
        ),
        size=SIZES,
    )
    | ways(
        "window-session",
        lambda lab, held: ops.window(
            Session(gap=99), ops.map(lab.callback(same)), timestamp=numbers(), lateness=held, max_held=held
        ),
        held=SIZES,
    )
    | ways(
        "window-arrival",
        lambda lab, seconds: ops.window(Tumbling(seconds=seconds), ops.map(lab.callback(same))),
        seconds=SECONDS,
    )
    | ways(
        "window-sliding",
        lambda lab, size: ops.window(Sliding(count=size), ops.filter(lab.callback(always)) | ops.count()),
        size=SIZES,
    )
    | ways(
        "window-stage",
        lambda lab, size: (
            ops.window(Tumbling(count=size), ops.buffer(Suspend(1)) | ops.map(same))
            | ops.map(lab.callback(same))
        ),
        size=st.integers(2, 6),
    )
    | ways(
        "window-hopping",
        lambda lab, size: ops.window(Hopping(count=size, every=size), ops.batch(size)),
        size=SIZES,
    ),
}
