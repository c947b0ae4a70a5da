"""Programs as sources: the lines that a subprocess writes."""

from __future__ import annotations

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, SubprocessStreamProtocol
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Generator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from types import coroutine
from typing import Any, Final

from streamkit._core.arguments import mapping, number, whole
from streamkit._core.calls import answering
from streamkit._core.errors import StreamkitError
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Recipe
from streamkit._engine.run.shelter import hide, sheltered
from streamkit.connect.files import Path, encoding_argument, is_text, path_argument

__all__ = ["CommandError", "command"]

_LAST: Final = 20
"""Lines of what a program wrote to its standard error that an error of it tells."""
_CLIP: Final = 4096
"""Bytes of what it wrote there that are read at a time, and kept of a line."""


class CommandError(StreamkitError):
    """A program has ended with another exit code than 0."""

    def __init__(self, words: Sequence[str], code: int, errors: Sequence[str]) -> None:
        self.words: tuple[str, ...] = tuple(words)
        self.code = code
        """As a shell has it; of a program that a signal has ended, the number of that, below 0."""
        self.errors: tuple[str, ...] = tuple(errors)
        """The last lines that it wrote to its standard error."""
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        said = f": {self.errors[-1]}" if self.errors else ""
        super().__init__(f"{self.words[0]} {how}{said}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.words, self.code, self.errors)


class _Errors:
    """The last lines that a program has written to its standard error, which is read lest it should wait."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=_LAST)
        self._rest = b""

    async def read(self, stream: asyncio.StreamReader) -> None:
        while block := await stream.read(_CLIP):
            *whole_lines, rest = (self._rest + block).split(b"\n")
            self._lines.extend(line[:_CLIP] for line in whole_lines)
            self._rest = rest[-_CLIP:]

    def last(self) -> list[str]:
        said = [*self._lines, self._rest]
        return [line.decode(errors="replace").rstrip() for line in said if line.strip()][-_LAST:]


class _Program(SubprocessStreamProtocol):
    """A program that runs. Its end is known here although another may have its pipes open still."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit, loop=asyncio.get_running_loop())
        self.ended = asyncio.Event()

    def process_exited(self) -> None:
        super().process_exited()
        self.ended.set()

    async def begin(
        self, words: Sequence[str], grace: float, options: Mapping[str, Any]
    ) -> asyncio.SubprocessTransport:
        """Begin the program. A cancellation waits until it has begun: asyncio waits for ever for the end of
        one whose pipes are not connected yet.
        """
        loop = asyncio.get_running_loop()
        made: list[asyncio.SubprocessTransport] = []

        async def beginning() -> None:
            transport, _ = await _apart(
                loop.subprocess_exec(lambda: self, *words, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, **options)
            )
            made.append(transport)

        try:
            await sheltered(beginning(), loop)
        except BaseException:
            if made:
                await self.end(made[0], grace)
            raise
        return made[0]

    async def end(self, transport: asyncio.SubprocessTransport, grace: float) -> None:
        """End it, if it runs still: by SIGTERM, and after `grace` seconds, or a cancellation, by SIGKILL."""
        try:
            if transport.get_returncode() is None:
                with suppress(ProcessLookupError, TimeoutError):
                    transport.terminate()
                    async with asyncio.timeout(grace):
                        await self.ended.wait()
        finally:
            transport.close()  # which kills what runs still
        await self.ended.wait()


@coroutine
def _apart(work: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """`work`, whose first step begins tasks that ``asyncio.run`` is not to cancel when the program ends."""
    loop = asyncio.get_running_loop()
    others = asyncio.all_tasks(loop)
    try:
        waited = work.send(None)
        for task in asyncio.all_tasks(loop) - others:
            hide(task)
        while True:
            try:
                sent = yield waited
            except BaseException as error:
                waited = work.throw(error)
            else:
                waited = work.send(sent)
    except StopIteration as done:
        return done.value


async def _running(
    words: Sequence[str], encoding: str, longest: int, grace: float, options: Mapping[str, Any]
) -> AsyncIterator[str]:
    program = _Program(longest)
    try:
        transport = await program.begin(words, grace, options)
    except FileNotFoundError as error:
        if len(words) == 1 and len(parts := words[0].split()) > 1:
            error.add_note(f"no shell takes a line apart: write command({', '.join(map(repr, parts))})")
        raise
    assert program.stdout is not None
    assert program.stderr is not None
    errors = _Errors()
    reading = asyncio.ensure_future(errors.read(program.stderr))
    try:
        async for line in _lines(program.stdout, words[0], longest):
            yield line.decode(encoding, "replace")
        await program.ended.wait()
        await reading
        if code := transport.get_returncode():
            raise CommandError(words, code, errors.last())
    finally:
        try:
            await program.end(transport, grace)
        finally:
            reading.cancel()
            await asyncio.wait([reading])


async def _lines(stream: asyncio.StreamReader, name: str, longest: int) -> AsyncIterator[bytes]:
    while True:
        try:
            line = await stream.readline()
        except ValueError:
            raise ValueError(f"{name} wrote a line of more than {longest:,} bytes: longest=") from None
        if not line:
            return
        yield line.removesuffix(b"\n").removesuffix(b"\r")


@answering
def command(
    *words: Path,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
    encoding: str = "utf-8",
    longest: int = 1024 * 1024,
    grace: float = 5.0,
) -> Stream[str]:
    """The lines that a program writes to its standard output, begun anew for each run.

        command("journalctl", "-f")  ----a--b--------c-

    >>> import sys
    >>> from streamkit import connect
    >>> list(connect.command(sys.executable, "-c", "print(1); print(2)"))
    ['1', '2']

    Emits when: it has written a line; the last needs no end.
    Waits when: it has not. While the consumer is busy, the program waits too, when the pipe is full.
    Completes when: it has ended with exit code 0.
    Closes when: the consumer leaves: it is told to end (SIGTERM), and is killed after `grace` seconds.

    No shell is between: each word is an argument as it is. What it writes to its standard error is read; the
    last twenty lines of it are told by the error, if it fails. It is given nothing to read.

    Args:
        words: the program and its arguments.
        directory: in which it runs; by default, that of this program.
        environment: its variables; by default, those of this program.
        encoding: of what it writes; other bytes are replaced.
        longest: bytes of a line at most.
        grace: seconds that it has to end in.

    Raises:
        TypeError: an argument has the wrong type, or there is no word.
        ValueError: `grace` is below 0 or not finite, `longest` is less than 1, or Python does not know
            `encoding`; (when run) a line is longer.
        OSError: (when run) the program cannot be begun.
        CommandError: (when run) it has ended with another exit code than 0.
    """
    if not words:
        raise TypeError("words must be a program and its arguments, and there are none")
    said = [os.fspath(path_argument("words", word)) for word in words]
    options: dict[str, Any] = {}
    if directory is not None:
        options["cwd"] = path_argument("directory", directory)
    if environment is not None:
        options["env"] = _environment(environment)
    encoding = encoding_argument(encoding)
    longest = whole("longest", longest, least=1)
    grace = number("grace", grace, least=0)
    return Stream(Recipe("command", (*said,), partial(_running, said, encoding, longest, grace, options)))


def _environment(value: Mapping[str, str]) -> dict[str, str]:
    found = dict(mapping("environment", value))
    for pair in found.items():
        if not all(map(is_text, pair)):
            raise TypeError(f"environment must map texts to texts, not {shown(pair[0])} to {shown(pair[1])}")
    return found
