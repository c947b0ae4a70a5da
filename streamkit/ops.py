"""The flat namespace of operators and sinks; a family is loaded when one of its names is first used."""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit.operators.aggregate import aggregate as aggregate
    from streamkit.operators.balance import balance as balance
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
    from streamkit.operators.crawl import expand as expand
    from streamkit.operators.delay import delay as delay, delay_start as delay_start
    from streamkit.operators.distinct import distinct as distinct
    from streamkit.operators.effects import tap as tap
    from streamkit.operators.empty import (
        default_if_empty as default_if_empty,
        fail_if_empty as fail_if_empty,
        ignore_items as ignore_items,
    )
    from streamkit.operators.group import group_by as group_by
    from streamkit.operators.hot import share as share
    from streamkit.operators.insert import (
        end_with as end_with,
        intersperse as intersperse,
        start_with as start_with,
    )
    from streamkit.operators.latest import (
        combine_latest as combine_latest,
        fork_join as fork_join,
        with_latest_from as with_latest_from,
        zip_latest as zip_latest,
    )
    from streamkit.operators.materialize import dematerialize as dematerialize, materialize as materialize
    from streamkit.operators.nest import (
        concat_map as concat_map,
        exhaust_map as exhaust_map,
        flat_map as flat_map,
        switch_map as switch_map,
    )
    from streamkit.operators.on import on as on
    from streamkit.operators.order import (
        interleave as interleave,
        merge_prioritized as merge_prioritized,
        merge_sorted as merge_sorted,
    )
    from streamkit.operators.part import skip_last as skip_last, slice as slice, take_last as take_last
    from streamkit.operators.pause import pause_while as pause_while
    from streamkit.operators.pick import element_at as element_at, find as find
    from streamkit.operators.race import race as race
    from streamkit.operators.rate import (
        buffer as buffer,
        conflate as conflate,
        extrapolate as extrapolate,
    )
    from streamkit.operators.recover import catch as catch, on_close as on_close
    from streamkit.operators.restart import repeat as repeat, retry as retry
    from streamkit.operators.route import partition as partition, route as route
    from streamkit.operators.share import broadcast as broadcast
    from streamkit.operators.slide import sliding as sliding
    from streamkit.operators.stamp import time_interval as time_interval, timestamp as timestamp
    from streamkit.operators.state import stateful_map as stateful_map
    from streamkit.operators.steer import valve as valve
    from streamkit.operators.thin import (
        audit as audit,
        throttle_first as throttle_first,
        throttle_latest as throttle_latest,
    )
    from streamkit.operators.throttle import throttle as throttle
    from streamkit.operators.through import through as through
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
    from streamkit.operators.until import skip_until as skip_until, take_until as take_until
    from streamkit.operators.window import window as window
    from streamkit.sinks.ask import (
        all as all,
        any as any,
        contains as contains,
        is_empty as is_empty,
        sequence_equal as sequence_equal,
    )
    from streamkit.sinks.choose import first as first, last as last, single as single
    from streamkit.sinks.collect import to_dict as to_dict, to_list as to_list, to_set as to_set
    from streamkit.sinks.effects import drain as drain, for_each as for_each, to_queue as to_queue
    from streamkit.sinks.extremes import max as max, min as min
    from streamkit.sinks.fold import count as count, fold as fold
    from streamkit.sinks.reduce import mean as mean, reduce as reduce, sum as sum
else:
    __getattr__, __dir__, __all__ = lazily(shadows=True)
