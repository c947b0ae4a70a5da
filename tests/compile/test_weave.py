"""A pipeline of steps gives what plain Python gives; fused, it does what it does unfused."""

import ast
import itertools
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Keep, Stream, ops, step as declared
from streamkit._engine.compile.key import End, Kind
from streamkit._engine.compile.loop import Loop, compiled
from streamkit.testing import run
from tests.tiers import stride

Plain = Callable[[Iterator[Any]], Iterable[Any]]


@dataclass(frozen=True)
class Step:
    """An operator, and the plain Python that does the same."""

    text: str
    make: Callable[["Calls"], Any]
    plain: Callable[["Calls"], Plain]

    def __repr__(self) -> str:
        return self.text


class Calls:
    """The callbacks of one pipeline: they note what they are called with, and one of the calls fails."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.made: list[Any] = []
        self.fails_at = fails_at

    def of(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.made.append((name, *arguments))
            if len(self.made) == self.fails_at:
                raise ArithmeticError(f"{name}{arguments}")
            return function(*arguments)

        return call


def size(value: Any) -> int:
    return sum(map(size, value)) if isinstance(value, (list, tuple)) else abs(value)


def pairs(items: Iterator[Any]) -> Iterator[Any]:
    return itertools.pairwise(items)


def batches(count: int) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        while batch := list(itertools.islice(items, count)):
            yield batch

    return plain


def inclusive(predicate: Callable[[Any], Any]) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            yield item
            if not predicate(item):
                return

    return plain


def changes(key: Callable[[Any], Any]) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        last: Any = object()
        for item in items:
            value = key(item)
            if value != last:
                last = value
                yield item

    return plain


def tapped(function: Callable[[Any], Any]) -> Plain:
    def plain(items: Iterator[Any]) -> Iterator[Any]:
        for item in items:
            function(item)
            yield item

    return plain


def even(item: Any) -> bool:
    return size(item) % 2 == 0


def small(item: Any) -> bool:
    return size(item) < 40


def doubled(item: Any) -> Any:
    return [item, item]


def added(total: Any, item: Any) -> int:
    return size(total) + size(item)


def counted(name: str, make: Any, plain: Callable[[int], Plain], least: int) -> st.SearchStrategy[Step]:
    return st.integers(least, 6).map(lambda n: Step(f"{name}({n})", lambda _: make(n), lambda _: plain(n)))


def called(name: str, make: Any, function: Any, plain: Callable[[Any], Plain]) -> st.SearchStrategy[Step]:
    return st.just(
        Step(
            name, lambda calls: make(calls.of(name, function)), lambda calls: plain(calls.of(name, function))
        )
    )


STEPS: st.SearchStrategy[Step] = st.one_of(
    called("map", ops.map, doubled, lambda f: lambda items: map(f, items)),
    called("map size", ops.map, size, lambda f: lambda items: map(f, items)),
    called("filter", ops.filter, even, lambda f: lambda items: filter(f, items)),
    called("take_while", ops.take_while, small, lambda f: lambda items: itertools.takewhile(f, items)),
    called("until", lambda f: ops.take_while(f, inclusive=True), small, inclusive),
    called("skip_while", ops.skip_while, small, lambda f: lambda items: itertools.dropwhile(f, items)),
    called("scan", ops.scan, added, lambda f: lambda items: itertools.accumulate(items, f)),
    called("distinct", ops.distinct_until_changed, size, changes),
    called("tap", ops.tap, size, tapped),
    counted("take", ops.take, lambda n: lambda items: itertools.islice(items, n), 0),
    counted("skip", ops.skip, lambda n: lambda items: itertools.islice(items, n, None), 0),
    counted("batch", ops.batch, batches, 1),
    counted("enumerate", ops.enumerate, lambda n: lambda items: enumerate(items, n), 0),
    st.just(Step("pairwise", lambda _: ops.pairwise(), lambda _: pairs)),
    st.just(
        Step(
            "map|flatten",
            lambda _: ops.map(doubled) | ops.flatten(),
            lambda _: lambda items: itertools.chain.from_iterable(map(doubled, items)),
        )
    ),
)
CHAINS = st.lists(STEPS, max_size=7)
ITEMS = st.lists(st.integers(-9, 30), max_size=30)


def outcome(work: Callable[[], list[Any]]) -> Any:
    try:
        return work()
    except ArithmeticError as error:
        return ("failed", str(error))


def by_hand(chain: list[Step], items: list[int], calls: Calls) -> Any:
    def work() -> list[Any]:
        result: Iterator[Any] = iter(items)
        for step in chain:
            result = iter(step.plain(calls)(result))
        return list(result)

    return outcome(work)


def stream_of(chain: list[Step], source: Any, calls: Calls) -> Any:
    stream: Any = Stream(source)
    for step in chain:
        stream = stream | step.make(calls)
    return stream


async def collected(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def awaited(job: Any) -> Any:
    return await job


def asynchronous(items: list[int]) -> Callable[[], Any]:
    async def source() -> Any:
        for item in items:
            yield item

    return source


@given(CHAINS, ITEMS)
def test_a_chain_is_what_plain_python_is(chain: list[Step], items: list[int]) -> None:
    expected = by_hand(chain, items, Calls())
    for source in (items, lambda: iter(items), asynchronous(items)):
        assert list(stream_of(chain, source, Calls())) == expected
        assert run(lambda s=source: collected(stream_of(chain, s, Calls()))) == expected
        assert run(lambda s=source: awaited(stream_of(chain, s, Calls()) | ops.to_list())) == expected


@given(CHAINS, ITEMS, st.integers(1, 60))
def test_fused_is_unfused(chain: list[Step], items: list[int], fails_at: int) -> None:
    """Items, calls and errors are the same if every step is compiled alone, over the stream before it."""

    def alone(calls: Calls) -> Any:
        stream: Any = Stream(items)
        for step in chain:
            stream = Stream(lambda before=stream: iter(before)) | step.make(calls)
        return stream

    fused, unfused = Calls(fails_at), Calls(fails_at)
    assert outcome(lambda: list(stream_of(chain, items, fused))) == outcome(lambda: list(alone(unfused)))
    assert fused.made == unfused.made
    in_a_job = Calls(fails_at)
    outcome(lambda: (stream_of(chain, items, in_a_job) | ops.to_list()).run())
    assert in_a_job.made == unfused.made


@given(CHAINS, ITEMS)
def test_awaiting_changes_nothing(chain: list[Step], items: list[int]) -> None:
    class Awaited(Calls):
        def of(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
            call = super().of(name, function)

            async def later(*arguments: Any) -> Any:
                return call(*arguments)

            return later if len(name) % 2 else lambda *arguments: later(*arguments)

    expected = by_hand(chain, items, Calls())
    assert run(lambda: collected(stream_of(chain, items, Awaited()))) == expected
    assert list(stream_of(chain, items, Awaited())) == expected


def inc(number: int) -> int:
    return number + 1


@pytest.mark.parametrize("source", [range(20), lambda: iter(range(20)), asynchronous(list(range(20)))])
class TestLongChains:
    def test_five_hundred_operators(self, source: Any) -> None:
        stream: Any = Stream(source)
        for _ in range(500):
            stream = stream | ops.map(inc)
        assert list(stream) == list(range(500, 520))
        assert (stream | ops.count()).run() == 20

    def test_five_hundred_mixed(self, source: Any) -> None:
        stream: Any = Stream(source)
        turns = 100 // stride(10)
        for _ in range(turns):
            stream = stream | ops.map(inc) | ops.batch(2) | ops.filter(bool) | ops.flatten() | ops.take(20)
        assert list(stream) == list(range(turns, turns + 20))

    def test_deeply_nested_loops(self, source: Any) -> None:
        stream: Any = Stream(source)
        for _ in range(40):
            stream = stream | ops.batch(1) | ops.flatten()
        assert list(stream) == list(range(20))

    def test_steps_that_emit_in_two_places(self, source: Any) -> None:
        stream: Any = Stream(source)
        for _ in range(10):
            stream = stream | ops.take(20) | ops.batch(1)
        assert len(list(stream)) == 20


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="there, threads may make syntax trees at once")
def test_one_thread_at_a_time_makes_a_syntax_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    """`syntax` says why. The fault itself shows in one tree of ten; this looks for all that could have it."""
    inside, most, made = list[int](), list[int](), ast.parse

    def watched(*arguments: Any, **named: Any) -> Any:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.0001)
        try:
            return made(*arguments, **named)
        finally:
            inside.pop()

    def runs(number: int) -> list[int]:
        def again() -> Keep:
            return Keep(again)

        each = f"found = item + {number}\nif found > {number}:\n    emit([found][0])"
        return [*(Stream([1]) | declared(setup="held = []", each=each)(again)() | ops.map(lambda item: item))]

    monkeypatch.setattr(ast, "parse", watched)
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(runs, range(10_000, 10_008))] == [[number + 1] for number in range(10_000, 10_008)]
    assert set(most) == {1}


def test_a_shape_is_compiled_once_also_by_threads() -> None:
    links = (Stream([1]) | ops.map(inc) | ops.filter(inc) | ops.scan(lambda a, b: a)).links
    keys = tuple(link.key for link in links)
    with ThreadPoolExecutor(4) as pool:
        loops = list(pool.map(lambda _: compiled(Kind.ITER, keys, End.PLAIN), range(40)))
    assert all(isinstance(loop, Loop) for loop in loops)
    assert compiled(Kind.ITER, keys, End.PLAIN) is compiled(Kind.ITER, keys, End.PLAIN)
