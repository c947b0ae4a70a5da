"""`through` and `cut`: a pipe in two parts, in one process or in several."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.durable import Json, SQLite, cut
from streamkit.testing import run
from tests.durable.memory import Memory


def inbox_in(path: Path) -> SQLite:
    return SQLite(path / "jobs.db", "inbox", codec=Json())


def test_the_parts_run_one_after_the_other_and_again(tmp_path: Path) -> None:
    inbox, second = inbox_in(tmp_path), SQLite(tmp_path / "jobs.db", "second", codec=Json())
    job = (
        Stream(range(5))
        | ops.map(lambda number: number + 1)
        | ops.through(inbox, group="g", prefetch=300)
        | ops.map(str)
        | ops.take(5)
        | ops.through(second, group="g")
        | ops.take(5)
        | ops.to_list()
    )
    first, middle, last = cut(job)

    async def main() -> None:
        for _ in range(2):
            assert await first == 5
            assert (await inbox.depth("g")).lag == 5
            assert await middle == 5
            assert (await inbox.depth("g")).lag == 0
            assert await last == ["1", "2", "3", "4", "5"]

    run(main)


def test_wrong_arguments_are_answered_where_they_are_given() -> None:
    wrong: Any = ops.through
    with pytest.raises(TypeError, match="carrier must be a carrier, such as SQLite"):
        wrong("jobs.db", group="g")
    with pytest.raises(TypeError, match="carrier must be a carrier"):
        wrong(SQLite, group="g")
    with pytest.raises(ValueError, match="batch must be"):
        wrong(Memory(), group="g", batch=0)
    with pytest.raises(ValueError, match="lease must be"):
        wrong(Memory(), group="g", lease=-1)
    with pytest.raises(ValueError, match="job must have a hop"):
        cut(Stream([1]) | ops.to_list())
    with pytest.raises(TypeError, match="job must be a stream with a sink"):
        cut(Stream([1]))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_codecs_are_values() -> None:
    assert pickle.loads(pickle.dumps(SQLite("a", "q", codec=Json()))) == SQLite("a", "q", codec=Json())
