"""MessagePack, of the extra ``streamkit[msgpack]``: smaller than JSON, and it knows bytes."""

from __future__ import annotations

from typing import Any, cast

from streamkit._core.value import Value

try:
    # it has no types of its own
    import msgpack  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
except ImportError as _error:
    raise ImportError("streamkit.durable.MsgPack needs msgpack: pip install streamkit[msgpack]") from _error

__all__ = ["MsgPack"]

_msgpack = cast("Any", msgpack)


class MsgPack(Value):
    """MessagePack: what JSON says, and bytes, in less room; with ``streamkit[msgpack]``.

    >>> from streamkit.durable import MsgPack
    >>> MsgPack().decode(MsgPack().encode({"id": 7, "raw": b"x"}))
    {'id': 7, 'raw': b'x'}

    A tuple becomes a list.
    """

    def encode(self, item: Any, /) -> bytes:
        """`item` as bytes. What MessagePack cannot say raises `TypeError` or `OverflowError`."""
        packed: bytes = _msgpack.packb(item)
        return packed

    def decode(self, body: bytes, /) -> Any:
        """What `body` says; `ValueError` if it is no MessagePack."""
        return _msgpack.unpackb(body, strict_map_key=False)
