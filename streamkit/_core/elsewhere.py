"""Names that newcomers bring along from RxPY, aiostream and their kin, and what is written here instead.

This is the one table of them. A name here that is not there yet has no place in it, and a test holds that.
"""

from __future__ import annotations

import re
from typing import Final

from streamkit._core.lazy import listed

__all__ = ["ARGUMENTS", "ELSEWHERE", "NEIGHBOURS", "NESTING", "hint", "line"]

ELSEWHERE: Final = {
    # RxPY
    "amb": "race(*sources)",
    "average": "mean()",
    "audit_time": "audit(seconds)",
    "buffer_count": "batch(size)",
    "buffer_time": "batch_within(count, seconds=seconds)",
    "buffer_with_count": "batch(size)",
    "buffer_with_time": "batch_within(count, seconds=seconds)",
    "buffer_with_time_or_count": "batch_within(count, seconds=seconds)",
    "concat_all": "concat_map(lambda stream: stream)",
    "concat_with_iterable": "streamkit.concat(*sources)",
    "create": "streamkit.push(strategy)",
    "debounce_time": "debounce(seconds)",
    "delay_subscription": "delay_start(seconds)",
    "do": "tap(function)",
    "do_action": "tap(function)",
    "element_at_or_default": "element_at(index, default=value)",
    "exclusive": "exhaust_map(lambda stream: stream)",
    "filter_indexed": "enumerate() | filter(predicate)",
    "first_or_default": "first(default=value)",
    "flat_map_indexed": "enumerate() | flat_map(function, concurrency=concurrency)",
    "flat_map_latest": "switch_map(function)",
    "from_iterable": "Stream(iterable)",
    "ignore_elements": "ignore_items()",
    "last_or_default": "last(default=value)",
    "map_indexed": "enumerate() | starmap(function)",
    "merge_all": "flat_map(lambda stream: stream, concurrency=concurrency)",
    "merge_map": "flat_map(function, concurrency=concurrency)",
    "multicast": "broadcast(*branches)",
    "observable": "Stream(source)",
    "on_error_resume_next": "catch(function)",
    "partition_indexed": "enumerate() | partition(predicate, true, false)",
    "pluck": "map(itemgetter(key))",
    "pluck_attr": "map(attrgetter(name))",
    "publish": "broadcast(*branches)",
    "ref_count": "share()",
    "replay": "share(count)",
    "return_value": "streamkit.of(value)",
    "single_or_default": "single(default=value)",
    "single_or_default_async": "single(default=value)",
    "some": "any(predicate)",
    "subject": "streamkit.push(strategy)",
    "subscribe": "for_each(function)",
    "throttle_time": "throttle_first(seconds)",
    "switch_latest": "switch_map(lambda stream: stream)",
    "switch_map_indexed": "enumerate() | switch_map(function)",
    "throttle_with_timeout": "debounce(seconds)",
    "to_future": "last()",
    "to_iterable": "to_list()",
    "window_with_count": "batch(size)",
    "zip_with_iterable": "zip(iterable)",
    "zip_with_list": "zip(iterable)",
    # aiostream
    "accumulate": "scan(function, initial)",
    "action": "tap(function)",
    "amap": "map(function)",
    "chain": "streamkit.concat(*sources)",
    "chunks": "batch(size)",
    "concatmap": "concat_map(function)",
    "dropwhile": "skip_while(predicate)",
    "flatmap": "flat_map(function, concurrency=concurrency)",
    "getitem": "slice(start, stop, step)",
    "just": "streamkit.of(value)",
    "list": "to_list()",
    "print": "tap(print)",
    "skiplast": "skip_last(count)",
    "smap": "map(function)",
    "spaceout": "throttle(rate)",
    "takelast": "take_last(count)",
    "switch": "switch_map(lambda stream: stream)",
    "switchmap": "switch_map(function)",
    "takewhile": "take_while(predicate)",
    "until": "take_while(predicate, inclusive=True)",
    "ziplatest": "combine_latest(*sources)",
    # itertools, and other libraries
    "amap_unordered": "map(function, concurrency=concurrency, ordered=False)",
    "apply": "map(function)",
    "batched": "batch(size)",
    "buffer_timeout": "batch_within(count, seconds=seconds)",
    "catch_error": "catch(function)",
    "catch_exception": "catch(function)",
    "chunk": "batch(size)",
    "chunked": "batch(size)",
    "collect": "to_list()",
    "drop": "skip(count)",
    "each": "for_each(function)",
    "exhaust": "drain()",
    "flatten_map": "flat_map(function, concurrency=concurrency)",
    "foreach": "for_each(function)",
    "head": "take(count)",
    "islice": "slice(start, stop, step)",
    "limit": "take(count)",
    "log": "tap(print)",
    "nth": "element_at(index)",
    "on_error": "catch(function)",
    "parallel": "map(function, concurrency=concurrency)",
    "parallel_map": "map(function, concurrency=concurrency)",
    "peek": "tap(function)",
    "prefetch": "buffer(strategy)",
    "queue": "buffer(strategy)",
    "rate_limit": "throttle(rate)",
    "ratelimit": "throttle(rate)",
    "rebatch": "batch(size)",
    "rescue": "catch(function)",
    "select": "map(function)",
    "sink": "for_each(function)",
    "sleep": "throttle(rate)",
    "tee": "broadcast(*branches)",
    "to_array": "to_list()",
    "unbatch": "flatten()",
    "where": "filter(predicate)",
    "zip_longest": "zip(*sources, fill=value)",
}
"""What is written instead, with names of ``streamkit.ops`` and of the front door."""

NEIGHBOURS: Final = {
    "rx": (
        "as_observable buffer_toggle buffer_when delay_with_mapper do_while finally_action find_index "
        "group_by_until group_join join max_by min_by observe_on publish_value skip_last_with_time "
        "skip_until_with_time skip_while_indexed skip_with_time starmap_indexed subscribe_on "
        "take_last_buffer take_last_with_time take_until_with_time take_while_indexed take_with_time "
        "throttle_with_mapper timeout_with_mapper to_marbles while_do window_toggle window_when "
        "window_with_time window_with_time_or_count"
    ),
    "aiostream": "cycle",
}
"""What has no counterpart here: the neighbours' own operators can stand in a pipe."""
NESTING: Final = {
    *("group_by", "group_by_until", "group_join", "window", "window_toggle", "window_when"),
    *("window_with_count", "window_with_time", "window_with_time_or_count"),
}
"""Operators of RxPY that emit observables which are over by the time that a stream would read them."""

ARGUMENTS: Final = {
    "capacity": "buffer_size limit max max_items max_size maxlen maxsize n size",
    "concurrency": (
        "jobs max_concurrency max_concurrent max_tasks max_workers n_jobs num_workers parallel parallelism "
        "pool_size task_limit tasks threads workers"
    ),
    "count": "amount limit max_count n number size times",
    "default": "default_value fallback otherwise",
    "errors": "error exception exceptions",
    "failing": "fail raises strict",
    "fill": "default fillvalue",
    "first": "source stream",
    "fold": "accumulator combine function merge reducer",
    "function": (
        "accumulator action callback combine f fn fold func handler mapper on_next project reducer selector"
    ),
    "gaps": "gap mark_gaps",
    "idle": "expire expiry idle_timeout ttl",
    "initial": "accumulator init initializer seed start",
    "key": "by comparer group key_func key_mapper key_selector",
    "limit": "capacity max max_items maxsize n size",
    "lookahead": "ahead buffer buffer_size prefetch queue_size read_ahead",
    "max_groups": "groups limit max_keys",
    "on_drop": "callback on_dropped on_overflow",
    "on_full": "overflow policy strategy",
    "ordered": "in_order keep_order order preserve_order",
    "pipe": "element_mapper operator pipeline sink",
    "predicate": "condition f fn func function key test",
    "rate": "calls frequency limit per_second qps rps",
    "seconds": "delay due_time duetime duration interval period time timeout timespan wait window",
    "size": "batch_size chunk_size count length max_size n",
    "start": "begin first offset",
    "strategy": "backpressure buffer mode on_full overflow overflow_strategy policy",
    "weight": "cost measure weigh",
}
"""By our names of arguments, what they are called elsewhere."""
_OPS: Final = "streamkit.ops"
_FRONT: Final = "streamkit"
_PACKAGES: Final = {"rx": "reactivex.operators", "aiostream": "aiostream.pipe"}
_STRATEGY: Final = {"rx": ", strategy=strategy", "aiostream": ""}


def line(name: str) -> str | None:
    """What to write for `name` here, if it is known.

    >>> line("chunks"), line("flatMap"), line("push"), line("nonsense")
    ('ops.batch(size)', 'ops.flat_map(...)', 'streamkit.push(...)', None)
    """
    if name.startswith("_"):
        return None
    operators, front = listed(_OPS), listed(_FRONT)
    for each in (name, _snake(name)):
        if each in operators:
            return f"ops.{each}(...)"
        if each in front:
            return f"streamkit.{each}" + ("(...)" if each.islower() else "")
        if each in ELSEWHERE:
            return re.sub(r"(?<![.\w])\w+(?=\()", _prefixed, ELSEWHERE[each])
        for neighbour, names in NEIGHBOURS.items():
            if each in names.split():
                package = _PACKAGES[neighbour]
                inner = f", {package}.flat_map(lambda inner: inner.pipe(...))" if each in NESTING else ""
                return f"{neighbour}.operator({package}.{each}(...){inner}{_STRATEGY[neighbour]})"
    return None


def hint(name: str) -> str:
    """The end of a message that says that there is no `name`: what to write, if that is known.

    >>> hint("buffer_with_count"), hint("nonsense")
    (': buffer_with_count is batch here, as in ops.batch(size)', '')
    """
    code = line(name)
    if code is None:
        return ""
    here = " | ".join(re.findall(r"(?:\b(?:ops|streamkit)\.|\b)(\w+)\(", code))
    bare = here if _snake(name) in ELSEWHERE else ""
    return f": {name} is {bare} here, as in {code}" if bare else f": write {code}"


def _prefixed(found: re.Match[str]) -> str:
    return f"ops.{found[0]}" if found[0] in listed(_OPS) else found[0]


def _snake(name: str) -> str:
    """`name` as Python writes names: ``flatMap``, and ``filter_``, which leaves a builtin alone."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().rstrip("_")
