"""The types of `streamkit.durable`, and of `through`."""

from typing import Any, assert_type

from streamkit import Job, Sink, Stream, ops
from streamkit.durable import Json, SQLite, cut

NUMBERS: Stream[int] = Stream([1, 2, 3])
INBOX = SQLite("jobs.db", "inbox", codec=Json())


def test_what_is_written_is_counted_and_what_is_read_is_anything() -> None:
    assert_type(INBOX.writer(), Sink[Any, int])
    writing = NUMBERS | INBOX.writer()
    assert_type(writing, Job[int])
    writing.explain()  # it is used, so nothing warns that it never runs
    assert_type(INBOX.reader(group="g"), Stream[Any])
    assert_type(NUMBERS | ops.through(INBOX, group="g"), Stream[Any])
    parts = cut(NUMBERS | ops.through(INBOX, group="g") | ops.drain())
    assert_type(parts, tuple[Job[Any], ...])
