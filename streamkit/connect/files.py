"""Files as sources: their lines, and the lines that are written to them from now on."""

from __future__ import annotations

import asyncio
import codecs
import errno
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import IO, Any, Final

from streamkit._core.arguments import flag, seconds as seconds_argument, whole
from streamkit._core.calls import answering
from streamkit._core.markers import Gap
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Recipe
from streamkit.operators.transform import flatten
from streamkit.sources.threads import from_blocking

__all__ = ["Path", "lines", "tail"]

Path = str | os.PathLike[str]

_BLOCK: Final = 64 * 1024
"""Bytes that are read at a time."""
_LONGEST: Final = 16 * 1024 * 1024
"""Bytes of a line whose end is waited for."""


def is_text(value: object) -> bool:
    """Whether it is a text, as users may pass anything."""
    return isinstance(value, str)


def path_argument(name: str, value: Any) -> str:
    """A path as text; anything else raises a TypeError."""
    try:
        return os.fsdecode(value)
    except TypeError:
        raise TypeError(f"{name} must be a path, as a text or a pathlib.Path, not {shown(value)}") from None


def encoding_argument(value: object) -> str:
    """The name of an encoding that Python knows."""
    if not isinstance(value, str):
        raise TypeError(f"encoding must be the name of one, such as 'utf-8', not {shown(value)}")
    try:
        codecs.lookup(value)
    except LookupError:
        raise ValueError(f"encoding must be one that Python knows, not {shown(value)}") from None
    return value


def _blocks(path: Path, encoding: str, errors: str) -> Iterator[list[str]]:
    with open(path, encoding=encoding, errors=errors) as file:
        while block := file.readlines(_BLOCK):
            yield [line.removesuffix("\n") for line in block]


@answering
def lines(path: Path, *, encoding: str = "utf-8", errors: str = "strict") -> Stream[str]:
    """The lines of a file, without their ends, read in a thread of its own.

        lines("flights.csv")  --a--b--c--|

    >>> import os, tempfile
    >>> from streamkit import connect
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "letters")
    ...     with open(path, "w") as file:
    ...         _ = file.write("a" + os.linesep + "b")
    ...     list(connect.lines(path))
    ['a', 'b']

    Emits when: a block of lines was read.
    Waits when: the disk does; the event loop goes on. The thread is one block of 64 KiB ahead.
    Completes when: the file ends.
    Closes when: it ends, or the consumer leaves: the thread closes the file.

    What is written behind the end later is not read: that is `tail`.

    Args:
        path: of the file, opened anew by each run.
        encoding: of its text.
        errors: what is done with bytes that are not of that encoding, as for ``open``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: Python does not know the encoding.
        OSError: (when run) the file cannot be read.
        UnicodeDecodeError: (when run) it has other bytes, and `errors` is ``"strict"``.
    """
    path, encoding = path_argument("path", path), encoding_argument(encoding)
    return from_blocking(partial(_blocks, path, encoding, _errors(errors))) | flatten()


def _errors(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"errors must be a name such as 'strict' or 'replace', not {shown(value)}")
    try:
        codecs.lookup_error(value)
    except LookupError:
        raise ValueError(
            f"errors must be one that Python knows, such as 'strict', not {shown(value)}"
        ) from None
    return value


class _Tail:
    """Where the reading of a growing file stands."""

    def __init__(self, path: Path, decode: Callable[[bytes], str], longest: int) -> None:
        self._path = path
        self._decode = decode
        self._longest = longest
        self._file: IO[bytes] | None = None
        self._rest = b""
        """What was read of a line whose end is not written yet."""
        self._skips = False
        """Whether that line is too long: what comes of it is left out."""
        self._seen = False
        """Whether the file was there before."""

    def begin(self, *, at_end: bool) -> None:
        """Open the file, if there is one."""
        try:
            self._file = file = open(self._path, "rb", opener=_at_once)  # noqa: SIM115 - closed by close()
        except FileNotFoundError:
            return
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "no regular file, so it cannot be tailed", os.fspath(self._path))
        self._seen = True
        if at_end:
            self._file.seek(0, os.SEEK_END)

    def read(self) -> list[str | Gap] | None:
        """What is new, up to a block of lines, which may end none; None if there is nothing."""
        file = self._file
        if file is None:
            self.begin(at_end=False)  # another, after a rotation, or the first
            if (file := self._file) is None:
                return None
        if block := file.read(_BLOCK):
            return [*self._lines(block)]
        if os.fstat(file.fileno()).st_size < file.tell():
            file.seek(0)
            return [self._gap("it was truncated")]
        return self._rotated(file)

    def _lines(self, block: bytes) -> Iterator[str | Gap]:
        *whole, rest = (self._rest + block).split(b"\n")
        if self._skips and whole:
            del whole[0]  # the end of the line that is too long
            self._skips = False
        for line in whole:
            yield self._decode(line.removesuffix(b"\r"))
        self._rest = b"" if self._skips else rest
        if len(self._rest) > self._longest:
            yield self._gap(f"a line has more than {self._longest:,} bytes")
            self._skips = True

    def _gap(self, reason: str) -> Gap:
        """What was read of a line is no line, and what came after it may be lost."""
        self._rest, self._skips = b"", False
        return Gap(None, f"{os.fspath(self._path)}: {reason}")

    def _rotated(self, file: IO[bytes]) -> list[str | Gap] | None:
        """The end of a file whose name belongs to another by now: its last line, if that has no end."""
        try:
            now = os.stat(self._path)
        except FileNotFoundError:
            return None  # it was moved, and may be written to until the next is there
        if os.path.samestat(now, os.fstat(file.fileno())):
            return None
        if block := file.read(_BLOCK):  # written since, and before the other had the name
            return [*self._lines(block)]
        self.close()
        rest, self._rest, self._skips = self._rest, b"", False
        return [self._decode(rest)] if rest else []

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close()


def _at_once(path: str, flags: int) -> int:
    """Open without the wait that a FIFO has for its writer: the event loop would stand still."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


async def _tailing(
    path: Path, decode: Callable[[bytes], str], seconds: float, longest: int, from_start: bool
) -> AsyncIterator[list[str | Gap]]:
    at = _Tail(path, decode, longest)
    try:
        at.begin(at_end=not from_start)
        while True:
            if found := at.read():
                yield found
            else:  # a block of one long line is followed by the next at once
                await asyncio.sleep(seconds if found is None else 0)
    finally:
        at.close()


@answering
def tail(
    path: Path,
    *,
    seconds: float = 0.25,
    from_start: bool = False,
    encoding: str = "utf-8",
    errors: str = "replace",
    longest: int = _LONGEST,
) -> Stream[str | Gap]:
    """The lines that are written to a file from now on, through its rotation, as ``tail -F`` has them.

        tail("app.log")  ----a--b--------c-

    >>> from streamkit import connect, ops
    >>> errors = connect.tail("app.log") | ops.filter(lambda line: "ERROR" in str(line))

    Emits when: the end of a line was written; and a `Gap` where lines may be lost.
    Waits when: nothing new is there: the file is looked at every so many seconds.
    Completes when: it never does.
    Closes when: the consumer leaves; the file is closed.

    A file that is not there yet is waited for. Of one that was renamed, the rest is read before the file that
    has its name now, so a rotation loses nothing, unless two of them come between two looks. One that was
    truncated (``copytruncate`` of logrotate) is read from its start, behind a `Gap`: nobody knows what was
    written to it between the last look and the cut. If it has grown beyond the old place by the next look,
    that cannot be seen at all. Reading is done in the event loop, 64 KiB at a time: for a disk that may hang,
    as one on a network, use ``from_blocking``.

    Args:
        path: of the file.
        seconds: from one look to the next, where nothing is new.
        from_start: whether the lines that are there already come first.
        encoding: of its text: one in which the byte 10 is the end of a line, as UTF-8.
        errors: what is done with bytes that are not of that encoding, as for ``open``.
        longest: bytes of a line whose end is waited for; a longer one is a `Gap`.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `seconds` is not finite, or not above 0; `longest` is less than 1; or Python does not know
            `encoding` or `errors`.
        OSError: (when run) the file cannot be read, though it is there; or it is no regular file.
    """
    path, encoding, errors = path_argument("path", path), encoding_argument(encoding), _errors(errors)
    seconds = seconds_argument("seconds", seconds)
    longest = whole("longest", longest, least=1)
    from_start = flag("from_start", from_start)
    if b"\n" not in "\n".encode(encoding) or len("\n".encode(encoding)) > 1:
        raise ValueError(
            f"encoding must be one that writes an end of line as one byte, not {shown(encoding)}"
        )
    options: dict[str, Any] = {"from_start": True} if from_start else {}
    decode = partial(_decoded, encoding=encoding, errors=errors)
    recipe = Recipe("tail", (path,), partial(_tailing, path, decode, seconds, longest, from_start), **options)
    return Stream[list[str | Gap]](recipe) | flatten()


def _decoded(line: bytes, encoding: str, errors: str) -> str:
    return line.decode(encoding, errors)
