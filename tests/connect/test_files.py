"""Lines of files: of those that are there, and of one that grows, through its rotation and truncation."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from streamkit import Gap, connect, ops
from streamkit.testing import run


def test_lines_have_no_ends_and_the_file_is_read_anew_by_each_run(tmp_path: Path) -> None:
    file = tmp_path / "letters"
    file.write_bytes(b"a\r\nb\n\nc")
    lines = connect.lines(file)
    assert list(lines) == ["a", "b", "", "c"]
    file.write_bytes(b"d\n")
    assert list(lines) == ["d"]


def test_a_large_file_is_read_by_blocks_and_left_early(tmp_path: Path) -> None:
    file = tmp_path / "numbers"
    file.write_text("".join(f"{number}\n" for number in range(50_000)))
    assert list(connect.lines(file)) == [str(number) for number in range(50_000)]
    assert list(connect.lines(str(file)) | ops.take(2)) == ["0", "1"]


def test_lines_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="missing"):
        list(connect.lines(tmp_path / "missing"))
    file = tmp_path / "bytes"
    file.write_bytes(b"\xff\n")
    with pytest.raises(UnicodeDecodeError):
        list(connect.lines(file))
    assert list(connect.lines(file, errors="replace")) == ["\ufffd"]
    assert list(connect.lines(file, encoding="latin-1")) == ["ÿ"]


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: connect.lines(7), TypeError, "path must be a path, as a text or a pathlib.Path, not 7"),
        (lambda: connect.lines("a", encoding="utf-88"), ValueError, "encoding must be one that Python knows"),
        (lambda: connect.lines("a", errors="loose"), ValueError, "errors must be one that Python knows"),
        (lambda: connect.lines("a", encoding=7), TypeError, "encoding must be the name of one"),
        (lambda: connect.lines("a", errors=7), TypeError, "errors must be a name such as"),
        (lambda: connect.tail("a", encoding="utf-16"), ValueError, "writes an end of line as one byte"),
        (
            lambda: connect.tail("a", seconds=0),
            ValueError,
            "seconds must be a finite number",
        ),
        (lambda: connect.tail("a", longest=0), ValueError, "longest must be"),
    ],
)
def test_bad_arguments_are_told_at_the_call(
    make: Callable[[], object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        make()


# tail ---------------------------------------------------------------------------------------


def add(file: Path, text: str) -> None:
    with file.open("a") as opened:
        opened.write(text)


def tailed(file: Path, do: Callable[[], Awaitable[None]], *, count: int, **options: Any) -> list[str | Gap]:
    """The first `count` items of the tail of `file`, while `do` writes to it; in virtual time."""

    async def main() -> list[str | Gap]:
        async with asyncio.TaskGroup() as group:
            found = group.create_task(collected())
            await asyncio.sleep(0)
            await asyncio.sleep(0.1)  # it has begun, at the end of the file
            group.create_task(written())
        return found.result()

    async def collected() -> list[str | Gap]:
        return await (connect.tail(file, **options) | ops.take(count) | ops.to_list())

    async def written() -> None:
        await do()

    return run(main, limit=60.0)


def test_tail_has_what_is_written_from_now_on_and_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    file = tmp_path / "log"
    add(file, "old\n")

    async def written() -> None:
        add(file, "a\nb")
        await asyncio.sleep(1)
        add(file, "c\r\n")

    assert tailed(file, written, count=2) == ["a", "bc"]


def test_tail_from_the_start_of_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    file = tmp_path / "log"

    async def written() -> None:
        await asyncio.sleep(5)
        add(file, "a\n")

    assert tailed(file, written, count=1) == ["a"]
    assert tailed(file, written, count=1, from_start=True) == ["a"]


def test_tail_reads_the_rest_of_a_file_that_was_rotated(tmp_path: Path) -> None:
    file = tmp_path / "log"
    add(file, "")

    async def written() -> None:
        add(file, "a\n")
        file.rename(tmp_path / "log.1")
        await asyncio.sleep(1)
        add(tmp_path / "log.1", "b\nlast")  # as who has it open still may do
        add(file, "c\n")
        await asyncio.sleep(1)
        file.unlink()
        await asyncio.sleep(1)
        add(file, "d\n")

    assert tailed(file, written, count=5) == ["a", "b", "last", "c", "d"]


def test_tail_tells_that_a_file_was_truncated(tmp_path: Path) -> None:
    file = tmp_path / "log"
    add(file, "")

    async def written() -> None:
        add(file, "aaaa\nhalf")
        await asyncio.sleep(1)
        file.write_text("b\n")

    assert tailed(file, written, count=3) == ["aaaa", Gap(None, f"{file}: it was truncated"), "b"]


def test_tail_gives_up_a_line_that_is_too_long(tmp_path: Path) -> None:
    file = tmp_path / "log"
    add(file, "")

    async def written() -> None:
        add(file, "a" * 20)
        await asyncio.sleep(1)
        add(file, "a\nb\n")

    gap = Gap(None, f"{file}: a line has more than 10 bytes")
    assert tailed(file, written, count=2, longest=10) == [gap, "b"], "the rest of it is no line"


def test_tail_does_not_wait_within_a_long_line(tmp_path: Path) -> None:
    file = tmp_path / "log"
    long = "a" * 1_000_000

    async def written() -> None:
        begun = asyncio.get_running_loop().time()
        add(file, f"{long}\n")
        assert await (connect.tail(file, from_start=True) | ops.first()) == long
        assert asyncio.get_running_loop().time() == begun

    run(written)


def test_tail_refuses_what_is_no_regular_file_and_does_not_wait_for_its_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="no regular file"):
        list(connect.tail(tmp_path / "fifo"))
    with pytest.raises(IsADirectoryError):
        list(connect.tail(tmp_path))
