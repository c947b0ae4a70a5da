"""Arguments of the family `order`."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import FLAGS, OTHERS, SIZES, Way, sources, ways
from tests.samples.order import number

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "merge_sorted": ways(
        "merge_sorted",
        lambda lab, others, **given: ops.merge_sorted(
            *sources(lab, others), key=lab.callback(number), **given
        ),
        others=OTHERS,
        reverse=FLAGS,
        lookahead=SIZES,
    ),
    "merge_prioritized": ways(
        "merge_prioritized",
        lambda lab, others, **given: ops.merge_prioritized(*sources(lab, others), **given),
        others=OTHERS,
        lookahead=SIZES,
    ),
    "interleave": ways(
        "interleave",
        lambda lab, others, **given: ops.interleave(*sources(lab, others), **given),
        others=OTHERS,
        count=SIZES,
        lookahead=SIZES,
    ),
}
