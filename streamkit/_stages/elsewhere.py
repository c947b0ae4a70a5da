"""``map`` where workers make the calls (``on=``): one item at a time, or in chunks."""

from __future__ import annotations

from typing import Any

from streamkit._core.arguments import callback, flag
from streamkit._core.contract import Contract
from streamkit._core.guarded import protected
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._core.show import shown
from streamkit._core.workers import Lasting, Workers, chunk_argument, workers_argument
from streamkit._engine.face.shapes import Lists
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Operator
from streamkit._engine.run.paired import followed_anyway
from streamkit._stages.chunks import CHUNKED, in_chunks
from streamkit._stages.shipping import prepared, shipped, shipped_chunks

__all__ = ["elsewhere"]


@stage(
    shipped,
    name="map",
    pairs=followed_anyway,
    contract=Contract(
        holds="on.limit.most",
        lookahead="on.limit.most",
        ordered="ordered if key is ABSENT else 'for each key'",
    ),
)
def _map_on(function: Any, *, on: Workers, ordered: bool, key: Any) -> Operator[Any, Any]:
    return Operator(_map_on, function=function, on=on, ordered=ordered, key=key)


@stage(shipped_chunks, name="map", pairs=followed_anyway, contract=CHUNKED)
def _map_chunks_on(function: Any, *, on: Workers, ordered: bool) -> Lists:
    return Lists(_map_chunks_on, function=function, on=on, ordered=ordered)


def elsewhere(
    function: Any, *, on: Any, chunk: int | Lasting, ordered: bool, key: Any, on_error: OnError | None
) -> Operator[Any, Any]:
    """``map`` where workers make the calls; without a function, of what each of them has prepared."""
    if on is None:
        raise TypeError(
            "function must be given" if function is ABSENT else "chunk must be given together with on"
        )
    on = workers_argument("on", on)
    function = callback("function", prepared if function is ABSENT else function)
    function = protected("function", function, on_error)
    flag("ordered", ordered)
    chunk = chunk_argument(chunk)
    if key is not ABSENT:
        if chunk != 1:
            raise ValueError(f"chunk must be 1 where key is given, not {shown(chunk)}")
        key = protected("key", key, on_error)
    if chunk == 1:
        return _map_on(function, on=on, ordered=ordered, key=key)
    return in_chunks(chunk, _map_chunks_on(function, on=on, ordered=ordered))
