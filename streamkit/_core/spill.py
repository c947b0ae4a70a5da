"""Spilling: a queue whose first items are in memory and whose rest is on disk, in order."""

from __future__ import annotations

import struct
from collections import deque
from typing import IO, Any, Protocol

__all__ = ["SpillStore", "Store"]

_LENGTH = struct.Struct("<Q")
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
    """A temporary file without a name, so that no other process can write the pickles that are read."""

    def __init__(self, directory: str | None) -> None:
        import tempfile  # noqa: PLC0415 - few spill, and it takes long to import

        # unbuffered: on a full disk, the write of the item that does not fit fails, and no later one
        self._file: IO[bytes] = tempfile.TemporaryFile(dir=directory, buffering=0)  # noqa: SIM115 - see close()
        self._read_at = 0
        self.size = 0
        self.count = 0

    def write(self, record: bytes) -> None:
        rest = memoryview(_LENGTH.pack(len(record)) + record)
        size = self.size + len(rest)
        self._file.seek(self.size)
        while rest:
            rest = rest[self._file.write(rest) :]
        self.size = size
        self.count += 1

    def read(self) -> bytes:
        self._file.seek(self._read_at)
        (length,) = _LENGTH.unpack(self._file.read(_LENGTH.size))
        record = self._file.read(length)
        self._read_at += _LENGTH.size + length
        self.count -= 1
        return record

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        if hasattr(self, "_file"):  # the constructor may have failed
            self._file.close()  # the store was dropped without a close


class _Unreadable:
    """Takes the place of an item that cannot be unpickled; its error is raised when its turn comes."""

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
        if not self._files or self._files[-1].size >= _SEGMENT:
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
        if self._files and len(self._memory) <= self._capacity // 2:
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
            self._memory.append(self._loaded(oldest.read()))
            self._on_disk -= 1
            if not oldest.count:
                self._files.popleft().close()

    def _loaded(self, record: bytes) -> Any:
        try:
            return self._pickle.loads(record)
        except Exception as error:
            return _Unreadable(error)

    def close(self) -> None:
        """Delete what is on disk, and forget what is in memory."""
        self._memory.clear()
        self._on_disk = 0
        while self._files:
            self._files.popleft().close()
