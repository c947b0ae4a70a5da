"""Random pipes behind a durable source: drawn from a number, and made of the same parts each time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from streamkit import (
    Collect,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Hopping,
    KeepLatest,
    Limit,
    OnFull,
    Replace,
    Resume,
    Retry,
    Return,
    Session,
    Spill,
    Stream,
    Suspend,
    Tumbling,
    Unbounded,
    interval,
    ops as operators,
    timer,
)
from streamkit.live import Slot
from tests.run.calling import slowly
from tests.run.ledger import MANY, Trial, numbers

ops: Any = operators
"""What is drawn fits together or is refused when it runs: types cannot say."""
COUNT = 12
"""How many items each durable source has."""


@dataclass
class World:
    """What a pipe is drawn with: its callbacks, which see to it that no item that was settled goes on."""

    trials: list[Trial]
    failing: int = 0
    """Which call fails; none, if it is 0."""
    calls: int = 0
    late: list[int] = field(default_factory=list[int])
    """Items that a callback got when they were settled already."""
    limits: list[Limit] = field(default_factory=list[Limit])
    slots: list[Slot[Any, Any]] = field(default_factory=list[Any])
    steady: bool = False
    """Whether how often an item comes out may not depend on others, on time, or on which branch it takes."""
    sources: int = 1
    """How many of the trials are sources of the pipe by now."""

    def see(self, item: Any) -> Any:
        self.late += [n for n in numbers(item) for trial in self.trials if n in trial.done]
        self.calls += 1
        if self.calls == self.failing:
            raise ValueError("the call that is to fail")
        return item

    def out(self, item: Any) -> None:
        self.see(item)
        for trial in self.trials:
            trial.left.update(n for n in numbers(item) if n in trial.items)

    async def out_slowly(self, item: Any) -> None:
        self.see(item)
        await asyncio.sleep(sum(numbers(item)) % 3 / 2)
        self.out(item)

    def bad(self, item: Any) -> Any:
        if sum(numbers(self.see(item))) % 5 == 1:
            raise KeyError("an item that always fails")
        return item

    async def slow(self, item: Any) -> Any:
        await asyncio.sleep(0)
        return self.see(item)

    async def slow_bad(self, item: Any) -> Any:
        await asyncio.sleep(0)
        return self.bad(item)

    async def uneven(self, item: Any) -> Any:
        await asyncio.sleep(sum(numbers(item)) % 4 / 2)
        return self.see(item)

    def key(self, item: Any) -> int:
        return sum(numbers(self.see(item))) % 3

    def odd(self, item: Any) -> bool:
        return bool(sum(numbers(self.see(item))) % 2)

    def twice(self, item: Any) -> list[Any]:
        return [self.see(item), item]

    def weigh(self, item: Any) -> float:
        self.see(item)
        return 1 + len(numbers(item)) % 2

    async def stream(self, item: Any) -> AsyncIterator[Any]:
        for _ in range(2):
            await asyncio.sleep(sum(numbers(item)) % 3 / 2)
            yield self.see(item)

    def buffered(self, item: Any) -> Any:
        return Stream([item, item]) | ops.buffer(Suspend(2)) | ops.map(self.slow)

    def dropped(self, item: Any, reason: str) -> None:
        self.see(item)

    async def letter(self, item: Any, error: Exception) -> None:
        await asyncio.sleep(0.5)
        self.see(item)

    def other(self, error: Exception) -> Any:
        return [1, 2]

    def more(self) -> Stream[Any]:
        """Another source, which is durable too, as long as there is one."""
        if self.sources < len(self.trials):
            self.sources += 1
            return self.trials[self.sources - 1].stream()
        return Stream(slowly([1, 2, 3]))


def _rule(r: Random, w: World) -> Any:
    return r.choice(
        [
            Resume(w.letter, errors=KeyError),
            Resume(errors=KeyError),
            Replace(lambda item, error: item, errors=KeyError),
            Return(errors=KeyError),
            Retry(2, 0.5, errors=KeyError, then=Resume(w.letter, errors=KeyError)),
            Retry(2, errors=(KeyError, ValueError), then=Replace(lambda item, error: item)),
        ]
    )


def _calls(r: Random, w: World) -> Any:
    return r.choice([w.slow, w.see, w.uneven])


def _limit(r: Random, w: World) -> Any:
    if r.random() < 0.5:
        return r.randint(2, 4)
    w.limits.append(Limit(r.randint(1, 3), most=5))
    return w.limits[-1]


def _strategy(r: Random, w: World) -> Any:
    n = r.randint(1, 4)
    return r.choice([Suspend(n), Unbounded(), Spill(n), Suspend(n)])


def _dropping(r: Random, w: World) -> Any:
    kind = r.choice([DropOldest, DropIncoming, DropYoungest, DropAll])
    return r.choice([kind(r.randint(1, 3)), kind(r.randint(1, 3), on_drop=w.dropped), KeepLatest()])


def _inner(r: Random, w: World) -> Any:
    """A pipe for a branch, a group, a window or a slot."""
    names = ONCE if w.steady else INNER
    made = None
    for _ in range(r.randint(1, 2)):
        one = ALL[r.choice(names)](r, w)
        made = one if made is None else made | one
    return made


def _slot(r: Random, w: World) -> Any:
    w.slots.append(Slot(_inner(r, w), stages=True, bound=64))
    return w.slots[-1]


def _keyed(r: Random, w: World) -> Any:
    pipe = r.choice([lambda: _inner(r, w), ops.to_list])()
    try:
        return ops.group_by(
            w.key, pipe, max_groups=r.randint(2, 3), on_full=r.choice([OnFull.EVICT]), reopen=r.random() < 0.3
        )
    except TypeError:
        return ops.group_by(w.key, ops.batch(2), max_groups=2, on_full=OnFull.EVICT)


Made = Callable[[Random, World], Any]
STEPS: dict[str, Made] = {
    "map": lambda r, w: ops.map(r.choice([w.see, w.slow, w.uneven])),
    "map on_error": lambda r, w: ops.map(r.choice([w.bad, w.slow_bad]), on_error=_rule(r, w)),
    "filter": lambda r, w: ops.filter(w.odd),
    "flatten": lambda r, w: ops.map(w.twice) | ops.flatten(),
    "tap": lambda r, w: ops.tap(w.see),
    "skip": lambda r, w: ops.skip(r.randint(0, 2)),
    "skip_while": lambda r, w: ops.skip_while(w.odd),
    "distinct": lambda r, w: ops.distinct(w.key, last=2),
    "distinct_until_changed": lambda r, w: ops.distinct_until_changed(w.odd),
    "enumerate": lambda r, w: ops.enumerate(),
    "batch": lambda r, w: ops.batch(r.randint(1, 4)),
    "sliding": lambda r, w: ops.sliding(r.randint(1, 3), step=r.randint(1, 4)),
    "pairwise": lambda r, w: ops.pairwise(),
    "skip_last": lambda r, w: ops.skip_last(r.randint(1, 3)),
    "take_last": lambda r, w: ops.take_last(r.randint(1, 3)),
    "scan": lambda r, w: ops.scan(lambda state, item: w.see(item), 0),
    "stateful_map": lambda r, w: ops.stateful_map(list, lambda state, item: (state, w.see(item))),
    "start_with": lambda r, w: ops.start_with(1, 2),
    "end_with": lambda r, w: ops.end_with(1, 2),
    "intersperse": lambda r, w: ops.intersperse(7),
    "default_if_empty": lambda r, w: ops.default_if_empty(3),
    "materialize": lambda r, w: ops.materialize() | ops.dematerialize(),
    "concat_map": lambda r, w: ops.concat_map(r.choice([w.twice, w.stream, w.buffered])),
    "time_interval": lambda r, w: ops.time_interval() | ops.map(lambda each: each.value),
}
ENDS: dict[str, Made] = {
    "take": lambda r, w: ops.take(r.randint(1, 6)),
    "take_while": lambda r, w: ops.take_while(w.odd, inclusive=r.random() < 0.5),
    "slice": lambda r, w: ops.slice(r.randint(0, 2), 6, r.randint(1, 3)),
    "find": lambda r, w: ops.find(w.odd, default=1),
    "element_at": lambda r, w: ops.element_at(r.randint(0, 3), default=1),
    "catch": lambda r, w: ops.map(w.bad) | ops.catch(w.other),
    "timeout": lambda r, w: ops.timeout(0.5, fallback=[1, 2]),
    "take_until": lambda r, w: ops.take_until(timer(r.choice([0, 1, 2.5]))),
    "zip": lambda r, w: ops.zip(w.more()),
    "zip_latest": lambda r, w: ops.zip_latest(w.more()),
    "fork_join": lambda r, w: ops.fork_join(w.more()),
    "race": lambda r, w: ops.race(w.more()),
}
STAGES: dict[str, Made] = {
    "map concurrency": lambda r, w: ops.map(
        _calls(r, w), concurrency=_limit(r, w), ordered=r.random() < 0.5, lookahead=r.randint(0, 2)
    ),
    "map key": lambda r, w: ops.map(_calls(r, w), concurrency=_limit(r, w), key=w.key),
    "map concurrency on_error": lambda r, w: ops.map(
        r.choice([w.slow_bad, w.bad]),
        concurrency=_limit(r, w),
        ordered=r.random() < 0.5,
        on_error=_rule(r, w),
    ),
    "buffer": lambda r, w: ops.buffer(_strategy(r, w)),
    "collect": lambda r, w: ops.buffer(Collect(r.randint(1, 4))),
    "conflate": lambda r, w: ops.conflate(lambda one, other: [one, other]),
    "batch_within": lambda r, w: ops.batch_within(r.randint(1, 4), seconds=r.choice([0.5, 1.5])),
    "weighed": lambda r, w: ops.batch_within(9, seconds=1, weight=w.weigh, heaviest=3),
    "delay": lambda r, w: ops.delay(r.choice([0.5, 2]), lookahead=r.randint(1, 9)),
    "delay_start": lambda r, w: ops.delay_start(1),
    "throttle": lambda r, w: ops.throttle(3, cost=w.weigh, burst=2),
    "throttle key": lambda r, w: ops.throttle(3, key=w.key, max_keys=4),
    "keep_alive": lambda r, w: ops.keep_alive(0.3, function=int),
    "extrapolate": lambda r, w: ops.extrapolate(lambda _: [1]),
    "merge": lambda r, w: ops.merge(w.more(), lookahead=r.randint(1, 3)),
    "concat": lambda r, w: ops.concat(w.more()),
    "interleave": lambda r, w: ops.interleave(w.more(), count=r.randint(1, 2)),
    "merge_sorted": lambda r, w: ops.merge_sorted(w.more(), key=w.key),
    "merge_prioritized": lambda r, w: ops.merge_prioritized(w.more()),
    "zip fill": lambda r, w: ops.zip(w.more(), fill=0),
    "combine_latest": lambda r, w: ops.combine_latest(w.more(), lookahead=r.randint(1, 3)),
    "with_latest_from": lambda r, w: ops.with_latest_from(slowly([1, 2])),
    "flat_map": lambda r, w: ops.flat_map(
        r.choice([w.twice, w.stream, w.buffered]), concurrency=_limit(r, w), lookahead=r.choice([None, 1, 3])
    ),
    "concat_map ahead": lambda r, w: ops.concat_map(r.choice([w.stream, w.buffered]), lookahead=2),
    "pause_while": lambda r, w: ops.pause_while(interval(0.5) | ops.take(6) | ops.map(lambda n: n % 2)),
    "skip_until": lambda r, w: ops.skip_until(timer(1)),
    "share": lambda r, w: ops.share(r.randint(0, 2), strategy=r.choice([Suspend, Spill])(r.randint(1, 3))),
    "slot": _slot,
    "broadcast": lambda r, w: ops.broadcast(_inner(r, w), _inner(r, w)),
    "partition": lambda r, w: ops.partition(w.odd, _inner(r, w), _inner(r, w)),
    "route": lambda r, w: ops.route(w.key, {0: _inner(r, w), 1: _inner(r, w)}, otherwise=_inner(r, w)),
    "balance": lambda r, w: ops.balance(_inner(r, w), _inner(r, w)),
    "group_by": _keyed,
    "window": lambda r, w: ops.window(Tumbling(count=r.randint(1, 4)), ops.to_list()),
    "window seconds": lambda r, w: ops.window(
        r.choice([Tumbling(seconds=1), Hopping(seconds=2, every=1), Session(gap=0.5)]), ops.to_list()
    ),
}
LOSSY: dict[str, Made] = {
    "dropping": lambda r, w: ops.buffer(_dropping(r, w)),
    "sample": lambda r, w: ops.sample(r.choice([0.5, 1.5]), on_drop=w.dropped),
    "debounce": lambda r, w: ops.debounce(0.5, on_drop=w.dropped),
    "audit": lambda r, w: ops.audit(0.7),
    "throttle_first": lambda r, w: ops.throttle_first(0.7),
    "throttle_latest": lambda r, w: ops.throttle_latest(0.7),
    "switch_map": lambda r, w: ops.switch_map(r.choice([w.stream, w.buffered]), lookahead=r.randint(1, 3)),
    "exhaust_map": lambda r, w: ops.exhaust_map(w.stream, on_drop=w.dropped),
}
ALL: dict[str, Made] = STEPS | ENDS | STAGES | LOSSY
ONCE = [
    "map",
    "tap",
    "enumerate",
    "batch",
    "materialize",
    "map concurrency",
    "buffer",
    "collect",
    "batch_within",
    "scan",
    "delay",
]
"""Operators out of which each item comes once."""
STEADY = [
    *ONCE * 2,
    *[
        "flatten",
        "start_with",
        "end_with",
        "intersperse",
        "concat_map",
        "map key",
        "conflate",
        "weighed",
        "delay_start",
    ],
    *[
        "throttle",
        "throttle key",
        "keep_alive",
        "extrapolate",
        "merge",
        "concat",
        "interleave",
        "merge_sorted",
    ],
    *["merge_prioritized", "zip fill", "flat_map", "concat_map ahead", "pause_while", "slot", "broadcast"],
    *["share", "partition", "route", "balance", "group_by", "window"],
]
"""Those out of which each item comes equally often, whatever else there is."""
INNER = ["take", "map concurrency", "buffer", "collect", "dropping", "batch_within", "flat_map", "share"]
INNER += STEPS
SINKS: dict[str, Made] = {
    "for_each": lambda r, w: ops.for_each(w.out),
    "for_each slow": lambda r, w: ops.for_each(w.out_slowly),
    "for_each many": lambda r, w: ops.for_each(w.out_slowly, concurrency=r.randint(2, 3)),
    "branches": lambda r, w: ops.broadcast(
        ops.for_each(w.out), r.choice([ops.batch(2), ops.buffer(Suspend(1))]) | ops.for_each(w.out_slowly)
    ),
    "partitioned": lambda r, w: ops.partition(w.odd, ops.for_each(w.out), ops.for_each(w.out_slowly)),
}


@dataclass(frozen=True)
class Plan:
    """A pipe, as the names of its operators, each with the number that its arguments are drawn from."""

    parts: tuple[tuple[str, int], ...]
    sink: tuple[str, int]
    sources: int
    steady: bool

    @staticmethod
    def drawn(seed: int) -> Plan:
        r = Random(seed)
        steady = seed % 2 == 0
        names = STEADY if steady else [*STEPS] * 2 + [*STAGES] * 2 + [*ENDS] + [*LOSSY]
        parts = tuple((r.choice(names), r.randrange(1000)) for _ in range(r.randint(2, 6)))
        return Plan(parts, (r.choice([*SINKS]), r.randrange(1000)), r.randint(1, 2), steady)

    def inexact(self, job: Any) -> bool:
        """Whether it may end by itself with something in hand, which is handed back then."""
        text = repr(job)
        words = [
            "take(",
            "take_while",
            "slice",
            "find",
            "element_at",
            "catch",
            "timeout",
            "take_until",
            "zip",
            "combine_latest",
            "race",
            "fork_join",
            "Slot",
        ]
        return any(word in text for word in words)

    def world(self, failing: int = 0, due: list[Any] | None = None) -> tuple[World, Any]:
        """New trials and callbacks, and the job."""
        trials = [
            Trial(COUNT, first=(at + 1) * MANY, due=due[at] if due else None) for at in range(self.sources)
        ]
        w = World(trials, failing, steady=self.steady)
        stream: Any = trials[0].stream()
        for name, seed in self.parts:
            stream = stream | ALL[name](Random(seed), w)
        return w, stream | SINKS[self.sink[0]](Random(self.sink[1]), w)
