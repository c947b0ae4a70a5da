"""Writes docs/which.md: which operator answers which question, and every family in a line an operator.

python -m pages.which
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import streamkit
from pages.families import families
from streamkit import ops
from streamkit._core.lazy import listed

PAGE = Path(__file__).parent.parent / "docs" / "which.md"
INTRODUCTION = """\
# Which operator do I need?

Written by `python -m pages.which`: the questions stand in `pages/which.py`, the lines below them in
docstrings. Operators and sinks are names of `streamkit.ops`, sources and classes of `streamkit`.
[reference.md](reference.md) has what each does, when, and what it holds;
[api.md](api.md) the classes, and [operators.md](operators.md#coming-from-rxpy) the names that RxPY and
aiostream have for them.
"""
QUESTIONS = {
    "Where do items come from?": {
        "a few values, or none": "of empty repeat",
        "numbers": "range count",
        "a value that is made from the one before": "iterate",
        "a call that is made anew for each run": "defer using",
        "an awaitable, a queue, a blocking iterable": "from_awaitable from_queue from_blocking",
        "callbacks, threads, other event loops": "push",
        "code that blocks, while a job runs beside it": "inbox",
        "the clock": "interval timer",
        "the clock on the wall, dates and times": "ticks cron",
        "nowhere, for tests": "never fail",
    },
    "What becomes of an item?": {
        "another value": "map starmap",
        "another value, by many calls at once: `concurrency=`": "map for_each Limit Adaptive",
        "another value, by threads, processes or a cluster: `on=`": "map for_each",
        "what a pipe makes of it, elsewhere": "on",
        "it is kept in a file or a server, and goes on in another process": "through",
        "several, one after the other": "flatten flat_map",
        "a stream, read to its end before the next": "concat_map",
        "a stream, of which only the newest is read": "switch_map",
        "a stream, and items that come meanwhile are left out": "exhaust_map",
        "more items, of which each gives more": "expand",
        "the same, and something is done besides": "tap",
        "a value that depends on those before": "scan stateful_map",
        "a pair with its number, its time or its neighbour": "enumerate timestamp time_interval pairwise",
        "a notification, as the end and the error are": "materialize dematerialize",
    },
    "Which items do I want?": {
        "those that fulfil a condition": "filter take_while skip_while find",
        "some of them by their place": "take skip take_last skip_last slice element_at",
        "each only once, or only where it changes": "distinct distinct_until_changed",
        "those before or after something happens": "take_until skip_until",
        "none, only the end": "ignore_items",
        "some others before, between or after": "start_with intersperse end_with",
        "another, where there is none": "default_if_empty fail_if_empty",
    },
    "How do I put items together?": {
        "lists of a size, or of a time": "batch batch_within",
        "overlapping lists": "sliding",
        "windows by time, count, gap or condition": "window",
        "one stream for each key": "group_by",
        "one result as the one item": "aggregate",
    },
    "How do I join streams?": {
        "items as they come": "merge merge_prioritized",
        "one stream after the other, or in turns": "concat interleave",
        "in order of a key": "merge_sorted",
        "one item of each": "zip zip_latest",
        "the newest of each": "combine_latest with_latest_from",
        "whoever is first": "race",
        "the last of each": "fork_join",
    },
    "How do I read a stream more than once?": {
        "all branches get every item": "broadcast",
        "each item goes to one branch": "partition route balance",
        "readers come and go": "share Hub",
    },
    "What if items come too fast, or too slowly?": {
        "hold some, and say what happens to more": "buffer",
        "fold those that wait into one": "conflate",
        "make up items while none comes": "extrapolate keep_alive",
        "so many a second, also of several pipes together": "throttle RateLimit",
        "so many calls at once, also of several pipes together": "Limit Adaptive",
        "one at most in a time": "throttle_first throttle_latest sample audit debounce",
        "later": "delay delay_start",
        "not too late": "timeout",
        "stop and go from outside": "valve pause_while",
    },
    "What if something fails?": {
        "one call: drop its item, take another value, call again: `on_error=`": "Resume Replace Return Retry",
        "go on with another stream": "catch",
        "begin anew, and wait longer each time": "retry repeat Backoff",
        "do something at the end, whichever it is": "on_close",
    },
    "What is the result?": {
        "all items": "to_list to_set to_dict",
        "one item": "first last single min max",
        "one value made of all": "fold reduce count sum mean",
        "yes or no": "all any contains is_empty sequence_equal",
        "what a function does with each": "for_each",
        "nothing, it is run for its effects": "drain to_queue",
    },
}
"""By chapter and question, the names that answer it."""


def questions() -> Iterator[str]:
    """The names by question."""
    for chapter, answers in QUESTIONS.items():
        yield from (f"## {chapter}", "", "| | |", "| --- | --- |")
        for question, names in answers.items():
            yield f"| {question} | {', '.join(f'`{name}`' for name in names.split())} |"
        yield ""


def summary(name: str) -> str:
    """The first line of what is said of an operator, sink or source."""
    there = getattr(ops, name, None) if name in listed(ops.__name__) else getattr(streamkit, name)
    return (inspect.getdoc(there) or "").partition("\n")[0]


def by_family() -> Iterator[str]:
    """Every operator and sink in a line, by the module that it stands in."""
    yield from ("## By family", "")
    for module, names in families().items():
        about = (sys.modules[module].__doc__ or "").partition("\n")[0]
        yield from (f"### {about.rstrip('.')}", "", "| | |", "| --- | --- |")
        yield from (f"| `{name}` | {summary(name)} |".replace("\\", "\\\\") for name in sorted(names))
        yield ""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *questions(), *by_family()]).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
