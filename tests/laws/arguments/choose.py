"""Arguments of the family `choose`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import (
    COUNTS,
    FLAGS,
    SIZES,
    Way,
    before,
    every,
    skipped,
    until,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "distinct_until_changed": ways("distinct_until_changed", lambda lab: ops.distinct_until_changed())
    | ways("distinct_until_changed-key", lambda lab: ops.distinct_until_changed(lab.callback(id))),
    "filter": ways("filter", lambda lab, size: ops.filter(every(lab, size)), size=SIZES),
    "skip": ways("skip", skipped, count=COUNTS),
    "skip_while": ways("skip_while", lambda lab, size: ops.skip_while(before(lab, size)), size=SIZES),
    "take": ways("take", lambda lab, count: ops.take(count), count=SIZES),
    "take_while": ways(
        "take_while",
        lambda lab, size, **given: ops.take_while(lab.callback(until(size)), **given),
        size=SIZES,
        inclusive=FLAGS,
    ),
}
