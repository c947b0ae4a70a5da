"""What newcomers get wrong: each mistake is answered with what to write."""

import asyncio
import copy
import gc
import pickle
import queue
import re
import sys
import warnings
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import aiostream
import pytest
import reactivex
from aiostream import pipe
from reactivex import operators

import streamkit
from streamkit import Contract, Job, Operator, Run, Stream, Suspend, Valve, ops, push, stage, step
from streamkit._core.lazy import listed
from streamkit.testing import run
from tests.files import over

STREAM: Any = Stream([1, 2])
JOB: Any = STREAM | ops.to_list()
front: Any = streamkit
of: Any = ops


async def later() -> AsyncIterator[int]:
    yield 1


async def work(*_: Any) -> None: ...


def emitter() -> Any:
    return push(Suspend(1))[1]


def declared(contract: Any) -> None:
    @step(each="emit(item)", contract=contract)
    def mine(count: int) -> Any: ...


def staged(contract: Any) -> None:
    async def runs(run: Any, source: Any, *, times: int) -> Any: ...

    @stage(runs, contract=contract)
    def mine(count: int) -> Any: ...


WRITTEN: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    # no sink
    "run": (lambda: STREAM.run(), AttributeError, "write await (stream | ops.to_list())"),
    "thread": (lambda: STREAM.start_in_thread(), AttributeError, "write await (stream | ops.to_list())"),
    "start": (lambda: STREAM.start(), AttributeError, "write await (stream | ops.to_list())"),
    # as elsewhere
    "method of another name": (lambda: STREAM.chunks(2), AttributeError, "write stream | ops.batch(size)"),
    "subscribe": (lambda: STREAM.subscribe(print), AttributeError, "write stream | ops.for_each(function)"),
    "method of an operator": (lambda: of.take(1).skip(1), AttributeError, "write operator | ops.skip(...)"),
    "no source": (lambda: of.to_list().run(), AttributeError, "write Stream(source) | operator"),
    "for": (lambda: [*of.take(1)], TypeError, "take(1) has no items: an operator runs in a stream, so write"),
    # no parentheses, no operator
    "sink": (lambda: STREAM | ops.to_list, TypeError, "write | to_list(...)"),
    "operator": (lambda: STREAM | ops.enumerate | ops.to_list(), TypeError, "write | enumerate(...)"),
    "behind an operator": (lambda: ops.take(1) | of.count, TypeError, "write | count(...)"),
    "in pipe": (lambda: STREAM.pipe(ops.take), TypeError, "write | take(...)"),
    "function": (lambda: STREAM | len, TypeError, "write | ops.map(len)"),
    "lambda": (lambda: STREAM | (lambda item: item), TypeError, "write | ops.map(function)"),
    "class": (lambda: STREAM | str, TypeError, "write | ops.map(str)"),
    "stream": (lambda: STREAM | STREAM, TypeError, "write stream | ops.merge(other)"),
    # behind a sink
    "of a job": (lambda: JOB | ops.map(str), TypeError, "write map(str) before it"),
    "of a sink": (lambda: of.count() | ops.map(str), TypeError, "write map(str) before it"),
    "method of a job": (lambda: JOB.map(str), AttributeError, "before the sink, as in stream | ops.map(...)"),
    # what is no operator
    "operator as a source": (lambda: of.count | ops.map(str), TypeError, "Stream(source) | count(...)"),
    "source": (lambda: STREAM | front.merge, TypeError, "write | ops.merge(...)"),
    "no function for items": (lambda: STREAM | front.push, TypeError, "push is no operator"),
    "strategy": (lambda: STREAM | Suspend(3), TypeError, "write | ops.buffer(Suspend(capacity=3))"),
    "valve": (lambda: STREAM | Valve(), TypeError, "write | ops.valve(...)"),
    "class of ours": (lambda: STREAM | Valve, TypeError, "write | ops.valve(...)"),
    "branches": (lambda: STREAM | of.broadcast([ops.count()]), TypeError, "give them one by one"),
    "branch": (lambda: STREAM | of.broadcast(ops.count), TypeError, "write count(...)"),
    "pipe": (lambda: of.group_by(str, ops.count, max_groups=3), TypeError, "write count(...)"),
    "call": (lambda: of.take(1)([1]), TypeError, "write Stream(source) | take(1)"),
    "call of a shape": (lambda: of.batch(1)([1]), TypeError, "write Stream(source) | batch(1)"),
    # as elsewhere, but with other signs
    "sum": (lambda: STREAM + STREAM, TypeError, "| ops.concat(other)"),
    "index": (lambda: STREAM[1], TypeError, "write stream | ops.skip(number) | ops.first()"),
    "slice": (lambda: STREAM[1:3], TypeError, "ops.take(count)"),
    "rx": (lambda: STREAM | operators.map(str), TypeError, "write | rx.operator(operator, strategy="),
    "rx, not called": (
        lambda: STREAM | operators.scan,
        TypeError,
        "write | rx.operator(scan(...), strategy=",
    ),
    "rx as a source": (lambda: operators.map(str) | of.count(), TypeError, "Stream(source) | rx.operator("),
    "aiostream": (lambda: STREAM | pipe.map(str), TypeError, "write | aiostream.operator(operator)"),
    "aiostream, not called": (lambda: STREAM | pipe.map, TypeError, "write | aiostream.operator(map(...))"),
    "aiostream's function": (
        lambda: ops.take(1) | aiostream.stream.map,
        TypeError,
        "write | aiostream.operator(map(...))",
    ),
    "in rx": (
        lambda: reactivex.of(1).pipe(of.map(str)),
        TypeError,
        "write observable.pipe(rx.pipeable(map(str), strategy=Suspend(16)))",
    ),
    "shape in rx": (lambda: reactivex.of(1).pipe(of.batch(2)), TypeError, "rx.pipeable(batch(2), "),
    "in aiostream": (
        lambda: aiostream.stream.just(1) | of.map(str),
        TypeError,
        "write aiostream.from_aiostream(stream) | map(str)",
    ),
    # several sources
    "two": (lambda: front.Stream([1], later), TypeError, "write streamkit.merge([1], later)"),
    "three": (lambda: front.Stream([1], [2], [3]), TypeError, "streamkit.concat([1], [2], [3])"),
    "tuples": (lambda: front.Stream((1,), (2,)), TypeError, "write streamkit.merge((1,), (2,))"),
    "merge": (lambda: front.merge([STREAM, STREAM]), TypeError, "write streamkit.merge(*sources)"),
    "zip": (lambda: front.zip((later(), later())), TypeError, "write streamkit.zip(*sources)"),
    "concat": (lambda: front.concat([STREAM]), TypeError, "write streamkit.concat(*sources)"),
    "in a pipe": (lambda: STREAM | ops.merge([STREAM]), TypeError, "write merge(*sources)"),
    "operator as source": (lambda: Stream(of.take(1)), TypeError, "write Stream(source) | operator"),
    "queue": (lambda: Stream(queue.Queue()), TypeError, "or use push(strategy) for the queue"),  # type: ignore[arg-type]
    "job as source": (lambda: Stream(JOB), TypeError, "await it first"),
    # push, start
    "push": (lambda: front.push(), TypeError, "write push(Suspend(16))"),
    "put": (lambda: emitter().put(1), AttributeError, "write emitter.offer(item), or await emitter.send"),
    "on_completed": (lambda: emitter().on_completed(), AttributeError, "write emitter.close()"),
    "on_error": (lambda: emitter().on_error(OSError()), AttributeError, "write emitter.fail(error)"),
    "no loop": (lambda: JOB.start(), RuntimeError, "call it in a coroutine, or write job.run()"),
    "of a handle": (lambda: JOB.stop(), AttributeError, "write handle = job.start()"),
    "items of a job": (lambda: JOB.open(), AttributeError, "open the stream before the sink"),
    # contracts
    "step": (lambda: declared(Contract(holds="size")), NameError, "names size, but its arguments are count"),
    "stage": (lambda: staged(Contract(loses="n")), NameError, "names n, but its arguments are count, times"),
    "no Python": (lambda: declared(Contract(holds="count +")), SyntaxError, "no Python expression"),
    "number": (lambda: declared(Contract(holds=3)), TypeError, "must be a formula in quotes, not 3"),  # type: ignore[arg-type]
    "no contract": (lambda: declared("3"), TypeError, 'such as Contract(holds="1")'),
}


@over(WRITTEN)
def test_what_is_written_is_answered_at_once(name: str) -> None:
    write, kind, words = WRITTEN[name]
    with pytest.raises(kind, match=re.escape(words)):
        write()


BEGUN: dict[str, Callable[[Any], Any]] = {
    "for": lambda operator: [*operator],
    "async for": lambda operator: aiter(operator),
    "run": lambda operator: (operator | ops.to_list()).run(),
    "open": lambda operator: (operator | ops.map(str)).open(),
}


OF_TWO_MEANINGS = {"count": ops.count(), "repeat": ops.repeat()}
"""Operators and sinks that are called as a source is which does something else."""


@pytest.mark.parametrize("operator", OF_TWO_MEANINGS.values(), ids=OF_TWO_MEANINGS)
def test_what_only_shares_a_name_with_a_source_is_no_way_to_begin(operator: Any) -> None:
    with pytest.raises(TypeError, match=r"has no items: an operator runs in a stream"):
        list(operator)


@over(sorted({*listed("streamkit")} & {*listed("streamkit.ops")} - {*OF_TWO_MEANINGS}))
def test_what_joins_streams_is_not_how_one_begins(name: str) -> None:
    words = re.escape(f"where no stream comes first, write streamkit.{name}(...)")
    for begin in BEGUN.values():
        with pytest.raises((AttributeError, TypeError), match=words):
            begin(getattr(ops, name)([1], [2]))


def test_contracts_may_name_what_they_may() -> None:
    declared(Contract(holds="max(count, 1) if count is not ABSENT else unbounded", loses="'nothing'"))
    declared(Contract(holds="sum(each for each in range(count))"))
    staged(Contract(holds="count * times"))


async def gathered() -> Any:
    return await asyncio.gather(JOB, JOB)


async def grouped() -> Any:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(JOB), group.create_task(JOB), group.create_task(work())]
    return [task.result() for task in tasks[:2]]


async def waited(what: Any) -> None:
    await asyncio.wait([what])


async def entered() -> None:
    async with STREAM:
        pass


AWAITED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "stream": (lambda: STREAM, TypeError, "write await (stream | ops.to_list())"),
    "stream with a limit": (lambda: asyncio.wait_for(STREAM, 1), TypeError, "ops.to_list()"),
    "enter": (entered, TypeError, "write async with stream.open() as items"),
    "wait for a handle": (lambda: waited(JOB.start()), AttributeError, "write asyncio.ensure_future(handle)"),
    "wait for a job": (lambda: waited(JOB), TypeError, "use tasks explicitly"),
    "async iterables": (
        lambda: Stream([later()]) | ops.flatten() | ops.drain(),
        TypeError,
        "write ops.flat_map(lambda stream: stream, concurrency=1)",
    ),
    "streams that wait": (
        lambda: Stream([Stream(later)]) | ops.flatten() | ops.drain(),
        RuntimeError,
        "write ops.flat_map(lambda stream: stream, concurrency=1)",
    ),
}


@pytest.mark.parametrize("name", AWAITED)
def test_what_is_awaited_is_answered(name: str) -> None:
    write, kind, words = AWAITED[name]

    async def main() -> None:
        with pytest.raises(kind) as caught:
            await write()
        assert words in "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])

    run(main)


class TestStagesOfUsers:
    @pytest.mark.parametrize(
        ("use", "words"),
        [
            (lambda run, source: run.feed(source, run.channel()), "channel must be one that run.channel()"),
            (lambda run, source: run.feed(run.channel(), 5), "source must be an iterable"),
            (lambda run, source: run.feed(run.channel(), source, 5), "strategy must be a strategy such as"),
            (lambda run, source: run.open(5), "source must be an iterable"),
            (lambda run, source: run.channel().lane(5), "strategy must be a strategy such as Suspend(16)"),
            (lambda run, source: run.channel().lane(Suspend), "such as Suspend(capacity), not the class"),
            (
                lambda run, source: run.pump(source, into=run.channel()),
                "into must be a lane, as channel.lane",
            ),
            (lambda run, source: run.pump(5, into=run.channel().lane()), "source must be an iterable"),
            (lambda run, source: run.spawn(work(), run.channel()), "work must make what is awaited"),
            (lambda run, source: run.spawn(work, run.channel().lane()), "channel must be the one that run."),
            (lambda run, source: run.spawn(work, run.channel(), run.channel()), "lane must be one that"),
            (lambda run, source: run.after("1", print, run.channel()), "seconds must be a finite number"),
            (lambda run, source: run.after(1.0, work, run.channel()), "function must be a plain function"),
        ],
    )
    def test_the_wrong_object_is_refused_by_name(self, use: Callable[[Run, Any], Any], words: str) -> None:
        async def runs(run: Run, source: Any) -> Any:
            use(run, source)
            yield

        @stage(runs)
        def mine() -> Operator[Any, Any]:
            return Operator(mine)

        async def main() -> None:
            with pytest.raises(TypeError, match=re.escape(words)):
                await (Stream([1]) | mine() | ops.drain())

        run(main)


class TestJobsOfAsyncio:
    """asyncio takes a job for a coroutine: each task that is handed one drives a run of its own."""

    def test_run(self) -> None:
        assert asyncio.run(JOB) == asyncio.run(JOB) == [1, 2]

    @pytest.mark.parametrize("together", [gathered, grouped])
    def test_several_tasks_of_one_job(self, together: Callable[[], Any]) -> None:
        assert len(run(together)) == 2
        assert run(together)[0] == [1, 2]

    def test_a_task_is_cancelled_as_any(self) -> None:
        closed = list[int]()

        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(60.0)
            finally:
                await asyncio.sleep(1.0)
                closed.append(1)

        async def main() -> None:
            job: Any = Stream(source) | ops.drain()
            for seconds, count in ((0.0, 0), (1.0, 1)):
                task = asyncio.get_running_loop().create_task(job)
                if seconds:
                    await asyncio.sleep(seconds)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                assert len(closed) == count

        run(main)

    def test_an_error_arrives_as_itself(self) -> None:
        error = ValueError("mine")

        async def source() -> AsyncIterator[int]:
            yield 1
            raise error

        async def main() -> None:
            job: Any = Stream(source) | ops.drain()
            task = asyncio.create_task(job)
            with pytest.raises(ValueError, match="mine") as caught:
                await task
            assert caught.value is error

        run(main)


def fresh() -> Any:
    return Stream([1]) | ops.count()


def refused(use: Callable[[], object]) -> None:
    with pytest.raises((RuntimeError, TypeError)):
        use()


def warned(*uses: Callable[[Any], object]) -> list[str]:
    """What is said when a job is thrown away after each of `uses`."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for use in uses:
            job = fresh()
            use(job)
            del job
        gc.collect()
    assert all(each.category is RuntimeWarning and each.filename == __file__ for each in found)
    return [str(each.message) for each in found]


class TestNeverAwaited:
    def test_is_told_where_the_sink_was_written(self) -> None:
        assert warned(id) == [
            "Job(list | count()) was never awaited: write await job, job.run() or job.start()"
        ]

    def test_is_not_told_after_any_use(self) -> None:
        uses: list[Callable[[Any], object]] = [
            lambda job: job.run(),
            lambda job: job.explain(),
            repr,
            str,
            hash,
            copy.copy,
            copy.deepcopy,
            lambda job: pickle.loads(pickle.dumps(job)),
            lambda job: job == 5,
            lambda job: refused(job.start),
            lambda job: refused(lambda: job | ops.take(1)),
            asyncio.run,
        ]
        assert warned(*uses) == []

    def test_jobs_are_equal_to_themselves_only(self) -> None:
        stream, sink = Stream([1]), ops.count()
        one, other = stream | sink, stream | sink
        assert one == one  # noqa: PLR0124 - this is what is asked
        assert one != other
        assert len({one, other}) == 2
        assert isinstance(copy.copy(one), Job)
        assert copy.copy(one).run() == pickle.loads(pickle.dumps(fresh())).run() == 1

    def test_a_push_source_without_a_reader_is_no_job(self) -> None:
        stream, emitter = push(Suspend(1))
        emitter.close()
        assert list(stream) == []


class TestTrio:
    def test_every_form_says_at_once_that_asyncio_is_needed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        here = SimpleNamespace(lowlevel=SimpleNamespace(in_trio_run=lambda: True))
        monkeypatch.setitem(sys.modules, "trio", here)
        for stream in (Stream([1]), Stream([1]) | ops.buffer(Suspend(1)) | ops.map(str)):
            with pytest.raises(RuntimeError, match="streamkit runs on asyncio, and here trio runs"):
                aiter(stream)
            with pytest.raises(RuntimeError, match="streamkit runs on asyncio"):
                (stream | ops.to_list()).__await__().send(None)
            with pytest.raises(RuntimeError, match="streamkit runs on asyncio"):
                stream.open().__aenter__().send(None)
        assert (Stream([1]) | ops.to_list()).run() == [1]
