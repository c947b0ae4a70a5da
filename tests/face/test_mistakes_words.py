"""The whole words of an answer to a mistake, where the end of them matters."""

from collections.abc import Callable
from typing import Any

import pytest

import streamkit
from streamkit import Stream, connect, ops

STREAM: Any = Stream([1])
front: Any = streamkit
of: Any = ops


class Mine:
    """A class that is no operator."""


def mine(item: Any) -> Any:
    return item


WORDS: dict[str, tuple[Callable[[], Any], str]] = {
    "a source": (
        lambda: STREAM.interval,
        "'Stream' object has no attribute 'interval': write streamkit.interval(...)",
    ),
    "an operator": (
        lambda: STREAM.chunks,
        "'Stream' object has no attribute 'chunks': write stream | ops.batch(size)",
    ),
    "nothing known": (lambda: STREAM.nonsense, "'Stream' object has no attribute 'nonsense'"),
    "no operator": (lambda: STREAM | front.push, "push is no operator"),
    "a sink that is not called": (
        lambda: STREAM | connect.sqlite_writer,
        "sqlite_writer is written with parentheses, so write | sqlite_writer(...)",
    ),
    "a class": (lambda: STREAM | front.Valve, "Valve is no operator: write | ops.valve(...)"),
    "two sources": (
        lambda: front.Stream([1], len),
        "a stream has one source, not 2: to read several, write streamkit.merge([1], len) or "
        "streamkit.concat([1], len)",
    ),
    "a tuple of sources": (
        lambda: front.Stream([1], (2,)),
        "a stream has one source, not 2: to read several, write streamkit.merge([1], (2,)) or "
        "streamkit.concat([1], (2,))",
    ),
    "a stream behind an operator": (
        lambda: ops.take(1) | STREAM,
        "take(1) cannot be joined to another stream with |: write stream | ops.merge(other), "
        "ops.concat(other) or ops.zip(other)",
    ),
    "a class of one's own": (
        lambda: STREAM | Mine,
        "the class Mine is no operator: to call it with each item, write | ops.map(Mine)",
    ),
    "a function of one's own": (
        lambda: STREAM | mine,
        "the function mine is no operator: to call it with each item, write | ops.map(mine)",
    ),
    "an argument": (lambda: ops.take(1) | 5, "unsupported operand type(s) for |: 'Keep' and 'int'"),
}


@pytest.mark.parametrize("name", WORDS)
def test_the_answer_is(name: str) -> None:
    write, words = WORDS[name]
    with pytest.raises((AttributeError, TypeError)) as caught:
        write()
    assert str(caught.value) == words
    if isinstance(caught.value, AttributeError):
        assert (caught.value.obj, caught.value.name) == (STREAM, words.split("'")[3])
