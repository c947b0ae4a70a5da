"""Object stores: what is in them, what is read of them, and what is put there."""

import asyncio
from typing import Any

import pytest

pytest.importorskip("obstore")
from obstore.store import MemoryStore

from streamkit import Stream, connect, ops

BODIES = [(f"logs/{number:03}", bytes([number]) * 300_000) for number in range(12)]


def test_what_is_put_is_listed_and_read() -> None:
    async def main() -> None:
        store = MemoryStore()
        assert await (Stream([*BODIES, ("logs2/a", b"")]) | connect.objects_writer(store)) == 13
        listed = connect.objects(store, "logs", batch=5)
        assert [each["path"] for each in await (listed | ops.to_list())] == [path for path, _ in BODIES]
        assert len(await (listed | ops.take(2) | ops.to_list())) == 2
        assert len(await (connect.objects(store) | ops.to_list())) == 13
        for path, body in BODIES[:2]:
            chunks = await (connect.object_chunks(store, path, size=100_000) | ops.to_list())
            assert b"".join(chunks) == body

    asyncio.run(main())


def test_an_object_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        (connect.object_chunks(MemoryStore(), "none") | ops.drain()).run()


@pytest.mark.parametrize("make", [connect.objects, connect.objects_writer])
def test_what_is_no_store_is_told_at_the_call(make: Any) -> None:
    with pytest.raises(TypeError, match=r"store must be one of obstore\.store, such as"):
        make("s3://bucket")
    with pytest.raises(TypeError, match="prefix must be a text, not 7"):
        connect.objects(MemoryStore(), 7)
    with pytest.raises(ValueError, match="size must be"):
        connect.object_chunks(MemoryStore(), "a", size=0)
