"""Object stores (S3, Google's, Azure's, a directory, memory): the extra ``streamkit[obstore]``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

from streamkit._core.arguments import whole
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.face.stream import Sink, Stream
from streamkit._engine.plan.source import Recipe
from streamkit.operators.transform import flatten, map as map_items
from streamkit.sinks.reduce import sum as total

_obstore: Any
try:
    import obstore

    _obstore = obstore
except ImportError:  # pragma: no cover - it is among the tools of the tests
    _obstore = None


__all__ = ["object_chunks", "objects", "objects_writer"]


def _store(value: Any) -> Any:
    """A store of obstore's."""
    if _obstore is None:  # pragma: no cover - as above
        raise ImportError("object stores are reached by obstore: install streamkit[obstore]")
    if not type(value).__module__.startswith("obstore"):
        raise TypeError(f"store must be one of obstore.store, such as S3Store('bucket'), not {shown(value)}")
    return value


async def _listing(store: Any, prefix: str, batch: int) -> AsyncIterator[list[dict[str, Any]]]:
    async for found in _obstore.list(store, prefix, chunk_size=batch):
        yield list(found)


@answering
def objects(store: Any, prefix: str = "", *, batch: int = 100) -> Stream[dict[str, Any]]:
    """What a store has under a prefix, as obstore tells it: ``path``, ``size``, ``last_modified``, ``e_tag``.

        objects(store, "logs/")  --{"path": "logs/a"}--{"path": "logs/b"}--|

    >>> import asyncio
    >>> from obstore.store import MemoryStore
    >>> from streamkit import Stream, connect, ops
    >>> async def main() -> list[str]:
    ...     store = MemoryStore()
    ...     await (Stream([("logs/a", b"1"), ("other", b"2")]) | connect.objects_writer(store))
    ...     return await (connect.objects(store, "logs") | ops.map(lambda each: each["path"]) | ops.to_list())
    >>> asyncio.run(main())
    ['logs/a']

    Emits when: a page of the listing has come.
    Waits when: the store does.
    Completes when: the listing ends.
    Closes when: it ends, or the consumer leaves.

    Args:
        store: one of ``obstore.store``. It retries, and waits, as it was told (its ``retry_config``).
        prefix: whole parts of a path: ``"logs"`` finds ``logs/a``, and not ``logs2/a``.
        batch: objects of a page.

    Raises:
        ImportError: obstore is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `batch` is less than 1.
        obstore.exceptions.BaseError: (when run) the store has failed.
    """
    store, batch = _store(store), whole("batch", batch, least=1)
    recipe = Recipe("objects", (store, _text("prefix", prefix)), partial(_listing, store, prefix, batch))
    return Stream[list[dict[str, Any]]](recipe) | flatten()


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, not {shown(value)}")
    return value


async def _chunks(store: Any, path: str, size: int) -> AsyncIterator[bytes]:
    found = await _obstore.get_async(store, path)
    async for chunk in found.stream(min_chunk_size=size):
        yield bytes(chunk)


@answering
def object_chunks(store: Any, path: str, *, size: int = 1024 * 1024) -> Stream[bytes]:
    """The bytes of an object, in chunks.

        object_chunks(store, "logs/a")  --b"..."--b"..."--|

    >>> import asyncio
    >>> from obstore.store import MemoryStore
    >>> from streamkit import Stream, connect, ops
    >>> async def main() -> bytes:
    ...     store = MemoryStore()
    ...     await (Stream([("a", b"letters")]) | connect.objects_writer(store))
    ...     return b"".join(await (connect.object_chunks(store, "a") | ops.to_list()))
    >>> asyncio.run(main())
    b'letters'

    Emits when: so many bytes have come, or the rest.
    Waits when: the store does.
    Completes when: all of the object was passed on.
    Closes when: it ends, or the consumer leaves.

    Args:
        store: as for `objects`.
        path: of the object.
        size: bytes of a chunk at least, but of the last.

    Raises:
        ImportError: obstore is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `size` is less than 1.
        FileNotFoundError: (when run) there is no such object.
        obstore.exceptions.BaseError: (when run) the store has failed.
    """
    store, size = _store(store), whole("size", size, least=1)
    return Stream(Recipe("object_chunks", (store, _text("path", path)), partial(_chunks, store, path, size)))


async def _put(store: Any, item: Any) -> int:
    path, body = item
    await _obstore.put_async(store, path, body)
    return 1


@answering
def objects_writer(store: Any, *, concurrency: int = 8) -> Sink[tuple[str, bytes], int]:
    """Store each item, a path with bytes, as an object; how many there were.

    >>> import asyncio
    >>> from obstore.store import MemoryStore
    >>> from streamkit import Stream, connect
    >>> (Stream([("a", b"1"), ("b", b"2")]) | connect.objects_writer(MemoryStore())).run()
    2

    Completes when: the source does, and the store has all.
    Closes when: it ends; calls under way are cancelled. Each of their objects is there whole, or as it was.

    Args:
        store: as for `objects`.
        concurrency: objects that are sent at once.

    Raises:
        ImportError: obstore is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `concurrency` is less than 1.
        obstore.exceptions.BaseError: (when run) the store has failed.
    """
    put = partial(_put, _store(store))
    return map_items(put, concurrency=whole("concurrency", concurrency, least=1), ordered=False) | total()
