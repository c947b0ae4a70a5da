"""What checkers make of expect and of drawn sources."""

from typing import Any, assert_type

from streamkit import Stream, ops
from streamkit.testing import Drawn, Expectation, check_marbles, draw_marbles, drawn, expect, run


async def steps() -> None:
    async with expect(Stream([1, 2]) | ops.map(str)) as e:
        assert_type(e, Expectation[str])
        assert_type(await e.next("1"), None)
        assert_type(await e.item(), str)
        await e.end()
    async with expect(drawn("#", values={"#": OSError("x")})) as failing:
        assert_type(failing, Expectation[Any])
        assert_type(await failing.error(OSError), OSError)


def test_expect() -> None:
    assert_type(run(steps), None)


def test_marbles() -> None:
    source = drawn("-a|")
    assert_type(source, Drawn)
    assert_type(source.asked, list[float])
    assert_type(run(check_marbles(Stream(source) | ops.map(str), "-a|")), None)
    assert_type(run(draw_marbles(source)), str)
