"""Arguments of the family `combine`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import (
    FLAGS,
    OTHERS,
    SIZES,
    Way,
    sources,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "concat": ways("concat", lambda lab, others: ops.concat(*sources(lab, others)), others=OTHERS),
    "merge": ways(
        "merge",
        lambda lab, others, **given: ops.merge(*sources(lab, others), **given),
        others=OTHERS,
        lookahead=SIZES,
    ),
    "zip": ways(
        "zip",
        lambda lab, others, **given: ops.zip(*sources(lab, others), **given),
        others=OTHERS,
        lookahead=SIZES,
        strict=FLAGS,
    )
    | ways(
        "zip",
        lambda lab, others, **given: ops.zip(*sources(lab, others), fill=None, **given),
        others=OTHERS,
        lookahead=SIZES,
    ),
}
