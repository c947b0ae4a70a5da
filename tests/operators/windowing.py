"""Windows by their definitions: slow, and written without a look at how `window` does it.

The definitions are those of Beam and Flink: a window is closed when the watermark, which is the greatest time
so far less the lateness, has come to its end. An item is late if all of its windows are closed. Sessions are
windows of one item each that are merged where they overlap.
"""

import math
from typing import Any, NamedTuple

from streamkit import Suspend, Window, ops

__all__ = ["Found", "by_session", "by_time", "pipes", "sliding"]


class Found(NamedTuple):
    """What comes of a list of times."""

    windows: list[tuple[Window, list[float]]]
    """In the order in which they end, with their items as they came."""
    late: list[float]


def containing(time: float, seconds: float, every: float) -> list[tuple[int, float, float]]:
    """The windows that an item of this time belongs to: their numbers and bounds.

    Where a window ends with the beginning of another one, by exact numbers, it does so here.
    """
    around = range(math.floor((time - seconds) / every) - 1, math.floor(time / every) + 2)
    across = math.ceil(seconds / every)
    windows = [(number, number * every, number * every + seconds) for number in around]
    clipped = [(number, start, min(end, (number + across) * every)) for number, start, end in windows]
    if seconds == every:
        clipped = [(number, start, (number + 1) * every) for number, start, _ in windows]
    return [(number, start, end) for number, start, end in clipped if start <= time < end]


def by_time(times: list[float], seconds: float, every: float, lateness: float) -> Found:
    """Windows of `seconds`, one `every` so many seconds."""
    most = math.ceil((seconds + lateness) / every)
    held: dict[tuple[int, float, float], list[float]] = {}
    windows: list[tuple[Window, list[float]]] = []
    late: list[float] = []
    greatest = -math.inf

    def is_closed(number: int, end: float) -> bool:
        """Whether the watermark has come to its end, or as many have begun since as may be open at once."""
        return end + lateness <= greatest or (number + most) * every <= greatest

    for time in [*times, math.inf]:
        greatest = max(greatest, time)
        for number, start, end in sorted(held):
            if is_closed(number, end):
                windows.append((Window(start, end), held.pop((number, start, end))))
        if time == math.inf:
            break
        belongs = containing(time, seconds, every)
        fitting = [each for each in belongs if not is_closed(each[0], each[2])]
        for each in fitting:
            held.setdefault(each, []).append(time)
        if belongs and not fitting:
            late.append(time)
    return Found(windows, late)


def by_session(times: list[float], gap: float, lateness: float) -> Found:
    """Sessions, each with its items sorted."""
    held: list[tuple[float, float, list[float]]] = []
    windows: list[tuple[Window, list[float]]] = []
    late: list[float] = []
    greatest = -math.inf

    def close(latest: float) -> None:
        for session in sorted(held):
            if session[1] + lateness <= latest:
                held.remove(session)
                windows.append((Window(session[0], session[1]), sorted(session[2])))

    for time in times:
        greatest = max(greatest, time)
        close(greatest)
        near = [each for each in held if time < each[1] and each[0] < time + gap]
        if not near and time + gap + lateness <= greatest:
            late.append(time)
            continue
        for each in near:
            held.remove(each)
        held.append(
            (
                min([time, *[start for start, _, _ in near]]),
                max([time + gap, *[end for _, end, _ in near]]),
                [time, *[item for _, _, items in near for item in items]],
            )
        )
    close(math.inf)
    return Found(windows, late)


def sliding(times: list[float], seconds: float, lateness: float) -> Found:
    """A window for each item, in the order of their times."""
    accepted: list[float] = []
    late: list[float] = []
    greatest = -math.inf
    for time in times:
        greatest = max(greatest, time)
        released = [each for each in accepted if each + lateness <= greatest]
        if released and time < max(released):
            late.append(time)
        else:
            accepted.append(time)
    accepted.sort()
    windows = [
        (Window(time - seconds, time), [each for each in accepted[: place + 1] if each > time - seconds])
        for place, time in enumerate(accepted)
    ]
    return Found(windows, late)


def pipes(pipe: Any) -> list[Any]:
    """The pipe as it is, and the same with a stage in it, which gives each window a task."""
    return [pipe, ops.buffer(Suspend(2)) | pipe]
