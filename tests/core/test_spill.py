"""Spilling to disk: the order and the items are kept, files are gone on every exit, and errors are told."""

import asyncio
import gc
import os
import pickle
import tempfile
import warnings
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from streamkit import Spill, StoppedError, Stream, ops
from streamkit._core.spill import SpillStore
from streamkit.testing import run
from tests.tiers import examples

LENGTH = 50


@dataclass
class Parcel:
    """Something with a type of its own."""

    content: Any


def opened(directory: Path) -> list[str]:
    """The files under `directory` that this process has open: those of a spill have no name to list."""
    links = [Path(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    targets = [os.readlink(link) for link in links if link.is_symlink() or os.path.lexists(link)]
    return [target for target in targets if target.startswith(str(directory))]


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files cannot be listed")


# the store ---------------------------------------------------------------------------------


@given(st.lists(st.none() | st.integers(0, 10**6)), st.integers(1, 5))
def test_a_store_gives_back_what_a_deque_would(commands: list[int | None], capacity: int) -> None:
    store, model = SpillStore(capacity, tempfile.gettempdir()), deque[int]()
    try:
        for command in commands:
            if command is not None:
                store.append(command)
                model.append(command)
            elif model:
                assert store.popleft() == model.popleft()
            assert len(store) == len(model)
            assert store.in_memory <= capacity
        assert [store.popleft() for _ in range(len(store))] == [*model]
    finally:
        store.close()


@pytest.mark.parametrize(
    ("capacity", "held"), [(4, [3, 4, 3, 4, 3, 2, 1, 0]), (3, [2, 3, 2, 3, 2, 3, 2, 1, 0])]
)
def test_items_come_back_from_disk_when_half_of_the_memory_is_free(capacity: int, held: list[int]) -> None:
    """If it were sooner, a file would come and go with every item, where as many come as go."""
    store = SpillStore(capacity, None)
    try:
        for number in range(len(held)):
            store.append(number)
        found: list[int] = []
        for number in range(len(held)):
            assert store.popleft() == number
            found.append(store.in_memory)
        assert found == held
    finally:
        store.close()


PICKLABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.builds(Parcel, inner),
    max_leaves=5,
)


@given(st.lists(PICKLABLE, max_size=12), st.integers(1, 3))
def test_any_item_that_can_be_pickled_comes_back_equal_and_in_order(items: list[Any], capacity: int) -> None:
    assert list(Stream(items) | ops.buffer(Spill(capacity)) | ops.tap(lambda _: None)) == items


def test_items_larger_than_one_write_come_back_whole(tmp_path: Path) -> None:
    items = [bytes([number]) * 3_000_000 for number in range(8)]
    store = SpillStore(1, str(tmp_path))
    for item in items:
        store.append(item)
    assert [store.popleft() for _ in range(8)] == items
    store.close()


@needs_proc
@given(st.lists(st.sampled_from([9, 70_000, 100_000]), max_size=8), st.integers(20_000, 50_000))
def test_a_system_that_reads_and_writes_less_than_it_is_asked_for_loses_nothing(
    sizes: list[int], at_once: int
) -> None:
    """As it does from 2 GiB on."""
    items = [os.urandom(size) for size in sizes]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("streamkit._core.spill._AT_ONCE", at_once)
        store = SpillStore(1, None)
        try:
            for item in items:
                store.append(item)
            assert [store.popleft() for _ in range(len(store))] == items
        finally:
            store.close()


def test_an_item_that_cannot_be_read_back_takes_no_other_with_it() -> None:
    store = SpillStore(2, None)
    items = [bytes([number]) * 100_000 for number in range(4)]  # so large that each is a block of its own
    for item in items:
        store.append(item)
    os.truncate(store._files[0]._file.fileno(), 0)
    try:
        assert [store.popleft(), store.popleft()] == items[:2]
        for _ in range(2):
            with pytest.raises(EOFError) as caught:
                store.popleft()
            assert str(caught.value) == "a file of spilled items is shorter than what was written to it"
        assert len(store) == 0
    finally:
        store.close()


def test_a_store_that_is_dropped_closes_its_files_without_a_warning(tmp_path: Path) -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        store = SpillStore(1, str(tmp_path))
        store.append(0)
        store.append(1)
        del store
        gc.collect()
    assert told == []


def test_items_are_asked_for_the_newest_form_of_themselves() -> None:
    asked: list[Any] = []

    class Item:
        def __reduce_ex__(self, protocol: Any) -> Any:
            asked.append(protocol)
            return int, (7,)

    store = SpillStore(1, None)
    store.append(0)
    store.append(Item())
    assert [store.popleft(), store.popleft(), asked] == [0, 7, [pickle.HIGHEST_PROTOCOL]]
    store.close()


STEPS = st.lists(st.sampled_from(["append", "read"]), max_size=30)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes cannot be forked")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@settings(max_examples=examples(20), deadline=None)
@given(before=st.integers(0, 12), steps=STEPS, childs=STEPS, capacity=st.integers(1, 3))
def test_a_store_and_its_copy_in_a_forked_process_do_not_disturb_each_other(
    before: int, steps: list[str], childs: list[str], capacity: int
) -> None:
    store, model = SpillStore(capacity, None), deque[Any]()

    def go_on(name: str, commands: list[str]) -> None:
        for number, command in enumerate(commands):
            if command == "append":
                store.append((name, number))
                model.append((name, number))
            elif model:
                assert store.popleft() == model.popleft()
        assert [store.popleft() for _ in range(len(store))] == [*model]

    for number in range(before):
        store.append(number)
        model.append(number)
    child = os.fork()
    if not child:
        code = 1
        try:
            go_on("child", childs)
            code = 0
        finally:
            os._exit(code)
    try:
        go_on("parent", steps)
    finally:
        _, status = os.waitpid(child, 0)
        store.close()
    assert not status


def test_a_file_leaves_the_disk_as_soon_as_it_was_read(tmp_path: Path) -> None:
    store = SpillStore(1, str(tmp_path))
    for number in range(10):
        store.append(bytes([number]) * 5_000_000)  # a new file is begun every 16 MB
    several = len(opened(tmp_path))
    for _ in range(8):
        store.popleft()
    fewer = len(opened(tmp_path))
    store.close()
    assert several > fewer >= 1
    assert not opened(tmp_path)


def test_nobody_else_can_open_the_file(tmp_path: Path) -> None:
    store = SpillStore(1, str(tmp_path))
    for number in range(10):
        store.append(number)
    assert os.listdir(tmp_path) == []
    store.close()


def test_nothing_is_unpickled_that_was_not_written_in_this_run(tmp_path: Path) -> None:
    """Files that lie in the directory, whatever their names, are not looked at."""

    class Trap:
        def __reduce__(self) -> Any:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    for name in ("0", "spill", "tmp0.spill", "streamkit.pickle"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
    before = sorted(os.listdir(tmp_path))
    found = list(Stream(range(LENGTH)) | ops.buffer(Spill(2, directory=str(tmp_path))))
    assert found == [*range(LENGTH)]
    assert sorted(os.listdir(tmp_path)) == before


# pipelines ---------------------------------------------------------------------------------


class Trial:
    """A source that is far ahead of its consumer, and the files that were open meanwhile."""

    def __init__(self, directory: Path, *, fails: bool = False) -> None:
        self.directory = directory
        self.fails = fails
        self.spilled = False

    async def source(self) -> AsyncIterator[int]:
        for number in range(LENGTH):
            yield number
        self.spilled = bool(opened(self.directory))
        if self.fails:
            raise OSError("the source fails")
        await asyncio.sleep(5.0)

    @property
    def stream(self) -> Stream[int]:
        return Stream(self.source) | ops.buffer(Spill(3, directory=str(self.directory)))

    async def exhausted(self) -> None:
        assert [item async for item in self.stream] == [*range(LENGTH)]

    async def error_of_the_source(self) -> None:
        self.fails = True
        found: list[int] = []
        with pytest.raises(OSError, match="the source fails"):
            async for item in self.stream:
                await asyncio.sleep(0.1)
                found.append(item)
        assert found == [*range(LENGTH)]  # what is held comes before the error

    async def error_of_the_consumer(self) -> None:
        with pytest.raises(KeyError):
            async with self.stream.open() as items:
                async for item in items:
                    await asyncio.sleep(1.0)
                    raise KeyError(item)

    async def error_of_a_callback(self) -> None:
        async def divide(item: int) -> float:
            await asyncio.sleep(1.0)
            return 1 / item

        with pytest.raises(ZeroDivisionError):
            await (self.stream | ops.map(divide) | ops.drain())

    async def cancelled(self) -> None:
        task = asyncio.create_task(self._slow())
        await asyncio.sleep(2.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def stopped(self) -> None:
        handle = (self.stream | ops.for_each(lambda _: asyncio.sleep(1.0))).start()
        await asyncio.sleep(2.5)
        await handle.stop()
        with pytest.raises(StoppedError):
            await handle
        (stats,) = handle.buffers()
        assert stats.offered == LENGTH == stats.delivered + stats.dropped
        assert stats.held == 0

    async def closed(self) -> None:
        async with self.stream.open() as items:
            assert await anext(aiter(items)) == 0
            await asyncio.sleep(1.0)

    async def broken_off(self) -> None:
        async for _ in self.stream:
            await asyncio.sleep(1.0)
            break
        await asyncio.sleep(1.0)

    async def _slow(self) -> None:
        async with self.stream.open() as items:
            async for _ in items:
                await asyncio.sleep(1.0)


EXITS = [name for name in vars(Trial) if name[0] != "_" and name not in ("source", "stream")]


@needs_proc
@pytest.mark.parametrize("way_out", EXITS)
def test_the_files_are_gone_after_every_exit(way_out: str, tmp_path: Path) -> None:
    trial = Trial(tmp_path)
    run(getattr(trial, way_out))
    assert trial.spilled, "nothing ever went to disk"
    assert opened(tmp_path) == []
    assert os.listdir(tmp_path) == []
