"""Chunks: the step that puts items together to be sent at once, and the one that takes results apart.

A stage stands between them, which sends a chunk, and gets a list of results (`shipping`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from streamkit._core.contract import Contract
from streamkit._core.workers import Chunk, Lasting, sizer_of
from streamkit._engine.face.shapes import Items, Lists
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Operator
from streamkit._engine.plan.link import Inlet

__all__ = ["CHUNKED", "in_chunks", "ready", "sliced"]

CHUNKED = Contract(holds="on.limit.most", lookahead="on.limit.most", ordered="ordered")
"""The contract of a stage that sends chunks to the workers that are its argument `on`."""


@step(
    name="batch",
    setup="sizer = sizer_of(chunk)\nheld = Chunk(sizer)",
    each="""
        held.append(item)
        if len(held) >= sizer.size:
            full = held
            held = Chunk(sizer)
            emit(full)
    """,
    finish="""
        if held:
            rest = held
            held = Chunk(sizer)
            emit(rest)
    """,
    uses=(Chunk, sizer_of),
    keeps="len(held)",
    contract=Contract(holds="_most - 1", weight="_most", regroups=True),
)
def _chunks(chunk: int | Lasting, _most: int) -> Lists:
    return Lists(_chunks, chunk=chunk, _most=_most)


@step(name="flatten", each="for each in item:\n    emit(each)", contract=Contract(spreads=True, opens=True))
def _unpacked() -> Items:
    return Items(_unpacked)


def sliced(source: Inlet[Any]) -> Inlet[Any]:
    """`source`, of chunks; of a range, list or tuple, which are cut in C, without a step for each item."""
    items, links = source.source.native, source.links
    if items is None or len(links) != 1 or links[0].declaration is not _chunks(1, 1).links[0].declaration:
        return source
    return Inlet(_Slices(items, links[0].arguments["chunk"]))


class _Slices:
    """Chunks of a range, list or tuple."""

    def __init__(self, items: Any, chunk: int | Lasting) -> None:
        self._items = items
        self._chunk = chunk

    def __iter__(self) -> Iterator[Chunk]:
        sizer, start = sizer_of(self._chunk), 0
        while part := self._items[start : start + sizer.size]:
            start += len(part)
            yield Chunk(sizer, part)


def ready(source: Inlet[Any]) -> Any:
    """The range, list or tuple, or the chunks of one, if `source` is that: none is waited for; else None."""
    cut = not source.links and isinstance(source.source.value, _Slices)
    return source.source.value if cut else source.native


def in_chunks(chunk: int | Lasting, stage: Lists) -> Operator[Any, Any]:
    """What puts chunks together, the `stage` that sends them, and what takes their results apart."""
    most = chunk.most if isinstance(chunk, Lasting) else chunk
    pipe: Operator[Any, Any] = _chunks(chunk, most) | stage | _unpacked()
    return pipe
