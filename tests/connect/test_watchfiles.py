"""Directories that are watched."""

import asyncio
from pathlib import Path

import pytest

from streamkit import connect, ops

pytest.importorskip("watchfiles")
SECONDS = 30.0


def is_a(change: connect.Changed) -> bool:
    return change.path.name == "a"


def test_changes_are_told_by_kind_and_path(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()

    async def main() -> list[connect.Changed]:
        found: list[connect.Changed] = []
        changes = connect.watch(tmp_path) | ops.filter(is_a)
        watching = asyncio.ensure_future(changes | ops.for_each(found.append))
        async with asyncio.timeout(SECONDS):
            while not found:
                (inner / "a").write_text("1")
                await asyncio.sleep(0.01)
            (inner / "a").unlink()
            while found[-1].kind != "deleted":  # noqa: ASYNC110 - nor whether that was all
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.wait([watching])
        return found

    found = asyncio.run(main())  # in real time: the system tells of changes when it does
    assert found[0].kind in {"added", "modified"}
    assert {each.path for each in found} == {inner / "a"}


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(connect.watch(tmp_path / "none"))
    with pytest.raises(TypeError, match="recursive must be"):
        connect.watch(tmp_path, recursive=1)
