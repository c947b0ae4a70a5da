"""Arguments of the family `share`."""

from hypothesis.strategies import SearchStrategy

from tests.laws.ways import (
    Way,
    fans,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "broadcast": fans(sinks=False) | fans(sinks=True),
}
