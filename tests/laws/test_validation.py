"""Law 10: a bad value of an argument of any operator, sink or source raises at the call, and is named."""

import asyncio
import inspect
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

import streamkit
from pages.families import sources
from streamkit import Missed, OnFull, Session, Suspend, Tumbling, Valve, ops
from tests.durable.memory import Memory
from tests.files import over
from tests.workers import InLoop

NAN = math.nan
WHOLE: list[Any] = [-1, 1.5, "2", NAN, [], object()]
SECONDS: list[Any] = [-1.0, NAN, "1", [], object()]
CALLABLE: list[Any] = [3, "f", []]
FLAG: list[Any] = [1, "yes", None, []]
SOURCE: list[Any] = [3, None, object()]
PIPE: list[Any] = [3, None, "x", object()]
VALUE: list[Any] = [3, "x", [], object()]
"""No value of ours."""


class Argument(NamedTuple):
    """What an argument may be, and what it may not."""

    good: Any
    bad: list[Any]


ARGUMENTS: dict[str, Argument] = {
    **{
        name: Argument(2, WHOLE)
        for name in (
            *("attempts", "concurrency", "count", "index", "last", "lookahead", "max_groups", "max_held"),
            *("batch", "max_deliveries", "prefetch"),
            *("max_keys", "readers", "replay", "size", "start", "step", "times", "workers"),
        )
    },
    **{
        name: Argument(1.0, SECONDS)
        for name in (
            *(
                "backoff",
                "between",
                "burst",
                "burst_seconds",
                "heaviest",
                "idle",
                "lateness",
                "lease",
                "linger",
            ),
            *("rate", "reset_after", "seconds", "total"),
        )
    },
    **{
        name: Argument(abs, CALLABLE)
        for name in (
            *(
                "clock",
                "cost",
                "finish",
                "function",
                "key",
                "on_drop",
                "on_event",
                "on_late",
                "on_retry",
                "predicate",
            ),
            *("resource", "setup", "timestamp", "weight"),
        )
    },
    **{
        name: Argument(True, FLAG)
        for name in (
            *("aligned", "depth_first", "failing", "inclusive", "ordered", "reopen", "reverse", "strict"),
        )
    },
    **{
        name: Argument([1], SOURCE)
        for name in ("fallback", "iterable", "other", "others", "signal", "sources", "first")
    },
    **{name: Argument(ops.take(1), PIPE) for name in ("branches", "false", "otherwise", "pipe", "true")},
    "expression": Argument("* * * * *", [3, None, "every day", "61 * * * *"]),
    "offset": Argument(1.0, [NAN, "1", None, []]),
    "timezone": Argument("UTC", [3, None, "Utopia"]),
    "chunk": Argument(3, [0, 1.5, "2", None, []]),
    "on": Argument(InLoop(), [3, "threads", InLoop, object()]),
    "executor": Argument(InLoop(), [3, None, "threads", InLoop]),
    "operators": Argument(ops.take(1), [*PIPE, ops.count()]),
    "bounds": Argument(2, [-1, 1.5, "2", object()]),
    "control": Argument(Valve(), VALUE),
    "errors": Argument(ValueError, [3, "ValueError", (3,), BaseException]),
    "frontier": Argument(Suspend(2), VALUE),
    "kind": Argument(Tumbling(count=2), VALUE),
    "missed": Argument(Missed.SKIP, VALUE),
    "name": Argument("here", [3, [], object()]),
    "of": Argument(int, [3, "int", []]),
    "on_lost": Argument(streamkit.Resume(), ["raise", 3, ValueError, object()]),
    "on_error": Argument(streamkit.Resume(), ["raise", 3, ValueError, object()]),
    "on_full": Argument(OnFull.FAIL, VALUE),
    "queue": Argument(asyncio.Queue(), VALUE),
    "routes": Argument({1: ops.take(1)}, [3, "x", None, {1: 3}, {1: None}]),
    "sink": Argument(ops.count(), [*PIPE, ops.take(1)]),
    "strategy": Argument(Suspend(2), VALUE),
    "carrier": Argument(Memory(), [3, "jobs.db", None, Memory]),
    "dead_letters": Argument(Memory(name="dead"), [3, "dead", object()]),
    "delay": Argument(1.0, [-1.0, NAN, "1", [], object()]),
    "group": Argument("readers", [3, "", None, []]),
    "waited": Argument(asyncio.sleep, [3, "x", object()]),
    "when": Argument(ValueError, [3, "ValueError", (3,), []]),
}
FREE = {
    "default": "any value can be one",
    "end": "any value can be one",
    "error": "an error, or what makes one: see the tests of `fail` and `fail_if_empty`",
    "fill": "any value can be one",
    "initial": "any value can be one",
    "item": "any value can be one",
    "items": "any value can be one",
    "second": "that of Python's range, which says it",
    "separator": "any value can be one",
    "value": "any value can be one, or a callable: see the tests of `to_dict`",
}
"""Arguments that take whatever comes, and why."""
OTHERS: dict[tuple[str, str], Argument | None] = {
    ("first", "timeout"): Argument(1.0, SECONDS),
    ("first", "streamkit.range"): None,  # as Python's range
    ("step", "streamkit.range"): None,
    ("step", "streamkit.count"): Argument(2, ["2", [], None]),  # any number
    ("start", "streamkit.count"): Argument(2, ["2", [], None]),
    ("start", "enumerate"): Argument(2, [1.5, "2", None, []]),
    ("start", "sum"): None,  # anything that can be added to
    **{
        (name, source): Argument(datetime(2026, 1, 1, tzinfo=UTC), [3, "noon", datetime(2026, 1, 1)])
        for name in ("start", "end")
        for source in ("streamkit.ticks", "streamkit.cron")
    },
    ("clock", "timestamp"): Argument(asyncio.sleep, CALLABLE),
}
"""Arguments of one operator that are no others of the name; None for what takes whatever comes."""
NEEDED: dict[tuple[str, str], dict[str, Any]] = {
    ("batch_within", "heaviest"): {"weight": len},
    ("batch_within", "weight"): {"heaviest": 3.0},
    ("batch_within", "on_error"): {"weight": len, "heaviest": 3.0},
    ("throttle", "max_keys"): {"key": abs},
    ("throttle", "key"): {"max_keys": 4},
    ("throttle", "lookahead"): {"key": abs, "max_keys": 4},
    ("throttle", "on_error"): {"cost": abs},
    ("window", "lateness"): {"timestamp": abs},
    ("window", "idle"): {"timestamp": abs},
    ("window", "on_late"): {"timestamp": abs},
    ("window", "on_error"): {"timestamp": abs},
    ("window", "max_held"): {"timestamp": abs, "kind": Session(gap=1.0)},
    ("map", "lookahead"): {"function": abs, "concurrency": 2},
    ("map", "chunk"): {"function": abs, "on": InLoop()},
    **{("map", name): {"function": abs} for name in ("ordered", "key", "on_error")},
    ("for_each", "chunk"): {"on": InLoop()},
    **{("route", name): {"routes": {1: ops.take(1)}} for name in ("key", "otherwise", "on_error")},
    ("through", "max_deliveries"): {"dead_letters": Memory(name="dead")},
    ("timeout", "fallback"): {"seconds": 1.0},
}
"""What must stand beside an argument."""


class Case(NamedTuple):
    name: str
    function: Callable[..., Any]
    parameter: inspect.Parameter

    def __str__(self) -> str:
        return f"{self.name}-{self.parameter.name}"


def functions() -> dict[str, Callable[..., Any]]:
    found = {name: getattr(ops, name) for name in vars(ops)["__all__"]}
    for family in sources().values():
        found |= {f"streamkit.{name}": function for name, function in family.items()}
    return found


CASES = [
    Case(name, function, parameter)
    for name, function in functions().items()
    for parameter in inspect.signature(function).parameters.values()
]


def argument(case: Case) -> Argument | None:
    """What the argument of a case may be; None if anything."""
    key = case.parameter.name, case.name
    if key in OTHERS:
        return OTHERS[key]
    return None if case.parameter.name in FREE else ARGUMENTS[case.parameter.name]


def call(case: Case, value: Any) -> Any:
    """Call with `value`, and with good values of all that is needed."""
    signature = inspect.signature(case.function)
    given: dict[str, Any] = dict(NEEDED.get((case.name, case.parameter.name), {}))
    for name, parameter in signature.parameters.items():
        if name == case.parameter.name:
            given[name] = (value,) if parameter.kind is parameter.VAR_POSITIONAL else value
        elif name not in given and parameter.default is parameter.empty:
            found = argument(Case(case.name, case.function, parameter))
            good = 1 if found is None else found.good
            given[name] = (good,) if parameter.kind is parameter.VAR_POSITIONAL else good
    ordered = {name: given[name] for name in signature.parameters if name in given}
    bound = inspect.BoundArguments(signature, ordered)  # type: ignore[arg-type]
    return case.function(*bound.args, **bound.kwargs)


@over([case for case in CASES if argument(case)])
def test_a_bad_value_raises_at_the_call_and_is_named(case: Case) -> None:
    found = argument(case)
    assert found is not None
    for value in found.bad:
        if value is None and case.parameter.default is None:
            continue
        with pytest.raises((TypeError, ValueError)) as caught:
            call(case, value)
        words = str(caught.value)
        names = {case.parameter.name, case.parameter.name.removesuffix("s"), "source", "stop"}
        assert any(name in words for name in names), words


def test_every_argument_is_in_the_table_and_no_other() -> None:
    names = {case.parameter.name for case in CASES}
    assert names == {*ARGUMENTS} | {*FREE}
