"""Floor 3: the vocabulary, a module per family; with the sinks, this is ``streamkit.ops``."""

from streamkit.operators.choose import distinct_until_changed, filter, skip, skip_while, take, take_while
from streamkit.operators.combine import concat, merge, zip
from streamkit.operators.effects import tap
from streamkit.operators.group import batch
from streamkit.operators.rate import buffer
from streamkit.operators.recover import catch
from streamkit.operators.share import broadcast
from streamkit.operators.timing import timeout
from streamkit.operators.transform import enumerate, flatten, map, pairwise, scan, starmap
from streamkit.sinks import count, drain, first, fold, for_each, last, to_list

__all__ = [
    "batch",
    "broadcast",
    "buffer",
    "catch",
    "concat",
    "count",
    "distinct_until_changed",
    "drain",
    "enumerate",
    "filter",
    "first",
    "flatten",
    "fold",
    "for_each",
    "last",
    "map",
    "merge",
    "pairwise",
    "scan",
    "skip",
    "skip_while",
    "starmap",
    "take",
    "take_while",
    "tap",
    "timeout",
    "to_list",
    "zip",
]
