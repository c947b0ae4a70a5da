"""Directories that are watched."""

import asyncio
from collections.abc import AsyncIterator
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


def test_what_was_made_and_deleted_at_once_is_told_in_that_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.touch()

    async def told(*_: object, **__: object) -> AsyncIterator[list[tuple[int, str]]]:
        yield [(3, str(gone)), (1, str(gone)), (2, str(there)), (1, str(there)), (3, str(there))]

    monkeypatch.setattr("streamkit.connect.watchfiles.awatch", told)
    kinds = [(each.path.name, each.kind) for each in connect.watch(tmp_path)]
    assert kinds == [
        ("gone", "added"),
        ("gone", "deleted"),
        ("there", "deleted"),
        ("there", "added"),
        ("there", "modified"),
    ]


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(connect.watch(tmp_path / "none"))
    with pytest.raises(TypeError, match="recursive must be"):
        connect.watch(tmp_path, recursive=1)
