"""Samples of sources: a new one needs a line here; without it, `test_forgotten_lines` fails and names it."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import streamkit
from streamkit import Missed, Stream, Suspend, connect
from streamkit.connect import Sender
from streamkit.runner.intake import Intake
from tests.laws.items import Item
from tests.laws.lab import Boom, Lab
from tests.laws.source_lab import Again, SourceSample

__all__ = ["SOURCES"]


def at(seconds: float) -> datetime:
    """The date when the clock on the wall of a virtual loop shows this."""
    return datetime.fromtimestamp(seconds, UTC)


def ticked(*seconds: float) -> tuple[datetime, ...]:
    return tuple(map(at, seconds))


def items(lab: Lab, count: int = 3) -> list[Item]:
    return [lab.item(number) for number in range(count)]


def after(lab: Lab) -> Callable[[Item], Item | None]:
    """The item after another, up to the third."""
    return lambda item: lab.item(item.number + 1) if item.number < 2 else None


def fetched(lab: Lab) -> Callable[[], Coroutine[Any, Any, Item]]:
    async def fetch() -> Item:
        lab.calls += 1
        await lab.pause()
        return lab.item(0)

    return fetch


def queued(lab: Lab) -> "asyncio.Queue[Item | None]":
    queue: asyncio.Queue[Item | None] = asyncio.Queue()
    for item in (*items(lab), None):
        queue.put_nowait(item)
    return queue


class Opened:
    """A resource that notes in the lab that it was entered, and left once, in the same task."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    def __enter__(self) -> Lab:
        self.visit = self.lab.visit(self.lab.source())
        return self.lab

    def __exit__(self, *error: object) -> None:
        self.visit.cleaned += 1
        self.visit.check("its end")
        self.visit.finished = True

    async def aenter(self) -> Lab:
        await self.lab.pause()
        return self.__enter__()

    async def aexit(self, *error: object) -> None:
        self.__exit__()
        self.visit.finished = False
        await self.lab.pause()
        self.visit.finished = True


class OpenedLater(Opened):
    """The same, asynchronous."""

    __aenter__, __aexit__ = Opened.aenter, Opened.aexit


def used(lab: Lab, kind: type[Opened]) -> Stream[Any]:
    resource: Any = kind
    return streamkit.using(lambda: resource(lab), lab.callback(lambda lab: lab.source()))


def blocking(lab: Lab, lookahead: int = 1) -> Stream[Any]:
    lab.style = "plain"
    return streamkit.from_blocking(lab.source(), lookahead=lookahead)


def pushed(lab: Lab) -> Stream[Any]:
    stream, emitter = streamkit.push(Suspend(3))
    for item in items(lab):
        emitter.offer(item)
    emitter.close()
    return stream


def boxed(lab: Lab) -> Stream[Any]:
    intake = Intake()  # as a job has it that is started in a thread
    stream = intake.inlet(streamkit.inbox(Suspend(3)))
    (source,) = intake.inboxes.values()
    for item in items(lab):
        source.value.offer(item)
    source.value.end()
    return stream


def phoned(lab: Lab) -> Stream[Any]:
    def listen(sender: Sender[Item]) -> Callable[[], object]:
        for item in items(lab):
            sender.offer(item)
        sender.end()
        return lambda: None

    return connect.threaded(listen, strategy=Suspend(3))


SOURCES = [
    SourceSample("of", lambda lab: streamkit.of(*items(lab)), (0, 1, 2), keeps=3),
    SourceSample("of-none", lambda lab: streamkit.of(), ()),
    SourceSample("empty", lambda lab: streamkit.empty(), ()),
    SourceSample("fail", lambda lab: streamkit.fail(Boom("it")), (), error=Boom),
    SourceSample("fail-class", lambda lab: streamkit.fail(Boom), (), error=Boom),
    SourceSample("range", lambda lab: streamkit.range(5, 0, -2), (5, 3, 1)),
    SourceSample("count", lambda lab: streamkit.count(1, 2), (1, 3, 5), ends=False),
    SourceSample("repeat", lambda lab: streamkit.repeat(lab.item(7)), (7, 7, 7), ends=False, keeps=1),
    SourceSample("repeat-times", lambda lab: streamkit.repeat(lab.item(7), 2), (7, 7), keeps=1),
    SourceSample(
        "iterate",
        lambda lab: streamkit.iterate(lab.callback(after(lab)), lab.item(0)),
        (0, 1, 2),
        calls=True,
        keeps=2,  # the first, for the next run, and that of which the next is made
    ),
    SourceSample("interval", lambda lab: streamkit.interval(1.0), (0, 1, 2), ends=False),
    SourceSample(
        "interval-delay", lambda lab: streamkit.interval(1.0, missed=Missed.DELAY), (0, 1, 2), ends=False
    ),
    SourceSample("interval-aligned", lambda lab: streamkit.interval(1.0, aligned=True), (0, 1), ends=False),
    SourceSample("ticks", lambda lab: streamkit.ticks(1.0, start=at(0.0)), ticked(0.0, 1.0), ends=False),
    SourceSample(
        "ticks-end", lambda lab: streamkit.ticks(1.0, start=at(-1.0), end=at(2.0)), ticked(-1.0, 0.0, 1.0)
    ),
    SourceSample(
        "cron", lambda lab: streamkit.cron("* * * * *", start=at(0.0)), ticked(0.0, 60.0), ends=False
    ),
    SourceSample("timer", lambda lab: streamkit.timer(1.0), (0,)),
    SourceSample("never", lambda lab: streamkit.never(), (), ends=False),
    SourceSample("from_awaitable", lambda lab: streamkit.from_awaitable(fetched(lab)), (0,)),
    SourceSample(
        "from_awaitable-coroutine",
        lambda lab: streamkit.from_awaitable(fetched(lab)()),
        (0,),
        again=Again.NEVER,
        pickles=False,
        wasted=True,
    ),
    SourceSample(
        "from_queue",
        lambda lab: streamkit.from_queue(queued(lab), end=None),
        (0, 1, 2),
        again=Again.REST,
        pickles=False,
        keeps=1,  # the one in its hand, until it is asked again
    ),
    SourceSample(
        "defer",
        lambda lab: streamkit.defer(lab.callback(lambda: lab.source())),
        (0, 1, 2, 3),
        calls=True,
        pickles=False,
        keeps=1,  # in the hand of the lab's source
    ),
    SourceSample("using", lambda lab: used(lab, Opened), (0, 1, 2, 3), calls=True, pickles=False, keeps=1),
    SourceSample(
        "using-async", lambda lab: used(lab, OpenedLater), (0, 1, 2, 3), calls=True, pickles=False, keeps=1
    ),
    SourceSample("from_blocking", blocking, (0, 1, 2, 3), threads=True, pickles=False),
    SourceSample(
        "from_blocking-lookahead", lambda lab: blocking(lab, 3), (0, 1, 2, 3), threads=True, pickles=False
    ),
    SourceSample("push", pushed, (0, 1, 2), again=Again.NEVER, pickles=False),
    SourceSample("inbox", boxed, (0, 1, 2), again=Again.NEVER, pickles=False),
    SourceSample("merge", lambda lab: streamkit.merge(items(lab, 1), items(lab, 1)), (0, 0), keeps=2),
    SourceSample("concat", lambda lab: streamkit.concat(items(lab, 2), items(lab, 1)), (0, 1, 0), keeps=3),
    SourceSample("zip", lambda lab: streamkit.zip(items(lab, 2), items(lab, 2)), ((0, 0), (1, 1)), keeps=4),
    SourceSample("threaded", phoned, (0, 1, 2), threads=True, pickles=False),
]
