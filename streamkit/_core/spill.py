"""Spilling: a queue whose first items are in memory and whose rest is on disk, in order."""

from __future__ import annotations

import os
import struct
import sys
from collections import deque
from typing import IO, Any, Protocol

__all__ = ["SpillStore", "Store"]

_LENGTH = struct.Struct("<Q")
_AT_ONCE = 1024 * 1024 * 1024
"""Bytes that one call to the system reads or writes at most."""
_SEGMENT = 16 * 1024 * 1024
"""Bytes in a file before the next file is begun. A file is deleted when all of it was read."""


class Store(Protocol):
    """What holds the items of a buffer: a deque, or something with these methods of one."""

    def append(self, item: Any, /) -> None: ...
    def popleft(self) -> Any: ...
    def pop(self) -> Any: ...
    def __len__(self) -> int: ...
    def __getitem__(self, place: Any, /) -> Any: ...


class _File:
    """A temporary file without a name, so that no other process can write the pickles that are read.

    A process that was forked shares the place in an open file with its parent. So each read and write says
    where. What was written before the fork both may read; only the process that made the file writes to it.
    """

    def __init__(self, directory: str | None) -> None:
        import tempfile  # noqa: PLC0415 - few spill, and it takes long to import

        # unbuffered, for Windows: where the disk is full, the write fails of the item that does not fit
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 - see close()
        self._process = os.getpid()
        self._read_at = 0
        self.size = 0
        self.count = 0

    @property
    def takes_more(self) -> bool:
        """Whether the next item may be written to it, by this process."""
        return self.size < _SEGMENT and self._process == os.getpid()

    def write(self, record: bytes) -> None:
        at = self.size
        for part in (_LENGTH.pack(len(record)), record):
            at = _write(self._file, memoryview(part), at)
        self.size = at
        self.count += 1

    def read(self) -> bytes:
        self.count -= 1  # also of one that cannot be read: it comes out as its error
        at = self._read_at + _LENGTH.size
        (length,) = _LENGTH.unpack(_read(self._file, _LENGTH.size, self._read_at))
        record = _read(self._file, length, at)
        self._read_at = at + length
        return record

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


def _read(file: IO[bytes], length: int, at: int) -> bytes:
    """Read `length` bytes at the place `at`. One call reads 2 GiB at most."""
    parts: list[bytes] = []
    while length:
        part = _read_at(file, min(length, _AT_ONCE), at)
        if not part:
            raise EOFError("a file of spilled items is shorter than what was written to it")
        parts.append(part)
        length, at = length - len(part), at + len(part)
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


class SpillStore:
    """A queue that keeps `capacity` items in memory, the oldest, and those behind them on disk."""

    def __init__(self, capacity: int, directory: str | None) -> None:
        import pickle  # noqa: PLC0415 - few spill, and it takes long to import

        self._pickle = pickle
        self._capacity = capacity
        self._directory = directory
        self._memory: deque[Any] = deque()
        self._files: deque[_File] = deque()
        self._on_disk = 0

    def __len__(self) -> int:
        return len(self._memory) + self._on_disk

    def __getitem__(self, place: int) -> Any:
        return self._memory[place]

    @property
    def in_memory(self) -> int:
        """How many items are not on disk."""
        return len(self._memory)

    def append(self, item: Any) -> None:
        if not self._files and len(self._memory) < self._capacity:
            self._memory.append(item)
            return
        record = self._pickle.dumps(item, self._pickle.HIGHEST_PROTOCOL)
        if not self._files or not self._files[-1].takes_more:
            self._files.append(_File(self._directory))
        try:
            self._files[-1].write(record)
        except BaseException:
            if not self._files[-1].count:
                self._files.pop().close()
            raise
        self._on_disk += 1

    def popleft(self) -> Any:
        item = self._memory.popleft()
        if self._files and 2 * len(self._memory) <= self._capacity:  # sooner, files would come and go
            self._refill()
        if isinstance(item, _Unreadable):
            raise item.error
        return item

    def pop(self) -> Any:
        raise TypeError("what was spilled cannot be taken back")

    def _refill(self) -> None:
        """Bring items back from disk, as many as there is room for."""
        while self._files and len(self._memory) < self._capacity:
            oldest = self._files[0]
            self._memory.append(self._loaded(oldest))
            self._on_disk -= 1
            if not oldest.count:
                self._files.popleft().close()

    def _loaded(self, file: _File) -> Any:
        try:
            return self._pickle.loads(file.read())
        except Exception as error:
            return _Unreadable(error)

    def close(self) -> None:
        """Delete what is on disk, and forget what is in memory."""
        self._memory.clear()
        self._on_disk = 0
        while self._files:
            self._files.popleft().close()
