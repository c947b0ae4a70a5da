"""Spilling: a queue whose first items are in memory and whose rest is on disk, in order.

A call to the system costs as much as all else that is done for an item. So small items are written and read
in blocks. Room for a block is taken before the first of its items is, by zeros: a full disk fails the item
that does not fit, and none that was taken in before. ``benchmarks/workloads/strategies.py`` measures it.
"""

from __future__ import annotations

import os
import struct
import sys
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import repeat
from typing import IO, Any, Protocol

__all__ = ["SpillStore", "Store"]

_LENGTH = struct.Struct("<Q")
_HEAD, _pack, _unpack = _LENGTH.size, _LENGTH.pack, _LENGTH.unpack_from
_AT_ONCE = 1024 * 1024 * 1024
"""Bytes that one call to the system reads or writes at most."""
_CHUNK = 64 * 1024
"""Bytes of a block. A larger item is written and read alone."""
_ZEROS = bytes(_CHUNK)
_SEGMENT = 16 * 1024 * 1024
"""Bytes in a file before the next file is begun. A file is deleted when all of it was read."""


class Store(Protocol):
    """What holds the items of a buffer: a deque, or something with these methods of one."""

    def append(self, item: Any, /) -> None: ...
    def popleft(self) -> Any: ...
    def pop(self) -> Any: ...
    def __len__(self) -> int: ...
    def __getitem__(self, place: Any, /) -> Any: ...


_forks: list[None] = []
"""One entry for each fork between the first process and this one: an earlier one's files are not its own."""
if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has none
    os.register_at_fork(after_in_child=partial(_forks.append, None))


class _File:
    """A temporary file without a name, so that no other process can write the pickles that are read.

    A process that was forked shares the place in an open file with its parent. So each read and write says
    where. What was written before the fork both may read; only the process that made the file writes to it.
    """

    def __init__(self, directory: str | None) -> None:
        import tempfile  # noqa: PLC0415 - few spill, and it takes long to import

        # unbuffered, for Windows: where the disk is full, the write fails of the item that does not fit
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 - see close()
        self.forks = len(_forks)
        """Another process than that which has made it does not write to it."""
        self._read_at = 0
        self._chunk, self._chunk_at = b"", 0
        """What was read at a time, and where that stands."""
        self._block, self._block_at = bytearray(), 0
        """What is to be written at a time, and where."""
        self._room = 0
        """Up to where the file has room."""
        self.size = 0
        self.count = 0

    def write(self, record: bytes) -> None:
        length = len(record)
        end = self.size + _HEAD + length
        if end <= self._room or self._makes_room(length):
            self._block += _pack(length) + record
            self.size = end
        else:
            self._flush()
            at = self.size
            for part in (_pack(length), record):
                at = _write(self._file, memoryview(part), at)
            self.size = self._block_at = at
        self.count += 1

    def _makes_room(self, length: int) -> bool:
        """Write what there is, and take room for another block, if an item of this length may be in one."""
        if length + _HEAD > _CHUNK:
            return False
        self._flush()
        try:
            self._room = _write(self._file, memoryview(_ZEROS), self.size)
        except OSError:
            return False  # there may be room for this item
        return True

    def _flush(self) -> None:
        """Write the block; if that fails, it is where it was."""
        if self._block:
            _write(self._file, memoryview(self._block), self._block_at)
        self._block, self._block_at = bytearray(), self.size

    def ready(self, most: int) -> list[bytes | bytearray]:
        """The next items that need no call to the system, `most` at most: those of a block in one loop."""
        chunk: bytes | bytearray = self._chunk
        at = self._chunk_at
        if self._read_at >= self._block_at:
            chunk, at = self._block, self._block_at
        begin = self._read_at - at
        size, found = len(chunk), list[bytes | bytearray]()
        head, unpack, append = _HEAD, _unpack, found.append
        for _ in repeat(None, most):
            start = begin + head
            if start > size:
                break
            end = start + unpack(chunk, begin)[0]
            if end > size:
                break
            append(chunk[start:end])
            begin = end
        self._read_at = at + begin
        self.count -= len(found)
        return found

    def read(self) -> bytes:
        self.count -= 1  # also of one that cannot be read: it comes out as its error
        at = self._read_at + _HEAD
        (length,) = _unpack(self._bytes(_HEAD, self._read_at))
        record = self._bytes(length, at)
        self._read_at = at + length
        return record

    def _bytes(self, length: int, at: int) -> bytes:
        """So many bytes from the place `at`, and those behind them in the same call to the system."""
        if at >= self._block_at:
            return bytes(self._block[at - self._block_at : at - self._block_at + length])
        start = at - self._chunk_at
        if start + length > len(self._chunk):
            self._chunk = b""
            if length >= _CHUNK:
                return _read(self._file, length, at)
            chunk = _read(self._file, min(_CHUNK, self._block_at - at), at, least=length)
            self._chunk, self._chunk_at, start = chunk, at, 0
        return self._chunk[start : start + length]

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):  # the constructor may have failed
            self._file.close()  # the store was dropped without a close


def _write(file: IO[bytes], rest: memoryview, at: int) -> int:
    """Write all of `rest` at the place `at`; return the place behind it. One call writes 2 GiB at most."""
    while rest:
        written = _write_at(file, rest[:_AT_ONCE], at)
        rest, at = rest[written:], at + written
    return at


def _read(file: IO[bytes], length: int, at: int, least: int | None = None) -> bytes:
    """Read `length` bytes at the place `at`; at the end, fewer, but at `least`. 2 GiB at most in a call."""
    parts: list[bytes] = []
    missing = length
    while missing and (part := _read_at(file, min(missing, _AT_ONCE), at)):
        parts.append(part)
        missing, at = missing - len(part), at + len(part)
    if length - missing < (length if least is None else least):
        raise EOFError("a file of spilled items is shorter than what was written to it")
    return b"".join(parts)  # which copies nothing where there is one


if sys.platform == "win32":  # pragma: no cover - there only: there is no fork, and no other way

    def _write_at(file: IO[bytes], part: memoryview, at: int) -> int:
        file.seek(at)
        return file.write(part)

    def _read_at(file: IO[bytes], length: int, at: int) -> bytes:
        file.seek(at)
        return file.read(length)

else:

    def _write_at(file: IO[bytes], part: memoryview, at: int) -> int:
        return os.pwrite(file.fileno(), part, at)

    def _read_at(file: IO[bytes], length: int, at: int) -> bytes:
        return os.pread(file.fileno(), length, at)


class _Unreadable:
    """Stands for an item that cannot be read or unpickled: its error is raised when its turn comes."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _as_it_is(error: BaseException) -> BaseException:
    return error


class SpillStore:
    """A queue that keeps `capacity` items in memory, the oldest, and those behind them on disk."""

    def __init__(self, capacity: int, directory: str | None) -> None:
        import pickle  # noqa: PLC0415 - few spill, and it takes long to import

        self._dumps, self._protocol = pickle.dumps, pickle.HIGHEST_PROTOCOL
        self._loads = pickle.loads
        self._capacity = capacity
        self._directory = directory
        self.lost: Callable[[BaseException], BaseException] = _as_it_is
        """Told of the error with which an item is lost that was taken out; returns what is raised."""
        self.first: deque[Any] = deque()
        """Those that are in memory; there are some as long as there are any."""
        self._files: deque[_File] = deque()
        self.size = 0
        """How many items it holds: `len` costs a call in Python."""

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, place: int) -> Any:
        return self.first[place]

    @property
    def in_memory(self) -> int:
        """How many items are not on disk."""
        return len(self.first)

    def append(self, item: Any) -> None:
        files = self._files
        if files:
            record, last = self._dumps(item, self._protocol), files[-1]
        elif len(self.first) < self._capacity:
            self.first.append(item)
            self.size += 1
            return
        else:
            record, last = self._dumps(item, self._protocol), None
        if last is None or last.size >= _SEGMENT or last.forks != len(_forks):
            last = _File(self._directory)
            files.append(last)
        try:
            last.write(record)
        except BaseException:
            if not last.count:
                files.pop().close()
            raise
        self.size += 1

    def popleft(self) -> Any:
        memory = self.first
        item = memory.popleft()
        self.size -= 1
        try:
            if self._files and 2 * len(memory) <= self._capacity:  # sooner, files would come and go
                self._refill()
            if type(item) is _Unreadable:
                raise item.error
        except BaseException as error:
            blamed = self.lost(error)
            if blamed is error:
                raise
            raise blamed from blamed.__cause__
        return item

    def pop(self) -> Any:
        raise TypeError("what was spilled cannot be taken back")

    def _refill(self) -> None:
        """Bring items back from disk, as many as there is room for."""
        memory, loads = self.first, self._loads
        while self._files and (room := self._capacity - len(memory)) > 0:
            oldest = self._files[0]
            ready = oldest.ready(min(room, oldest.count))
            records = iter(ready) if ready else map(_File.read, (oldest,))
            full = len(memory) + (len(ready) or 1)
            while len(memory) < full:
                try:  # one that is not ready fails in its own place, if it cannot be read
                    memory.extend(map(loads, records))
                    if len(memory) < full:  # reading one has ended `map`, which does not say so
                        raise StopIteration
                except Exception as error:
                    memory.append(_Unreadable(error))
            if not oldest.count:
                self._files.popleft().close()

    def close(self) -> None:
        """Delete what is on disk, and forget what is in memory."""
        self.first.clear()
        self.size = 0
        while self._files:
            self._files.popleft().close()
