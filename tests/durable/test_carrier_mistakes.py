"""What newcomers get wrong with carriers, answered with what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.durable import Carrier
from tests.durable.memory import Memory

WRONG: list[tuple[Callable[[Any], object], str]] = [
    (lambda carrier: [b"a"] | carrier, r"a carrier is no sink: write \| Memory\(\).writer\(\)"),
    (lambda carrier: Stream([b"a"]) | carrier, r"a carrier is no sink: write"),
    (lambda carrier: carrier | ops.take(1), r"no stream: write Memory\(\).reader\(group=...\)"),
    (lambda carrier: Stream([b"a"]) | carrier.writer, "writer is written with parentheses"),
    (lambda carrier: carrier.reader(), r"^reader\(\*, group, .* needs group \(who reads\)"),
    (
        lambda carrier: carrier.reader(group="g", dead_leters=carrier),
        "takes no dead_leters: write dead_letters=",
    ),
    (lambda carrier: carrier.writer(7), r"^writer\(\*, batch=100, .*batch=7"),
    (lambda carrier: carrier.reader(group="g") | ops.retry(3), r"retry\(\) at .* write on_error=Retry"),
    (lambda carrier: carrier.reader(group=7), "group must be the name of a group, not 7"),
    (lambda carrier: list(carrier.reader(group="g")), "begin a pipe with it, and end that in a sink"),
]


def test_a_carrier_of_ones_own_is_told_what_it_lacks() -> None:
    class Assigned(Carrier):
        def __init__(self) -> None:
            self.place = "here"

    class Unconnected(Carrier):
        pass

    with pytest.raises(AttributeError, match=r"in __init__, with self._made_of\(place=place\)"):
        Assigned()  # type: ignore[abstract]
    with pytest.raises(NotImplementedError, match=r"Unconnected must say how to connect\(\)"):
        ([b"a"] | Unconnected().writer()).run()  # type: ignore[abstract]


@pytest.mark.parametrize(("write", "words"), WRONG)
def test_what_newcomers_write_is_answered(write: Callable[[Any], object], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        write(Memory())
