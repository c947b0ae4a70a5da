"""What every carrier has of its base: what is deleted, and what is said of wrong arguments."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from streamkit import Stream, ops
from streamkit._engine.plan.tracked import Unopened
from streamkit.durable import Json, SQLite, Trimmed
from streamkit.durable.events import log
from streamkit.testing import run


def test_what_is_purged_is_gone_for_every_group(tmp_path: Path) -> None:
    inbox = SQLite(tmp_path / "jobs.db", "inbox", codec=Json())

    async def main() -> None:
        assert await (Stream(range(5)) | inbox.writer()) == 5
        assert await (inbox.reader(group="a") | ops.take(2) | ops.to_list()) == [0, 1]
        assert (await inbox.depth("a")).lag == 3
        assert await inbox.purge() == 3  # what all groups have had is gone already
        assert [(await inbox.depth(group)).lag for group in "ab"] == [0, 0]
        assert await inbox.purge() == 0

    run(main, threads=True)


def test_events_that_nobody_asked_for_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        log(Trimmed("a", 2, 7))
    assert "Trimmed(" in caplog.text


def test_a_durable_source_is_not_read_past_its_deliveries(tmp_path: Path) -> None:
    source = SQLite(tmp_path / "jobs.db", "inbox").reader(group="a").source
    for read in (aiter, anext):
        with pytest.raises(TypeError, match="hands out deliveries, and what reads it here"):
            read(Unopened(source))  # type: ignore[arg-type, call-overload]


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: SQLite(7, "inbox"), TypeError, "path must be the path of a file, not 7"),  # type: ignore[arg-type]
        (lambda: SQLite("a", 7), TypeError, "name must be the name of a queue, not 7"),  # type: ignore[arg-type]
        (lambda: SQLite("a", ""), ValueError, "name must be the name of a queue"),
        (lambda: SQLite("a", "b").reader(group="c", max_deliveries=3), ValueError, "needs dead_letters"),
    ],
)
def test_wrong_arguments_are_answered(make: Callable[[], object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make()


def test_asyncio_run_ends_what_a_reader_waits_for(tmp_path: Path) -> None:
    inbox = SQLite(tmp_path / "jobs.db", "inbox")

    async def main() -> None:
        waiting = asyncio.ensure_future(inbox.reader(group="a") | ops.drain())
        await asyncio.sleep(0.01)  # for its thread, on the real loop: what `asyncio.run` does then is tested
        assert not waiting.done()

    asyncio.run(main())
