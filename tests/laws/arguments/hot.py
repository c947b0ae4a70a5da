"""Arguments of the family `hot`."""

from hypothesis.strategies import SearchStrategy

from streamkit import Suspend, ops
from tests.laws.ways import FINITE, INFINITE, SIZES, Way, strategies, ways

__all__ = ["ARGUMENTS"]


def shared(strategy: Way) -> Way:
    return Way(f"share(strategy={strategy})", lambda lab: ops.share(strategy=strategy.make(lab)))


ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "share": strategies(FINITE | INFINITE).map(shared)
    | ways(
        "share-replay",
        lambda lab, capacity, **given: ops.share(strategy=Suspend(capacity), **given),
        replay=SIZES,
        capacity=SIZES,
    ),
}
