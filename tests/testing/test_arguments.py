"""A bad argument of the kit raises at the call, and the error names the argument, and the value."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit._core.show import shown
from streamkit.testing import (
    Exhaustive,
    FaultySource,
    Law,
    SinkProbe,
    VirtualLoop,
    check_marbles,
    check_operator,
    check_sink,
    check_source,
    consume,
    draw_marbles,
    drawn,
    expect,
    run,
)

NOTHING = object()
HUGE = 10**400
"""A count that nothing could have: to try it would take for ever."""
NO_NUMBER = ("long", NOTHING, [1], math.nan)
NO_SECONDS = (*NO_NUMBER, -1, math.inf, HUGE, True)
NO_COUNT = (*NO_NUMBER, -1, 0.5, True)
NO_FLAG = (None, 0, "yes", NOTHING)
NO_ITEMS = (5, NOTHING, int)
NO_MAPPING = ("ab", [1], 5, NOTHING)


async def main() -> None:
    await asyncio.sleep(1.0)


def again() -> list[int]:
    return [1, 2]


def step(**given: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.call_at_step(**{"n": 1, "callback": print, **given})

    run(main)


OPERATOR = {"operator": lambda: ops.take(2), "laws": Law.ERRORS, "items": "ab"}
SINK = {"sink": ops.count, "laws": Law.ERRORS}
CALLS: dict[str, tuple[Callable[..., Any], dict[str, tuple[Any, ...]]]] = {
    "run": (
        lambda **given: run(main, **given),
        {
            "threads": NO_FLAG,
            "leaks": NO_FLAG,
            "patience": NO_SECONDS,
            "limit": (*NO_SECONDS, None),
            "schedules": (*NO_COUNT, 0, None),
            "seed": NO_NUMBER,
            "faults": (1, "cancel", NOTHING),
            "replay": (1, b"v1", "v1", NOTHING),
        },
    ),
    "VirtualLoop": (
        VirtualLoop,
        {"threads": NO_FLAG, "patience": NO_SECONDS, "limit": (*NO_SECONDS, None)},
    ),
    "call_at_step": (step, {"n": (*NO_COUNT, 0), "callback": (None, "x", main)}),
    "Exhaustive": (Exhaustive, {"switches": NO_COUNT, "most": (*NO_COUNT, 0)}),
    "FaultySource": (
        lambda **given: FaultySource(**{"items": "abc", **given}),
        {"items": NO_ITEMS, "every": NO_SECONDS, "hangs": NO_FLAG, "ignores_cancel": NO_COUNT},
    ),
    "consume": (
        lambda **given: consume(**{"source": Stream("ab"), **given}),
        {"source": (*NO_ITEMS, [1], None, Stream("ab") | ops.count()), "every": NO_SECONDS, "at": NO_COUNT},
    ),
    "SinkProbe": (SinkProbe, {"source": (*NO_ITEMS, [1], None)}),
    "drawn": (
        lambda **given: drawn(**{"marbles": "a|", **given}),
        {"marbles": (None, 5), "values": NO_MAPPING, "frame": (0, "x"), "closing": NO_SECONDS},
    ),
    "check_marbles": (
        lambda **given: run(check_marbles(**{"stream": Stream("a"), "picture": "(a|)", **given})),
        {"stream": (5, NOTHING), "values": NO_MAPPING, "drops": (1, print)},
    ),
    "draw_marbles": (
        lambda **given: run(draw_marbles(**{"stream": Stream("a"), **given})),
        {"stream": (5, NOTHING), "demand": (None, 5), "values": NO_MAPPING, "seconds": NO_SECONDS},
    ),
    "expect": (
        lambda **given: expect(**{"stream": Stream("a"), **given}),
        {"stream": (5, NOTHING), "timeout": (*NO_SECONDS, 0), "drops": (1, print)},
    ),
    "check_operator": (
        lambda **given: check_operator(**{**OPERATOR, **given}),
        {
            "laws": (None, 5, "x", ()),
            "items": (*NO_ITEMS, ""),
            "expected": NO_ITEMS,
            "callbacks": (5, "x", [1]),
            "others": (*NO_COUNT, None, 101, HUGE),
            "refuses": (*NO_MAPPING, {"a": 1}, {1: print}),
            **dict.fromkeys(("needs", "lookahead", "holds"), (*NO_COUNT, HUGE)),
            **dict.fromkeys(("catches", "lossless", "ordered", "timed"), NO_FLAG),
            "on_empty": (None, "x", ValueError("x"), int),
            "every": (*NO_COUNT, 0, None),
            "schedules": (*NO_COUNT, 0, None),
            "seed": NO_NUMBER,
            "case": (5, "x", "exhaust/plain/what/", "exhaust/what/sync/"),
        },
    ),
    "check_sink": (
        lambda **given: check_sink(**{**SINK, **given}),
        {"needs": NO_COUNT, "others": (HUGE,), "every": (0, "x"), "refuses": NO_MAPPING, "ordered": NO_FLAG},
    ),
    "check_source": (
        lambda **given: check_source(**{"source": again, "laws": Law.ERRORS, **given}),
        {
            "expected": NO_ITEMS,
            "error": (5, ValueError("x"), int),
            "again": (None, "same"),
            "ends": NO_FLAG,
            "threads": NO_FLAG,
            "keeps": (*NO_COUNT, None, HUGE),
            "callbacks": (5, [1]),
            "refuses": NO_MAPPING,
            "every": (*NO_COUNT, 0),
            "case": (5, "x"),
        },
    ),
}


@pytest.mark.parametrize(
    ("call", "argument"), [(call, argument) for call, (_, bad) in CALLS.items() for argument in bad]
)
def test_a_bad_argument_is_named(call: str, argument: str) -> None:
    make, bad = CALLS[call]
    for value in bad[argument]:
        with pytest.raises((TypeError, ValueError)) as caught:
            make(**{argument: value})
        said = str(caught.value)
        assert said.startswith(argument), f"{value!r}: {said}"
        told = shown(value) in said or repr(value) in said or isinstance(value, (list, tuple, dict, str))
        assert told, f"{value!r}: {said}"


def test_what_is_right_is_taken() -> None:
    """The tests above would pass, too, if a call took nothing."""
    assert check_operator(ops.merge, others=100, laws=Law.ERRORS, case="exhaust/plain/sync/").broken == ()
    run(main, threads=False, leaks=True, patience=0, limit=1, seed=-1, schedules=2)
    case = "exhaust/plain/sync/"
    assert check_operator(**OPERATOR, needs=1, holds=0, lookahead=0, every=9, case=case).broken == ()
    assert check_sink(**SINK, needs=1, every=9, case=case).broken == ()
    assert run(draw_marbles("a", seconds=0.5, values={"b": "a"})) == "(b|)"


def test_an_error_of_the_argument_itself_is_passed_on() -> None:
    class Odd:
        @property
        def __class__(self) -> Any:
            raise TypeError("odd")

    with pytest.raises(TypeError, match=r"^odd$"):
        expect(Odd())  # type: ignore[arg-type]
