"""Arguments: for every operator and sink, all the ways to write it that hypothesis may choose from.

A new operator needs an entry in `ARGUMENTS`; without one, `test_bound` fails and names it.
"""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import streamkit
from streamkit import ABSENT, ops
from tests.laws.ways import (
    COUNTS,
    FINITE,
    FLAGS,
    INFINITE,
    OTHERS,
    SECONDS,
    SIZES,
    Way,
    before,
    buffered,
    every,
    evicting,
    fans,
    folded,
    grouped,
    mapped,
    marked,
    nested,
    newest,
    pair,
    same,
    shaped,
    skipped,
    sources,
    staged,
    staged_to_sinks,
    strategies,
    until,
    ways,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "batch": ways("batch", lambda lab, size: ops.batch(size), size=SIZES),
    "batch_within": ways(
        "batch_within",
        lambda lab, **given: ops.batch_within(**given),
        count=SIZES,
        seconds=SECONDS,
    )
    | ways(
        "batch_within",
        lambda lab, weighs, **given: ops.batch_within(
            **given, weight=lab.callback(lambda item: weighs), heaviest=8.0
        ),
        count=SIZES,
        seconds=SECONDS,
        weighs=st.sampled_from([0, 1]),
    ),
    "broadcast": fans(sinks=False) | fans(sinks=True),
    "buffer": strategies(FINITE | INFINITE).map(buffered),
    "catch": st.just(Way("catch", lambda lab: ops.catch(lab.callback(lambda _: lab.source())), catches=True)),
    "concat": ways("concat", lambda lab, others: ops.concat(*sources(lab, others)), others=OTHERS),
    "conflate": ways("conflate", lambda lab: ops.conflate(folded(lab))),
    "count": ways("count", marked(lambda lab: ops.count())),
    "debounce": ways(
        "debounce", lambda lab, **given: ops.debounce(**given, on_drop=lab.drop), seconds=SECONDS
    ),
    "distinct_until_changed": ways("distinct_until_changed", lambda lab: ops.distinct_until_changed())
    | ways("distinct_until_changed-key", lambda lab: ops.distinct_until_changed(lab.callback(id))),
    "drain": ways("drain", marked(lambda lab: ops.drain())),
    "enumerate": ways("enumerate", lambda lab, start: ops.enumerate(start), start=COUNTS),
    "extrapolate": ways(
        "extrapolate",
        lambda lab, more: ops.extrapolate(lab.callback(lambda item: [item] * more)),
        more=COUNTS,
    ),
    "filter": ways("filter", lambda lab, size: ops.filter(every(lab, size)), size=SIZES),
    "first": ways("first", marked(lambda lab: ops.first(default=None))),
    "flat_map": ways("flat_map", nested, concurrency=st.integers(1, 4), lookahead=st.integers(1, 4)),
    "flatten": shaped(ways("flatten", lambda lab: ops.flatten()), pair),
    "fold": ways("fold", marked(lambda lab: ops.fold(lab.callback(newest), None))),
    "for_each": ways(
        "for_each",
        lambda lab, concurrency: ops.for_each(lab.callback(lab.drop), concurrency=concurrency),
        concurrency=SIZES,
    ),
    "group_by": ways("group_by", grouped, groups=SIZES)
    | ways(
        "group_by-batch",
        lambda lab, groups, size: grouped(lab, groups, ops.batch(size)),
        groups=SIZES,
        size=SIZES,
    )
    | ways("group_by-evict", evicting, groups=SIZES)
    | ways("group_by-stage", staged, groups=SIZES)
    | ways("group_by-stage-sink", staged_to_sinks, groups=SIZES),
    "keep_alive": ways(
        "keep_alive", lambda lab, **given: ops.keep_alive(**given, function=lambda: None), seconds=SECONDS
    ),
    "last": ways("last", marked(lambda lab: ops.last(default=None))),
    "map": ways("map", lambda lab: mapped(lab))
    | ways("map", mapped, concurrency=st.integers(2, 6), ordered=FLAGS, lookahead=COUNTS),
    "merge": ways(
        "merge",
        lambda lab, others, **given: ops.merge(*sources(lab, others), **given),
        others=OTHERS,
        lookahead=SIZES,
    ),
    "pairwise": ways("pairwise", lambda lab: ops.pairwise()),
    "sample": ways("sample", lambda lab, **given: ops.sample(**given, on_drop=lab.drop), seconds=SECONDS),
    "scan": ways(
        "scan",
        lambda lab, initial: ops.scan(lab.callback(newest), initial),
        initial=st.sampled_from([None, ABSENT]),
    ),
    "skip": ways("skip", skipped, count=COUNTS),
    "skip_while": ways("skip_while", lambda lab, size: ops.skip_while(before(lab, size)), size=SIZES),
    "starmap": shaped(ways("starmap", lambda lab: ops.starmap(lab.callback(same))), pair),
    "take": ways("take", lambda lab, count: ops.take(count), count=SIZES),
    "take_while": ways(
        "take_while",
        lambda lab, size, **given: ops.take_while(lab.callback(until(size)), **given),
        size=SIZES,
        inclusive=FLAGS,
    ),
    "tap": ways("tap", lambda lab: ops.tap(lab.callback(same))),
    "throttle": ways(
        "throttle",
        lambda lab, **given: ops.throttle(**given),
        rate=st.sampled_from([0.5, 2.0, 50.0]),
        burst=SIZES,
    ),
    "timeout": ways("timeout", lambda lab: ops.timeout(1e6)),
    "to_list": ways("to_list", marked(lambda lab: ops.to_list())),
    "valve": ways("valve", lambda lab: ops.valve(streamkit.Valve())),
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
