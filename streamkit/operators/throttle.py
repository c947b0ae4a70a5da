"""The operator that keeps a rate, alone or together with others."""

from __future__ import annotations

import math
from asyncio import AbstractEventLoop, CancelledError
from collections.abc import AsyncIterator, Callable
from functools import partial
from threading import Lock
from typing import Any, cast

from streamkit._core.arguments import flag, number, seconds, whole
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded, unguarded
from streamkit._core.markers import ABSENT, DROPPED, Absent
from streamkit._core.on_error import OnError
from streamkit._core.show import shown
from streamkit._engine.buffer.clock import clock_of
from streamkit._engine.compile.pace import Pace, Resumed
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep
from streamkit._engine.plan.link import Inlet
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.apart import BEGUN
from streamkit._engine.run.paired import followed_anyway
from streamkit._engine.run.run import Run
from streamkit._stages.by_key import throttled_by_key
from streamkit._stages.paced import paced
from streamkit._stages.throttle import Bucket, Line, Tokens, held_back, pays

__all__ = ["RateLimit", "throttle"]

WAITING = 64
"""Items that wait in a throttle by key, if nothing else is said."""


def _size(rate: float, burst: float, burst_seconds: float | Absent) -> float:
    """How many tokens a bucket holds."""
    if burst_seconds is ABSENT:
        return number("burst", burst, above=0)
    if burst != 1:
        raise ValueError(f"burst must be left out where burst_seconds is given, not {shown(burst)}")
    size = rate * seconds("burst_seconds", burst_seconds)
    if size == math.inf:
        raise ValueError(
            f"burst_seconds must be so few that a number of tokens comes, not {shown(burst_seconds)}"
        )
    return max(1.0, size)


class RateLimit:
    """A rate that several streams keep together: each goes through ``ops.throttle(this)``.

    The tokens go to whoever has waited longest, so streams that always have an item take turns. What a run
    has taken, the next cannot have. Runs at the same time must be in one event loop.

    >>> from streamkit import RateLimit, Stream, ops
    >>> of_the_key = RateLimit(1000.0, burst=2)
    >>> pages, images = Stream("ab") | ops.throttle(of_the_key), Stream("xy") | ops.throttle(of_the_key)
    >>> sorted(pages | ops.merge(images))
    ['a', 'b', 'x', 'y']

    Args:
        rate: tokens per second.
        burst: tokens that it holds at most.
        burst_seconds: instead of `burst`: the seconds in which they come, as in `throttle`.

    Raises:
        TypeError: an argument is not a number.
        ValueError: an argument is not finite, or not above 0; or `burst` and `burst_seconds` are given.
    """

    @answering
    def __init__(self, rate: float, *, burst: float = 1, burst_seconds: float | Absent = ABSENT) -> None:
        self._rate = number("rate", rate, above=0)
        self._burst = _size(self._rate, burst, burst_seconds)
        self._lock = Lock()
        self._loop: AbstractEventLoop | None = None
        self._bucket: tuple[Tokens, Line] | None = None
        """What the runs that there are share, in this loop."""
        self._runs = 0
        self._state: tuple[float, float] | None = None
        """What the runs before have left."""

    @property
    def rate(self) -> float:
        """Tokens per second."""
        return self._rate

    @property
    def burst(self) -> float:
        """Tokens that it holds at most."""
        return self._burst

    def __repr__(self) -> str:
        return f"RateLimit({self._rate:g}, burst={self._burst:g})"

    def _entered(self, loop: AbstractEventLoop) -> Bucket:
        """What a run in `loop` begins with."""
        with self._lock:
            if self._bucket is not None and self._loop is not loop:
                raise RuntimeError(f"{self!r} is in use in another event loop")
            if self._bucket is None:
                tokens = Tokens(loop.time, self._rate, self._burst)
                if self._state is not None:
                    tokens.go_on(self._state)
                self._loop, self._bucket = loop, (tokens, Line())
            self._runs += 1
            return Bucket(*self._bucket)

    def _left(self) -> None:
        """A run has ended."""
        with self._lock:
            self._runs -= 1
            if not self._runs and self._bucket is not None:
                self._state = self._bucket[0].state
                self._loop = self._bucket = None

    @staticmethod
    async def _run(
        run: Run,
        source: Inlet[Any],
        *,
        rate: float | RateLimit,
        burst: float,
        cost: Any,
        failing: bool,
    ) -> AsyncIterator[Any]:
        if isinstance(rate, RateLimit):
            shared, bucket, rate = rate, rate._entered(run.loop), rate.rate
        else:
            shared, bucket = None, Bucket(Tokens(clock_of(run.loop), rate, burst))
        weigh = None if cost is ABSENT else partial(_cost, run, run.form.of(cost))
        try:
            pace = Pace()
            pay = partial(pays, run, rate=rate, failing=failing)
            pace.source = run.open(source if failing else held_back(run, source, bucket, weigh))
            items: AsyncIterator[Any] | None = pace.source
            handed: list[Any] = pace.handed
            while items is not None:
                async for item in items:
                    if not await pay(item, bucket, weigh, pace):
                        run.form.left_out(item)
                        del item
                        continue
                    try:
                        yield item
                    except CancelledError as error:  # a timeout of the source's own, while its item waits
                        await pace.rescue(error)
                    del item  # nothing is held while the source waits
                    if handed:
                        items = Resumed(handed, pace.source)
                        break
                else:
                    items = None
        finally:
            bucket.settle()
            if shared is not None:
                shared._left()


def _begun(run: Run, inlet: Inlet[Any], arguments: dict[str, Any]) -> Opened | None:
    """A throttle that is a step in the loop of its reader, where it can be one."""
    if isinstance(arguments["rate"], RateLimit) or arguments["cost"] is not ABSENT:
        return None
    return paced(run, inlet, arguments["rate"], arguments["burst"], failing=arguments["failing"])


BEGUN[RateLimit._run] = _begun  # pyright: ignore[reportPrivateUsage]


async def _cost(run: Run, cost: Callable[[Any], Any], item: Any) -> Any:
    found = await run.call(cost, item)
    return found if found is DROPPED else await run.call(number, "cost", found, least=0)


@stage(
    throttled_by_key,
    name="throttle",
    pairs=followed_anyway,
    contract=Contract(holds="lookahead", lookahead="lookahead", keeps="True", ordered="'within each key'"),
)
def _throttle_by_key(
    rate: float,
    *,
    burst: float = 1,
    cost: Callable[[Any], Any] | Absent = ABSENT,
    failing: bool = False,
    key: Callable[[Any], Any],
    max_keys: int,
    lookahead: int = WAITING,
) -> Keep:
    return Keep(
        _throttle_by_key,
        rate=rate,
        burst=burst,
        cost=cost,
        failing=failing,
        key=key,
        max_keys=max_keys,
        lookahead=lookahead,
    )


@stage(
    RateLimit._run,  # pyright: ignore[reportPrivateUsage]
    pumps=False,
    relays=True,
    pairs=followed_anyway,
    contract=Contract(keeps="True"),
)
def throttle(
    rate: float | RateLimit,
    *,
    burst: float = 1,
    burst_seconds: float | Absent = ABSENT,
    cost: Callable[[Any], Any] | Absent = ABSENT,
    failing: bool = False,
    key: Callable[[Any], Any] | Absent = ABSENT,
    max_keys: int | Absent = ABSENT,
    lookahead: int | Absent = ABSENT,
    on_error: OnError | None = None,
) -> Keep:
    """Pass items on no faster than `rate` per second: a token bucket, or one for each key.

        items                         abc---------d--|
        throttle(1/3)                 a--b--c-----d--|
        items                         aab---|
        throttle(1/3, key=f, ...)     a-ba--|

    >>> from streamkit import Stream, ops
    >>> list(Stream("ab") | ops.throttle(1000.0, burst=2))
    ['a', 'b']
    >>> list(Stream("aab") | ops.throttle(5.0, key=str, max_keys=10))
    ['a', 'b', 'a']

    Emits when: an item has come, and the bucket has enough tokens; it gains `rate` per second, up to `burst`.
    Waits when: tokens are missing, or the consumer does. No item is pulled meanwhile; with `key`, items that
        wait do not hold up those of other keys, as long as no more than `lookahead` wait.
    Completes when: the source does, and every item has passed.
    Closes when: it ends, or the consumer leaves; held items are dropped, and counted.

    Args:
        rate: tokens per second; or a `RateLimit`, whose tokens several throttles share.
        burst: tokens that the bucket holds at most. It is full at the start.
        burst_seconds: instead of `burst`: so many tokens as come in these seconds, but 1 at least. With 60.0,
            a whole minute's items may pass at once.
        cost: how many tokens an item takes; 1 each if not given. An item that costs more than `burst`
            waits for a full bucket, and those after it wait longer.
        failing: fail where an item would have to wait.
        key: called with each item; returns a key, which has a bucket of its own. The items of a key keep
            their order; those of others may overtake them.
        max_keys: with `key`, keys whose buckets are not full, at most; required there. The item of one more
            waits, and what is behind it, until a bucket is full again: then its key is forgotten.
        lookahead: with `key`, items that may wait for tokens; 64 if not given. When as many do, the source
            waits.
        on_error: what is done where `cost` or `key` fails, such as ``Resume()``; by default, the stream
            fails. A cost that is no number, or below 0, is no failure of `cost`, and ends the stream; so does
            a key that cannot be hashed.

    Raises:
        TypeError: an argument has the wrong type, or `max_keys` is missing.
        ValueError: a number is not finite or not above 0; `max_keys` or `lookahead` is given without `key`,
            or `on_error` without `cost` and `key`;
            `burst`, `burst_seconds` or `key` is given beside a `RateLimit`, which has its own burst; (when
            run) a cost is below 0.
        RateExceededError: (when run) with `failing`, an item came too soon.
        RuntimeError: (when run) a `RateLimit` is in use in another event loop.

    Nothing is dropped: that is what `throttle_first` and `throttle_latest` do. An item stays in a buffer that
    loses, folds or collects, where later ones can still replace it, until it may pass. Steps may stand
    between; not with `cost`, which is asked of the item that waits in the buffer right before. With `key`,
    items are read ahead, so none stays there.

    The rate is kept however high it is: where a timer rings late, what is due by then passes at once, though
    it is more than `burst`.

    The token bucket is that of RFC 2697, in one colour; an item larger than the bucket puts it into debt.
    """
    if cost is ABSENT and key is ABSENT:
        unguarded("cost or key", on_error)
    if cost is not ABSENT:
        cost = guarded("cost", cost, on_error)
    flag("failing", failing)
    if isinstance(rate, RateLimit):
        for name, value, usual in (
            ("burst", burst, 1),
            ("burst_seconds", burst_seconds, ABSENT),
            ("key", key, ABSENT),
        ):
            if value is not usual and value != usual:
                raise ValueError(f"{name} must be left out where rate is a RateLimit, not {shown(value)}")
    else:
        rate = number("rate", rate, above=0)
        burst = _size(rate, burst, burst_seconds)
        if key is not ABSENT:
            return _throttle_by_key(
                rate,
                burst=burst,
                cost=cost,
                failing=failing,
                key=guarded("key", key, on_error),
                max_keys=whole("max_keys", cast("int", max_keys), least=1),
                lookahead=WAITING if lookahead is ABSENT else whole("lookahead", lookahead, least=1),
            )
    for name, value in (("max_keys", max_keys), ("lookahead", lookahead)):
        if value is not ABSENT:
            raise ValueError(f"{name} must be left out where key is, not {shown(value)}")
    return Keep(throttle, rate=rate, burst=burst, cost=cost, failing=failing)
