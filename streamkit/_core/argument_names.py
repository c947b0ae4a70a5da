"""What arguments are called elsewhere, by what they are called here."""

from typing import Final

__all__ = ["ARGUMENTS"]

ARGUMENTS: Final = {
    "backoff": "delay interval pause sleep wait wait_time",
    "capacity": "buffer_size limit max max_items max_size maxlen maxsize n size",
    "concurrency": (
        "jobs max_concurrency max_concurrent max_tasks max_workers n_jobs num_workers parallel parallelism "
        "pool_size task_limit tasks threads workers"
    ),
    "count": "amount limit max_count n number size times",
    "default": "default_value fallback otherwise",
    "errors": "error exception exceptions",
    "failing": "fail raises strict",
    "fallback": "default on_timeout other otherwise",
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
    "lateness": "allowed_lateness delay late max_delay",
    "linger": "grace keep keep_open stop_timeout",
    "max_groups": "groups limit max_keys",
    "on_drop": "callback on_dropped on_overflow",
    "on_late": "dead_letters late late_data late_output side_output",
    "on_full": "overflow policy strategy",
    "ordered": "in_order keep_order order preserve_order",
    "pipe": "element_mapper operator pipeline sink",
    "predicate": "condition f fn func function key test",
    "rate": "calls frequency limit per_second qps rps",
    "replay": "buffer_size cache history last",
    "seconds": "delay due_time duetime duration interval period time timeout timespan wait window",
    "size": "batch_size chunk_size count length max_size n",
    "start": "begin first offset",
    "strategy": "backpressure buffer mode on_full overflow overflow_strategy policy",
    "then": "default fallback on_error otherwise",
    "timestamp": "event_time time time_of timestamp_mapper ts",
    "weight": "cost measure weigh",
    "when": "error errors exception exceptions retry_on",
}
"""By our names of arguments, what they are called elsewhere."""
