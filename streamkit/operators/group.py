"""Operators that give each key a pipe of its own."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from enum import Enum
from typing import Any, TypeVar, overload

from streamkit._core.arguments import flag, seconds, whole
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.guarded import guarded
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.on_error import OnError
from streamkit._core.show import shown
from streamkit._core.strategy import Strategy
from streamkit._engine.compile.layout import UNSEEN
from streamkit._engine.compile.loop import fits
from streamkit._engine.compile.pieces import parsed
from streamkit._engine.face.job import Job
from streamkit._engine.face.mistakes import instead
from streamkit._engine.face.stage import stage
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Keep, Operator, Pipe, Sink, Stream
from streamkit._engine.plan.link import Inlet, Link, flattened
from streamkit._engine.plan.tracked import refused
from streamkit._engine.run.run import Run
from streamkit._stages.berth import Berths, full_error
from streamkit._stages.forks import lone
from streamkit._stages.group_by import INTAKE, INTAKE_AHEAD, PairedRouter, Reopened, ReopenedInOrder, Router
from streamkit._stages.keyed import keyed

__all__ = ["OnFull", "group_by"]

A = TypeVar("A")
B = TypeVar("B")
K = TypeVar("K", bound=Hashable)


class OnFull(Enum):
    """What ``group_by`` does with an item of a new key, when it has `max_groups` groups."""

    FAIL = "fail"
    """The stream fails with a `GroupsFullError`."""
    EVICT = "evict"
    """The group that has been idle for longest ends, as if the source had ended."""
    WAIT = "wait"
    """The source waits until a group has ended; only with ``idle=``, which ends idle groups."""

    def __repr__(self) -> str:
        return f"OnFull.{self.name}"


_LATER = (
    "'later items of a key whose pipe has ended' if _ends is not ABSENT and reopen is ABSENT else 'nothing'"
)
_UNREAD = f"{_LATER} if _ends is ABSENT or reopen is ABSENT else 'what a pipe that ends has read ahead'"
_CONTRACT = Contract(times="max_groups", ordered="'within each key'", loses=_LATER)
_SETUP = "groups = {} if reopen is ABSENT else Reopened()\nfind = groups.get"
_ORDERED = "groups = OrderedDict() if reopen is ABSENT else ReopenedInOrder()"
"""Its first is found at once: that of a plain dict, by going past all that were deleted before it."""
_FINISH = """
    for name in [*groups]:
        state = groups[name]
        end()
"""


@step(
    name="group_by",
    setup=_SETUP,
    each="""
        name = key(item)
        state = find(name, UNSEEN)
        if state is UNSEEN:
            if len(groups) == max_groups:
                raise full_error(name, max_groups)
            enter()
        else:
            resume()
        run()
    """,
    finish=_FINISH,
    uses=(Reopened, {"UNSEEN": UNSEEN}),
    contract=_CONTRACT,
    groups=True,
)
def _grouped(
    key: Callable[..., Any],
    pipe: Pipe,
    *,
    max_groups: int,
    reopen: bool | Absent = ABSENT,
    _ends: Any = ABSENT,
) -> Operator[Any, Any]:
    return Operator(_grouped, key=key, pipe=pipe, max_groups=max_groups, reopen=reopen, _ends=_ends)


@step(
    name="group_by",
    setup=_ORDERED,
    each="""
        name = key(item)
        state = groups.pop(name, None)
        if state is None:
            if len(groups) == max_groups:
                new = name
                name = next(iter(groups))
                state = groups[name]
                end()
                groups.pop(name, None)
                name = new
            enter()
        else:
            groups[name] = state
            resume()
        run()
    """,
    finish=_FINISH,
    uses=(OrderedDict, ReopenedInOrder),
    contract=_CONTRACT,
    groups=True,
)
def _evicting(
    key: Callable[..., Any],
    pipe: Pipe,
    *,
    max_groups: int,
    on_full: OnFull,
    reopen: bool | Absent = ABSENT,
    _ends: Any = ABSENT,
) -> Operator[Any, Any]:
    return Operator(
        _evicting, key=key, pipe=pipe, max_groups=max_groups, on_full=on_full, reopen=reopen, _ends=_ends
    )


async def _routed_run(
    run: Run,
    source: Inlet[Any],
    *,
    key: Callable[[Any], Any],
    pipe: Pipe,
    max_groups: int,
    on_full: OnFull,
    idle: Any,
    reopen: bool | Absent,
    _ends: Any,
    _strategy: Strategy | None,
) -> AsyncIterator[Any]:
    kind = PairedRouter if run.tracked else Router
    router = kind(run, pipe.links, max_groups, _OVERFLOWED[on_full], None if idle is ABSENT else idle)
    router.reopens = reopen is True
    run.pump(keyed(run, source, key), into=router)
    async for item in router.out:
        yield item
        del item  # nothing is held while the groups have nothing
    router.out.raise_source_error()


def _followed(arguments: Mapping[str, Any]) -> str | None:
    """Why groups with tasks cannot stand behind a durable source."""
    links: tuple[Link, ...] = arguments["pipe"].links
    refused(links)
    if not links[-1].declaration.sink:
        return None
    return "has groups with tasks that end in a sink: its result leaves when its items are settled already"


def _fail(berths: Berths, key: object) -> None:
    raise full_error(key, berths.most)


def _evict(berths: Berths, key: object) -> None:
    berths.end(next(iter(berths.groups.values())))


def _wait(berths: Berths, key: object) -> None:
    """Do nothing: the item waits until an idle group ends."""


_OVERFLOWED = {OnFull.FAIL: _fail, OnFull.EVICT: _evict, OnFull.WAIT: _wait}


@stage(
    _routed_run,
    name="group_by",
    pairs=_followed,
    contract=Contract(
        holds=f"1 + max_groups * {INTAKE}",
        lookahead=f"1 + max_groups * {INTAKE_AHEAD}",
        times="max_groups",
        ordered="'within each key'",
        loses=f"({_UNREAD}) if _strategy is None else _strategy.loses",
    ),
)
def _routed(
    key: Callable[..., Any],
    pipe: Pipe,
    *,
    max_groups: int,
    on_full: OnFull = OnFull.FAIL,
    idle: float | Absent = ABSENT,
    reopen: bool | Absent = ABSENT,
    _ends: Any = ABSENT,
    _strategy: Strategy | None = None,
) -> Operator[Any, Any]:
    return Operator(
        _routed,
        key=key,
        pipe=pipe,
        max_groups=max_groups,
        on_full=on_full,
        idle=idle,
        reopen=reopen,
        _ends=_ends,
        _strategy=_strategy,
    )


def _spliced(
    key: Callable[..., Any],
    pipe: Pipe,
    max_groups: int,
    on_full: OnFull,
    reopen: bool | Absent,
    ends: Any,
) -> Operator[Any, Any] | None:
    """The operator as a step, if the pipe has only steps, and none is known to wait; else None."""
    if any(map(lone, pipe.links)):
        return None
    if on_full is OnFull.EVICT:
        made = _evicting(key, pipe, max_groups=max_groups, on_full=on_full, reopen=reopen, _ends=ends)
    else:
        made = _grouped(key, pipe, max_groups=max_groups, reopen=reopen, _ends=ends)
    return made if fits(made.links[0].key) else None


@overload
def group_by(
    key: Callable[[A], Awaitable[K]],
    pipe: Keep,
    *,
    max_groups: int,
    on_full: OnFull = ...,
    idle: float | Absent = ...,
    reopen: bool = ...,
    on_error: OnError | None = None,
) -> Operator[A, tuple[K, A]]: ...
@overload
def group_by(
    key: Callable[[A], Awaitable[K]],
    pipe: Operator[A, B] | Sink[A, B],
    *,
    max_groups: int,
    on_full: OnFull = ...,
    idle: float | Absent = ...,
    reopen: bool = ...,
    on_error: OnError | None = None,
) -> Operator[A, tuple[K, B]]: ...
@overload
def group_by(
    key: Callable[[A], Awaitable[K]],
    pipe: Callable[[Stream[A]], Inlet[B] | Job[B]],
    *,
    max_groups: int,
    on_full: OnFull = ...,
    idle: float | Absent = ...,
    reopen: bool = ...,
    on_error: OnError | None = None,
) -> Operator[A, tuple[K, B]]: ...
@overload
def group_by(
    key: Callable[[A], K],
    pipe: Keep,
    *,
    max_groups: int,
    on_full: OnFull = ...,
    idle: float | Absent = ...,
    reopen: bool = ...,
    on_error: OnError | None = None,
) -> Operator[A, tuple[K, A]]: ...
@overload
def group_by(
    key: Callable[[A], K],
    pipe: Operator[A, B] | Sink[A, B],
    *,
    max_groups: int,
    on_full: OnFull = ...,
    idle: float | Absent = ...,
    reopen: bool = ...,
    on_error: OnError | None = None,
) -> Operator[A, tuple[K, B]]: ...
@overload
def group_by(
    key: Callable[[A], K],
    pipe: Callable[[Stream[A]], Inlet[B] | Job[B]],
    *,
    max_groups: int,
    on_full: OnFull = ...,
    idle: float | Absent = ...,
    reopen: bool = ...,
    on_error: OnError | None = None,
) -> Operator[A, tuple[K, B]]: ...
@answering
def group_by(
    key: Callable[..., Any],
    pipe: Any,
    *,
    max_groups: int,
    on_full: OnFull = OnFull.FAIL,
    idle: float | Absent = ABSENT,
    reopen: bool = False,
    on_error: OnError | None = None,
) -> Operator[Any, Any]:
    """Give each key a pipe of its own, and pass on what comes out of it, with the key.

        items                    --a1--b1--a2----b2--|
        group_by(letter, take(1)) --(a,a1)--(b,b1)----|

    A pipe of operators passes on each of its items as ``(key, item)``; a sink, its result as
    ``(key, result)`` when its group ends:

    >>> from streamkit import Stream, ops
    >>> letters = ops.group_by(lambda word: word[0], ops.count(), max_groups=9)
    >>> list(Stream(["apple", "bean", "avocado"]) | letters)
    [('a', 2), ('b', 1)]
    >>> pairs = ops.group_by(lambda number: number % 2, ops.batch(2), max_groups=2)
    >>> list(Stream(range(5)) | pairs)
    [(0, [0, 2]), (1, [1, 3]), (0, [4])]

    A group ends with the source, or earlier if it is evicted or idle; a later item of its key begins a new
    group. If the pipe ends early (``take``, ``first``), its results are passed on at once. The group itself
    goes on: it counts towards `max_groups`, and drops later items of its key, until it ends. With `reopen`,
    it ends with its pipe: its place is free, and the next item of its key begins a new group. What a pipe
    with tasks has read ahead when it ends is dropped, and counted.

    >>> firsts = ops.group_by(str.lower, ops.take(2) | ops.to_list(), max_groups=2, reopen=True)
    >>> list(Stream("aAbaA") | firsts)
    [('a', ['a', 'A']), ('a', ['a', 'A']), ('b', ['b'])]

    A pipe of steps runs inside the loop that reads the source, with a state per key. If a callback there
    returns an awaitable, the other keys wait for it. Each group has a task if a callback is an ``async def``,
    if the pipe has a stage, or with `idle`. A group with a task buffers one item, or what a
    ``buffer(strategy)`` at the start of the pipe says. The bound is `max_groups` times that of the pipe.

    Emits when: a group does; a sink does when its group ends. When the source ends, groups without tasks
        end in order of their first items (with ``OnFull.EVICT``, the longest idle first); groups with
        tasks end as they are done.
    Waits when: the consumer does; the group of the last item has no room; or, with ``OnFull.WAIT``, there
        are `max_groups` groups, and none has been idle for long enough.
    Completes when: the source does, and every group has ended.
    Closes when: it ends, or the consumer leaves; then no group emits anything more.

    Args:
        key: called with each item; returns the key of its group, which is hashable, or an awaitable of it.
        pipe: operators, or operators and a sink, that each group runs for itself.
        max_groups: groups at once, at most.
        on_full: what happens to an item of a new key when there are `max_groups` groups: the stream fails,
            the longest idle group ends, or (only with `idle`) the source waits.
        idle: seconds without an item after which a group ends.
        reopen: whether a group whose pipe has ended frees its key, which begins anew when it comes again.
        on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

    Raises:
        TypeError: an argument has the wrong type; (when run) a key is not hashable.
        ValueError: `max_groups` is less than 1; `idle` is not finite, or not above 0; `on_full` is
            ``OnFull.WAIT`` without `idle`.
        GroupsFullError: (when run) with ``OnFull.FAIL``, there is one key more than `max_groups`.
    """
    key = guarded("key", key, on_error)
    if not isinstance(pipe, Pipe):
        raise TypeError(f"pipe must be operators, or operators and a sink, not {shown(pipe)}{instead(pipe)}")
    max_groups = whole("max_groups", max_groups, least=1)
    if not isinstance(on_full, OnFull):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"on_full must be OnFull.FAIL, OnFull.EVICT or OnFull.WAIT, not {shown(on_full)}")
    if idle is not ABSENT:
        idle = seconds("idle", idle)
    elif on_full is OnFull.WAIT:
        raise ValueError("on_full must be OnFull.FAIL or OnFull.EVICT without idle=, not OnFull.WAIT")
    again: bool | Absent = True if flag("reopen", reopen) else ABSENT
    links = [link for link in flattened(pipe.links) if link.declaration.stage is None]
    ends = True if any(parsed(link.declaration).stops for link in links) else ABSENT
    if idle is ABSENT and (spliced := _spliced(key, pipe, max_groups, on_full, again, ends)) is not None:
        return spliced
    first = pipe.links[0]
    strategy = first.arguments["strategy"] if first.declaration.buffers else None
    return _routed(
        key,
        pipe,
        max_groups=max_groups,
        on_full=on_full,
        idle=idle,
        reopen=again,
        _ends=ends,
        _strategy=strategy,
    )
