"""Checks of what is drawn: `check_marbles`, and `draw_marbles`, which draws what came."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from streamkit._core.calls import answering
from streamkit._core.show import named, shown
from streamkit._engine.face.stream import Pipe, SourceLike, Stream
from streamkit.testing.consumers import stream_of
from streamkit.testing.drops import Drops, drops_argument
from streamkit.testing.marbles.consuming import MOST, Recording, consumed, require_virtual_time
from streamkit.testing.marbles.differences import Pair, compared, marks_of, raise_if_different
from streamkit.testing.marbles.drawn import Drawn
from streamkit.testing.marbles.notation import DEMAND, frame_of, nanos, parsed
from streamkit.testing.marbles.pictures import Picture, picture_of
from streamkit.testing.marbles.rendering import drawing, line_of
from streamkit.testing.marbles.signs import Signs

__all__ = ["check_marbles", "draw_marbles"]

AFTER: Final = 10
"""For how many frames after all that is drawn the check goes on, to show what comes instead."""


@answering
async def check_marbles(
    stream: SourceLike[Any] | Pipe | Callable[..., Any],
    picture: str,
    *,
    values: Mapping[str, Any] | None = None,
    frame: float = 1.0,
    drops: Drops | None = None,
) -> None:
    """Check what comes of a stream, and when, against a drawing, in virtual time.

    A picture of several lines draws the sources too. An operator gets the one that is drawn; a function gets
    each by its name, as a stream, and returns the stream to check:

    >>> from streamkit import DropOldest, Stream, ops
    >>> from streamkit.testing import check_marbles, drawn, run
    >>> run(check_marbles(ops.buffer(DropOldest(1)), '''
    ...     items     abc----|
    ...     demand    ^--^--^
    ...     expected  a--c---|
    ...     dropped   --b
    ... '''))
    >>> run(check_marbles(lambda left, right: left | ops.zip(right) | ops.map("".join), '''
    ...     left        a-b---|
    ...     right       --1--2---|
    ...     left.asked  ^-^--^
    ...     expected    --x--y|
    ... ''', values={"x": "a1", "y": "b2"}))

    One line alone is what is expected of a stream:

    >>> run(check_marbles(Stream(drawn("--a-b|")) | ops.delay(5.0), "-------a-b|"))

    What differs is shown line under line:

    >>> run(check_marbles(Stream(drawn("--a-b|")) | ops.delay(5.0), "------a-b|"))
    Traceback (most recent call last):
    AssertionError: 'a' is drawn at 6 s, and came at 7 s
      seconds         6 8 10
      expected  ------a-b|
      actual    -------a-b|
                      ^

    The notation is that of marbles in Rx. A line is read from left to right:

        -           one frame passes
        a  B  7     an item, which takes one frame; it is that character, or what `values` says
        (ab)        several at one instant: together they take one frame
        |           the end
        #           the error
        90s 100ms   so much time passes (s, ms or m), between spaces
        ^           in demand: the consumer asks for an item
        !           in demand: the consumer leaves, also while it waits for an item

    Other spaces mean nothing, so that lines can stand under one another. (In RxJS and RxPY a group takes as
    many frames as it has characters.) These lines have a meaning of their own by their names:

        expected        what comes, and when. If nothing ends the line, the consumer leaves behind it, or
                        where the demand says, if that is later
        demand          when the consumer asks for each item, at the earliest. Behind a line without '!',
                        and where there is no line, it asks at once. In (^!) it leaves with its item
        dropped         what strategies drop, and when; without the line, that is not checked
        items.asked     when the source `items` is asked (^), and closed or cancelled before its end (!)

    Args:
        stream: a stream or a source, if no source is drawn; else an operator, or a function of the sources.
        picture: the lines.
        values: the item for each character that does not stand for itself; for ``#`` the error or its class.
        frame: how many seconds one frame is.
        drops: the ``on_drop`` of strategies whose drops are not seen otherwise, see `Drops`.

    Raises:
        AssertionError: something else came; the error of the stream, if there was one, is its cause.
        ValueError: the picture cannot be read; the message shows where.
        RuntimeError: the running loop has no virtual time.
    """
    step = frame_of(frame)
    drawn = picture_of(picture, step)
    signs = Signs(values)
    signs.reserve(drawn.signs)
    require_virtual_time("check_marbles")
    sources = {name: Drawn(drawn.rows[name], drawn.texts[name], signs, step, 0.0) for name in drawn.sources}
    expected = drawn.expected
    until = drawn.over + AFTER * step if expected.ended else drawn.left
    subject = _stream(stream, sources)
    demand = drawn.rows.get("demand")
    recording = await consumed(subject, demand, until, len(expected.marks) + MOST, drops_argument(drops))
    raise_if_different(drawn, _pairs(drawn, recording, sources, signs, until), signs, step)


def _stream(subject: Any, sources: dict[str, Drawn]) -> Stream[Any]:
    """The stream to check."""
    if not sources:
        if isinstance(subject, Pipe):
            raise ValueError(f"an operator is checked with a source: draw one, for {shown(subject)}")
        return stream_of(subject)
    streams: dict[str, Stream[Any]] = {name: Stream(source) for name, source in sources.items()}
    names = ", ".join(streams)
    if isinstance(subject, Pipe):
        if len(streams) > 1:
            raise ValueError(f"an operator gets one source, and there are {names}: use a function of them")
        (only,) = streams.values()
        made: Any = only | subject
    elif callable(subject) and not isinstance(subject, Stream):
        made = _called(subject, streams)
    else:
        words = "stream must be an operator or a function of them"
        raise TypeError(f"where sources are drawn ({names}), {words}, not {shown(cast('object', subject))}")
    stream: Stream[Any] = made  # pyright would narrow `made` to a stream of something unknown
    if isinstance(made, Stream):
        return stream
    raise TypeError(f"{named(subject)} must make a stream of the sources, not {shown(made)}")


def _called(function: Callable[..., Any], streams: dict[str, Stream[Any]]) -> Any:
    names = [*inspect.signature(function).parameters]
    if {*names} != streams.keys():
        raise ValueError(
            f"a function gets the sources by their names: it takes {', '.join(names) or 'none'}, "
            f"and the picture has {', '.join(streams)}"
        )
    return function(**streams)


def _pairs(
    picture: Picture, recording: Recording, sources: dict[str, Drawn], signs: Signs, until: int
) -> list[Pair]:
    """What is drawn, each with what came of it."""
    expected = picture.expected
    events = [event for event in recording.events if expected.ended or event.time < until]
    pairs = [compared("expected", expected, [*events, *recording.late], signs, until)]
    if (dropped := picture.rows.get("dropped")) is not None:
        pairs.append(compared("dropped", dropped, recording.drops, signs, 0))
    for name, line in picture.asked.items():
        pairs.append(
            Pair(name=f"{name}.asked", drawn=line, actual=sources[name].line(recording.origin), values=())
        )
    return pairs


@answering
async def draw_marbles(
    stream: SourceLike[Any],
    *,
    demand: str = "",
    values: Mapping[str, Any] | None = None,
    frame: float = 1.0,
    seconds: float | None = None,
) -> str:
    """Consume a stream in virtual time, and return what came as a line that `check_marbles` reads.

    Items that no character can stand for get letters of their own: say which in `values`.

    >>> import streamkit
    >>> from streamkit.testing import draw_marbles, run
    >>> run(draw_marbles(streamkit.interval(2.0), seconds=7.0, values={"a": 0, "b": 1, "c": 2}))
    '--a-b-c'

    Args:
        stream: the stream.
        demand: when the consumer asks and leaves, as in `check_marbles`.
        values: the items that characters stand for.
        frame: how many seconds one frame is. The line has shorter ones, if something happens within a frame.
        seconds: when the consumer leaves; if not given, at the end, or after 1000 items.

    Raises:
        RuntimeError: the running loop has no virtual time.
    """
    step = frame_of(frame)
    line = parsed(demand, DEMAND, frame=step)
    require_virtual_time("draw_marbles")
    signs = Signs(values)
    until = None if seconds is None else nanos(seconds)
    recording = await consumed(stream_of(stream), line, until)
    events = [event for event in recording.events if until is None or event.time < until]
    return drawing([line_of(marks_of([*events, *recording.late], signs), until=until or 0)], step).texts[0]
