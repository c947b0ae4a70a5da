"""Codecs: how items become bytes in a carrier, and items again.

    SQLite("jobs.db", "inbox")                   items are bytes
    SQLite("jobs.db", "inbox", codec=Json())     what JSON can say
    SQLite("jobs.db", "inbox", codec=MsgPack())  the same and bytes, smaller; with ``streamkit[msgpack]``
    SQLite("jobs.db", "inbox", codec=Pickle())   any object of Python; read what that allows

A codec of your own is an object with ``encode(item)`` and ``decode(body)``.
"""

from __future__ import annotations

import json
import pickle
from typing import Any

from streamkit._core.show import shown
from streamkit._core.value import Value
from streamkit.durable.messages import Codec

__all__ = ["Json", "Pickle", "codec_argument", "decoded", "encoded"]


class Json(Value):
    """Text in JSON.

    >>> from streamkit.durable import Json
    >>> Json().encode({"id": 7}), Json().decode(b'{"id":7}')
    (b'{"id":7}', {'id': 7})

    What comes out is what JSON knows: a tuple becomes a list, and the keys of a dict become texts. A number
    that JSON does not know (NaN, infinity) is refused.
    """

    def encode(self, item: Any, /) -> bytes:
        """`item` as UTF-8. What JSON cannot say raises `TypeError` or `ValueError`."""
        return json.dumps(item, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()

    def decode(self, body: bytes, /) -> Any:
        """What `body` says; `ValueError` if it is no JSON."""
        return json.loads(body)


class Pickle(Value):
    """Pickles of Python: nearly any object, of programs that you trust only.

    **Whoever can write into the carrier can run any code in the process that reads it**: to load a pickle is
    to call what it names. Use it where the file or the server is written by your own programs alone, and
    never for what comes in from others. A class that was renamed or changed since may not load: such a
    message does not decode, and goes to the dead letters.

    >>> from streamkit.durable import Pickle
    >>> Pickle().decode(Pickle().encode({1, 2}))
    {1, 2}
    """

    def encode(self, item: Any, /) -> bytes:
        """The pickle of `item`; what cannot be pickled raises what `pickle` raises."""
        return pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL)

    def decode(self, body: bytes, /) -> Any:
        """Load `body`, which runs what it says."""
        return pickle.loads(body)


def codec_argument(codec: Codec | None) -> Codec | None:
    """Return `codec` if it is one; its class gets a hint."""
    if codec is None:
        return None
    if isinstance(codec, type):
        raise TypeError(
            f"codec must be a codec, not the class {codec.__name__} itself: write {codec.__name__}()"
        )
    if not callable(getattr(codec, "encode", None)) or not callable(getattr(codec, "decode", None)):
        raise TypeError(f"codec must be Json(), or an object with encode and decode, not {shown(codec)}")
    return codec


def encoded(codec: Codec | None, item: Any, carrier: object) -> bytes:
    """`item` as bytes."""
    body = item if codec is None else codec.encode(item)
    if isinstance(body, (bytes, bytearray)):
        return bytes(body)  # which copies no bytes
    if codec is not None:
        raise TypeError(f"encode of {codec!r} must return bytes, not {shown(body)}")
    raise TypeError(
        f"{carrier!r} has no codec, so its items must be bytes, not {shown(item)}: give it one, such as "
        "codec=Json()"
    )


def decoded(codec: Codec | None, body: bytes) -> Any:
    """The item that `body` is."""
    return body if codec is None else codec.decode(body)
