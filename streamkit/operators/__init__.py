"""Floor 3: the vocabulary, a module per family; with the sinks, this is ``streamkit.ops``."""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit.operators.choose import distinct_until_changed, filter, skip, skip_while, take, take_while
    from streamkit.operators.combine import concat, merge, zip
    from streamkit.operators.effects import tap
    from streamkit.operators.group import batch, batch_within
    from streamkit.operators.grouping import group_by
    from streamkit.operators.nest import flat_map
    from streamkit.operators.rate import buffer, conflate, extrapolate, throttle
    from streamkit.operators.recover import catch
    from streamkit.operators.share import broadcast
    from streamkit.operators.steer import valve
    from streamkit.operators.timing import debounce, keep_alive, sample, timeout
    from streamkit.operators.transform import enumerate, flatten, map, pairwise, scan, starmap
    from streamkit.sinks import count, drain, first, fold, for_each, last, to_list
else:  # a family is loaded when one of its operators is first used
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "streamkit.operators.choose": (
                "distinct_until_changed",
                "filter",
                "skip",
                "skip_while",
                "take",
                "take_while",
            ),
            "streamkit.operators.combine": ("concat", "merge", "zip"),
            "streamkit.operators.effects": ("tap",),
            "streamkit.operators.group": ("batch", "batch_within"),
            "streamkit.operators.grouping": ("group_by",),
            "streamkit.operators.nest": ("flat_map",),
            "streamkit.operators.rate": ("buffer", "conflate", "extrapolate", "throttle"),
            "streamkit.operators.recover": ("catch",),
            "streamkit.operators.share": ("broadcast",),
            "streamkit.operators.steer": ("valve",),
            "streamkit.operators.timing": ("debounce", "keep_alive", "sample", "timeout"),
            "streamkit.operators.transform": ("enumerate", "flatten", "map", "pairwise", "scan", "starmap"),
            "streamkit.sinks": ("count", "drain", "first", "fold", "for_each", "last", "to_list"),
        },
    )

__all__ = [
    "batch",
    "batch_within",
    "broadcast",
    "buffer",
    "catch",
    "concat",
    "conflate",
    "count",
    "debounce",
    "distinct_until_changed",
    "drain",
    "enumerate",
    "extrapolate",
    "filter",
    "first",
    "flat_map",
    "flatten",
    "fold",
    "for_each",
    "group_by",
    "keep_alive",
    "last",
    "map",
    "merge",
    "pairwise",
    "sample",
    "scan",
    "skip",
    "skip_while",
    "starmap",
    "take",
    "take_while",
    "tap",
    "throttle",
    "timeout",
    "to_list",
    "valve",
    "zip",
]
