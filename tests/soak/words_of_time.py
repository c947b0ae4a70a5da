"""Words of one stream that mind the clock: each a function of what is read, and of when it is opened.

Such pipelines keep to a timetable: no two things happen at the same time (or the case is drawn anew), and the
consumer is always ready. So nothing depends on the schedule, and items are compared with their times.
"""

import math
from asyncio import sleep
from collections.abc import Callable, Iterator
from typing import Any

from streamkit import Tumbling, Unbounded, ops
from tests.soak.line import Line, UndecidedError, untied
from tests.soak.values import Boom, weigh
from tests.soak.words import fn, hand, other, seconds, timed, whole

Stream = Callable[[float], Line]
Events = list[tuple[float, Any]]


def apart(*lines: Line) -> None:
    """Refuse a case in which two things happen at the same time."""
    untied(*[time for line in lines for time, _ in line.events], *[line.end for line in lines])


def ended(events: Events, line: Line, least: float | None = None) -> Line:
    """`events`, with the end of `line`; not before the last of them."""
    last = events[-1][0] if events else 0.0
    return Line(tuple(events), max(line.end, last if least is None else least), line.error)


# thinning ----------------------------------------------------------------------------------


@timed("debounce", seconds=seconds())
def debounce(before: Stream, at: float, seconds: float) -> Line:
    line = before(at)
    found: Events = []
    nexts = [*[time for time, _ in line.events[1:]], math.inf]
    for (time, value), following in zip(line.events, nexts, strict=False):
        untied(time + seconds, following, line.end)
        if following > time + seconds:
            found.append((min(time + seconds, line.end), value))
    apart(line)
    return ended(found, line)


@timed("audit", seconds=seconds())
def audit(before: Stream, at: float, seconds: float) -> Line:
    line = before(at)
    apart(line)
    found: Events = []
    left = [*line.events]
    while left:
        due = left[0][0] + seconds
        untied(due, line.end, *[time for time, _ in left])
        period = [event for event in left if event[0] < due]
        left = left[len(period) :]
        found.append((min(due, line.end), period[-1][1]))
    return ended(found, line)


@timed("throttle_first", seconds=seconds())
def throttle_first(before: Stream, at: float, seconds: float) -> Line:
    line = before(at)
    apart(line)
    found: Events = []
    for time, value in line.events:
        if found:
            untied(time, found[-1][0] + seconds)
        if not found or time > found[-1][0] + seconds:
            found.append((time, value))
    return ended(found, line)


@timed("throttle_latest", seconds=seconds())
def throttle_latest(before: Stream, at: float, seconds: float) -> Line:
    line = before(at)
    apart(line)
    found: Events = []
    waiting: list[Any] = []
    free = -math.inf
    for time, value in line.events:
        untied(time, free)
        if waiting and free < time:
            found.append((free, waiting.pop()))
            free += seconds
            untied(time, free)
        if free < time:
            found.append((time, value))
            free = time + seconds
        else:
            waiting[:] = [value]
    if waiting:
        untied(free, line.end)
        found.append((free, waiting.pop()))
    return ended(found, line)


def latest_at(line: Line, moments: Iterator[float] | list[float]) -> Line:
    """The latest item at each moment at which there is a new one; the last at the end."""
    apart(line)
    found: Events = []
    left = [*line.events]
    for moment in moments:
        if not left or moment > line.end:
            break
        untied(moment, line.end, *[time for time, _ in left])
        period = [event for event in left if event[0] < moment]
        left = left[len(period) :]
        if period:
            found.append((moment, period[-1][1]))
    if left:
        found.append((line.end, left[-1][1]))
    return ended(found, line)


@timed("sample", seconds=seconds(1, 3))
def sample(before: Stream, at: float, seconds: float) -> Line:
    return latest_at(before(at), (at + seconds * number for number in range(1, 10_000)))


@timed("sample", lambda sources: ops.sample(signal=sources[0]), sources=other())
def sample_by_signal(before: Stream, at: float, sources: Any) -> Line:
    signal = sources[0].line(at)
    if signal.error is not None:
        raise UndecidedError("a signal that fails")
    return latest_at(before(at), [time for time, _ in signal.events])


# waiting -----------------------------------------------------------------------------------


@timed("delay", seconds=seconds())
def delay(before: Stream, at: float, seconds: float) -> Line:
    line = before(at)
    found = [(time + seconds, value) for time, value in line.events]
    if line.error is not None:
        return ended(found, line)
    return Line(tuple(found), line.end + seconds)


@timed("timeout", seconds=seconds(1, 4))
def timeout(before: Stream, at: float, seconds: float) -> Line:
    line = before(at)
    found: Events = []
    asked = at
    for time, value in (*line.events, (line.end, None)):
        untied(time, asked + seconds)
        if time > asked + seconds:
            return Line(tuple(found), asked + seconds, "StreamTimeoutError")
        found.append((time, value))
        asked = time
    return Line(tuple(found[:-1]), line.end, line.error)


@timed(
    "timeout",
    lambda total, sources: ops.timeout(total=total, fallback=sources[0]),
    total=seconds(3, 9),
    sources=other(),
)
def timeout_in_all(before: Stream, at: float, total: float, sources: Any) -> Line:
    line, due = before(at), at + total
    untied(due, line.end, *[time for time, _ in line.events])
    if line.end < due:
        return line
    rest = sources[0].line(due)
    events = tuple([event for event in line.events if event[0] < due]) + rest.events
    return Line(events, rest.end, rest.error)


@timed("keep_alive", lambda seconds: ops.keep_alive(seconds, function=lambda: "alive"), seconds=seconds(1, 3))
def keep_alive(before: Stream, at: float, seconds: float) -> Line:
    line = before(at)
    if line.end == math.inf:
        raise UndecidedError("it goes on for ever")
    found: Events = []
    asked = at
    for time, value in (*line.events, (line.end, None)):
        while asked + seconds < time:
            asked += seconds
            found.append((asked, "alive"))
        untied(time, asked + seconds)
        found.append((time, value))
        asked = time
    return Line(tuple(found[:-1]), line.end, line.error)


@timed("batch_within", count=whole(1, 4), seconds=seconds())
def batch_within(before: Stream, at: float, count: int, seconds: float) -> Line:
    line = before(at)
    apart(line)
    found: Events = []
    left = [*line.events]
    while left:
        due = left[0][0] + seconds
        untied(due, line.end, *[time for time, _ in left])
        part = [event for event in left if event[0] < due][:count]
        left = left[len(part) :]
        moment = part[-1][0] if len(part) == count else min(due, line.end)
        found.append((moment, [value for _, value in part]))
    return ended(found, line)


@timed(
    "throttle",
    lambda rate, burst: ops.buffer(Unbounded()) | ops.throttle(rate, burst=burst),
    rate=lambda draw: draw.random.choice((0.25, 0.5, 1.0)),
    burst=whole(1, 3),
)
def throttle(before: Stream, at: float, rate: float, burst: int) -> Line:
    line = before(at)
    found: Events = []
    tokens, now = float(burst), at
    for time, value in line.events:
        moment = max(time, now)
        tokens = min(float(burst), tokens + (moment - now) * rate)
        now = moment
        if tokens < 1.0:
            now += (1.0 - tokens) / rate
            tokens = 1.0
        tokens -= 1.0
        found.append((now, value))
    return ended(found, line)


@hand(
    "retry",
    lambda attempts, seconds: ops.retry(attempts, backoff=seconds),
    modes="T",
    attempts=whole(1, 3),
    seconds=seconds(),
)
def retry_later(items: Any, attempts: int, seconds: float) -> Iterator[Any]:
    for attempt in range(1, attempts + 1):
        try:
            yield from items
        except Boom:
            if attempt == attempts:
                raise
            items.hand.now += seconds
        else:
            return


# telling the time --------------------------------------------------------------------------


@hand("timestamp", modes="T")
def timestamp_now(items: Any) -> Iterator[Any]:
    for item in items:
        yield item, items.hand.now


@hand("time_interval", modes="T")
def time_interval(items: Any) -> Iterator[Any]:
    last = items.hand.now
    for item in items:
        yield item, items.hand.now - last
        last = items.hand.now


@timed(
    "window",
    lambda seconds: ops.window(Tumbling(seconds=seconds), ops.to_list()),
    seconds=lambda draw: float(draw.random.randint(1, 4)),
)
def window_of_time(before: Stream, at: float, seconds: float) -> Line:
    line = before(at)
    found: dict[float, list[Any]] = {}
    for time, value in line.events:
        found.setdefault((time - at) // seconds * seconds, []).append(value)
    lists: Events = []
    for begin, values in found.items():
        untied(at + begin + seconds, line.end)
        if at + begin + seconds < line.end or line.error is None:
            lists.append((min(at + begin + seconds, line.end), ((begin, begin + seconds), values)))
    return Line(tuple(lists), line.end, line.error)


# calls that take time ----------------------------------------------------------------------


def slow(function: Any, seconds: float) -> Any:
    async def call(value: Any) -> Any:
        await sleep(seconds * (1 + weigh(value) % 3))
        result = function(value)
        return await result if hasattr(result, "__await__") else result

    return call


MANY = 64
"""More calls at once than a stream has items."""


@timed(
    "map",
    lambda function, seconds, ordered: ops.map(slow(function, seconds), concurrency=MANY, ordered=ordered),
    function=fn("tagged"),
    seconds=seconds(0, 1),
    ordered=lambda draw: bool(draw.random.randrange(2)),
)
def map_slowly(before: Stream, at: float, function: Any, seconds: float, ordered: bool) -> Line:
    line = before(at)
    results: Events = []
    errors: list[tuple[float, str]] = []
    for time, value in line.events:
        moment = time + seconds * (1 + weigh(value) % 3)
        try:
            results.append((moment, function(value)))
        except Boom as failed:
            errors.append((moment, failed.label))
            results.append((math.inf, None))
    if line.error is not None:
        errors.append((line.end, line.error))
    end, error = min(errors, default=(line.end, None))
    untied(*[moment for moment, _ in results], line.end)
    if ordered:
        moments = [max([moment for moment, _ in results[: place + 1]]) for place in range(len(results))]
        results = [(moment, value) for moment, (_, value) in zip(moments, results, strict=True)]
    else:
        results.sort(key=lambda result: result[0])
    if error is not None:
        return Line(tuple([result for result in results if result[0] < end]), end, error)
    return ended(results, line)
