"""The whole words of an answer to a mistake, where the end of them matters."""

from collections.abc import Callable
from typing import Any

import pytest
from reactivex import operators

import streamkit
from streamkit import Keep, Stream, connect, ops, step

STREAM: Any = Stream([1])
front: Any = streamkit
of: Any = ops


class Mine:
    """A class that is no operator."""


def mine(item: Any) -> Any:
    return item


@step(each="emit(item)")
def own() -> Any:
    return Keep(own)


class Hop:
    """Joins itself to what stands before it, and can be called."""

    def __ror__(self, left: Any) -> Any:
        return left, self

    def __call__(self) -> None:
        """Nothing."""


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
    "one that says nothing of what it returns": (
        lambda: STREAM | of.balance,
        "balance is written with parentheses, so write | balance(...)",
    ),
    "one of one's own": (lambda: STREAM | own, "own is written with parentheses, so write | own(...)"),
    "one of a neighbour": (
        lambda: STREAM | operators.map(str),
        "an operator of RxPY runs inside of one of ours, "
        "so write | rx.operator(operator, strategy=Suspend(16))",
    ),
    "what a function has not returned": (
        lambda: STREAM | None,
        "None is no operator: the function that was to make it must return it",
    ),
    "a list": (
        lambda: STREAM | [ops.map(str), ops.take(1)],
        "[map(str), take(1)] is no operator: join them with |",
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
    "one that joins nothing": (
        lambda: ops.take(1) | 5.0,
        "unsupported operand type(s) for |: 'Keep' and 'float'",
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_the_answer_is(name: str) -> None:
    write, words = WORDS[name]
    with pytest.raises((AttributeError, TypeError)) as caught:
        write()
    assert str(caught.value) == words
    if isinstance(caught.value, AttributeError):
        assert (caught.value.obj, caught.value.name) == (STREAM, words.split("'")[3])


def test_what_joins_itself_to_a_pipe_does() -> None:
    hop, take = Hop(), of.take(1)
    assert (STREAM | hop, take | hop) == ((STREAM, hop), (take, hop))
