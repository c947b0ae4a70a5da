"""Slots that follow a file: what is loaded, what is not, and that nothing runs on afterwards."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops, push
from streamkit.graph import Graph, Registry
from streamkit.live import Slot
from streamkit.testing import run

pytest.importorskip("watchfiles")
from streamkit.live.watchfiles import follow

SECONDS = 30.0


def added(path: Path) -> Any:
    """An operator that adds the number in the file; for an empty file, none."""
    text = path.read_text()
    return ops.map(int(text).__add__) if text else None


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - the file system tells of no end
            await asyncio.sleep(0.01)


def test_the_content_is_made_anew_whenever_the_file_changes(tmp_path: Path) -> None:
    file, errors, slot = tmp_path / "number", list[Exception](), Slot[int, int]()
    numbers = Stream([1]) | slot | ops.to_list()

    async def main() -> list[list[int]]:
        found: list[list[int]] = []
        following = asyncio.create_task(follow(slot, file, added, on_error=errors.append))
        await until(lambda: bool(errors))  # there is no file yet
        file.write_text("10")
        await until(lambda: slot.generation == 1)
        found.append(await numbers)
        file.write_text("ten")
        await until(lambda: len(errors) > 1 and isinstance(errors[-1], ValueError))
        found.append(await numbers)  # what cannot be loaded changes nothing
        other = tmp_path / "other"
        other.write_text("")
        other.replace(file)
        await until(lambda: slot.generation == 2)
        found.append(await numbers)
        following.cancel()
        with pytest.raises(asyncio.CancelledError):
            await following
        return found

    assert run(main, threads=True, limit=SECONDS) == [[11], [11], [1]]
    assert isinstance(errors[0], FileNotFoundError)


def test_without_on_error_the_first_error_ends_it(tmp_path: Path) -> None:
    async def main() -> None:
        with pytest.raises(FileNotFoundError):
            await follow(Slot(), tmp_path / "none", added)
        with pytest.raises(TypeError, match="slot must be a slot"):
            await follow(added, tmp_path, added)  # type: ignore[arg-type]

    run(main, threads=True)


def test_a_file_may_be_loaded_by_a_coroutine(tmp_path: Path) -> None:
    file, slot = tmp_path / "number", Slot[int, int]()
    file.write_text("2")

    async def later(path: Path) -> Any:
        await asyncio.sleep(0)
        return added(path)

    async def main() -> list[int]:
        following = asyncio.create_task(follow(slot, file, later))
        await until(lambda: slot.generation == 1)
        following.cancel()
        await asyncio.wait([following])
        return await (Stream([1]) | slot | ops.to_list())

    assert run(main, threads=True, limit=SECONDS) == [3]


def test_a_graph_that_follows_no_file_is_told_so(tmp_path: Path) -> None:
    async def main() -> None:
        numbers, emitter = push(Suspend(1), of=int)
        registry = Registry({"numbers": numbers})
        nodes: dict[str, Any] = {"n": {"source": "numbers"}, "o": {"count": True, "input": "n"}}
        running = Graph({"nodes": nodes}, registry=registry).start()
        with pytest.raises(FileNotFoundError):
            await running.follow(tmp_path / "none")
        emitter.close()
        assert await running == 0

    run(main, threads=True, limit=SECONDS)


def test_a_graph_that_runs_follows_a_file(tmp_path: Path) -> None:
    file, errors = tmp_path / "graph.toml", list[Exception]()
    numbers, emitter = push(Suspend(1), of=int)
    registry = Registry({"numbers": numbers, "ten": lambda number: 10 * number})
    text = "[nodes]\nn = { source = 'numbers' }\na = { skip = 0, input = 'n' }\n"
    text += "o = { to_list = true, input = 'a' }\n"
    file.write_text(text)

    async def main() -> object:
        running = Graph.load(file, registry=registry).start()
        following = asyncio.create_task(running.follow(file, on_error=errors.append))
        await emitter.send(1)
        file.write_text(text.replace("skip = 0", "map = 'two'"))
        await until(lambda: bool(errors))
        await emitter.send(2)
        file.write_text(text.replace("skip = 0", "map = 'ten'"))
        await until(lambda: running.graph.nodes["a"].does == "map ten")
        await emitter.send(3)
        emitter.close()
        result = await running
        await following  # which ends with it
        return result

    found = run(main, threads=True, limit=SECONDS)
    assert "graph.toml:3:7: nodes.a.map: unknown name" in str(errors[0])
    assert found in ([1, 2, 30], [1, 20, 30])  # the second may have been on its way
