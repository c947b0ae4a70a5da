"""expand: what comes out of a crawl, in which order, and how it ends."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import from_iterable, operators as rx

from streamkit import Resume, Stream, attached, ops
from streamkit.testing import VirtualLoop, run
from tests.marbles import ERROR, drawn, noted
from tests.nests import Counted, Inner, first_items, letters
from tests.operators.timelines import Timeline, ours, theirs

Tree = dict[str, list[str]]


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Which nodes each node leads to; the first is ""."""
    tree: Tree = {}
    waiting = deque([""])
    while waiting and len(tree) < 12:
        node = waiting.popleft()
        tree[node] = [f"{node}{number}" for number in range(draw(st.integers(0, 3)))]
        waiting += tree[node]
    return tree


def by_hand(tree: Tree, roots: list[str], *, newest: bool) -> Iterator[str]:
    """One crawl after the other, each with a frontier of its own."""
    for root in roots:
        frontier = deque([root])
        yield root
        while frontier:
            found = tree.get(frontier.pop() if newest else frontier.popleft(), [])
            yield from found
            frontier += found


def leads(tree: Tree) -> Callable[[str], list[str]]:
    return lambda node: tree.get(node, [])


class TestOrder:
    @given(trees(), st.integers(0, 2), st.booleans(), st.integers(1, 3))
    def test_of_one_place_is_that_of_a_loop_by_hand(
        self, tree: Tree, more: int, newest: bool, lookahead: int
    ) -> None:
        roots = ["", *["0"] * more]
        crawl = ops.expand(leads(tree), concurrency=1, depth_first=newest, lookahead=lookahead)
        assert list(Stream(roots) | crawl) == [*by_hand(tree, roots, newest=newest)]

    @given(trees())
    def test_of_one_place_is_that_of_rxpy_for_one_item(self, tree: Tree) -> None:
        seen: list[str] = []
        from_iterable([""]).pipe(rx.expand(lambda node: from_iterable(tree.get(node, [])))).subscribe(
            seen.append
        )
        assert list(Stream([""]) | ops.expand(leads(tree), concurrency=1)) == seen

    def test_differs_from_rxpy_where_the_source_has_several_items(self) -> None:
        """Each of them begins a crawl of its own; RxPY reads all of them first."""
        tree = {"a": ["a1"], "b": ["b1"]}
        seen: list[str] = []
        from_iterable("ab").pipe(rx.expand(lambda node: from_iterable(tree.get(node, [])))).subscribe(
            seen.append
        )
        assert seen == ["a", "b", "a1", "b1"]
        assert list(Stream("ab") | ops.expand(leads(tree), concurrency=1)) == ["a", "a1", "b", "b1"]

    @given(trees(), st.integers(1, 4), st.booleans(), st.integers(1, 3))
    def test_of_several_places_may_be_any_and_nothing_is_lost(
        self, tree: Tree, concurrency: int, newest: bool, lookahead: int
    ) -> None:
        crawl = ops.expand(leads(tree), concurrency=concurrency, depth_first=newest, lookahead=lookahead)
        assert sorted(Stream(["", "0"]) | crawl) == sorted(by_hand(tree, ["", "0"], newest=False))


@st.composite
def growing(draw: st.DrawFn) -> tuple[Timeline, dict[Any, Timeline]]:
    """A timeline, and one for some of the items of each."""
    gaps = st.lists(st.integers(1, 400), min_size=1, max_size=4)

    def line(name: str) -> Timeline:
        *items, end = draw(gaps)
        return Timeline(tuple([(gap, f"{name}{number}") for number, gap in enumerate(items)]), end)

    first = line("")
    lines: dict[Any, Timeline] = {}
    waiting = deque(item for _, item in first.items)
    while waiting and len(lines) < 8:
        item = waiting.popleft()
        lines[item] = line(item)
        waiting += [found for _, found in lines[item].items]
    return first, lines


class TestTime:
    @given(growing())
    def test_with_places_enough_is_that_of_rxpy(
        self, drawn_lines: tuple[Timeline, dict[Any, Timeline]]
    ) -> None:
        first, lines = drawn_lines
        nothing = Timeline((), 1)

        def inner(item: Any) -> Any:
            return lines.get(item, nothing).stream

        found = ours(Stream(first.stream) | ops.expand(inner, concurrency=100))
        expected = theirs(
            lambda scheduler: first.observable(scheduler).pipe(
                rx.expand(lambda item: lines.get(item, nothing).observable(scheduler))
            )
        )
        assert found[-1] == expected[-1]
        assert sorted(found[:-1]) == sorted(expected[:-1])

    def test_no_more_streams_are_open_than_asked_for(self) -> None:
        inner = Inner(1, 2)
        most = 0

        def function(item: str) -> Any:
            return inner(item) if len(item) < 4 else []

        def watch(_: str) -> None:
            nonlocal most
            most = max(most, len(inner.opened) - len(inner.closed))

        found = noted(Stream("a") | ops.expand(function, concurrency=3) | ops.tap(watch))
        assert len(found) == 1 + 2 + 4 + 8 + 1
        assert most == 3

    def test_a_slow_function_takes_a_place(self) -> None:
        async def slow(item: str) -> list[str]:
            await asyncio.sleep(2.0)
            return [item + "1", item + "2"] if len(item) < 2 else []

        found = noted(Stream("a") | ops.expand(slow, concurrency=1))
        assert found == [(0.0, "a"), (2.0, "a1"), (2.0, "a2"), (6.0, "|")]
        found = noted(Stream("a") | ops.expand(slow, concurrency=2))
        assert found == [(0.0, "a"), (2.0, "a1"), (2.0, "a2"), (4.0, "|")]

    def test_the_source_is_pulled_where_the_crawl_leaves_a_place(self) -> None:
        async def main() -> None:
            source = Counted()
            inner = Inner(1, 2)
            crawl = ops.expand(lambda item: inner(item) if isinstance(item, int) else [], concurrency=2)
            async with (Stream(source) | crawl).open() as items:
                assert [await anext(items), await anext(items)] == [0, 1]
                await asyncio.sleep(0.5)
                assert source.pulled == 2
                assert sorted([await anext(items), await anext(items)]) == ["01", "11"]
                assert source.pulled == 2

        run(main)

    def test_a_consumer_that_stalls_stalls_the_crawl(self) -> None:
        async def main() -> None:
            called: list[int] = []

            def function(item: int) -> Any:
                called.append(item)
                return [2 * item, 2 * item + 1]

            async with (Stream([1]) | ops.expand(function, concurrency=3)).open() as items:
                for taken in range(1, 9):
                    await anext(items)
                    await asyncio.sleep(99.0)
                    assert len(called) <= taken + 3

        run(main)


class TestEnds:
    def test_an_empty_source_and_items_of_which_nothing_comes(self) -> None:
        assert list(Stream([]) | ops.expand(lambda _: [1], concurrency=2)) == []
        assert list(Stream([1, 2]) | ops.expand(lambda _: [], concurrency=2)) == [1, 2]

    @pytest.mark.parametrize("awaits", [False, True])
    def test_of_the_function_come_after_what_is_held(self, awaits: bool) -> None:
        def fails(item: str) -> Any:
            if item == "3":
                raise ERROR
            return drawn("-12-3|") if item == "a" else []

        async def later(item: str) -> Any:
            return fails(item)

        found = noted(Stream("a") | ops.expand(later if awaits else fails, concurrency=3))
        assert found == [(0.0, "a"), (1.0, "1"), (2.0, "2"), (4.0, "3"), (4.0, ERROR)]

    @pytest.mark.parametrize("fails", ["function", "stream"])
    def test_errors_have_one_note_that_names_the_operator_and_its_place(self, fails: str) -> None:
        async def failing() -> AsyncIterator[Any]:
            raise ValueError
            yield 1

        def function(_: Any) -> Any:
            if fails == "function":
                raise ValueError
            return failing

        with pytest.raises(ValueError) as caught:  # noqa: PT011 - its notes are looked at
            list(Stream("a") | ops.expand(function, concurrency=2))
        (told,) = caught.value.__notes__
        assert told.startswith("in expand(")
        assert "test_crawl.py:" in told

    def test_errors_of_siblings_clean_up_hang_on_the_first(self) -> None:
        late = OSError("clean-up")

        async def dirty() -> AsyncIterator[str]:
            try:
                yield "x"
                await asyncio.sleep(99.0)
            finally:
                raise late

        streams = letters(a=dirty, b=drawn("--X"), x=[])
        found = noted(Stream("ab") | ops.expand(streams, concurrency=3))
        assert found[-1] == (2.0, ERROR)
        assert attached(ERROR)[-1] is late

    def test_of_the_function_may_be_left_out_and_nothing_comes_of_that_item(self) -> None:
        left_out: list[tuple[str, str]] = []

        def fails(item: str) -> list[str]:
            if item == "b":
                raise ValueError("none")
            return ["b", "c"] if item == "a" else []

        letters = Resume(lambda item, error: left_out.append((item, str(error))))
        assert list(Stream("a") | ops.expand(fails, concurrency=1, on_error=letters)) == ["a", "b", "c"]
        assert left_out == [("b", "none")]

    @pytest.mark.parametrize("made", [5, None])
    def test_what_is_no_stream_is_named(self, made: Any) -> None:
        with pytest.raises(TypeError, match=f"not {made}"):
            list(Stream("a") | ops.expand(lambda _: made, concurrency=1))

    @pytest.mark.parametrize("step", range(1, 50))
    def test_at_every_step_closes_each_stream_once_in_its_task(self, step: int) -> None:
        inner = Inner(1, 2, closing=0.5)

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            crawl = ops.expand(lambda item: inner(item) if len(item) < 3 else [], concurrency=2)
            work = loop.create_task(first_items(Stream(drawn("a-b|")) | crawl, 8))
            loop.call_at_step(step, work.cancel)
            await asyncio.wait([work])
            assert len(inner.closed) == len(inner.opened)
            assert all(len(tasks) == 1 for tasks in inner.tasks)

        run(main)
