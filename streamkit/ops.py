"""The flat namespace of operators and sinks; a family is loaded when one of its names is first used."""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit.operators.batch import batch as batch, batch_within as batch_within
    from streamkit.operators.choose import (
        distinct_until_changed as distinct_until_changed,
        filter as filter,
        skip as skip,
        skip_while as skip_while,
        take as take,
        take_while as take_while,
    )
    from streamkit.operators.combine import concat as concat, merge as merge, zip as zip
    from streamkit.operators.effects import tap as tap
    from streamkit.operators.group import group_by as group_by
    from streamkit.operators.nest import flat_map as flat_map
    from streamkit.operators.rate import (
        buffer as buffer,
        conflate as conflate,
        extrapolate as extrapolate,
        throttle as throttle,
    )
    from streamkit.operators.recover import catch as catch
    from streamkit.operators.share import broadcast as broadcast
    from streamkit.operators.steer import valve as valve
    from streamkit.operators.timing import (
        debounce as debounce,
        keep_alive as keep_alive,
        sample as sample,
        timeout as timeout,
    )
    from streamkit.operators.transform import (
        enumerate as enumerate,
        flatten as flatten,
        map as map,
        pairwise as pairwise,
        scan as scan,
        starmap as starmap,
    )
    from streamkit.operators.window import window as window
    from streamkit.sinks.choose import first as first, last as last
    from streamkit.sinks.collect import to_list as to_list
    from streamkit.sinks.effects import drain as drain, for_each as for_each
    from streamkit.sinks.fold import count as count, fold as fold
else:
    __getattr__, __dir__, __all__ = lazily(shadows=True)
