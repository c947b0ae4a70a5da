"""The types of the family `hot`."""

from typing import assert_type

from streamkit import Collect, DropOldest, Gap, Stream, Suspend, ops

NUMBERS: Stream[int] = Stream([1, 2, 3])


def test_share() -> None:
    assert_type(NUMBERS | ops.share(), Stream[int])
    assert_type(NUMBERS | ops.share(3, linger=1.0, readers=2), Stream[int])
    assert_type(NUMBERS | ops.share(strategy=Suspend(8)), Stream[int])
    assert_type(NUMBERS | ops.share(strategy=DropOldest(8)), Stream[int])
    assert_type(NUMBERS | ops.share(strategy=DropOldest(8, gaps=True)), Stream[int | Gap])
    assert_type(NUMBERS | ops.share(strategy=Collect(8)), Stream[list[int]])
