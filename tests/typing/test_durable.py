"""The types of `streamkit.durable`, and of `through`."""

from typing import Any, assert_type

from streamkit import Job, Sink, Stream, ops
from streamkit.durable import Json, SQLite, cut

NUMBERS: Stream[int] = Stream([1, 2, 3])
INBOX = SQLite("jobs.db", "inbox", codec=Json())


def test_what_is_written_is_counted_and_what_is_read_is_anything() -> None:
    assert_type(INBOX.writer(), Sink[Any, int])
    assert_type(NUMBERS | INBOX.writer(), Job[int])
    assert_type(INBOX.reader(group="g"), Stream[Any])
    assert_type(NUMBERS | ops.through(INBOX, group="g"), Stream[Any])
    assert_type(cut(NUMBERS | ops.through(INBOX, group="g") | ops.to_list()), tuple[Job[Any], ...])
