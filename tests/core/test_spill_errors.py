"""Spilling to disk: what fails there is told as what it is, and takes no other item with it."""

import asyncio
import errno
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streamkit import Spill, Stream, ops
from streamkit._core.spill import SpillStore
from streamkit.testing import run


@contextmanager
def ordinary_user() -> Iterator[None]:
    """As another user, where root runs the tests: permissions refuse root nothing."""
    if os.getuid():
        yield
        return
    os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.mark.parametrize("on_disk", [0, 1, 2, 30_000])
@pytest.mark.parametrize("lost", ["small", "large" * 20_000], ids=["small", "large"])
def test_an_item_for_which_there_is_no_room_on_the_disk_takes_no_other_with_it(
    lost: str, on_disk: int
) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    store = SpillStore(1, None)
    before: list[Any] = [*range(1 + on_disk)]
    try:
        for item in before:
            store.append(item)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("streamkit._core.spill._write_at", full)
            with pytest.raises(OSError, match="no space left"):
                while True:  # until the room is used up that was taken before
                    store.append(lost)
                    before.append(lost)
        assert (len(store), store[0]) == (len(before), 0)
        assert on_disk or before == [0]  # which no room was taken for
        store.append("later")
        assert [store.popleft() for _ in range(len(store))] == [*before, "later"]
    finally:
        store.close()


def test_what_was_spilled_cannot_be_taken_back() -> None:
    """A strategy that drops the youngest item holds all in memory."""
    store = SpillStore(1, None)
    with pytest.raises(TypeError, match=r"^what was spilled cannot be taken back$"):
        store.pop()


async def stalled(items: list[Any], strategy: Spill) -> tuple[list[Any], Exception | None, Any]:
    """What a consumer gets that comes late, the error at the end, and what became of the items."""
    found: list[Any] = []

    async def note(item: Any) -> None:
        found.append(item)
        await asyncio.sleep(1.0)

    handle = (Stream(items) | ops.buffer(strategy) | ops.for_each(note)).start()
    error: Exception | None = None
    try:
        await handle
    except Exception as caught:
        error = caught
    (stats,) = handle.buffers()
    return found, error, stats


def test_an_item_that_cannot_be_pickled_is_the_streams_error_after_what_is_held() -> None:
    items = [0, 1, 2, 3, lambda: 4, 5]
    found, error, stats = run(lambda: stalled(items, Spill(2)))
    assert found == [0, 1, 2, 3]
    assert isinstance(error, (pickle.PicklingError, AttributeError, TypeError))
    assert "pickle" in str(error)
    assert (stats.offered, stats.delivered, stats.refused, stats.held) == (5, 4, 1, 0)


def test_an_item_that_cannot_be_pickled_is_welcome_in_memory() -> None:
    functions = [lambda: 0, lambda: 1]
    found, error, _ = run(lambda: stalled(functions, Spill(2)))
    assert (found, error) == (functions, None)


FULL_DISK = """
import asyncio, resource, signal
from streamkit import Spill, Stream, ops

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))

async def main():
    found = []
    async def note(item):
        found.append(item[0])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    source = [bytes([number]) * 1_000 for number in range(20)]
    handle = (Stream(source) | ops.buffer(Spill(1)) | ops.for_each(note)).start()
    try:
        await handle
    except OSError as error:
        (stats,) = handle.buffers()
        total = stats.delivered + stats.refused + stats.dropped + stats.held
        print(type(error).__name__, found == list(range(len(found))), stats.refused, stats.offered == total)

asyncio.run(main())
"""


def test_a_full_disk_is_the_streams_error_after_what_is_held() -> None:
    pytest.importorskip("resource")
    # where coverage is measured, its data would find no room either
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-c", FULL_DISK]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, env=environment)
    assert done.stderr == ""
    assert done.stdout.split() == ["OSError", "True", "1", "True"]


def read_only_directory() -> str:
    path = tempfile.mkdtemp()
    os.chmod(path, 0o555)
    return path


def test_a_directory_that_cannot_be_written_to_is_refused_where_it_is_named() -> None:
    path = read_only_directory()
    try:
        with (
            ordinary_user(),
            pytest.raises(PermissionError, match="directory must be one that can be written"),
        ):
            Spill(1, directory=path)
    finally:
        os.rmdir(path)


def test_a_directory_that_is_gone_by_the_time_it_is_needed_is_the_streams_error(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    strategy = Spill(2, directory=str(gone))
    gone.rmdir()
    found, error, stats = run(lambda: stalled([0, 1, 2, 3, 4], strategy))
    assert isinstance(error, FileNotFoundError)
    assert found == [*range(len(found))]
    assert stats.offered == stats.delivered + stats.refused
    assert stats.refused == 1
