"""partition and route: each item goes to one branch, the one that a predicate or a key says."""

import asyncio
import pickle
from collections import defaultdict
from typing import Any

import pytest
import reactivex
from hypothesis import given, strategies as st
from reactivex import operators as rx_ops

from streamkit import BufferOverflowError, DropOldest, Fail, NoRouteError, Stream, Suspend, attached, ops
from streamkit.testing import run

NUMBERS = st.lists(st.integers(-20, 20), max_size=12)


def is_odd(number: int) -> bool:
    return number % 2 == 1


async def is_odd_later(number: int) -> bool:
    await asyncio.sleep(0)
    return number % 2 == 1


def slow(seconds: float) -> Any:
    async def wait(item: Any) -> Any:
        await asyncio.sleep(seconds)
        return item

    return wait


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def awaited(job: Any) -> Any:
    return await job


def staged(pipe: Any) -> Any:
    """`pipe`, with a task of its own."""
    return ops.buffer(Suspend(1)) | pipe


FORMS = pytest.mark.parametrize("form", [lambda pipe: pipe, staged], ids=["steps", "tasks"])


def by_rxpy(numbers: list[int]) -> tuple[list[int], list[int]]:
    found: tuple[list[int], list[int]] = ([], [])
    subject: reactivex.Subject[int] = (
        reactivex.Subject()
    )  # for the first to subscribe would get all of a cold one
    for part, into in zip(subject.pipe(rx_ops.partition(is_odd)), found, strict=True):
        part.subscribe(into.append)
    for number in numbers:
        subject.on_next(number)
    return found


@FORMS
class TestPartition:
    @given(NUMBERS)
    def test_gives_each_branch_what_rxpys_does(self, form: Any, numbers: list[int]) -> None:
        job = Stream(numbers) | ops.partition(is_odd, form(ops.to_list()), form(ops.to_list()))
        assert job.run() == by_rxpy(numbers)

    @given(NUMBERS)
    def test_merges_what_operators_make(self, form: Any, numbers: list[int]) -> None:
        parts = ops.partition(is_odd, form(ops.map(str)), form(ops.map(lambda even: -even)))
        found = list(Stream(numbers) | parts)
        assert [each for each in found if isinstance(each, str)] == [str(n) for n in numbers if n % 2]
        assert [each for each in found if isinstance(each, int)] == [-n for n in numbers if not n % 2]

    def test_the_predicate_is_called_once_per_item_and_may_return_anything(self, form: Any) -> None:
        calls: list[int] = []

        def letters(number: int) -> str:
            calls.append(number)
            return "x" * (number % 3)

        job = Stream(range(6)) | ops.partition(letters, form(ops.to_list()), form(ops.to_list()))
        assert job.run() == ([1, 2, 4, 5], [0, 3])
        assert calls == [*range(6)]

    def test_the_predicate_may_be_asynchronous(self, form: Any) -> None:
        for predicate in (is_odd_later, lambda number: is_odd_later(number)):
            job = Stream(range(5)) | ops.partition(predicate, form(ops.to_list()), form(ops.count()))
            assert run(lambda job=job: awaited(job)) == ([1, 3], 3)

    def test_one_inside_the_other(self, form: Any) -> None:
        inner = ops.partition(lambda number: number > 2, form(ops.to_list()), form(ops.count()))
        job = Stream(range(6)) | ops.partition(is_odd, inner, form(ops.to_list()))
        assert job.run() == (([3, 5], 1), [0, 2, 4])

    def test_branches_keep_state_and_emit_at_the_end(self, form: Any) -> None:
        parts = ops.partition(is_odd, form(ops.batch(2)), form(ops.scan(lambda total, n: total + n, 0)))
        assert (
            list(Stream(range(6)) | parts | ops.map(repr)) == ["0", "2", "[1, 3]", "6", "[5]"]
            or form is staged
        )

    def test_an_error_of_a_branch_ends_both_and_names_its_operator(self, form: Any) -> None:
        def fail(item: int) -> int:
            raise ValueError(item)

        job = (
            Stream(range(9)) | ops.partition(is_odd, form(ops.map(fail)), form(ops.map(abs))) | ops.to_list()
        )
        with pytest.raises(ValueError, match="1") as raised:
            job.run()
        (note,) = raised.value.__notes__
        assert note.startswith("in map(")

    def test_an_error_of_the_predicate_names_the_operator(self, form: Any) -> None:
        def fail(item: int) -> bool:
            raise ValueError(item)

        with pytest.raises(ValueError, match="0") as raised:
            (Stream(range(9)) | ops.partition(fail, form(ops.count()), form(ops.count()))).run()
        (note,) = raised.value.__notes__
        assert note.startswith("in partition(")
        assert "test_route.py:" in note

    def test_an_error_of_the_source_comes_after_what_the_branches_hold_back(self, form: Any) -> None:
        async def failing() -> Any:
            for number in range(5):
                yield number
            raise OSError("source")

        out: list[Any] = []

        async def main() -> None:
            parts = ops.partition(is_odd, form(ops.batch(9)), form(ops.batch(9)))
            with pytest.raises(OSError, match="source") as raised:
                async for item in Stream(failing) | parts:
                    out.append(item)
            assert attached(raised.value) == ()

        run(main)
        assert sorted(out) == [[0, 2, 4], [1, 3]]

    def test_is_a_value(self, form: Any) -> None:
        pipe = ops.partition(is_odd, form(ops.map(str)), form(ops.map(abs)))
        assert (
            pipe
            == pickle.loads(pickle.dumps(pipe))
            == ops.partition(is_odd, form(ops.map(str)), form(ops.map(abs)))
        )
        assert repr(pipe).startswith("partition(is_odd, ")


WORDS = st.lists(st.text("abc", min_size=1, max_size=3), max_size=12)


def letter(word: str) -> str:
    return word[0]


@FORMS
class TestRoute:
    @given(WORDS)
    def test_gives_each_branch_the_items_of_its_key(self, form: Any, words: list[str]) -> None:
        expected: dict[str, list[str]] = defaultdict(list)
        for word in words:
            expected[word[0]].append(word)
        for size in (1, 2, 3):
            keys = "abc"[:size]
            routes = {key: form(ops.to_list()) for key in keys}
            found = (Stream(words) | ops.route(letter, routes, otherwise=form(ops.to_list()))).run()
            rest = [word for word in words if word[0] not in keys]
            assert found == {**{key: expected[key] for key in keys}, ...: rest}

    @given(WORDS)
    def test_merges_what_operators_make(self, form: Any, words: list[str]) -> None:
        routes = {key: form(ops.map(lambda word, key=key: (key, word))) for key in "ab"}
        found = list(
            Stream(words) | ops.route(letter, routes, otherwise=form(ops.map(lambda word: ("c", word))))
        )
        for key in "abc":
            assert [word for name, word in found if name == key] == [word for word in words if word[0] == key]

    @pytest.mark.parametrize("many", [1, 2, 3, 5, 8, 13])
    def test_finds_the_branch_among_many(self, form: Any, many: int) -> None:
        routes = {number: form(ops.to_list()) for number in range(many)}
        found = (Stream(range(3 * many)) | ops.route(lambda item: item % many, routes)).run()
        assert found == {number: [number, number + many, number + 2 * many] for number in range(many)}

    def test_a_key_that_has_no_branch_is_an_error(self, form: Any) -> None:
        routes = {"a": form(ops.to_list())}
        with pytest.raises(NoRouteError, match="no pipe for the key 'b'") as raised:
            (Stream(["a", "b"]) | ops.route(letter, routes)).run()
        assert any(note.startswith("in route(letter, ") for note in raised.value.__notes__)

    def test_a_key_that_is_not_hashable_is_an_error(self, form: Any) -> None:
        def key(item: Any) -> Any:
            return [item]

        with pytest.raises(TypeError, match="unhashable") as raised:
            (Stream("ab") | ops.route(key, {"a": form(ops.count())}, otherwise=form(ops.count()))).run()
        assert any(note.startswith("in route(") for note in raised.value.__notes__)

    def test_the_key_may_be_asynchronous(self, form: Any) -> None:
        async def later(word: str) -> str:
            await asyncio.sleep(0)
            return word[0]

        for key in (later, lambda word: later(word)):
            job = Stream(["ab", "ba", "aa"]) | ops.route(
                key, {"a": form(ops.count()), "b": form(ops.count())}
            )
            assert run(lambda job=job: awaited(job)) == {"a": 2, "b": 1}

    def test_the_routes_are_those_of_the_call(self, form: Any) -> None:
        routes = {"a": form(ops.count())}
        pipe = ops.route(letter, routes)
        routes["b"] = form(ops.count())
        with pytest.raises(NoRouteError):
            (Stream("ab") | pipe).run()

    def test_is_a_value(self, form: Any) -> None:
        pipe = ops.route(letter, {"a": form(ops.map(str))}, otherwise=form(ops.map(str)))
        again = pickle.loads(pickle.dumps(pipe))
        assert pipe == again == ops.route(letter, {"a": form(ops.map(str))}, otherwise=form(ops.map(str)))
        assert list(Stream(["a", "b"]) | again) == ["a", "b"]
        assert pipe != ops.route(letter, {"b": form(ops.map(str))}, otherwise=form(ops.map(str)))
        assert "names=('a', Ellipsis)" in repr(pipe)


class TestBranchesWithTasks:
    def test_a_slow_branch_holds_only_what_is_for_it(self) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            times: list[float] = []
            quick = ops.for_each(lambda _: times.append(loop.time()))
            job = Stream([1, 2, 4, 6, 8]) | ops.partition(is_odd, ops.for_each(slow(9.0)), quick)
            await job
            assert times == [0.0] * 4
            assert loop.time() == 9.0

        run(main)

    def test_the_source_waits_with_one_item_in_hand_for_a_slow_branch(self) -> None:
        pulled: list[int] = []

        async def main() -> None:
            handle = (
                Stream(range(1, 99, 2))
                | ops.tap(pulled.append)
                | ops.partition(is_odd, ops.for_each(slow(9.0)), ops.for_each(slow(1.0)))
            ).start()
            await asyncio.sleep(5.0)
            await handle.stop()

        run(main)
        assert pulled == [1, 3]

    def test_a_branch_that_ends_early_drops_what_is_for_it(self) -> None:
        async def main() -> None:
            parts = ops.partition(is_odd, ops.take(2) | ops.to_list(), ops.to_list())
            handle = (Stream(range(9)) | parts).start()
            assert await handle == ([1, 3], [0, 2, 4, 6, 8])
            first, second = [stats for stats in handle.buffers() if stats.offered]
            assert (first.place, first.delivered, first.dropped) == (0, 2, 2)
            assert (second.place, second.delivered, second.dropped) == (1, 5, 0)

        run(main)

    def test_the_source_is_closed_when_all_have_ended(self) -> None:
        closed: list[int] = []

        async def source() -> Any:
            try:
                for number in range(99):
                    yield number
            finally:
                closed.append(number)

        routes = {0: ops.take(1), 1: ops.take(2)}
        assert sorted(Stream(source) | ops.route(lambda item: item % 2, routes)) == [0, 1, 3]
        assert closed
        assert closed[0] < 9

    def test_a_branch_may_begin_with_a_buffer_that_loses_or_fails(self) -> None:
        async def main() -> None:
            lossy = ops.buffer(DropOldest(2)) | ops.map(slow(1.0)) | ops.to_list()
            odd, even = await (Stream(range(20)) | ops.partition(is_odd, lossy, ops.to_list()))
            assert odd[-2:] == [17, 19]
            assert len(odd) < 6
            assert even == [*range(0, 20, 2)]
            failing = ops.buffer(Fail(2)) | ops.map(slow(1.0)) | ops.to_list()
            with pytest.raises(BufferOverflowError):
                await (Stream(range(20)) | ops.partition(is_odd, failing, ops.to_list()))

        run(main)

    def test_what_comes_for_a_branch_that_has_ended_is_told_to_the_strategy_of_its_buffer(self) -> None:
        told: list[tuple[int, str]] = []
        first = ops.buffer(
            DropOldest(2, on_drop=lambda item, reason: told.append((item, reason)))
        ) | ops.take(1)

        async def main() -> None:
            stream = Stream(range(6)) | ops.map(slow(1.0)) | ops.partition(is_odd, first, ops.map(str))
            assert await collect(stream) == ["0", 1, "2", "4"]

        run(main)
        assert told == [(3, "closed"), (5, "closed")]

    def test_an_on_drop_that_fails_for_a_branch_that_has_ended_fails_the_stream(self) -> None:
        def fail(item: int, reason: str) -> None:
            raise OSError(f"{item} {reason}")

        first = ops.buffer(DropOldest(2, on_drop=fail)) | ops.take(1)

        async def main() -> None:
            stream = Stream(range(6)) | ops.map(slow(1.0)) | ops.partition(is_odd, first, ops.map(str))
            with pytest.raises(OSError, match="3 closed") as caught:
                await collect(stream)
            assert "in partition" in caught.value.__notes__[0]

        run(main)

    def test_what_is_in_hand_when_a_run_ends_early_is_dropped_and_counted(self) -> None:
        dropped: list[tuple[int, str]] = []

        async def main() -> None:
            handle = (
                Stream([1, 3, 5, 7])
                | ops.partition(is_odd, ops.buffer(Suspend(1)) | ops.for_each(slow(9.0)), ops.count())
            ).start()
            await asyncio.sleep(1.0)
            await handle.stop()
            (first,) = [stats for stats in handle.buffers() if stats.offered]
            assert (first.offered, first.delivered, first.dropped, first.held) == (3, 1, 2, 0)

        run(main)
        assert not dropped


def branch(*, sink: bool = False) -> Any:
    return ops.count() if sink else ops.map(abs)


BAD: list[tuple[Any, type[Exception], str]] = [
    *(
        (lambda v=v: ops.partition(v, branch(), branch()), TypeError, "predicate must be")
        for v in (None, 1, "x", [])
    ),
    *(
        (lambda v=v: ops.partition(is_odd, v, branch()), TypeError, "true must be")
        for v in (None, 1, abs, [1])
    ),
    *(
        (lambda v=v: ops.partition(is_odd, branch(), v), TypeError, "false must be")
        for v in (None, 1, abs, "x")
    ),
    (lambda: ops.partition(is_odd, branch(), branch(sink=True)), TypeError, "true and false must be all"),
    *((lambda v=v: ops.route(v, {1: branch()}), TypeError, "key must be") for v in (None, 1, "x", {})),
    *(
        (lambda v=v: ops.route(abs, v), TypeError, "routes must be")
        for v in (None, 1, [branch()], branch(), {1: 2})
    ),
    (lambda: ops.route(abs, {}), ValueError, "routes must be one or more"),
    (lambda: ops.route(abs, {...: branch()}), ValueError, "routes must not have the key"),
    *(
        (lambda v=v: ops.route(abs, {1: branch()}, otherwise=v), TypeError, "otherwise must be")
        for v in (None, 1, abs)
    ),
    (lambda: ops.route(abs, {1: branch(), 2: branch(sink=True)}), TypeError, "routes must be all"),
    (
        lambda: ops.route(abs, {1: branch()}, otherwise=branch(sink=True)),
        TypeError,
        "routes and otherwise must be",
    ),
]


@pytest.mark.parametrize(
    ("make", "kind", "text"), BAD, ids=[f"{text} {n}" for n, (_, _, text) in enumerate(BAD)]
)
def test_bad_arguments_are_refused_at_the_call(make: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        make()


def test_branches_of_steps_are_a_part_of_the_loop() -> None:
    parts = Stream(range(9)) | ops.partition(is_odd, ops.map(str), ops.filter(bool)) | ops.to_list()
    (loop,) = parts.explain(code=True).code
    assert "if not key_0(item):" in loop
    assert "functon_2" not in loop
    assert parts.explain().bound == 1
