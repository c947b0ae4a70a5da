"""Arguments of sinks."""

from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import (
    SIZES,
    Way,
    marked,
    newest,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "count": ways("count", marked(lambda lab: ops.count())),
    "drain": ways("drain", marked(lambda lab: ops.drain())),
    "first": ways("first", marked(lambda lab: ops.first(default=None))),
    "fold": ways("fold", marked(lambda lab: ops.fold(lab.callback(newest), None))),
    "for_each": ways(
        "for_each",
        lambda lab, concurrency: ops.for_each(lab.callback(lab.drop), concurrency=concurrency),
        concurrency=SIZES,
    ),
    "last": ways("last", marked(lambda lab: ops.last(default=None))),
    "to_list": ways("to_list", marked(lambda lab: ops.to_list())),
}
