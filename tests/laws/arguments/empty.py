"""Arguments of the family `empty`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import Way, marked, ways

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "default_if_empty": ways("default_if_empty", lambda lab: ops.default_if_empty("none")),
    "fail_if_empty": ways("fail_if_empty", lambda lab: ops.fail_if_empty()),
    "ignore_items": ways("ignore_items", marked(lambda lab: ops.ignore_items())),
}
