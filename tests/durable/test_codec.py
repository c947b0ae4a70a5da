"""Codecs: what goes in comes out, and what cannot go in is said where the stream runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.durable import Codec, Json, MsgPack, Pickle, SQLite
from streamkit.testing import run
from tests.durable.memory import Memory


class Texts:
    """A codec of somebody's own, which forgets to encode the text that it makes."""

    def encode(self, item: Any) -> bytes:
        return str(item)  # type: ignore[return-value]  # pyright: ignore - that is the mistake

    def decode(self, body: bytes) -> Any:
        return body

    def __repr__(self) -> str:
        return "Texts()"


ITEMS: list[Any] = [None, True, 7, -1.5, "größe", [1, [2]], {"id": 7, "tags": ["a"]}, {}]
CODECS: list[Codec] = [Json(), MsgPack(), Pickle()]


@pytest.mark.parametrize("codec", CODECS, ids=repr)
def test_what_goes_in_comes_out(codec: Codec) -> None:
    seen: list[Any] = []

    async def main() -> None:
        inbox = Memory(codec=codec)
        assert await (Stream(ITEMS) | inbox.writer()) == len(ITEMS)
        await (inbox.reader(group="g") | ops.take(len(ITEMS)) | ops.for_each(seen.append))

    run(main)
    assert seen == ITEMS
    assert codec == type(codec)()
    assert repr(codec) == f"{type(codec).__name__}()"


@pytest.mark.parametrize(
    ("codec", "item", "words"),
    [
        (Json(), {1, 2}, "set is not JSON serializable"),
        (Json(), float("nan"), "Out of range float values"),
        (MsgPack(), {1, 2}, "can not serialize 'set' object"),
        (Pickle(), lambda: 0, "pickle"),
        (None, "text", "has no codec, so its items must be bytes, not 'text': give it one"),
        (Texts(), 5, r"encode of Texts\(\) must return bytes, not '5'"),
    ],
    ids=["set", "nan", "packed set", "lambda", "no codec", "no bytes"],
)
def test_what_cannot_go_in_fails_the_writer(codec: Codec | None, item: Any, words: str) -> None:
    inbox = Memory(codec=codec)

    async def main() -> None:
        with pytest.raises(Exception, match=words):
            await (Stream([item]) | inbox.writer())

    run(main)
    assert not inbox.store.entries


def test_without_a_codec_items_are_bytes() -> None:
    seen: list[Any] = []

    async def main() -> None:
        inbox = Memory()
        await (Stream([b"a", bytearray(b"b")]) | inbox.writer())
        await (inbox.reader(group="g") | ops.take(2) | ops.for_each(seen.append))

    run(main)
    assert seen == [b"a", b"b"]
    assert {*map(type, seen)} == {bytes}


def test_keys_and_delays_are_said_of_each_item() -> None:
    async def main() -> None:
        inbox = Memory(codec=Json())
        keyed = inbox.writer(key=lambda item: item["key"], delay=lambda item: item["delay"])
        await (Stream([{"key": "a", "delay": 2.0}, {"key": None, "delay": 0}]) | keyed)
        assert [(each.key, each.delay) for each, _ in inbox.store.entries] == [("a", 2.0), (None, 0.0)]
        with pytest.raises(TypeError, match="key must return a text, or None, not 5"):
            await (Stream([1]) | inbox.writer(key=lambda item: 5))  # type: ignore[arg-type, return-value]  # pyright: ignore
        with pytest.raises(
            ValueError, match=r"^key must return a text without lone surrogates, not 'a\\ud800'"
        ):
            await (Stream([1]) | inbox.writer(key=lambda item: "a\ud800"))
        with pytest.raises(ValueError, match="delay must be a finite number of seconds of at least 0"):
            await (Stream([1]) | inbox.writer(delay=lambda item: -1.0))

    run(main)


def test_items_that_come_slowly_are_stored_one_by_one_and_quick_ones_together() -> None:
    async def main() -> None:
        inbox = Memory(codec=Json())
        assert await (Stream(range(250)) | inbox.writer(batch=100)) == 250
        sizes = [int(each.split()[1]) for each in inbox.store.calls]
        assert sum(sizes) == 250
        assert max(sizes) == 100
        assert len(sizes) <= 6
        inbox.store.calls.clear()
        await (Stream(range(3)) | ops.throttle(1.0) | inbox.writer())
        assert [each.split()[1] for each in inbox.store.calls] == ["1", "1", "1"]

    run(main)


def test_msgpack_is_an_extra(tmp_path: Path) -> None:
    """Without it, all else works, and the error names the extra."""
    (tmp_path / "msgpack.py").write_text("raise ImportError('no module named msgpack')")
    program = "import streamkit.durable as durable; durable.SQLite('a', 'b'); durable.MsgPack"
    root = str(Path(__file__).resolve().parents[2])
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": f"{tmp_path}:{root}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    assert "streamkit.durable.MsgPack needs msgpack: pip install streamkit[msgpack]" in found.stderr
    assert repr(SQLite("a", "b", codec=Json())) == "SQLite('a', 'b', codec=Json())"
