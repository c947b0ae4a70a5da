"""Words of several streams, and of streams of streams, by a timetable: the times say who is first."""

import math
from collections.abc import Callable
from typing import Any

from streamkit import Stream as Begun, Unbounded, ops
from tests.soak.kit import PAUSE
from tests.soak.line import Line, UndecidedError, untied
from tests.soak.values import Boom, weigh
from tests.soak.words import Inner, other, timed
from tests.soak.words_of_time import Events, Stream, apart, ended


def together(before: Stream, at: float, sources: Any) -> list[Line]:
    """All sources, opened at the same time; nothing of one happens at the time of something of another."""
    lines = [before(at), *[source.line(at) for source in sources]]
    apart(*[Line(tuple(dict(line.events).items()), line.end) for line in lines])
    return lines


def in_time(lines: list[Line]) -> list[tuple[float, int, Any]]:
    """What comes, from which of the sources, up to the first error."""
    found = [(time, place, value) for place, line in enumerate(lines) for time, value in line.events]
    return sorted([each for each in found if each[0] < failure(lines)[0]], key=lambda each: each[:2])


def failure(lines: list[Line]) -> tuple[float, str | None]:
    """The first error, and when it comes; infinity and None, if there is none."""
    errors = [(line.end, line.error) for line in lines if line.error is not None]
    return min(errors, default=(math.inf, None))


def over(lines: list[Line], events: Events, end: float) -> Line:
    """`events` up to `end`, or to the first error, if that is before."""
    time, error = failure(lines)
    if error is not None and time <= end:
        return Line(tuple([event for event in events if event[0] <= time]), time, error)
    return Line(tuple([event for event in events if event[0] <= end]), end)


def last_end(lines: list[Line]) -> float:
    return max(line.end for line in lines)


def empty_end(lines: list[Line]) -> float:
    """When the first of them ends that has no item."""
    return min([line.end for line in lines if not line.events and line.error is None], default=math.inf)


@timed("merge", _=other())
def merge_in_time(before: Stream, at: float, _: Any) -> Line:
    lines = together(before, at, _)
    return over(lines, [(time, value) for time, _, value in in_time(lines)], last_end(lines))


@timed("merge_prioritized", _=other())
def merge_prioritized_in_time(before: Stream, at: float, _: Any) -> Line:
    return merge_in_time(before, at, _)


@timed("combine_latest", _=other())
def combine_latest(before: Stream, at: float, _: Any) -> Line:
    lines = together(before, at, _)
    latest: dict[int, Any] = {}
    found: Events = []
    for time, place, value in in_time(lines):
        latest[place] = value
        if len(latest) == len(lines):
            found.append((time, tuple([latest[each] for each in range(len(lines))])))
    return over(lines, found, min(last_end(lines), empty_end(lines)))


@timed("with_latest_from", _=other())
def with_latest_from(before: Stream, at: float, _: Any) -> Line:
    lines = together(before, at, _)
    latest: dict[int, Any] = {}
    found: Events = []
    for time, place, value in in_time(lines):
        if place:
            latest[place] = value
        elif len(latest) == len(lines) - 1:
            found.append((time, (value, *[latest[each] for each in range(1, len(lines))])))
    return over(lines, found, min(lines[0].end, empty_end(lines[1:])))


@timed("zip_latest", _=other())
def zip_latest(before: Stream, at: float, _: Any) -> Line:
    lines = together(before, at, _)
    for line in lines:  # the first of two that come together may be overwritten before it is seen
        untied(*[time for time, _ in line.events])
    held: dict[int, Any] = {}
    found: Events = []
    used = [-math.inf] * len(lines)
    for time, place, value in in_time(lines):
        if any(line.end < time and used_at >= last(line) for line, used_at in zip(lines, used, strict=True)):
            break
        held[place] = value
        if len(held) == len(lines):
            found.append((time, tuple([held[each] for each in range(len(lines))])))
            held.clear()
            used = [time] * len(lines)
    ends = [
        max(line.end, used_at) if used_at >= last(line) else math.inf
        for line, used_at in zip(lines, used, strict=True)
    ]
    return over(lines, found, min(*ends, last_end(lines)))


def last(line: Line) -> float:
    """When the last item of a line comes."""
    return line.events[-1][0] if line.events else -math.inf


@timed("zip", lambda sources: ops.buffer(Unbounded()) | ops.zip(*sources), sources=other())
def zip_in_time(before: Stream, at: float, sources: Any) -> Line:
    lines = together(before, at, sources)
    if failure(lines)[1] is not None:
        raise UndecidedError("a source that is ahead fails when it is read on")
    size = min(len(line.events) for line in lines)
    found = [
        (max(line.events[place][0] for line in lines), tuple([line.values[place] for line in lines]))
        for place in range(size)
    ]
    begun = found[-1][0] if found else -math.inf
    return over(lines, found, min(max(line.end, begun) for line in lines if len(line.events) == size))


@timed("fork_join", _=other())
def fork_join(before: Stream, at: float, _: Any) -> Line:
    lines = together(before, at, _)
    end = min(last_end(lines), empty_end(lines))
    if failure(lines)[0] <= end or end == math.inf or not all(line.events for line in lines):
        return over(lines, [], end)
    return over(lines, [(end, tuple([line.values[-1] for line in lines]))], end)


@timed("race", _=other())
def race(before: Stream, at: float, _: Any) -> Line:
    lines = together(before, at, _)
    return min(lines, key=lambda line: min([line.end, *[time for time, _ in line.events]]))


@timed("take_until", lambda sources: ops.take_until(sources[0]), sources=other())
def take_until(before: Stream, at: float, sources: Any) -> Line:
    line, signal = together(before, at, sources[:1])
    if signal.events and signal.events[0][0] < line.end:
        time = signal.events[0][0]
        return Line(tuple([event for event in line.events if event[0] < time]), time)
    if signal.error is not None and not signal.events:
        return over([line, signal], [*line.events], line.end)
    return line


@timed("skip_until", lambda sources: ops.skip_until(sources[0]), sources=other())
def skip_until(before: Stream, at: float, sources: Any) -> Line:
    line, signal = together(before, at, sources[:1])
    if signal.events:
        time = signal.events[0][0]
        return Line(tuple([event for event in line.events if event[0] > time]), line.end, line.error)
    return over([line, signal], [], min(line.end, signal.end))


@timed(
    "pause_while",
    lambda sources: (
        ops.buffer(Unbounded())
        | ops.pause_while(Begun(sources[0]) | ops.map(lambda item: weigh(item) % 2 == 0))
    ),
    sources=other(),
)
def pause_while(before: Stream, at: float, sources: Any) -> Line:
    line, signal = together(before, at, sources[:1])
    if signal.error is not None:
        raise UndecidedError("a signal that fails")
    turns = [(time, weigh(value) % 2 == 0) for time, value in signal.events] + [(signal.end, False)]

    def passes(time: float) -> float:
        paused = [turn for turn in turns if turn[0] < time][-1:]
        if not paused or not paused[0][1]:
            return time
        return next(moment for moment, pauses in turns if moment > time and not pauses)

    found = [(passes(time), value) for time, value in line.events]
    coming = [each for each in found if each[0] < math.inf]
    if len(coming) == len(found):
        return ended(found, line)
    if line.error is not None:
        raise UndecidedError("the error of what is paused for ever")
    return Line(tuple(coming), math.inf)


# streams of streams --------------------------------------------------------------------------


def opened(function: Callable[[Any], list[Any]], value: Any, at: float) -> Line:
    """The stream that is made of an item."""
    try:
        items = function(value)
    except Boom as error:
        return Line((), at, error.label)
    events = [(at + PAUSE * (place + 1), item) for place, item in enumerate(items)]
    return Line(tuple(events), at + PAUSE * (len(items) + 1))


@timed("switch_map", function=lambda _: Inner())
def switch_map(before: Stream, at: float, function: Any) -> Line:
    line = before(at)
    apart(line)
    found: Events = []
    nexts = [*[time for time, _ in line.events[1:]], math.inf]
    end = line.end
    for (time, value), following in zip(line.events, nexts, strict=False):
        inner = opened(function, value, time)
        limit = min(following, line.end if line.error is not None else math.inf)
        untied(following, line.end, inner.end, *[moment for moment, _ in inner.events])
        found += [event for event in inner.events if event[0] < limit]
        if inner.error is not None:
            return Line(tuple(found), inner.end, inner.error)
        if following == math.inf and line.error is None:
            end = max(end, inner.end)
    return Line(tuple(found), end, line.error)


@timed("exhaust_map", function=lambda _: Inner())
def exhaust_map(before: Stream, at: float, function: Any) -> Line:
    line = before(at)
    apart(line)
    found: Events = []
    busy, end = -math.inf, line.end
    for time, value in line.events:
        untied(time, busy)
        if time < busy:
            continue
        inner = opened(function, value, time)
        untied(line.end, *[moment for moment, _ in inner.events], inner.end)
        busy = inner.end
        found += [event for event in inner.events if line.error is None or event[0] < line.end]
        if inner.error is not None:
            return Line(tuple(found), inner.end, inner.error)
        end = end if line.error is not None else max(end, busy)
    return Line(tuple(found), end, line.error)


@timed(
    "concat_map",
    lambda function: ops.buffer(Unbounded()) | ops.concat_map(function),
    function=lambda _: Inner(),
)
def concat_map_in_time(before: Stream, at: float, function: Any) -> Line:
    line = before(at)
    if line.error is not None:
        raise UndecidedError("the error waits in the buffer, or not")
    found: Events = []
    free = at
    for time, value in line.events:
        inner = opened(function, value, max(time, free))
        found += inner.events
        free = inner.end
        if inner.error is not None:
            return Line(tuple(found), free, inner.error)
    return Line(tuple(found), max(line.end, free))
