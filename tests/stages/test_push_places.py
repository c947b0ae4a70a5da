"""Errors of what is pushed, whatever has made them, say where the source was written."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import reactivex

from streamkit import (
    Conflate,
    DropOldest,
    Fail,
    Spill,
    Stream,
    Suspend,
    merge,
    ops,
    push,
    reactive_streams,
    rx,
)
from streamkit.testing import run
from tests.laws.lab import Boom


def line() -> int:
    """The line of the caller."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def fails(*_: Any) -> Any:
    raise Boom("callback")


def pushed(strategy: Any, *items: Any) -> tuple[Any, int]:
    stream, emitter = push(strategy)
    at = line() - 1
    for item in items:
        emitter.offer(item)
    emitter.fail(Boom("told"))
    return stream, at


def observed() -> tuple[Any, int]:
    return rx.from_observable(reactivex.throw(Boom("rx")), strategy=Suspend(1)), line()


def piped() -> tuple[Any, int]:
    operator = rx.pipeable(ops.take(1), strategy=Suspend(1))
    at = line() - 1
    return rx.from_observable(reactivex.throw(Boom("rx")).pipe(operator), strategy=Suspend(1)), at


def published() -> tuple[Any, int]:
    async def source() -> Any:
        raise Boom("publisher")
        yield

    publisher: Any = reactive_streams.to_publisher(Stream(source))
    return reactive_streams.from_publisher(publisher), line()


MADE: dict[str, Callable[[], tuple[Any, int]]] = {
    "fail": lambda: pushed(Suspend(1)),
    "overflow": lambda: pushed(Fail(1), 1, 2),
    "fold": lambda: pushed(Conflate(fails), 1, 2),
    "on_drop": lambda: pushed(DropOldest(1, on_drop=fails), 1, 2),
    "pickle": lambda: pushed(Spill(1), 1, lambda: None),
    "observable": observed,
    "in an observable's pipe": piped,
    "publisher": published,
}
READ: dict[str, Callable[[Any], Any]] = {
    "alone": lambda stream: stream,
    "step": lambda stream: stream | ops.map(str),
    "buffer": lambda stream: stream | ops.buffer(Suspend(2)),
    "merged": lambda stream: merge(stream, [1, 2]),
    "nested": lambda stream: Stream([stream]) | ops.flat_map(lambda inner: inner, concurrency=1),
}


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("made", MADE)
def test_the_note_has_the_line_of_the_source(made: str, read: str) -> None:
    async def main() -> Exception:
        stream, at = MADE[made]()
        places.append(at)
        try:
            await (READ[read](stream) | ops.drain())
        except Exception as error:
            return error
        raise AssertionError(made)

    places = list[int]()
    error = run(main)
    notes = [note for note in error.__notes__ if note.startswith(("in push(", "in from_"))]
    assert any(note.endswith(f"test_push_places.py:{places[0]}") for note in notes), error.__notes__
    assert len(notes) == len({*notes})
