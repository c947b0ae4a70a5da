"""Sources: what is closed at the end of a run. That is what was made for it, whatever that is."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from streamkit import Job, Stream, attached, ops
from streamkit.testing import run
from tests import own
from tests.laws.items import Item
from tests.laws.lab import Boom, Lab, Sample
from tests.samples import SAMPLES

FILE = Path(__file__)


class Rows:
    """An iterator that is no generator, and must be closed, as a file or the rows of a query."""

    def __init__(self, cabinet: "Cabinet", shape: Callable[[Item], Any]) -> None:
        self.items = iter([shape(Item(number)) for number in range(9)])
        self.cabinet = cabinet
        self.closed = 0
        cabinet.opened.append(self)

    def __iter__(self) -> "Rows":
        return self

    def __next__(self) -> Any:
        if self.cabinet.failing:
            raise Boom
        return next(self.items)

    def close(self) -> None:
        self.closed += 1


class Cursor(Rows):
    """One for ``async for``, which has no ``aclose``, and whose ``close`` is awaited."""

    __iter__: Any = None

    def __aiter__(self) -> "Cursor":
        return self

    async def __anext__(self) -> Any:
        try:
            return self.__next__()
        except StopIteration:
            raise StopAsyncIteration from None

    async def close(self) -> None:  # type: ignore[override]
        self.closed += 1


class Feed(Cursor):
    """One whose ``close`` is not awaited."""

    def close(self) -> None:  # type: ignore[override]
        self.closed += 1


class Table:
    """No iterator, and not closed; what it makes is."""

    def __init__(self, cabinet: "Cabinet", shape: Callable[[Item], Any]) -> None:
        self.cabinet = cabinet
        self.shape = shape

    def __iter__(self) -> Rows:
        return Rows(self.cabinet, self.shape)

    def close(self) -> None:
        raise AssertionError("whoever has the table closes it")


class Cabinet(Lab):
    """A lab whose sources make `Rows`."""

    def __init__(self, kind: Any = Rows, *, failing: bool = False) -> None:
        super().__init__()
        self.rows = kind
        self.failing: Any = failing
        self.opened: list[Rows] = []

    def source(self, shape: Callable[[Item], Any] = lambda item: item) -> Any:
        return lambda: self.rows(self, shape)

    def check(self) -> None:
        assert [each.closed for each in self.opened] == [1] * len(self.opened)


async def to_the_end(built: Any) -> None:
    await (built if isinstance(built, Job) else built | ops.drain())


async def one(built: Any) -> None:
    if isinstance(built, Job):
        await built
        return
    async with built.open() as items:
        await anext(items, None)


def blocking(built: Any) -> None:
    for _ in [built.run()] if isinstance(built, Job) else built:
        break


@pytest.mark.spread(full=2)
@pytest.mark.parametrize("read", [to_the_end, one, blocking], ids=lambda read: read.__name__)
@pytest.mark.parametrize("kind", [Rows, Cursor, Feed, Table], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_what_a_callable_makes_is_closed_once(sample: Sample, kind: Any, read: Any) -> None:
    for failing in (False, True):
        lab = Cabinet(kind, failing=failing)
        built = sample.built(lab)
        with suppress(Boom, LookupError):
            read(built) if read is blocking else run(lambda read=read, built=built: read(built))
        assert lab.opened or sample.name == "take-none"
        lab.check()


MAKERS: dict[str, Callable[[Callable[[], Any]], Any]] = {
    "a source": lambda make: Stream(make),
    "of flat_map": lambda make: Stream([1, 2]) | ops.flat_map(lambda _: make(), concurrency=2),
    "of catch": lambda make: Stream(map(int, "x")) | ops.catch(lambda _: make()),
    "of extrapolate": lambda make: Stream([1, 2]) | ops.throttle(1.0) | ops.extrapolate(lambda _: make()),
    "of a stage of a user": lambda make: Stream([1, 2]) | own.switch_map(lambda _: make()),
}


@pytest.mark.parametrize("count", [3, 99])
@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS)
def test_what_a_function_of_an_operator_returns_is_closed_once(maker: Any, count: int) -> None:
    lab = Cabinet()
    run(lambda: to_the_end(maker(lambda: Rows(lab, lambda item: item)) | ops.take(count)))
    assert lab.opened
    lab.check()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("make", [FILE.open, partial(os.scandir, FILE.parent)], ids=["file", "folder"])
def test_no_file_stays_open(make: Any) -> None:
    for maker in MAKERS.values():
        list(maker(make) | ops.take(1))
        run(lambda maker=maker: to_the_end(maker(make) | ops.take(1)))


class TestHandedIn:
    def test_stays_open(self) -> None:
        lab = Cabinet()
        for join in (ops.concat, ops.merge):
            rows = Rows(lab, lambda item: item)
            assert len(list(Stream([]) | join(rows) | ops.take(2))) == 2
            assert (rows.closed, [*rows][-1].number) == (0, 8)

    def test_stays_open_also_alone(self) -> None:
        for make in (Stream, lambda rows: Stream(rows) | ops.timeout(9.0)):
            rows = Rows(Cabinet(), lambda item: item)
            assert len(list(make(rows) | ops.take(2))) == 2
            assert (rows.closed, [*rows][-1].number) == (0, 8)

    def test_stays_open_where_it_is_a_stream_that_a_function_returns(self) -> None:
        rows = Rows(Cabinet(), lambda item: item)
        stream = Stream(rows)
        assert len(list(Stream([1]) | ops.flat_map(lambda _: stream, concurrency=1) | ops.take(2))) == 2
        assert rows.closed == 0

    def test_is_closed_if_it_is_a_generator(self) -> None:
        closed: list[bool] = []

        def items() -> Iterator[int]:
            try:
                yield from range(9)
            finally:
                closed.append(True)

        async def waits() -> AsyncIterator[int]:
            for item in items():
                yield item

        list(Stream(items()) | ops.take(1))
        assert closed == [True]


def test_an_error_of_closing_is_one_of_the_clean_up() -> None:
    class Broken(Rows):
        def close(self) -> None:
            raise OSError("close")

    lab = Cabinet(Broken)
    with pytest.raises(OSError, match="close"):
        list(Stream(lab.source()) | ops.take(1))
    lab.failing = True
    with pytest.raises(Boom) as caught:
        list(Stream(lab.source()) | ops.take(1))
    assert [str(error) for error in attached(caught.value)] == ["close"]


def test_a_close_that_cannot_be_called_is_none() -> None:
    class Prices:
        close = 9.5

        def __iter__(self) -> "Prices":
            return self

        def __next__(self) -> float:
            raise StopIteration

    assert list(Stream(Prices)) == []
