"""Every operator and sink as a method, for type checkers and editors.

Written by `python -m pages.methods` from the operators: change those, and run it again.
"""

# pyright: reportPrivateUsage=false

from asyncio import Queue
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from streamkit._core.backoff import Backoff
from streamkit._core.errors import ErrorTypes
from streamkit._core.limit import Limit
from streamkit._core.markers import Absent, Gap
from streamkit._core.on_error import OnError
from streamkit._core.strategy import Collect, Lossy, Strategy
from streamkit._core.windows import Window, Windows
from streamkit._core.workers import Lasting, Workers
from streamkit._engine.face.job import Job
from streamkit._engine.face.shapes import Always, ListOf, Lists, One, OneOf
from streamkit._engine.face.stream import Into, Keep, Operator, Pipe, Shape, Sink, SourceLike, Stream
from streamkit._engine.plan.link import Inlet
from streamkit._stages.hop import Store
from streamkit._stages.outputs import Tagged, ToOperators, ToSinks
from streamkit.operators.group import OnFull
from streamkit.operators.materialize import Notification
from streamkit.operators.restart import OnRetry, When
from streamkit.operators.stamp import TimeInterval, Timestamped
from streamkit.operators.steer import Valve
from streamkit.operators.thin import OnDrop
from streamkit.operators.throttle import RateLimit
from streamkit.operators.until import Signal
from streamkit.operators.window import OnLate, Timestamp
from streamkit.sinks.reduce import _Real
from types import EllipsisType
from typing import Any, Generic, Literal, Never, TypeGuard, TypeVar, TypeVarTuple, overload
from typing_extensions import TypeIs

Item = TypeVar("Item")
A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
R1 = TypeVar("R1")
R2 = TypeVar("R2")
R3 = TypeVar("R3")
R4 = TypeVar("R4")
R5 = TypeVar("R5")
R6 = TypeVar("R6")
C = TypeVar("C")
D = TypeVar("D")
K = TypeVar("K", bound=Hashable)
As = TypeVarTuple("As")
S = TypeVar("S")
K2 = TypeVar("K2")
V = TypeVar("V")
T_co = TypeVar("T_co", covariant=True)

class Methods(Generic[T_co]):
    __slots__ = ()
    @overload
    def aggregate(self: Methods[Item], sink: ListOf) -> Stream[list[Item]]:
        """Pass on the result of `sink` as the one item.

            items              --3--1--5--|
            aggregate(count()) -----------(3|)

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.aggregate(ops.count()))
        [3]
        >>> list(Stream("abc") | ops.aggregate(ops.map(str.upper) | ops.to_list()) | ops.concat(["end"]))
        [['A', 'B', 'C'], 'end']

        So a pipe can go on behind what would end it. All sinks of `ops` can stand here, with operators before
        them, and users' own. A sink of steps runs in the loop that reads the source.

        Emits when: the sink has its result: at the end of the source, or when it has enough, as ``first`` has.
        Waits when: the sink does.
        Completes when: the result was passed on.
        Closes when: the sink has its result, or the consumer leaves.

        Where the sink fails, as ``first`` does without an item, the stream does.

        Args:
            sink: a sink, or operators and a sink.

        Raises:
            TypeError: `sink` is something else.
        """
    @overload
    def aggregate(self: Methods[Item], sink: One) -> Stream[Item]: ...
    @overload
    def aggregate(self: Methods[Item], sink: OneOf[T]) -> Stream[Item | T]: ...
    @overload
    def aggregate(self: Methods[Any], sink: Always[R]) -> Stream[R]: ...
    @overload
    def aggregate(self: Methods[A], sink: Sink[A, R]) -> Stream[R]: ...
    @overload
    def aggregate(self: Methods[A], sink: Callable[[Stream[A]], Job[R]]) -> Stream[R]: ...
    @overload
    def all(self: Methods[Item]) -> Job[bool]:
        """Whether every item is true, or `predicate` is true of it.

        >>> from streamkit import Stream, ops
        >>> (Stream([1, 2, 0]) | ops.all()).run()
        False
        >>> (Stream("AB") | ops.all(str.isupper)).run()
        True

        Completes when: an item fails, or the source completes.
        Closes when: it ends.

        Of an empty stream it is true, as the builtin ``all`` is.

        Args:
            predicate: called with each item; returns whether it holds, or an awaitable of that. Without it, the
                items themselves are asked.
            on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `predicate` is not callable.
        """
    @overload
    def all(
        self: Methods[A], predicate: Callable[[A], Awaitable[object]], *, on_error: OnError | None = None
    ) -> Job[bool]: ...
    @overload
    def all(
        self: Methods[A], predicate: Callable[[A], object], *, on_error: OnError | None = None
    ) -> Job[bool]: ...
    @overload
    def any(self: Methods[Item]) -> Job[bool]:
        """Whether an item is true, or `predicate` is true of one.

        >>> from streamkit import Stream, ops
        >>> (Stream([0, 2, 0]) | ops.any()).run()
        True
        >>> (Stream("ab") | ops.any(str.isupper)).run()
        False

        Completes when: such an item has come, or the source completes.
        Closes when: it ends.

        Of an empty stream it is false, as the builtin ``any`` is.

        Args:
            predicate: called with each item; returns whether it holds, or an awaitable of that. Without it, the
                items themselves are asked.
            on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `predicate` is not callable.
        """
    @overload
    def any(
        self: Methods[A], predicate: Callable[[A], Awaitable[object]], *, on_error: OnError | None = None
    ) -> Job[bool]: ...
    @overload
    def any(
        self: Methods[A], predicate: Callable[[A], object], *, on_error: OnError | None = None
    ) -> Job[bool]: ...
    def audit(self: Methods[Item], seconds: float, *, on_drop: OnDrop | None = None) -> Stream[Item]:
        """When an item comes, wait for `seconds`, and pass on the latest.

            items    --a-b-c-----------d--|
            audit(5) -------c-------------(d|)

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.audit(60.0))
        ['c']

        Emits when: `seconds` have passed since an item came and none waited; at the end of the source, the latest
            item at once.
        Waits when: the time is not over, or no item has come. The source never waits.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            seconds: the length of a period, which begins when an item comes and none waits. A consumer that is
                late gets the latest item at once.
            on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `seconds` is not finite, or not above 0.

        RxPY has none. In RxJS the last item waits for its period, too; here it comes at once, as in `sample` and
        `debounce`. `throttle_latest` passes the first item on without a wait.
        """
    @overload
    def balance(self: Methods[Item], *branches: Keep, workers: int | Absent = ...) -> Stream[Item]:
        """Give each item to whichever branch is free.

            items               --1--2--3--4-----|
            first branch, slow  --1-------1------|
            second branch       -----2--3--4-----|
            balance             -----2--3-14-----|

        If all branches end in sinks, this is a sink, whose result is the tuple of theirs; if all are operators,
        their outputs are merged, each as it comes:

        >>> from streamkit import Stream, ops
        >>> import asyncio
        >>> async def fetch(number: int) -> int:
        ...     await asyncio.sleep(0)
        ...     return number * number
        >>> sorted(Stream(range(5)) | ops.balance(ops.map(fetch), workers=3))
        [0, 1, 4, 9, 16]

        A branch is free when it asks for an item, or has room in the ``buffer(strategy)`` that it begins with.
        Those that are free take turns.

        Emits when: a branch does.
        Waits when: no branch is free; the source then waits too.
        Completes when: every branch has. One that ends early leaves, and the others go on.
        Closes when: every branch has ended, one fails, or the consumer leaves.

        An error of a branch ends all. An error of the source reaches each branch after the items before it.

        Args:
            branches: operators, or sinks.
            workers: how often to run the one branch that is given, at once.

        Raises:
            TypeError: a branch is neither operators nor a sink, or some are one and some the other; `workers` is
                not a whole number.
            ValueError: there is no branch; or `workers` is less than 1, or given with more than one branch.

        For one function with calls at once, in order, use ``map(function, concurrency=...)``.
        """
    @overload
    def balance(self: Methods[A], *branches: Operator[A, B], workers: int | Absent = ...) -> Stream[B]: ...
    @overload
    def balance(
        self: Methods[A], *branches: Sink[A, R], workers: int | Absent = ...
    ) -> Job[tuple[R, ...]]: ...
    @overload
    def balance(
        self: Methods[A], *branches: Into[A, R], workers: int | Absent = ...
    ) -> Job[tuple[R, ...]]: ...
    @overload
    def balance(
        self: Methods[Item], *branches: Keep | Operator[Any, Any] | Shape, workers: int | Absent = ...
    ) -> Any: ...
    def batch(self: Methods[Item], size: int) -> Stream[list[Item]]:
        """Pass on the items in lists of `size`; the last may be shorter.

            items    --a--b------c--|
            batch(2) -----[a,b]-----[c]|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.batch(2))
        [['a', 'b'], ['c']]

        Emits when: `size` items have come; at the end, and before an error of what is before it, the rest.
        Waits when: the consumer does.
        Completes when: the source does, after the rest.
        Closes when: it ends, or the consumer leaves; held items are dropped.

        Args:
            size: items per list.

        Raises:
            TypeError: `size` is not a whole number.
            ValueError: `size` is less than 1.
        """
    def batch_within(
        self: Methods[Item],
        count: int,
        *,
        seconds: float,
        weight: Callable[[Any], Any] | Absent = ...,
        heaviest: float | Absent = ...,
        on_error: OnError | None = None,
    ) -> Stream[list[Item]]:
        """Pass on the items in lists: of `count`, or of what has come within `seconds`.

            items                      --a-b-c--d-----------e--|
            batch_within(3, seconds=5) ------[a,b,c]--[d]------[e]|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abcde") | ops.batch_within(3, seconds=1.0))
        [['a', 'b', 'c'], ['d', 'e']]
        >>> list(Stream(["a", "bbb", "cc"]) | ops.batch_within(9, seconds=1.0, weight=len, heaviest=4))
        [['a', 'bbb'], ['cc']]

        Emits when: a list has `count` items, or weighs `heaviest`, or the next item would make it heavier; or
            `seconds` have passed since its first item came; at the end of the source, the rest.
        Waits when: no item has come. While the consumer is busy, the list fills up; then the source waits.
        Completes when: the source does, after the rest.
        Closes when: it ends, or the consumer leaves; held items are dropped, and counted.

        Args:
            count: items per list at most.
            seconds: how long the first item of a list waits for others.
            weight: returns the weight of an item. An item that would make a list heavier than `heaviest` begins
                the next list; an item that alone is heavier is a list of its own.
            heaviest: the greatest weight of a list.
            on_error: what is done where `weight` fails, such as ``Resume()``; by default, the stream fails. A
                weight that is no number, or below 0, is no failure of `weight`, and ends the stream.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `count` is less than 1; `seconds` or `heaviest` is not finite, or not above 0; one of
                `weight` and `heaviest` is given without the other, or `on_error` without them; (when run) a
                weight is below 0.
        """
    @overload
    def broadcast(self: Methods[Item], first: Keep, /, *others: Keep) -> Stream[Item]:
        """Give each item to every branch, in lock-step.

            items              --1-----2-----|
            branch map(str)    --"1"---"2"---|
            branch filter(odd) --1-----------|
            broadcast          --"1"1--"2"---|

        If all branches end in sinks, this is a sink, whose result is the tuple of theirs (typed, up to six):

        >>> from streamkit import Stream, ops
        >>> (Stream([1, 2, 3]) | ops.broadcast(ops.count(), ops.fold(max, 0))).run()
        (3, 3)

        If all are operators, their outputs are merged:

        >>> sorted(Stream([1, 2]) | ops.broadcast(ops.map(lambda x: -x), ops.map(lambda x: x)))
        [-2, -1, 1, 2]

        Branches of steps run inside the loop that reads the source, one after the other, without a task. If a
        callback there returns an awaitable, the next branch waits for it. Each branch has a task of its own if a
        callback is an ``async def``, if a branch has a stage, or if one can end before the source.

        Emits when: a branch does.
        Waits when: a branch works on the last item. A branch that begins with ``buffer(strategy)`` delays
            the others only if its strategy waits, and is full.
        Completes when: every branch has. A branch that ends early leaves, and the others go on.
        Closes when: every branch has ended, it fails, or the consumer leaves.

        An error of a branch ends all. An error of the source reaches each branch after the items before it.

        Args:
            branches: operators, or sinks.

        Raises:
            TypeError: a branch is neither, or some are operators and some are sinks.
            ValueError: there is no branch.
        """
    @overload
    def broadcast(self: Methods[A], first: Operator[A, B], /, *others: Operator[A, B]) -> Stream[B]: ...
    @overload
    def broadcast(self: Methods[A], first: Sink[A, R1], /) -> Job[tuple[R1]]: ...
    @overload
    def broadcast(self: Methods[A], first: Sink[A, R1], second: Sink[A, R2], /) -> Job[tuple[R1, R2]]: ...
    @overload
    def broadcast(
        self: Methods[A], first: Sink[A, R1], second: Sink[A, R2], third: Sink[A, R3], /
    ) -> Job[tuple[R1, R2, R3]]: ...
    @overload
    def broadcast(
        self: Methods[A], first: Sink[A, R1], second: Sink[A, R2], third: Sink[A, R3], fourth: Sink[A, R4], /
    ) -> Job[tuple[R1, R2, R3, R4]]: ...
    @overload
    def broadcast(
        self: Methods[A],
        first: Sink[A, R1],
        second: Sink[A, R2],
        third: Sink[A, R3],
        fourth: Sink[A, R4],
        fifth: Sink[A, R5],
        /,
    ) -> Job[tuple[R1, R2, R3, R4, R5]]: ...
    @overload
    def broadcast(
        self: Methods[A],
        first: Sink[A, R1],
        second: Sink[A, R2],
        third: Sink[A, R3],
        fourth: Sink[A, R4],
        fifth: Sink[A, R5],
        sixth: Sink[A, R6],
        /,
    ) -> Job[tuple[R1, R2, R3, R4, R5, R6]]: ...
    @overload
    def broadcast(self: Methods[A], first: Into[A, R1], /) -> Job[tuple[R1]]: ...
    @overload
    def broadcast(self: Methods[A], first: Into[A, R1], second: Into[A, R2], /) -> Job[tuple[R1, R2]]: ...
    @overload
    def broadcast(
        self: Methods[A], first: Into[A, R1], second: Into[A, R2], third: Into[A, R3], /
    ) -> Job[tuple[R1, R2, R3]]: ...
    @overload
    def broadcast(
        self: Methods[A], first: Into[A, R1], second: Into[A, R2], third: Into[A, R3], fourth: Into[A, R4], /
    ) -> Job[tuple[R1, R2, R3, R4]]: ...
    @overload
    def broadcast(
        self: Methods[A],
        first: Into[A, R1],
        second: Into[A, R2],
        third: Into[A, R3],
        fourth: Into[A, R4],
        fifth: Into[A, R5],
        /,
    ) -> Job[tuple[R1, R2, R3, R4, R5]]: ...
    @overload
    def broadcast(
        self: Methods[A],
        first: Into[A, R1],
        second: Into[A, R2],
        third: Into[A, R3],
        fourth: Into[A, R4],
        fifth: Into[A, R5],
        sixth: Into[A, R6],
        /,
    ) -> Job[tuple[R1, R2, R3, R4, R5, R6]]: ...
    @overload
    def broadcast(self: Methods[A], *branches: Sink[A, R]) -> Job[tuple[R, ...]]: ...
    @overload
    def broadcast(self: Methods[Item], *branches: Keep | Operator[Any, Any] | Shape) -> Any: ...
    @overload
    def broadcast(
        self: Methods[Item],
        first: Pipe,
        second: Pipe,
        third: Pipe,
        fourth: Pipe,
        fifth: Pipe,
        sixth: Pipe,
        seventh: Pipe,
        /,
        *others: Pipe,
    ) -> Any: ...
    @overload
    def buffer(self: Methods[Item], strategy: Collect) -> Stream[list[Item]]:
        """Read the source ahead of the consumer, in a task of its own; when full, `strategy` decides.

            items                  --a-b-c-------|
            consumer               --a------b---c|

        >>> from streamkit import Stream, Suspend, ops
        >>> list(Stream("abc") | ops.buffer(Suspend(2)))
        ['a', 'b', 'c']

        Emits when: an item is held and asked for.
        Waits when: nothing is held; the source waits while the buffer is full, if `strategy` says so.
        Completes when: the source does, and held items were delivered.
        Closes when: it ends, or the consumer leaves; held items are dropped, and counted.

        Args:
            strategy: how many items are held, and what happens to one more. ``Collect`` passes on
                all held items as one list; a lossy strategy with ``gaps=True`` puts a `Gap` for dropped items.

        Neighbouring buffers fuse into one, without another task: explicit capacities add, and a strategy that
        never waits overrides those before it. A buffer before ``merge``, ``zip``,
        ``batch_within`` or a concurrent ``map`` fuses with the buffer of that operator.

        Raises:
            TypeError: `strategy` is not a strategy.
            BufferOverflowError: (when run) one item too many came under ``Fail``.
        """
    @overload
    def buffer(self: Methods[Item], strategy: Lossy[Literal[False]]) -> Stream[Item]: ...
    @overload
    def buffer(self: Methods[Item], strategy: Lossy[bool]) -> Stream[Item | Gap]: ...
    @overload
    def buffer(self: Methods[Item], strategy: Strategy) -> Stream[Item]: ...
    @overload
    def catch(
        self: Methods[Item],
        function: Callable[[Exception], Awaitable[SourceLike[B]]],
        *,
        errors: ErrorTypes = ...,
    ) -> Stream[Item | B]:
        """When the source fails, go on with the stream that `function` makes of the error.

            items                 --a--b--X
            catch(lambda e: "c")  --a--b--(c|)

        >>> from streamkit import Stream, ops
        >>> list(Stream([1, 0]) | ops.map(lambda number: 1 // number) | ops.catch(lambda error: [str(error)]))
        [1, 'integer division or modulo by zero']

        Emits when: an item comes, from the source or from the stream after it.
        Waits when: the consumer does.
        Completes when: the source does; after an error, when the stream after it does.
        Closes when: it ends, or the consumer leaves; a failed source is closed before `function` is called.

        Args:
            function: called with the error; returns a stream, an iterable, an async iterable or a callable that
                makes one, or an awaitable of these. ``[]`` ends the stream.
            errors: the types of error that are caught. Errors of operators after ``catch``, and of the
                stream that `function` returned, are never caught. Nor is an error of the program itself: a
                ``RecursionError``, and a second run of a one-shot source, which would look like an empty one.

        Raises:
            TypeError: `function` is not callable, or a type of error; or `errors` is not one or more types
                of Exception.
            ValueError: `errors` has ``RecursionError`` or ``SourceConsumedError``.

        A stream that goes on with itself, to connect again for ever, is flat: its last connection needs no more
        memory or time than its first.
        """
    @overload
    def catch(
        self: Methods[Item], function: Callable[[Exception], SourceLike[B]], *, errors: ErrorTypes = ...
    ) -> Stream[Item | B]: ...
    @overload
    def combine_latest(
        self: Methods[Item], source: SourceLike[B], /, *, lookahead: int = 1
    ) -> Stream[tuple[Item, B]]:
        """Whenever an item comes, of this stream or of `sources`, pass on a tuple of the latest item of each.

            items           --a--------b---------|
            source          -----1--2-----3--|
            combine_latest  -----x--x--x--x------|
                              (a,1)(a,2)(b,2)(b,3)

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.combine_latest([1, 2]))
        [('a', 1), ('b', 1), ('b', 2)]

        Each item makes one tuple, also where the consumer is slow: the sources wait then. For the newest state
        only, put ``buffer(KeepLatest())`` behind it.

        Emits when: every source has brought an item, and one comes; sources that are ready take turns.
        Waits when: a source has brought none yet, or the consumer does; each is read `lookahead` items ahead.
        Completes when: every source has, or one ends without an item: no tuple can come then. (RxPY reads the
            others to their ends.)
        Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

        Args:
            sources: streams, iterables, async iterables, or callables that make them.
            lookahead: items that each source may be ahead.

        Raises:
            TypeError: a source is none of these, or `lookahead` is not a whole number.
            ValueError: `lookahead` is less than 1.
        """
    @overload
    def combine_latest(
        self: Methods[Item], source: SourceLike[B], source2: SourceLike[C], /, *, lookahead: int = 1
    ) -> Stream[tuple[Item, B, C]]: ...
    @overload
    def combine_latest(
        self: Methods[Item],
        source: SourceLike[B],
        source2: SourceLike[C],
        source3: SourceLike[D],
        /,
        *,
        lookahead: int = 1,
    ) -> Stream[tuple[Item, B, C, D]]: ...
    @overload
    def combine_latest(
        self: Methods[Item], *sources: SourceLike[Any], lookahead: int = 1
    ) -> Stream[tuple[Any, ...]]: ...
    def concat(self: Methods[Item], *sources: SourceLike[B]) -> Stream[Item | B]:
        """Pass on the items of this stream, then those of each of `sources` in turn.

            items   --a--b--|
            source          --1--2--|
            concat  --a--b----1--2--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.concat([1, 2]))
        ['a', 'b', 1, 2]

        Emits when: an item comes.
        Waits when: the consumer does.
        Completes when: the last source does; each is opened when the one before it has ended.
        Closes when: each source as it ends; the current one, if the stream fails or the consumer leaves.

        Args:
            sources: streams, iterables, async iterables, or callables that make them.

        Raises:
            TypeError: a source is neither a stream, an iterable, an async iterable nor a callable.
        """
    @overload
    def concat_map(
        self: Methods[A],
        function: Callable[[A], Awaitable[SourceLike[B]]],
        *,
        lookahead: int = 0,
        on_error: OnError | None = None,
    ) -> Stream[B]:
        """Pass on the items of the streams that `function` makes of each item, one stream after the other.

            items         --a--b------c--|
            stream of a     --1--2|
            stream of b           -3--4|
            stream of c                --5|
            concat_map(f) ----1--2-3--4--5|

        >>> from streamkit import Stream, ops
        >>> list(Stream(["ab", "c"]) | ops.concat_map(str.upper))
        ['A', 'B', 'C']

        It is ``flat_map`` at a concurrency of 1: both are read in the loop, as by a nested ``async for``.

        Emits when: an item of the current inner stream is there.
        Waits when: the consumer does; the inner stream is read `lookahead` items ahead. The source waits until
            the current inner stream has ended and was delivered.
        Completes when: the source does, and the last inner stream has.
        Closes when: it ends, or the consumer leaves: the inner stream and then the source; with a `lookahead`,
            both at once, each in its own task.

        Args:
            function: called with each item; returns a stream, an iterable, an async iterable or a callable that
                makes one, or an awaitable of these. It is called in the task that reads what it returns, when
                the stream before that has ended.
            lookahead: items that an inner stream may be ahead, which then has a task of its own.
            on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
            ValueError: `lookahead` is negative.

        Unlike RxPY's, the source is not read while an inner stream is: nothing queues up. Streams that end in a
        ``concat_map`` themselves are read as one, however deep they are nested.
        """
    @overload
    def concat_map(
        self: Methods[A],
        function: Callable[[A], SourceLike[B]],
        *,
        lookahead: int = 0,
        on_error: OnError | None = None,
    ) -> Stream[B]: ...
    def conflate(self: Methods[A], function: Callable[[A, A], A]) -> Stream[A]:
        """Fold the items that come while the consumer is busy into one: ``buffer(Conflate(function))``.

            items         --1-2-3---------4--|
            consumer      --1-------5-----4--|
            conflate(add) --1-------(2+3)-4--|

        >>> from operator import add
        >>> from streamkit import Stream, ops
        >>> list(Stream([1, 2]) | ops.conflate(add))
        [3]

        Emits when: an item, folded or not, is held and asked for.
        Waits when: nothing is held. The source never waits.
        Completes when: the source does, and the held item was delivered.
        Closes when: it ends, or the consumer leaves.

        Args:
            function: called with the held item and a new one; returns the item to hold. Not awaited.

        Raises:
            TypeError: `function` is not callable, or is a coroutine function.

        `function` answers at once, while an item is put in, as the callbacks of strategies do: so there is no
        ``on_error``. An error of it ends the stream.
        """
    def contains(self: Methods[Item], value: object) -> Job[bool]:
        """Whether an item is `value`, or equal to it: ``value in items``.

        >>> from streamkit import Stream, ops
        >>> (Stream("abc") | ops.contains("b")).run()
        True

        Completes when: such an item has come, or the source completes.
        Closes when: it ends.

        Args:
            value: what is looked for.
        """
    def count(self: Methods[Item]) -> Job[int]:
        """Count the items.

        >>> from streamkit import Stream, ops
        >>> (Stream("abc") | ops.count()).run()
        3

        Completes when: the source does.
        Closes when: it ends.
        """
    def debounce(self: Methods[Item], seconds: float, *, on_drop: OnDrop | None = None) -> Stream[Item]:
        """Pass an item on when no other has come for `seconds` after it.

            items       --a-b-c-----------d--|
            debounce(5) -----------c---------(d|)

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.debounce(60.0))
        ['c']

        Emits when: `seconds` have passed since the latest item; at the end of the source, at once.
        Waits when: the latest item came less than `seconds` ago, or none is held. The source never waits.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            seconds: the silence after an item that lets it pass.
            on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `seconds` is not finite, or not above 0.
        """
    def default_if_empty(self: Methods[Item], default: T) -> Stream[Item | T]:
        """Pass on what comes; `default` if nothing has come when the source ends.

            items               ---------|
            default_if_empty(0) ---------(0|)

        >>> from streamkit import Stream, ops
        >>> list(Stream([]) | ops.default_if_empty(0))
        [0]
        >>> list(Stream([1, 2]) | ops.default_if_empty(0))
        [1, 2]

        Emits when: an item comes; `default` when the source has ended, and not when it has failed.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            default: what to pass on instead of items; RxPY takes None where it is not given.
        """
    def delay(self: Methods[Item], seconds: float, *, lookahead: int = 1024) -> Stream[Item]:
        """Pass each item on `seconds` after it has come, and so the end.

            items    --a-b---c-|
            delay(5) -------a-b---c-|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.delay(0.001))
        ['a', 'b', 'c']

        Emits when: `seconds` have passed since the item came.
        Waits when: they have not, or no item has come; the source waits while `lookahead` items are on their way.
        Completes when: `seconds` have passed since the source did.
        Closes when: it ends, or the consumer leaves; held items are dropped, and counted.

        Args:
            seconds: how much later each item is passed on. The time between two items stays what it was, but
                where the source had to wait, or the consumer is late.
            lookahead: items that may be on their way. For another strategy, put ``buffer(strategy)`` before it.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `seconds` is not finite, or not above 0; or `lookahead` is less than 1.

        Unlike in RxPY, an error drops no item: each comes in its turn, and the error at once after the last. To
        wait between two items, however they come, write ``throttle(rate)``.
        """
    def delay_start(self: Methods[Item], seconds: float) -> Stream[Item]:
        """Begin to read the source `seconds` after the first item is asked for.

            items               --a-b|
            delay_start(5) -------a-b|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.delay_start(0.001))
        ['a', 'b']

        Emits when: an item comes.
        Waits when: the time is not over, or the consumer does. The source is not opened before.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            seconds: how long it waits, once, before the source is opened.

        Raises:
            TypeError: `seconds` is not a number.
            ValueError: `seconds` is not finite, or not above 0.

        It is RxPY's ``delay_subscription``. Of a ``push`` stream, what is sent meanwhile waits in its buffer.
        """
    def dematerialize(self: Methods[Notification[Item]]) -> Stream[Item]:
        """Pass on the value of each ``Next``, end at ``Done``, and fail at ``Failed``: ``materialize`` undone.

            items         --Next(a)--Next(b)--Done--Next(c)--|
            dematerialize --a--------b--------|

        >>> from streamkit import Done, Next, Stream, ops
        >>> list(Stream([Next("a"), Done(), Next("b")]) | ops.dematerialize())
        ['a']

        Emits when: a ``Next`` comes.
        Waits when: the consumer does.
        Completes when: a ``Done`` comes, or the source completes.
        Closes when: it ends, or the consumer leaves.

        Raises:
            TypeError: (when run) an item is something else.
            Exception: (when run) that of a ``Failed``.
        """
    @overload
    def distinct(self: Methods[Item], *, last: int = ...) -> Stream[Item]:
        """Leave out items that are equal to one that came before, however long ago.

            items    --a--b--a--c--b--|
            distinct --a--b-----c-----|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abacb") | ops.distinct())
        ['a', 'b', 'c']
        >>> list(Stream(["ant", "bee", "ape"]) | ops.distinct(lambda word: word[0], last=1000))
        ['ant', 'bee']

        Emits when: an item comes whose key was not seen before; with `last`, was not one of the last ones.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        It keeps the key of every different item, so a stream without end of ever new keys needs `last`. With it,
        the keys that were seen last are kept, each once; a key that is seen again counts as new then.

        RxPY also takes a function that compares two keys. Here they are looked up, and so must be hashable.

        Args:
            key: called with each item; returns what is compared, or an awaitable of that. Without it, items are.
            last: how many keys to keep, at most. Without it, there is no limit.
            on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `key` is not callable, or `last` not a whole number; (when run) a key is not hashable.
            ValueError: `last` is less than 1.
        """
    @overload
    def distinct(
        self: Methods[A],
        key: Callable[[A], Awaitable[Hashable]],
        *,
        last: int = ...,
        on_error: OnError | None = None,
    ) -> Stream[A]: ...
    @overload
    def distinct(
        self: Methods[A], key: Callable[[A], Hashable], *, last: int = ..., on_error: OnError | None = None
    ) -> Stream[A]: ...
    @overload
    def distinct_until_changed(self: Methods[Item]) -> Stream[Item]:
        """Leave out items that equal the one before them.

            items                  --a--a--b--b--a--|
            distinct_until_changed --a-----b-----a--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("aabba") | ops.distinct_until_changed())
        ['a', 'b', 'a']

        Emits when: an item, or its key, differs from the last one.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            key: called with each item; what it returns is compared, instead of the items.
            on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `key` is not callable.
        """
    @overload
    def distinct_until_changed(
        self: Methods[A], key: Callable[[A], object], *, on_error: OnError | None = None
    ) -> Stream[A]: ...
    def drain(self: Methods[Item]) -> Job[None]:
        """Run the stream for its effects; the items are thrown away.

        `Valve.drain` is something else: it ends a stream early.

        >>> from streamkit import Stream, ops
        >>> (Stream("ab") | ops.tap(print) | ops.drain()).run()
        a
        b

        Completes when: the source does.
        Closes when: it ends.
        """
    @overload
    def element_at(self: Methods[Item], index: int) -> Stream[Item]:
        """Pass on the item of number `index`, counted from 0, and end.

            items         --a--b--c--d--|
            element_at(2) --------(c|)

        >>> from streamkit import Stream, ops
        >>> list(Stream("abcd") | ops.element_at(2))
        ['c']
        >>> list(Stream("abcd") | ops.element_at(9, default="none"))
        ['none']

        Emits when: that item comes; with `default`, at the end of a shorter source.
        Waits when: the consumer does.
        Completes when: that item was passed on.
        Closes when: it ends, or the consumer leaves.

        Args:
            index: the number of the item.
            default: what to pass on where the source is shorter.

        Raises:
            TypeError: `index` is not a whole number.
            ValueError: `index` is negative.
            EmptyStreamError: (when run) the source is shorter, and there is no `default`; a ``LookupError`` too.
        """
    @overload
    def element_at(self: Methods[Item], index: int, *, default: T) -> Stream[Item | T]: ...
    def end_with(self: Methods[Item], *items: T) -> Stream[Item | T]:
        """Pass on what comes, then `items`.

            items            --a--b--|
            end_with("x")    --a--b--(x|)

        >>> from streamkit import Stream, ops
        >>> list(Stream([1, 2]) | ops.end_with(3, 4))
        [1, 2, 3, 4]

        Emits when: an item comes; `items` when the source has ended, and not when it has failed.
        Waits when: the consumer does.
        Completes when: the source does, after `items`.
        Closes when: it ends, or the consumer leaves.

        Args:
            items: what to pass on last. For the items of another stream, write ``concat(stream)``.
        """
    def enumerate(self: Methods[Item], start: int = 0) -> Stream[tuple[int, Item]]:
        """Pass on each item with its number, counted from `start`.

            items     --a------b------|
            enumerate --(0,a)--(1,b)--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.enumerate())
        [(0, 'a'), (1, 'b')]

        Emits when: an item comes.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            start: the number of the first item.

        Raises:
            TypeError: `start` is not a whole number.
        """
    @overload
    def exhaust_map(
        self: Methods[A],
        function: Callable[[A], Awaitable[SourceLike[B]]],
        *,
        lookahead: int = 1,
        on_drop: OnDrop | None = None,
        on_error: OnError | None = None,
    ) -> Stream[B]:
        """Pass on the items of the stream that `function` makes of an item; drop items that come meanwhile.

            items          --a--b------c--|
            stream of a      --1--2|
            stream of c                --3|
            exhaust_map(f) ----1--2------3|

        >>> from streamkit import Stream, ops
        >>> list(Stream(["ab", "cd"]) | ops.exhaust_map(str.upper))
        ['A', 'B']

        Emits when: an item of the current inner stream is there.
        Waits when: the consumer does; the inner stream is read `lookahead` items ahead. The source never waits:
            its items are dropped until the current inner stream has ended and was delivered.
        Completes when: the source does, and the last inner stream has.
        Closes when: it ends, or the consumer leaves: the source and the inner stream at once, each in its own
            task.

        Args:
            function: called with an item; returns a stream, an iterable, an async iterable or a callable that
                makes one, or an awaitable of these. It is called in the task that reads what it returns.
            lookahead: items that an inner stream may be ahead. With the default, a ``buffer(strategy)`` at the
                end of an inner stream decides instead.
            on_drop: called with each item that is dropped, and why, as in `DropIncoming`.
            on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
            ValueError: `lookahead` is less than 1.
        """
    @overload
    def exhaust_map(
        self: Methods[A],
        function: Callable[[A], SourceLike[B]],
        *,
        lookahead: int = 1,
        on_drop: OnDrop | None = None,
        on_error: OnError | None = None,
    ) -> Stream[B]: ...
    @overload
    def expand(
        self: Methods[A],
        function: Callable[[A], Awaitable[SourceLike[A]]],
        *,
        concurrency: int | Limit,
        frontier: Strategy = ...,
        depth_first: bool = False,
        lookahead: int = 1,
        on_error: OnError | None = None,
    ) -> Stream[A]:
        """Pass on each item, and the items of the stream that `function` makes of it; those are expanded as well.

            items                     --a----------------|
            stream of a                 --b--c|
            stream of b                     --d|
            expand(f, concurrency=2)  --a--b--c-d--------|

        >>> from streamkit import Stream, ops
        >>> links = {"/": ["/a", "/b"], "/a": ["/a/1", "/a/2"], "/b": ["/b/1"]}
        >>> list(Stream(["/"]) | ops.expand(lambda page: links.get(page, []), concurrency=1))
        ['/', '/a', '/b', '/a/1', '/a/2', '/b/1']

        It is a crawl: of pages that link to pages, folders in folders, replies to replies. An item that comes
        again is expanded again, so let `function` leave out what it has seen, or the crawl may never end.

        Emits when: an item is there, of the source or of a stream that was made; such streams take turns. It is
            passed on before it is expanded.
        Waits when: the consumer does; each stream is read `lookahead` items ahead. Items wait in the frontier
            while all `concurrency` places are taken: an item takes one until its stream has ended and was
            delivered. The source is pulled when a place is free and the frontier is empty: each of its items
            begins a crawl of its own.
        Completes when: the source does, and everything was expanded.
        Closes when: it ends, or the consumer leaves: the source and all streams at once, each in its own task.

        Args:
            function: called with each item; returns a stream, an iterable, an async iterable or a callable that
                makes one, or an awaitable of these; ``[]`` for an item that nothing comes of. It is called in
                the task that reads what it returns.
            concurrency: calls of `function` and streams of the whole crawl at once at most. A ``Limit`` can be
                changed meanwhile.
            frontier: how many items may wait to be expanded, and what becomes of more: a strategy. With
                ``Suspend`` the streams that bring them wait; if all of them do, nothing could go on, and the
                crawl fails. With ``Spill`` they go to disk. One that drops items drops what would come of them:
                they were passed on.
            depth_first: whether the item that was found last is expanded first. The frontier then holds the
                items of one stream for each level, and not all of the widest level.
            lookahead: items that each stream may be ahead.
            on_error: what is done where `function` fails, such as ``Resume()``: the item was passed on, and
                nothing comes of it. By default, the stream fails. An error of the stream that it has returned is
                none of its own.

        Raises:
            TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
            ValueError: `concurrency` or `lookahead` is less than 1, or `frontier` is a strategy that makes
                something else of the items, or gives them back in another order than is asked for.
            BufferOverflowError: (when run) the frontier is full, and so are all places.

        With one place, the order is that of RxPY and of Reactor's ``expand``, for each item of the source. Those
        read all of the source first, expand any number of items at once (Reactor one), and keep what waits
        without a limit.
        """
    @overload
    def expand(
        self: Methods[A],
        function: Callable[[A], SourceLike[A]],
        *,
        concurrency: int | Limit,
        frontier: Strategy = ...,
        depth_first: bool = False,
        lookahead: int = 1,
        on_error: OnError | None = None,
    ) -> Stream[A]: ...
    @overload
    def extrapolate(
        self: Methods[A], function: Callable[[A], Awaitable[Iterable[A]]], *, on_error: OnError | None = None
    ) -> Stream[A]:
        """Between the items of a slow source, pass on what `function` makes of the last one.

            items                --1-----------5-----|
            consumer asks        --x-x-x-x-----x-x---
            extrapolate(two more)--1-1-1-------5-5-5-|

        >>> from itertools import repeat
        >>> from streamkit import Stream, ops
        >>> list(Stream([1, 2]) | ops.extrapolate(repeat))
        [1, 2]

        Emits when: an item is there; else, when asked, the next item of the iterable that `function` returned.
        Waits when: no item has come yet; or none is there, and the iterable is used up.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            function: called with the last item, if the consumer asks before the next has come; returns an
                iterable to pass on until then, endless or not (``itertools.repeat`` repeats the item).
            on_error: what is done where `function` fails, such as ``Resume()``: the item was passed on, and
                nothing follows it until the next; by default, the stream fails. An error of the iterable ends
                the stream.

        Raises:
            TypeError: `function` is not callable, or `on_error` is something else.

        The idea is Pekko's ``extrapolate``. It reads one item ahead; a buffer before it replaces that.
        """
    @overload
    def extrapolate(
        self: Methods[A], function: Callable[[A], Iterable[A]], *, on_error: OnError | None = None
    ) -> Stream[A]: ...
    @overload
    def fail_if_empty(self: Methods[Item]) -> Stream[Item]:
        """Pass on what comes; fail if nothing has come when the source ends.

            items         ---------|
            fail_if_empty ---------X

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.fail_if_empty())
        ['a', 'b']
        >>> list(Stream([]) | ops.fail_if_empty(lambda: KeyError("no such user")))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        KeyError: 'no such user'
        in fail_if_empty(<lambda>) at ...

        Emits when: an item comes.
        Waits when: the consumer does.
        Completes when: the source does, after at least one item.
        Closes when: it ends, or the consumer leaves.

        Args:
            error: a type of error, or a function that makes one: each run raises its own. By default, an
                `EmptyStreamError`.

        Raises:
            TypeError: `error` is not callable.
            EmptyStreamError: (when run) the source is empty, and no `error` is given; a ``LookupError`` too.
        """
    @overload
    def fail_if_empty(self: Methods[Item], error: Callable[[], Exception]) -> Stream[Item]: ...
    @overload
    def filter(self: Methods[Item | None], predicate: None) -> Stream[Item]:
        """Pass on the items for which `predicate` is true.

            items       --1--2--3--4--|
            filter(odd) --1-----3-----|

        >>> from streamkit import Stream, ops
        >>> list(Stream(range(6)) | ops.filter(lambda number: number % 2))
        [1, 3, 5]
        >>> list(Stream(["a", "", None]) | ops.filter(None))
        ['a']

        Emits when: `predicate` has returned something true.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        A `predicate` that is a ``TypeGuard`` or a ``TypeIs`` narrows the type of the items.

        Args:
            predicate: called with each item; returns whether to pass it on, or an awaitable of that. With None,
                as with the builtin, those are passed on that are true themselves.
            on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `predicate` is neither callable nor None.
        """
    @overload
    def filter(
        self: Methods[A], predicate: Callable[[A], TypeGuard[B]], *, on_error: OnError | None = None
    ) -> Stream[B]: ...
    @overload
    def filter(
        self: Methods[A], predicate: Callable[[A], TypeIs[B]], *, on_error: OnError | None = None
    ) -> Stream[B]: ...
    @overload
    def filter(
        self: Methods[A], predicate: Callable[[A], Awaitable[bool]], *, on_error: OnError | None = None
    ) -> Stream[A]: ...
    @overload
    def filter(
        self: Methods[A], predicate: Callable[[A], object], *, on_error: OnError | None = None
    ) -> Stream[A]: ...
    @overload
    def find(
        self: Methods[A], predicate: Callable[[A], Awaitable[bool]], *, on_error: OnError | None = None
    ) -> Stream[A]:
        """Pass on the first item for which `predicate` is true, and end.

            items       --1--7--3--8--|
            find(x > 5) -----(7|)

        >>> from streamkit import Stream, ops
        >>> list(Stream([1, 7, 3, 8]) | ops.find(lambda number: number > 5))
        [7]
        >>> list(Stream([1, 3]) | ops.find(lambda number: number > 5, default=None))
        [None]

        Emits when: `predicate` has returned something true; with `default`, at the end if it never has.
        Waits when: the consumer does.
        Completes when: that item was passed on.
        Closes when: it ends, or the consumer leaves.

        RxPY passes on None where there is no such item; write ``default=None`` for that. Where nothing at all is
        to be passed on then, write ``filter(predicate) | take(1)``.

        Args:
            predicate: called with each item until it is first true; may return an awaitable.
            default: what to pass on where there is no such item.
            on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `predicate` is not callable.
            EmptyStreamError: (when run) there is no such item, and no `default`; a ``LookupError`` too.
        """
    @overload
    def find(
        self: Methods[A], predicate: Callable[[A], object], *, on_error: OnError | None = None
    ) -> Stream[A]: ...
    @overload
    def find(
        self: Methods[A],
        predicate: Callable[[A], Awaitable[bool]],
        *,
        default: T,
        on_error: OnError | None = None,
    ) -> Stream[A | T]: ...
    @overload
    def find(
        self: Methods[A], predicate: Callable[[A], object], *, default: T, on_error: OnError | None = None
    ) -> Stream[A | T]: ...
    @overload
    def first(self: Methods[Item]) -> Job[Item]:
        """The first item.

        >>> from streamkit import Stream, ops
        >>> (Stream("abc") | ops.first()).run()
        'a'

        Completes when: one item has come, or the source completes.
        Closes when: it ends.

        Args:
            default: the result of an empty stream.

        Raises:
            EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
        """
    @overload
    def first(self: Methods[Item], *, default: T) -> Job[Item | T]: ...
    @overload
    def flat_map(
        self: Methods[A],
        function: Callable[[A], Awaitable[SourceLike[B]]],
        *,
        concurrency: int | Limit,
        lookahead: int | None = None,
        on_error: OnError | None = None,
    ) -> Stream[B]:
        """Pass on the items of the streams that `function` makes of each item, several of them at once.

            items                      --a--b--c--|
            stream of a                  --1--2--3|
            stream of b                     -4-----5|
            stream of c                           --6|
            flat_map(f, concurrency=2) ----1-42--3-56|

        >>> from streamkit import Stream, ops
        >>> list(Stream([3, 2]) | ops.flat_map(range, concurrency=2))
        [0, 0, 1, 1, 2]
        >>> list(Stream(["ab", "cd"]) | ops.flat_map(str.upper, concurrency=1))
        ['A', 'B', 'C', 'D']

        With a `concurrency` of 1, the inner streams are read where the loop runs that reads the source, as by a
        nested ``async for``: without a task, and nothing is read ahead.

        Emits when: an item of an inner stream is there; inner streams that are ready take turns, item by item.
        Waits when: the consumer does; each inner stream is read `lookahead` items ahead. Or all `concurrency`
            places are taken: an item takes one until its inner stream has ended and was delivered.
        Completes when: the source does, and every inner stream has.
        Closes when: it ends, or the consumer leaves: the source and all inner streams at once, each
            in its own task; with a `concurrency` of 1, the inner stream and then the source.

        Args:
            function: called with each item; returns a stream, an iterable, an async iterable or a callable that
                makes one, or an awaitable of these. It is called in the task that reads what it returns. Streams
                that never wait follow each other in one task, each with context variables of its own.
            concurrency: inner streams read at once at most. With 1 they follow each other, in order. A ``Limit``
                can be changed meanwhile.
            lookahead: items that each inner stream may be ahead. By default 1, or what a ``buffer(strategy)`` at
                the end of an inner stream says; with a `concurrency` of 1 none, and with any number the inner
                streams have tasks of their own there, too.
            on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.
                An error of the stream that it has returned is none of its own.

        Raises:
            TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
            ValueError: `concurrency` is less than 1; or `lookahead` is, where several are read at once.

        An error of the source, of `function` or of an inner stream ends the stream: all others are cancelled,
        and items that are held are delivered first.
        """
    @overload
    def flat_map(
        self: Methods[A],
        function: Callable[[A], SourceLike[B]],
        *,
        concurrency: int | Limit,
        lookahead: int | None = None,
        on_error: OnError | None = None,
    ) -> Stream[B]: ...
    def flatten(self: Methods[Iterable[Item]]) -> Stream[Item]:
        """Pass on the elements of each item, an iterable, one by one.

            items   --[1,2]---[]---[3]--|
            flatten --1-2----------3----|

        >>> from streamkit import Stream, ops
        >>> list(Stream(["ab", "", "c"]) | ops.flatten())
        ['a', 'b', 'c']

        Emits when: an element is asked for; the next item is pulled when all its elements were passed on.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.
        """
    @overload
    def fold(
        self: Methods[A],
        function: Callable[[B, A], Awaitable[B]],
        initial: B,
        *,
        on_error: OnError | None = None,
    ) -> Job[B]:
        """Fold the items into one value, from `initial` on.

        >>> from operator import add
        >>> from streamkit import Stream, ops
        >>> (Stream([1, 2, 3]) | ops.fold(add, 0)).run()
        6

        Completes when: the source does.
        Closes when: it ends.

        Args:
            function: called with the state so far and the item; returns the new state, or an awaitable of it.
            initial: the state before the first item, and the result of an empty stream. It is not copied.
            on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `function` is not callable.
        """
    @overload
    def fold(
        self: Methods[A], function: Callable[[B, A], B], initial: B, *, on_error: OnError | None = None
    ) -> Job[B]: ...
    def for_each(
        self: Methods[A],
        function: Callable[[A], Any],
        *,
        concurrency: int | Limit = 1,
        key: Callable[[A], Any] | Absent = ...,
        on: Workers | None = None,
        chunk: int | Lasting = 1,
        on_error: OnError | None = None,
    ) -> Job[None]:
        """Call `function` with each item; awaited, if it returns an awaitable.

        >>> from streamkit import Stream, ops
        >>> (Stream("ab") | ops.for_each(print)).run()
        a
        b

        Completes when: the source does, and every call has returned.
        Closes when: it ends; calls in flight are cancelled first.

        Args:
            function: called with each item; its result is ignored.
            concurrency: calls in flight at most: a whole number, or a ``Limit``, which can be changed meanwhile.
                Where it is not 1, this is ``map(function, concurrency=concurrency, ordered=False) | drain()``,
                and holds what that does.
            key: called with each item. Items for which it returns the same are worked on one after the other.
            on: where the calls are made, as for ``map``: ``map(function, on=on, ordered=False) | drain()``.
            chunk: how many items are sent there together.
            on_error: what is done where `function` or `key` fails, such as ``Resume()``; by default, the stream
                fails.

        Raises:
            TypeError: `function` or `key` is not callable, or `concurrency` is neither a whole number nor a
                limit; (when run) what `key` returned cannot be hashed.
            ValueError: `concurrency` is less than 1.
        """
    @overload
    def fork_join(self: Methods[Item], source: SourceLike[B], /) -> Stream[tuple[Item, B]]:
        """When this stream and all of `sources` have ended, pass on one tuple: the last item of each.

            items      --a--b--|
            source     -----1-----2--|
            fork_join  --------------(b,2)|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.fork_join([1, 2, 3]))
        [('b', 3)]

        Emits when: the last source ends.
        Waits when: one has not ended. All are read at once, as fast as they are.
        Completes when: every source has, or one ends without an item: no tuple can come then.
        Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

        Args:
            sources: streams, iterables, async iterables, or callables that make them.

        Raises:
            TypeError: a source is none of these.
        """
    @overload
    def fork_join(
        self: Methods[Item], source: SourceLike[B], source2: SourceLike[C], /
    ) -> Stream[tuple[Item, B, C]]: ...
    @overload
    def fork_join(
        self: Methods[Item], source: SourceLike[B], source2: SourceLike[C], source3: SourceLike[D], /
    ) -> Stream[tuple[Item, B, C, D]]: ...
    @overload
    def fork_join(self: Methods[Item], *sources: SourceLike[Any]) -> Stream[tuple[Any, ...]]: ...
    @overload
    def group_by(
        self: Methods[A],
        key: Callable[[A], Awaitable[K]],
        pipe: Keep,
        *,
        max_groups: int,
        on_full: OnFull = ...,
        idle: float | Absent = ...,
        reopen: bool = ...,
        on_error: OnError | None = None,
    ) -> Stream[tuple[K, A]]:
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
    @overload
    def group_by(
        self: Methods[A],
        key: Callable[[A], Awaitable[K]],
        pipe: Operator[A, B] | Sink[A, B],
        *,
        max_groups: int,
        on_full: OnFull = ...,
        idle: float | Absent = ...,
        reopen: bool = ...,
        on_error: OnError | None = None,
    ) -> Stream[tuple[K, B]]: ...
    @overload
    def group_by(
        self: Methods[A],
        key: Callable[[A], Awaitable[K]],
        pipe: Callable[[Stream[A]], Inlet[B] | Job[B]],
        *,
        max_groups: int,
        on_full: OnFull = ...,
        idle: float | Absent = ...,
        reopen: bool = ...,
        on_error: OnError | None = None,
    ) -> Stream[tuple[K, B]]: ...
    @overload
    def group_by(
        self: Methods[A],
        key: Callable[[A], K],
        pipe: Keep,
        *,
        max_groups: int,
        on_full: OnFull = ...,
        idle: float | Absent = ...,
        reopen: bool = ...,
        on_error: OnError | None = None,
    ) -> Stream[tuple[K, A]]: ...
    @overload
    def group_by(
        self: Methods[A],
        key: Callable[[A], K],
        pipe: Operator[A, B] | Sink[A, B],
        *,
        max_groups: int,
        on_full: OnFull = ...,
        idle: float | Absent = ...,
        reopen: bool = ...,
        on_error: OnError | None = None,
    ) -> Stream[tuple[K, B]]: ...
    @overload
    def group_by(
        self: Methods[A],
        key: Callable[[A], K],
        pipe: Callable[[Stream[A]], Inlet[B] | Job[B]],
        *,
        max_groups: int,
        on_full: OnFull = ...,
        idle: float | Absent = ...,
        reopen: bool = ...,
        on_error: OnError | None = None,
    ) -> Stream[tuple[K, B]]: ...
    def ignore_items(self: Methods[Any]) -> Stream[Never]:
        """Leave out every item: what is left is the end of the source, or its error.

            items        --a--b--c--|
            ignore_items -----------|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.tap(print) | ops.ignore_items() | ops.concat(["done"]))
        a
        b
        ['done']

        Emits when: never.
        Waits when: never.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        It is called ``ignore_elements`` in RxPY. The sink that does the same is ``drain``.
        """
    def interleave(
        self: Methods[Item], *sources: SourceLike[B], count: int = 1, lookahead: int = 1
    ) -> Stream[Item | B]:
        """Pass on an item of this stream, then one of each of `sources` in turn, and so on.

            items       --a-----b------------c--|
            source      -----1-----2--3--4------|
            interleave  --a--1--b--2---------(c3)--(4|)

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.interleave([1, 2]))
        ['a', 1, 'b', 2, 'c']
        >>> list(Stream("abcd") | ops.interleave([1, 2, 3], count=2))
        ['a', 'b', 1, 2, 'c', 'd', 3]

        The order is always the same: a source whose turn it is, and that is slow, is waited for (``merge`` passes
        on what is there). One that has ended is left out, as in ``interleave_longest`` of ``more_itertools``.
        After an error, what is held comes in turn, and then the error.

        Emits when: the source whose turn it is has an item.
        Waits when: it has none, or the consumer does; each source is read `lookahead` items ahead.
        Completes when: every source has.
        Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

        Args:
            sources: streams, iterables, async iterables, or callables that make them.
            count: items of a source in one turn.
            lookahead: items that each source may be ahead.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `count` or `lookahead` is less than 1.
        """
    def intersperse(self: Methods[Item], separator: T) -> Stream[Item | T]:
        """Pass on the items with `separator` between them.

            items             --a-----b-------c----|
            intersperse("-")  --a-----(-,b)---(-,c)|

        >>> from streamkit import Stream, ops
        >>> "".join(Stream("abc") | ops.intersperse(", "))
        'a, b, c'

        Emits when: an item comes: the separator, unless it is the first, and then the item.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        The separator leaves when the next item is there, not before, so that none is left over at the end. For
        something in front and behind, add ``start_with`` and ``end_with``.

        Args:
            separator: what to pass on between two items; the same object each time.
        """
    def is_empty(self: Methods[Item]) -> Job[bool]:
        """Whether there is no item at all.

        >>> from streamkit import Stream, ops
        >>> (Stream([]) | ops.is_empty()).run(), (Stream([None]) | ops.is_empty()).run()
        (True, False)

        Completes when: one item has come, or the source completes.
        Closes when: it ends.
        """
    @overload
    def keep_alive(
        self: Methods[Item], seconds: float, *, function: Callable[[], Awaitable[B]]
    ) -> Stream[Item | B]:
        """Where an item does not come within `seconds`, pass on what `function` returns, and go on waiting.

            items                     --a-----------b--|
            keep_alive(5, function=f) --a----f----f-b--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.keep_alive(30.0, function=lambda: "still here"))
        ['a', 'b']

        Emits when: an item comes; or none has for `seconds` since it was asked for.
        Waits when: the consumer does; a pull is never cancelled and begun again.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            seconds: the longest silence while the consumer asks; the time in which it works on an item does
                not count.
            function: called without arguments; returns an item to pass on.

        Raises:
            TypeError: `seconds` is not a number, or `function` not callable.
            ValueError: `seconds` is not finite, or not above 0.
        """
    @overload
    def keep_alive(self: Methods[Item], seconds: float, *, function: Callable[[], B]) -> Stream[Item | B]: ...
    @overload
    def last(self: Methods[Item]) -> Job[Item]:
        """The last item.

        >>> from streamkit import Stream, ops
        >>> (Stream("abc") | ops.last()).run()
        'c'

        Completes when: the source does.
        Closes when: it ends.

        Args:
            default: the result of an empty stream.

        Raises:
            EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
        """
    @overload
    def last(self: Methods[Item], *, default: T) -> Job[Item | T]: ...
    @overload
    def map(
        self: Methods[A],
        function: Callable[[A], Awaitable[B]],
        *,
        concurrency: int | Limit = 1,
        ordered: bool = True,
        key: Callable[[A], Any] = ...,
        lookahead: int = 0,
        on_error: OnError | None = None,
    ) -> Stream[B]:
        """Pass on what `function` returns for each item; awaited, if it is awaitable.

            items    --1---2---3--|
            map(x*2) --2---4---6--|

        >>> from streamkit import Stream, ops
        >>> list(Stream([1, 2, 3]) | ops.map(str))
        ['1', '2', '3']

        Emits when: `function` has returned and, with `ordered`, every earlier item has been passed on; with
            `key`, every earlier one of the same key.
        Waits when: the consumer does, or all `concurrency` places are taken.
        Completes when: the source does, and every item has been passed on.
        Closes when: it ends, or the consumer leaves; calls in flight are cancelled first.

        Args:
            function: called with each item. What it returns is awaited if it is awaitable, or a future of an
                executor.
            concurrency: calls in flight at most; finished results that wait for their turn count as well.
                With 1, each is awaited in the loop that reads the source, without a task. A ``Limit`` can be
                changed meanwhile, and shared; an ``Adaptive`` one finds out how many are good.
            ordered: whether results keep the order of the items, or come as they are ready.
            key: called with each item. Items for which it returns the same are called one after the other, and
                their results keep that order; results of other keys may overtake them, whatever `ordered` says.
                An item whose key is at work waits in a place, or in the `lookahead`.
            lookahead: items read ahead besides those in flight. A ``buffer(strategy)`` before a concurrent
                ``map`` does the same.
            on: where the calls are made, such as ``Threads(8)`` or ``Processes(4)`` of ``streamkit.executors``;
                by default, here. It says itself how many there are at once. Without a `function`, each worker
                calls what it has prepared.
            chunk: how many items are sent there together; or ``Lasting(seconds)``, which finds out.
            on_error: what is done where `function` or `key` fails, such as ``Resume()``; by default, the stream
                fails.

        Raises:
            TypeError: `function` or `key` is not callable, or another argument has the wrong type; (when run)
                what `key` returned cannot be hashed.
            RuntimeError: (when run) the limit is used in another event loop.
            ValueError: `concurrency` is less than 1, `lookahead` below 0, or above it with a `concurrency` of 1.

        While a sink waits for a concurrent ``map``, the tasks that call `function` also run the callbacks of the
        steps after it and of the sink. Those see the context variables of the task that waits.

        An error of `function` ends the stream, unless `on_error` says otherwise; with `concurrency`, other calls
        are cancelled, and results that are ready are delivered first (with `ordered`, those before the first
        missing one).
        """
    @overload
    def map(
        self: Methods[A],
        function: Callable[[A], B],
        *,
        concurrency: int | Limit = 1,
        ordered: bool = True,
        key: Callable[[A], Any] = ...,
        lookahead: int = 0,
        on: Workers | None = None,
        chunk: int | Lasting = 1,
        on_error: OnError | None = None,
    ) -> Stream[B]: ...
    @overload
    def map(
        self: Methods[Any],
        *,
        on: Workers,
        chunk: int | Lasting = 1,
        ordered: bool = True,
        key: Callable[[Any], Any] = ...,
        on_error: OnError | None = None,
    ) -> Stream[Any]: ...
    def materialize(self: Methods[Item]) -> Stream[Notification[Item]]:
        """Pass on each item as ``Next(value)``, and the end as ``Done()`` or ``Failed(error)``; then end.

            items       --a--------b--------X
            materialize --Next(a)--Next(b)--Failed(X)|

        >>> from streamkit import Stream, ops
        >>> list(Stream("a") | ops.materialize())
        [Next(value='a'), Done()]
        >>> list(Stream([2, 0]) | ops.map(lambda number: 4 // number) | ops.materialize())
        [Next(value=2), Failed(error=ZeroDivisionError('integer division or modulo by zero'))]

        Emits when: an item comes; the source ends; or it, or an operator before this one, fails.
        Waits when: the consumer does.
        Completes when: the source does, or has failed, after that item.
        Closes when: it ends, or the consumer leaves.

        So the error of a stream can be looked at, sent or kept as an item is; ``dematerialize`` makes it an error
        again. To go on with another stream, use ``catch``; for an error of a callback that ends nothing,
        `on_error` of the operator that calls it.

        An error of the program, which no operator takes, fails the stream here as well: a ``RecursionError``, and
        a second run of a one-shot source.
        """
    @overload
    def max(
        self: Methods[Item], *, key: Callable[[Any], Any] = ..., on_error: OnError | None = None
    ) -> Job[Item]:
        """The greatest item, or the one with the greatest `key`.

        >>> from streamkit import Stream, ops
        >>> (Stream([2, 3, 1]) | ops.max()).run()
        3
        >>> (Stream(["tea", "water", "ale"]) | ops.max(key=len)).run()
        'water'

        Completes when: the source does.
        Closes when: it ends.

        It is the builtin ``max`` of a stream: of equal items it keeps the first, and compares with ``>`` alone,
        so that what becomes of a NaN depends on the order.

        Args:
            key: called with each item; returns what is compared, or an awaitable of that.
            default: the result of an empty stream.
            on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `key` is not callable; when run: items or keys cannot be compared.
            EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
        """
    @overload
    def max(
        self: Methods[Item], *, key: Callable[[Any], Any] = ..., default: T, on_error: OnError | None = None
    ) -> Job[Item | T]: ...
    @overload
    def mean(self: Methods[_Real]) -> Job[float]:
        """The arithmetic mean of the items, as a float.

        >>> from streamkit import Stream, ops
        >>> (Stream([1, 2, 4.5]) | ops.mean()).run()
        2.5

        Completes when: the source does.
        Closes when: it ends.

        It is ``statistics.fmean`` of a stream: the sum is exact and rounded once, however long the stream is and
        whatever its order. Of decimals and fractions, too, it is a float.

        Args:
            default: the result of an empty stream.

        Raises:
            TypeError: (when run) an item is no real number.
            ValueError: (when run) both infinities are among the items.
            OverflowError: (when run) an item or the sum is more than a float can be.
            EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
        """
    @overload
    def mean(self: Methods[_Real], *, default: T) -> Job[float | T]: ...
    def merge(self: Methods[Item], *sources: SourceLike[B], lookahead: int = 1) -> Stream[Item | B]:
        """Pass on the items of this stream and of `sources` as they come.

            items      --a-----b-----|
            source     -----1-----2----|
            merge      --a--1--b--2----|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.merge([1, 2]))
        ['a', 1, 'b', 2]

        Emits when: an item is there; sources that are ready take turns, item by item.
        Waits when: the consumer does; each source is read `lookahead` items ahead.
        Completes when: every source has.
        Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

        Args:
            sources: streams, iterables, async iterables, or callables that make them.
            lookahead: items that each source may be ahead.

        Raises:
            TypeError: a source is none of these, or `lookahead` is not a whole number.
            ValueError: `lookahead` is less than 1.
        """
    def merge_prioritized(
        self: Methods[Item], *sources: SourceLike[B], lookahead: int = 1
    ) -> Stream[Item | B]:
        """Pass on items as they come; where several sources have one, this stream's first, then by their place.

            items              --a---------b--|
            source             --1--2--3--4---|
            consumer           --x-----x--x-x-x-x
            merge_prioritized  --a-----1--2-b-3-4|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.merge_prioritized([1, 2], "xy"))
        ['a', 'b', 1, 2, 'x', 'y']

        The priority is strict: while a source always has an item ready, those behind it get no turn, however long
        that is. They wait, and lose nothing. ``merge`` takes turns. (Pekko's ``mergePrioritized`` draws lots, by
        weights.)

        Emits when: an item is there: of the first source that has one.
        Waits when: the consumer does; each source is read `lookahead` items ahead.
        Completes when: every source has.
        Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

        Args:
            sources: streams, iterables, async iterables, or callables that make them; the preferred one first.
            lookahead: items that each source may be ahead.

        Raises:
            TypeError: a source is none of these, or `lookahead` is not a whole number.
            ValueError: `lookahead` is less than 1.
        """
    def merge_sorted(
        self: Methods[Item],
        *sources: SourceLike[B],
        key: Callable[[Any], Any] | Absent = ...,
        reverse: bool = False,
        lookahead: int = 1,
        on_error: OnError | None = None,
    ) -> Stream[Item | B]:
        """Merge this stream with `sources`, each of which is in order: what comes out is in order, too.

            items         --1--------4------7--|
            source        -----2--3-----9-------|
            merge_sorted  -----1-----(23)--4---7--9|

        >>> from streamkit import Stream, ops
        >>> list(Stream([1, 4, 7]) | ops.merge_sorted([2, 3, 9]))
        [1, 2, 3, 4, 7, 9]
        >>> list(Stream(["a", "ccc"]) | ops.merge_sorted(["bb", "dddd"], key=len))
        ['a', 'bb', 'ccc', 'dddd']

        It is ``heapq.merge`` over streams: of items that are equal, those of the source that stands first come
        first. No order is checked: where a source is out of order, an item comes when those before it in its own
        source have come, and nothing is lost. After an error, what is held comes in order, and then the error.

        Emits when: every source that has not ended has an item: the least of them.
        Waits when: a source that has not ended has none, or the consumer does.
        Completes when: every source has.
        Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

        Args:
            sources: streams, iterables, async iterables, or callables that make them.
            key: called with each item; what it returns is compared, instead of the items. Keys are compared by
                ``==`` and ``<``.
            reverse: the greatest comes first; each source is in that order, too.
            lookahead: items that each source may be ahead. More of them cost fewer turns of the event loop. A
                buffer before this operator adds to it.
            on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails. Keys
                that cannot be compared end the stream.

        Raises:
            TypeError: an argument has the wrong type; (when run) two items, or their keys, cannot be compared.
            ValueError: `lookahead` is less than 1, or `on_error` is given without `key`.
        """
    @overload
    def min(
        self: Methods[Item], *, key: Callable[[Any], Any] = ..., on_error: OnError | None = None
    ) -> Job[Item]:
        """The least item, or the one with the least `key`.

        >>> from streamkit import Stream, ops
        >>> (Stream([3, 1, 2]) | ops.min()).run()
        1
        >>> (Stream(["tea", "water", "ale"]) | ops.min(key=len)).run()
        'tea'

        Completes when: the source does.
        Closes when: it ends.

        It is the builtin ``min`` of a stream: of equal items it keeps the first, and compares with ``<`` alone,
        so that what becomes of a NaN depends on the order.

        Args:
            key: called with each item; returns what is compared, or an awaitable of that.
            default: the result of an empty stream.
            on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `key` is not callable; when run: items or keys cannot be compared.
            EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
        """
    @overload
    def min(
        self: Methods[Item], *, key: Callable[[Any], Any] = ..., default: T, on_error: OnError | None = None
    ) -> Job[Item | T]: ...
    @overload
    def on(
        self: Methods[A],
        executor: Workers,
        one: Operator[A, B],
        /,
        *,
        chunk: int | Lasting = ...,
        ordered: bool = ...,
        on_lost: OnError | None = ...,
    ) -> Stream[B]:
        """Send chunks of the items through a pipe that workers run, and pass on what comes out of it.

            items                          --1--2--3-----4--|
            on(pool, map(x*2), chunk=2)    -----------2-4---6-8|

        >>> from streamkit import Stream, ops
        >>> from streamkit.executors import Threads
        >>> list(Stream(range(6)) | ops.on(Threads(2), ops.filter(lambda x: x % 2), ops.map(str), chunk=3))
        ['1', '3', '5']

        The operators run as they do in one process: their steps are one loop, over a chunk at a time. Each chunk
        goes through the pipe anew, so what an operator keeps (``batch``, ``distinct``, ``take``) is of one chunk.

        Emits when: a chunk comes back; with `ordered`, when every earlier one has.
        Waits when: the consumer does, or as many chunks are in flight as the executor takes at once.
        Completes when: the source does, and every chunk has come back.
        Closes when: it ends, or the consumer leaves; chunks in flight are stopped first.

        Args:
            executor: threads, processes, or another of ``streamkit.executors``. One that is not open is opened
                for each run, and closed with it.
            operators: what a chunk goes through: operators, and no sink.
            chunk: how many items are sent together; or ``Lasting(seconds)``, which finds out.
            ordered: whether chunks keep their order, or come as they are ready.
            on_lost: what is done with an item whose worker has died of it: the error is a
                ``WorkerCrashedError``. By default, and for every other error, the stream fails; operators in the
                pipe have an `on_error` of their own.

        Raises:
            TypeError: `executor` is none, one of `operators` is no operator, or another argument has the wrong
                type; (when run) the pipe, an item or a result cannot be pickled, where that must be.
            ValueError: there are no operators, or `chunk` is less than 1.
        """
    @overload
    def on(
        self: Methods[A],
        executor: Workers,
        one: Operator[A, B],
        two: Operator[B, C],
        /,
        *,
        chunk: int | Lasting = ...,
        ordered: bool = ...,
        on_lost: OnError | None = ...,
    ) -> Stream[C]: ...
    @overload
    def on(
        self: Methods[A],
        executor: Workers,
        one: Operator[A, B],
        two: Operator[B, C],
        three: Operator[C, D],
        /,
        *,
        chunk: int | Lasting = ...,
        ordered: bool = ...,
        on_lost: OnError | None = ...,
    ) -> Stream[D]: ...
    @overload
    def on(
        self: Methods[Any],
        executor: Workers,
        /,
        *operators: Operator[Any, Any] | Keep | Shape,
        chunk: int | Lasting = ...,
        ordered: bool = ...,
        on_lost: OnError | None = ...,
    ) -> Stream[Any]: ...
    def on_close(self: Methods[Item], function: Callable[[], object]) -> Stream[Item]:
        """Call `function` once when the stream is over, however it has ended.

            items       --a--b--|
            on_close(f) --a--b--|
                                f

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.on_close(lambda: print("closed")))
        closed
        ['a', 'b']

        Emits when: an item comes.
        Waits when: the consumer does; at the end, until what `function` returns has been awaited.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves; then everything before it is closed, and `function` is
            called: after the last item, after an error, after a cancellation, and when the consumer has left.

        Args:
            function: called without arguments in each run, when the sources before it were cleaned up; may
                return an awaitable.

        Raises:
            TypeError: `function` is not callable.

        An error of `function` ends the stream, or is attached to the error that the stream has ended with. Of
        several in a pipe, the first is called first. A job that was never awaited, and a stream whose iterator
        was never asked for, have not run: then it is not called. It is not told how the stream has ended:
        ``catch`` is for errors, ``concat`` for what comes after the last item.
        """
    def pairwise(self: Methods[Item]) -> Stream[tuple[Item, Item]]:
        """Pass on each item with the one before it.

            items    --a--b------c------|
            pairwise -----(a,b)--(b,c)--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.pairwise())
        [('a', 'b'), ('b', 'c')]

        Emits when: the second and every later item comes.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.
        """
    @overload
    def partition(
        self: Methods[A],
        predicate: Callable[[A], object],
        true: Keep,
        false: Keep,
        *,
        on_error: OnError | None = None,
    ) -> Stream[A]:
        """Give each item to one of two branches: `true` if the predicate is true of it, and otherwise `false`.

            items              --1-----2-----3--|
            true map(str)      --"1"---------"3"|
            false batch(2)     --------------[2]|
            partition(odd)     --"1"---------"3"[2]|

        If both branches end in sinks, this is a sink, whose result is the pair of theirs:

        >>> from streamkit import Stream, ops
        >>> def is_odd(number: int) -> bool:
        ...     return number % 2 == 1
        >>> (Stream(range(5)) | ops.partition(is_odd, ops.to_list(), ops.count())).run()
        ([1, 3], 3)

        If both are operators, their outputs are merged:

        >>> list(Stream(range(4)) | ops.partition(is_odd, ops.map(str), ops.map(lambda even: -even)))
        [0, '1', -2, '3']

        Branches of steps run inside the loop that reads the source, without a task. Each branch has a task of its
        own if a callback in it is an ``async def``, if it has a stage, or if it can end before the source.

        Emits when: a branch does.
        Waits when: the branch of the last item works on the one before, or its buffer is full and waits.
        Completes when: both branches have. One that ends early drops what is for it, counted; the other goes on.
        Closes when: both branches have ended, one fails, or the consumer leaves.

        An error of a branch ends both. An error of the source reaches each branch after the items before it.

        Args:
            predicate: called with each item; its result, awaited if it is awaitable, is true or false.
            true: operators, or operators and a sink, for the items of which it is true.
            false: the same, for the others.
            on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `predicate` is not callable; or a branch is neither operators nor a sink, or one is one and
                the other the other.

        RxPY's ``partition`` returns two observables, which subscribe twice. Here one run serves both branches.
        """
    @overload
    def partition(
        self: Methods[A],
        predicate: Callable[[A], object],
        true: Into[A, R1],
        false: Into[A, R2],
        *,
        on_error: OnError | None = None,
    ) -> Job[tuple[R1, R2]]: ...
    @overload
    def partition(
        self: Methods[A],
        predicate: Callable[[A], object],
        true: Keep,
        false: Operator[A, C] | Callable[[Stream[A]], Inlet[C]],
        *,
        on_error: OnError | None = None,
    ) -> Stream[A | C]: ...
    @overload
    def partition(
        self: Methods[A],
        predicate: Callable[[A], object],
        true: Operator[A, B] | Callable[[Stream[A]], Inlet[B]],
        false: Keep,
        *,
        on_error: OnError | None = None,
    ) -> Stream[B | A]: ...
    @overload
    def partition(
        self: Methods[A],
        predicate: Callable[[A], object],
        true: Operator[A, B] | Callable[[Stream[A]], Inlet[B]],
        false: Operator[A, C] | Callable[[Stream[A]], Inlet[C]],
        *,
        on_error: OnError | None = None,
    ) -> Stream[B | C]: ...
    def pause_while(self: Methods[Item], signal: SourceLike[Any]) -> Stream[Item]:
        """Let no item pass while the latest item of `signal` is true.

            items       --a--b--------c--|
            signal      ----T------F------
            pause_while --a--------b--c--|

        >>> from streamkit import KeepLatest, Stream, ops, push
        >>> busy, emitter = push(KeepLatest(), of=bool)
        >>> outcome = emitter.offer(True), emitter.offer(False)  # the second overwrites the first
        >>> list(Stream("ab") | ops.pause_while(busy))
        ['a', 'b']

        Emits when: an item comes, and the latest item of `signal` is false, has not come yet, or was its last.
        Waits when: the consumer does, or `signal` has said something true; the source then waits too, with one
            item in hand at most.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves: `signal` at the same time.

        Args:
            signal: a stream, an iterable, an async iterable, or a callable that makes one. It is read from when
                the first item is asked for, as fast as it comes, and when it ends, items pass.

        Raises:
            TypeError: `signal` is none of these.

        RxPY has none. To pause by a call, and not by a stream, use `valve`.
        """
    def race(self: Methods[Item], *sources: SourceLike[B]) -> Stream[Item | B]:
        """Pass on the items of the source that is the first to do something, this stream or one of `sources`.

            items   -----a--b--|
            source  --1-----2-----3--|
            race    --1-----2-----3--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.race([1, 2]))
        ['a', 'b']

        The first to emit, to end or to fail has won; the others are cancelled then, and cleaned up. Of several in
        the same turn of the event loop, it is the one that came first, which is the one that stands first where
        all are ready. An item that a loser had ready is lost. It is ``amb`` of RxPY, for any number of sources.

        Emits when: the winner does.
        Waits when: no source has done anything yet, or the consumer does; the winner is read one item ahead.
        Completes when: the winner does: a source that ends at once, without an item, wins.
        Closes when: a source has won: the others, at once, each in its own task. Their clean-up does not hold up
            the items; the end waits for it, and raises what it raises. The winner when it ends, or the consumer
            leaves.

        Args:
            sources: streams, iterables, async iterables, or callables that make them.

        Raises:
            TypeError: a source is none of these.
        """
    @overload
    def reduce(
        self: Methods[A], function: Callable[[A, A], Awaitable[A]], *, on_error: OnError | None = None
    ) -> Job[A]:
        """Fold the items into one value, from the first item on.

        >>> from operator import mul
        >>> from streamkit import Stream, ops
        >>> (Stream([2, 3, 4]) | ops.reduce(mul)).run()
        24

        Completes when: the source does.
        Closes when: it ends.

        To begin with another value than the first item, use ``fold(function, initial)``.

        Args:
            function: called with the state so far and the item; returns the new state, or an awaitable of it.
            default: the result of an empty stream.
            on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `function` is not callable.
            EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
        """
    @overload
    def reduce(
        self: Methods[A], function: Callable[[A, A], A], *, on_error: OnError | None = None
    ) -> Job[A]: ...
    @overload
    def reduce(
        self: Methods[A],
        function: Callable[[A, A], Awaitable[A]],
        *,
        default: T,
        on_error: OnError | None = None,
    ) -> Job[A | T]: ...
    @overload
    def reduce(
        self: Methods[A], function: Callable[[A, A], A], *, default: T, on_error: OnError | None = None
    ) -> Job[A | T]: ...
    def repeat(self: Methods[Item], times: int | None = None) -> Stream[Item]:
        """When the source has ended, run it again: all that stands before ``repeat`` in the pipe.

            items      --a--b--|
            repeat(2)  --a--b----a--b--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.repeat(2))
        ['a', 'b', 'a', 'b']
        >>> list(Stream("ab") | ops.repeat() | ops.take(5))
        ['a', 'b', 'a', 'b', 'a']

        A source that is a callable is called for each run. One that can be run only once ends the stream with a
        ``SourceConsumedError`` when it would be run again. A source without items is run again and again, and
        lets others run now and then.

        Emits when: an item comes.
        Waits when: the consumer does; a run begins when its first item is asked for.
        Completes when: the source has been run `times` times.
        Closes when: each run as it ends; the current one, if the stream fails or the consumer leaves.

        Args:
            times: how often the source is run, the first time included; without end, if not given.

        Raises:
            TypeError: `times` is not a whole number.
            ValueError: `times` is less than 1.

        ``itertools.cycle`` keeps the items of the first run; this asks the source for them again.
        """
    def retry(
        self: Methods[Item],
        attempts: int | None = 3,
        *,
        backoff: float | Backoff = 0.0,
        reset_after: float | None = None,
        when: When = ...,
        on_retry: OnRetry | None = None,
    ) -> Stream[Item]:
        """When the source fails, run it again: all that stands before ``retry`` in the pipe.

            items    --a--X
            again         --a--b--|
            retry    --a----a--b--|

        >>> from streamkit import Stream, ops
        >>> answers = iter([ConnectionError("refused"), ConnectionError("refused"), "hello"])
        >>> def connect():
        ...     answer = next(answers)
        ...     if isinstance(answer, Exception):
        ...         raise answer
        ...     yield answer
        >>> list(Stream(connect) | ops.retry(3))
        ['hello']

        Items that were passed on before an error are not taken back: what the source gives again comes again. A
        source that is a callable is called for each attempt; one that can be run only once ends the stream with a
        ``SourceConsumedError``, whose cause is the error of the first attempt.

        Emits when: an item comes.
        Waits when: the consumer does; and for `backoff`, before it runs the source again.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves; a failed source is closed before `when` is asked.

        Args:
            attempts: how often the source is run at most, the first time included; None for no limit.
            backoff: seconds to wait before each further attempt, or a ``Backoff``, which makes them longer and
                random. 0 tries again at once, and lets others run now and then.
            reset_after: seconds that an attempt must have lasted, from its first pull to its error, for
                `attempts` and `backoff` to begin anew: it counts as the first that failed. Never, if not given.
            when: the types of errors after which to try again; or a callable, asked with each error, that
                returns whether to. It may return an awaitable.
            on_retry: called before each wait with the error, the number of the attempt that has failed, from 1,
                and the seconds that follow; may return an awaitable.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `attempts` is less than 1, or `backoff` or `reset_after` is no finite time.

        The error of the last attempt comes as it is; a note on it tells of the attempts before. A cancellation
        is never tried again, nor is an error of the program itself, as ``catch`` has them. 100,000 attempts need
        no more memory, or time for each, than three. RxPY's ``retry()`` has no limit; here that is
        ``retry(None)``.
        """
    @overload
    def route(
        self: Methods[A],
        key: Callable[[A], object],
        routes: Mapping[K, Keep],
        *,
        otherwise: Keep | Absent = ...,
        on_error: OnError | None = None,
    ) -> Stream[A]:
        """Give each item to the branch of its key.

            items                     --a1--b2--c3--a4--|
            "a" map(number)           --1-----------4---|
            "b" map(upper)            ------B2----------|
            otherwise map(str)        ----------c3------|
            route(letter, ...)        --1---B2--c3--4---|

        If all branches end in sinks, this is a sink, whose result is the dict of theirs, by key:

        >>> from streamkit import Stream, ops
        >>> words = Stream(["tea", "oil", "ale", "tin"])
        >>> routes = {"t": ops.to_list(), "a": ops.count()}
        >>> (words | ops.route(lambda word: word[0], routes, otherwise=ops.first())).run()
        {'t': ['tea', 'tin'], 'a': 1, Ellipsis: 'oil'}

        If all are operators, their outputs are merged:

        >>> lengths = ops.route(len, {3: ops.map(str.upper)}, otherwise=ops.map(str.title))
        >>> list(Stream(["tea", "salt"]) | lengths)
        ['TEA', 'Salt']

        Or the items say themselves for which branch they are, by an `Output`; the branch gets the value:

        >>> from streamkit import Output
        >>> short, long = Output[str]("short"), Output[str]("long")
        >>> words = Stream(["tea", "rice"]) | ops.map(lambda word: (short if len(word) < 4 else long)(word))
        >>> (words | ops.route({short: ops.to_list(), long: ops.count()})).run()
        {'short': ['tea'], 'long': 1}

        Branches of steps run inside the loop that reads the source, without a task. Each branch has a task of its
        own if a callback in it is an ``async def``, if one has a stage, or if one can end before the source. Even
        so, an item for an output is handed over: the source goes on when the branch asks for the next, except
        where that begins with a ``buffer``.

        Emits when: a branch does.
        Waits when: the branch of the last item works on the one before, or its buffer is full and waits.
        Completes when: every branch has. One that ends early drops what is for it, counted; the others go on.
        Closes when: every branch has ended, one fails, or the consumer leaves.

        An error of a branch ends all. An error of the source reaches each branch after the items before it. An
        exception that is sent to an output which no route names is raised, also where there is an `otherwise`.

        Args:
            key: called with each item; returns its key, which is hashable, or an awaitable of it. In its place,
                and alone, the routes by `Output`, or by the name of one.
            routes: operators, or operators and a sink, by key. They are fixed; for keys that are known only when
                their items come, use ``group_by``.
            otherwise: the same for items with other keys, or for other outputs. The result of a sink stands
                under ``...``.
            on_error: what is done where `key` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: an argument has the wrong type, some branches are operators and some sinks; (when run) a
                key is not hashable, or an item is for no output.
            ValueError: there are no routes, or one has the key ``...``; or `on_error` is given where no key is.
            NoRouteError: (when run) an item has another key or output, and there is no `otherwise`.
        """
    @overload
    def route(
        self: Methods[A],
        key: Callable[[A], object],
        routes: Mapping[K, Into[A, R]],
        *,
        on_error: OnError | None = None,
    ) -> Job[dict[K, R]]: ...
    @overload
    def route(
        self: Methods[A],
        key: Callable[[A], object],
        routes: Mapping[K, Into[A, R]],
        *,
        otherwise: Into[A, R],
        on_error: OnError | None = None,
    ) -> Job[dict[K | EllipsisType, R]]: ...
    @overload
    def route(
        self: Methods[A],
        key: Callable[[A], object],
        routes: Mapping[K, Operator[A, B]],
        *,
        otherwise: Operator[A, B] | Absent = ...,
        on_error: OnError | None = None,
    ) -> Stream[B]: ...
    @overload
    def route(
        self: Methods[A],
        key: Callable[[A], object],
        routes: Mapping[K, Callable[[Stream[A]], Inlet[B]]],
        *,
        otherwise: Callable[[Stream[A]], Inlet[B]] | Absent = ...,
        on_error: OnError | None = None,
    ) -> Stream[B]: ...
    @overload
    def route(
        self: Methods[Item],
        key: Callable[[A], object],
        routes: Mapping[K, Pipe],
        *,
        otherwise: Pipe | Absent = ...,
        on_error: OnError | None = None,
    ) -> Any: ...
    @overload
    def route(self: Methods[Tagged[Any]], key: ToSinks[R]) -> Job[dict[str, R]]: ...
    @overload
    def route(self: Methods[Tagged[Any]], key: ToOperators[B]) -> Stream[B]: ...
    @overload
    def route(self: Methods[Tagged[Any]], key: Mapping[Any, Into[Any, R]]) -> Job[dict[str, R]]: ...
    @overload
    def route(
        self: Methods[Tagged[Any]], key: Mapping[Any, Into[Any, R]], *, otherwise: Into[Any, R]
    ) -> Job[dict[str | EllipsisType, R]]: ...
    @overload
    def route(
        self: Methods[Tagged[Any]],
        key: Mapping[Any, Operator[Any, B]],
        *,
        otherwise: Operator[Any, B] | Absent = ...,
    ) -> Stream[B]: ...
    @overload
    def route(self: Methods[Item], key: Mapping[Any, Pipe], *, otherwise: Pipe | Absent = ...) -> Any: ...
    @overload
    def sample(self: Methods[Item], seconds: float, *, on_drop: OnDrop | None = None) -> Stream[Item]:
        """Every `seconds`, or whenever `signal` has an item, pass on the latest item, if there is a new one.

            items          --a-b-c-----------d---|
            sample(5)      -----b----c---------d-|
            signal         ---x-x--x-x-x---------
            sample(signal) ---a-b--c-------------d|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.sample(60.0))
        ['c']

        Emits when: a period ends in which an item came; at the end of the source, the latest item at once.
        Waits when: no item has come since it last emitted. The source never waits.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            seconds: the length of a period. Periods are counted from the start; a consumer that is late gets
                the latest item at the end of the next one.
            signal: a stream, an iterable, an async iterable, or a callable that makes one; each of its items,
                whatever it is, ends a period. A consumer that was busy then gets the latest item when it asks.
                After the end of `signal`, the last item of the source comes yet, at the end of that.
            on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

        Raises:
            TypeError: an argument has the wrong type, or neither `seconds` nor `signal` is given.
            ValueError: `seconds` is not finite, or not above 0; or both are given.

        In RxPY the last item waits for the end of its period, and the end of the signal ends a period, too.
        """
    @overload
    def sample(
        self: Methods[Item], *, signal: SourceLike[Any], on_drop: OnDrop | None = None
    ) -> Stream[Item]: ...
    @overload
    def scan(
        self: Methods[A],
        function: Callable[[B, A], Awaitable[B]],
        initial: B,
        *,
        on_error: OnError | None = None,
    ) -> Stream[B]:
        """Fold the items, passing on each intermediate state.

            items              --1--2--3--|
            scan(operator.add) --1--3--6--|

        >>> from operator import add
        >>> from streamkit import Stream, ops
        >>> list(Stream([1, 2, 3]) | ops.scan(add))
        [1, 3, 6]

        Emits when: `function` has returned the new state; without `initial`, the first item as it is.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            function: called with the state so far and the item; returns the new state.
            initial: the state before the first item. It is not passed on by itself, and not copied: give a
                mutable one only if each run may go on with it.
            on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.
                An item that is dropped leaves the state as it is.

        Raises:
            TypeError: `function` is not callable, or `on_error` is something else.
        """
    @overload
    def scan(
        self: Methods[A], function: Callable[[B, A], B], initial: B, *, on_error: OnError | None = None
    ) -> Stream[B]: ...
    @overload
    def scan(
        self: Methods[A], function: Callable[[A, A], A], *, on_error: OnError | None = None
    ) -> Stream[A]: ...
    def sequence_equal(self: Methods[Item], other: SourceLike[Any]) -> Job[bool]:
        """Whether the items equal those of `other`, in number and order.

        >>> from streamkit import Stream, ops
        >>> (Stream("abc") | ops.sequence_equal(["a", "b", "c"])).run()
        True

        Completes when: two items differ, one source has ended before the other, or both have ended.
        Closes when: it ends: both sources at once, each in its own task.

        Both are read at the same time. Items are equal if they are the same or ``==`` says so, as in lists.

        Args:
            other: a stream, an iterable, an async iterable, or a callable that makes one.

        Raises:
            TypeError: `other` is none of these.
        """
    @overload
    def share(
        self: Methods[Item], replay: int = 0, *, strategy: Collect, linger: float = 0.0, readers: int = 1
    ) -> Stream[list[Item]]:
        """Run the source once, for all who read the stream: they come and go at any time.

            items          --a--b--c--d--|
            first reader   --a--b--c--d--|
            reader, late         --c--d--|
            with replay=1        b-c--d--|

        >>> import asyncio
        >>> from streamkit import Stream, ops
        >>> async def numbers():
        ...     print("opened")
        ...     for number in (1, 2, 3):
        ...         yield number
        >>> async def main():
        ...     shared = Stream(numbers) | ops.share(replay=2)
        ...     print(await asyncio.gather(shared | ops.to_list(), shared | ops.count()))
        ...     print(await (shared | ops.to_list()))
        >>> asyncio.run(main())
        opened
        [[1, 2, 3], 3]
        [2, 3]

        The run begins with the first pull of the first reader, or, of `readers` of them, with that of the last:
        so those miss nothing. Who comes later gets the last `replay` items, and then what comes from now on. Each
        reader has a buffer of its own, under `strategy`: by default, the slowest holds all. To give one reader
        another strategy, begin its pipe with a buffer: ``shared | ops.buffer(DropOldest(8)) | ...``. What a
        strategy raises, `BufferOverflowError` or the error of an ``on_drop``, ends the stream of its reader only.

        Behind a durable source, an item is acknowledged when all readers are done with it that there were when
        it came. What is replayed to who comes later concerns no delivery.

        Emits when: an item comes from the source; for who comes late, at once what is replayed.
        Waits when: the buffer of some reader is full and its strategy waits; nobody reads; or fewer than
            `readers` have come.
        Completes when: the source does. Who comes after that gets the replayed items and the end, or the error.
        Closes when: the last reader has left, and `linger` seconds have passed in which nobody came.

        The next reader after that begins a new run, with nothing to replay, and waits for as many `readers`;
        while the source still closes, it waits for that. While the stream lingers, nothing is pulled; what comes
        of a pull that is under way is kept to be replayed.

        Args:
            replay: how many items are kept for readers that come later. They come one by one, before others,
                whatever the strategy; under ``Collect``, as one list.
            strategy: how many items are held for each reader, and what happens to one more.
            linger: seconds for which the source stays open when nobody reads any more.
            readers: how many must have come before the source is opened, whether or not they are still there.
                Where one stream is read by two ways that meet again, as in ``shared.zip(shared | ops.map(f))``,
                these are 2. If fewer come, those wait for ever.

        Streams that are equal share a run, so ``stream | shared | a`` and ``stream | shared | b`` do, where
        ``shared = ops.share()``. Two operators made by two calls share nothing; neither does a pickled copy.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `replay` or `linger` is below 0, `linger` is not finite, or `readers` is below 1.
            RuntimeError: (when run) it is read in another event loop, and still runs.

        It is RxPY's ``share()``, with `replay`, its ``replay(n)`` with ``ref_count()``, and with `readers`, the
        ``refCount(n)`` of Reactor and RxJava. Other than there, readers can make the source wait, and a second
        run replays nothing of the first.
        """
    @overload
    def share(
        self: Methods[Item],
        replay: int = 0,
        *,
        strategy: Lossy[Literal[False]],
        linger: float = 0.0,
        readers: int = 1,
    ) -> Stream[Item]: ...
    @overload
    def share(
        self: Methods[Item], replay: int = 0, *, strategy: Lossy[bool], linger: float = 0.0, readers: int = 1
    ) -> Stream[Item | Gap]: ...
    @overload
    def share(
        self: Methods[Item],
        replay: int = 0,
        *,
        strategy: Strategy = ...,
        linger: float = 0.0,
        readers: int = 1,
    ) -> Stream[Item]: ...
    @overload
    def single(self: Methods[Item]) -> Job[Item]:
        """The only item.

        >>> from streamkit import Stream, ops
        >>> (Stream("a") | ops.single()).run()
        'a'

        Completes when: the source does.
        Closes when: it ends; at a second item, with the error.

        Args:
            default: the result of an empty stream.

        Raises:
            EmptyStreamError: (when run) the stream is empty and there is no `default`; a ``LookupError`` too.
            SeveralItemsError: (when run) a second item has come; a ``ValueError`` too.
        """
    @overload
    def single(self: Methods[Item], *, default: T) -> Job[Item | T]: ...
    def skip(self: Methods[Item], count: int) -> Stream[Item]:
        """Leave out the first `count` items.

            items   --a--b--c--d--|
            skip(2) --------c--d--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abcd") | ops.skip(2))
        ['c', 'd']

        Emits when: an item comes after the first `count`.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            count: how many items to leave out.

        Raises:
            TypeError: `count` is not a whole number.
            ValueError: `count` is negative.
        """
    def skip_last(self: Methods[Item], count: int) -> Stream[Item]:
        """Leave out the last `count` items.

            items        --a--b--c--d--|
            skip_last(2) --------a--b--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abcd") | ops.skip_last(2))
        ['a', 'b']

        Emits when: an item comes after the first `count`: the one that came `count` items before it.
        Waits when: the consumer does.
        Completes when: the source does; held items are dropped then.
        Closes when: it ends, or the consumer leaves; held items are dropped.

        Args:
            count: how many items to leave out, and to hold.

        Raises:
            TypeError: `count` is not a whole number.
            ValueError: `count` is negative.
        """
    def skip_until(self: Methods[Item], signal: Signal) -> Stream[Item]:
        """Leave items out until `signal` comes; pass on those that come then.

            items               --a--b--c--d--|
            signal              --------x
            skip_until(signal)  --------c--d--|

        >>> from asyncio import Event
        >>> from streamkit import Stream, ops
        >>> start = Event()
        >>> begin = ops.tap(lambda item: start.set() if item == "b" else None)
        >>> list(Stream("abc") | begin | ops.skip_until(start))
        ['b', 'c']

        The signal is looked at first: an item that comes in the same turn of the event loop passes.

        Emits when: an item comes, and the signal has.
        Waits when: the signal has not come, or the consumer does. From the first pull on, the source is read
            until the signal comes.
        Completes when: the source does, or a stream of signals ends without an item: nothing can pass then. If it
            fails before it gives one, this fails with its error. (In RxPY, it does not end before the signal.)
        Closes when: it ends, or the consumer leaves: the source and the signal at once, each in its own task; the
            signal when it has come.

        Args:
            signal: what it may be for `take_until`.

        Raises:
            TypeError: `signal` is none of these.
        """
    @overload
    def skip_while(
        self: Methods[A], predicate: Callable[[A], Awaitable[bool]], *, on_error: OnError | None = None
    ) -> Stream[A]:
        """Leave out items as long as `predicate` is true; from then on pass on all.

            items              --1--2--9--1--|
            skip_while(x < 5)  --------9--1--|

        >>> from streamkit import Stream, ops
        >>> list(Stream([1, 2, 9, 1]) | ops.skip_while(lambda number: number < 5))
        [9, 1]

        Emits when: `predicate` has once returned something false.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            predicate: called with each item until it is first false; may return an awaitable.
            on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `predicate` is not callable.
        """
    @overload
    def skip_while(
        self: Methods[A], predicate: Callable[[A], object], *, on_error: OnError | None = None
    ) -> Stream[A]: ...
    @overload
    def slice(self: Methods[Item], stop: int | None, /) -> Stream[Item]:
        """Pass on every `step`-th item from number `start` on, up to number `stop`, as ``itertools.islice``.

            items       --a--b--c--d--e--|
            slice(1, 4) -----b--c--(d|)

        >>> from streamkit import Stream, ops
        >>> list(Stream("abcdefghi") | ops.slice(1, 8, 3))
        ['b', 'e', 'h']
        >>> list(Stream("abcd") | ops.slice(2))
        ['a', 'b']

        Emits when: an item of one of these numbers comes.
        Waits when: the consumer does.
        Completes when: the last item before `stop` was passed on, or the source does. It reads nothing after
            that item, where ``islice`` reads on to `stop`.
        Closes when: it ends, or the consumer leaves.

        Args:
            bounds: ``stop``, or ``start, stop``, or ``start, stop, step``, as numbers counted from 0. None stands
                for the first item, the end of the source, and 1.

        Raises:
            TypeError: a bound is neither a whole number nor None, or there are not 1 to 3 of them.
            ValueError: `start` or `stop` is negative, or `step` less than 1. A stream has no end to count from
                before it has ended: write ``take_last(3)`` for ``[-3:]``, ``skip_last(3)`` for ``[:-3]``.
        """
    @overload
    def slice(
        self: Methods[Item], start: int | None, stop: int | None, step: int | None = None, /
    ) -> Stream[Item]: ...
    def sliding(self: Methods[Item], count: int, *, step: int = 1) -> Stream[list[Item]]:
        """Pass on lists of `count` items that follow each other; each begins `step` items after the one before.

            items      --a--b--c------d------|
            sliding(3) --------[a,b,c][b,c,d]|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abcd") | ops.sliding(3))
        [['a', 'b', 'c'], ['b', 'c', 'd']]
        >>> list(Stream("abcdefg") | ops.sliding(2, step=3))
        [['a', 'b'], ['d', 'e']]

        Emits when: the last item of a list comes.
        Waits when: the consumer does.
        Completes when: the source does; a list that is not full then is dropped.
        Closes when: it ends, or the consumer leaves; held items are dropped.

        All lists are full, as those of ``itertools.pairwise`` and Kotlin's ``windowed`` are; a stream of fewer
        than `count` items gives none. RxPY's ``buffer_with_count(count, step)`` adds what is left at the end;
        with a `step` of `count`, ``batch(count)`` does.

        Args:
            count: items per list.
            step: how many items after the begin of a list the next one begins. With more than `count`, the items
                between two lists are left out.

        Raises:
            TypeError: `count` or `step` is not a whole number.
            ValueError: `count` or `step` is less than 1.
        """
    @overload
    def starmap(
        self: Methods[tuple[*As,] | list[Any]],
        function: Callable[[*As], Awaitable[B]],
        *,
        on_error: OnError | None = None,
    ) -> Stream[B]:
        """Pass on what `function` returns for the elements of each item as its arguments.

            items        --(2,5)---(3,2)--|
            starmap(pow) --32------9------|

        >>> from streamkit import Stream, ops
        >>> list(Stream([(2, 5), (3, 2)]) | ops.starmap(pow))
        [32, 9]

        Emits when: `function` has returned.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            function: called with the elements of each item; may return an awaitable.
            on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `function` is not callable, or `on_error` is something else.
        """
    @overload
    def starmap(
        self: Methods[tuple[*As,] | list[Any]],
        function: Callable[[*As], B],
        *,
        on_error: OnError | None = None,
    ) -> Stream[B]: ...
    def start_with(self: Methods[Item], *items: T) -> Stream[Item | T]:
        """Pass on `items` first, then what comes.

            items              ----a--b--|
            start_with("x")    x---a--b--|

        >>> from streamkit import Stream, ops
        >>> list(Stream([3, 4]) | ops.start_with(1, 2))
        [1, 2, 3, 4]

        Emits when: one of `items` is asked for, before the source is pulled; then when an item comes.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            items: what to pass on first. For the items of another stream, write ``streamkit.concat(a, b)``.
        """
    @overload
    def stateful_map(
        self: Methods[A],
        setup: Callable[[], S],
        function: Callable[[S, A], Awaitable[tuple[S, B]]],
        *,
        finish: Callable[[S], B] = ...,
        on_error: OnError | None = None,
    ) -> Stream[B]:
        """Pass on what `function` makes of each item and of a state, of which it also returns the next.

            items                               --3--1--5--|
            stateful_map(int, (total+x, total)) --0--3--4--|

        >>> from streamkit import Stream, ops
        >>> list(Stream([3, 1, 5]) | ops.stateful_map(int, lambda total, x: (total + x, total)))
        [0, 3, 4]
        >>> def number(seen: dict[str, int], word: str) -> tuple[dict[str, int], int]:
        ...     return seen, seen.setdefault(word, len(seen))
        >>> list(Stream(["a", "b", "a"]) | ops.stateful_map(dict, number, finish=len))
        [0, 1, 0, 2]

        Emits when: `function` has returned; at the end of the source, what `finish` returns.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        ``scan`` passes on the state itself. This is the ``statefulMap`` of Pekko, but for its end: `finish` is
        not called after an error, or where the consumer leaves. What must be closed in every case is no state:
        open it around the stream.

        Args:
            setup: called without an argument, once in each run, before an item is pulled; returns the state.
            function: called with the state and the item; returns the next state and what to pass on: two values.
            finish: called with the state when the source has ended; what it returns is passed on last.
            on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.
                An item that is dropped leaves the state as it is.

        All three may return awaitables.

        Raises:
            TypeError: `setup`, `function` or `finish` is not callable; (when run) `function` has not returned two
                values.
        """
    @overload
    def stateful_map(
        self: Methods[A],
        setup: Callable[[], S],
        function: Callable[[S, A], tuple[S, B]],
        *,
        finish: Callable[[S], B] = ...,
        on_error: OnError | None = None,
    ) -> Stream[B]: ...
    @overload
    def sum(self: Methods[Item]) -> Job[Item | int]:
        """Add the items to `start`, with ``+``.

        >>> from streamkit import Stream, ops
        >>> (Stream([1, 2, 3]) | ops.sum()).run()
        6

        Completes when: the source does.
        Closes when: it ends.

        The builtin ``sum`` corrects the rounding of floats from Python 3.12 on; this adds them one after the
        other, on every version. `mean` rounds once.

        Args:
            start: what the first item is added to, and the result of an empty stream. It is not changed.

        Raises:
            TypeError: `start` is a text or bytes, which ``"".join`` joins in linear time; when run: an item
                cannot be added.
        """
    @overload
    def sum(self: Methods[Item], *, start: T) -> Job[Item | T]: ...
    @overload
    def switch_map(
        self: Methods[A],
        function: Callable[[A], Awaitable[SourceLike[B]]],
        *,
        lookahead: int = 1,
        on_error: OnError | None = None,
    ) -> Stream[B]:
        """Pass on the items of the stream that `function` makes of the newest item.

            items         --a-------b-----c--|
            stream of a     --1--2--3--4|
            stream of b             --5--6|
            stream of c                   --7|
            switch_map(f) ----1--2----5--6--7|

        >>> from streamkit import Stream, ops
        >>> list(Stream(["ab"]) | ops.switch_map(str.upper))
        ['A', 'B']

        A newer item cancels the stream before it, or the call of `function` that makes that. When its clean-up
        has ended, the newer stream is opened: no two are open at once, and no item of an older stream comes
        after one of a newer.

        Emits when: an item of the current inner stream is there, and no newer item of the source.
        Waits when: the consumer does: the source is read one item ahead, the inner stream `lookahead`. So a
            consumer that is slow holds up the source, too. With ``buffer(KeepLatest())`` before ``switch_map``,
            the source goes on meanwhile.
        Completes when: the source does, and the last inner stream has.
        Closes when: it ends, or the consumer leaves: the source and the inner stream at once, each in its own
            task. What the clean-up of a cancelled stream raises ends the stream.

        Args:
            function: called with an item; returns a stream, an iterable, an async iterable or a callable that
                makes one, or an awaitable of these. It is called in the task that reads what it returns.
            lookahead: items that an inner stream may be ahead. They are dropped, and counted as ``closed``,
                where a newer item comes before they leave.
            on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: an argument has the wrong type; (when run) what `function` returned cannot be iterated.
            ValueError: `lookahead` is less than 1.

        Of a source whose items are ready at once, only the last item's stream is passed on. RxPY, which runs a
        stream that is ready when it is made, passes on all of each.
        """
    @overload
    def switch_map(
        self: Methods[A],
        function: Callable[[A], SourceLike[B]],
        *,
        lookahead: int = 1,
        on_error: OnError | None = None,
    ) -> Stream[B]: ...
    def take(self: Methods[Item], count: int) -> Stream[Item]:
        """Pass on the first `count` items, then end.

            items   --a--b--c--d--|
            take(2) --a--(b|)

        >>> from streamkit import Stream, ops
        >>> list(Stream("abcd") | ops.take(2))
        ['a', 'b']

        Emits when: an item comes.
        Waits when: the consumer does.
        Completes when: `count` items were passed on (with 0, before any is pulled), or the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            count: how many items to pass on, at most.

        Raises:
            TypeError: `count` is not a whole number.
            ValueError: `count` is negative.
        """
    def take_last(self: Methods[Item], count: int) -> Stream[Item]:
        """Pass on the last `count` items, when the source has ended.

            items        --a--b--c--d--|
            take_last(2) --------------(cd|)

        >>> from streamkit import Stream, ops
        >>> list(Stream("abcd") | ops.take_last(2))
        ['c', 'd']

        Emits when: the source has ended; nothing when it has failed, because then nobody knows what was last.
        Waits when: the consumer does, after the end of the source.
        Completes when: the source does, after the items.
        Closes when: it ends, or the consumer leaves; held items are dropped.

        Args:
            count: how many items to pass on, at most. With 0, the source is read to its end all the same.

        Raises:
            TypeError: `count` is not a whole number.
            ValueError: `count` is negative.
        """
    def take_until(self: Methods[Item], signal: Signal) -> Stream[Item]:
        """Pass items on until `signal` comes.

            items               --a--b--c--d--|
            signal              --------x
            take_until(signal)  --a--b--|

        >>> from asyncio import Event
        >>> from streamkit import Stream, ops
        >>> stop = Event()
        >>> job = Stream("abc") | ops.take_until(stop) | ops.tap(lambda _: stop.set()) | ops.to_list()
        >>> job.run()
        ['a']

        The signal is looked at first: one that is there at the start lets nothing pass, and an item that comes in
        the same turn of the event loop does not pass either. Nothing is read ahead; a pull that is pending when
        the signal comes is cancelled.

        Emits when: an item comes.
        Waits when: the consumer does.
        Completes when: the signal comes, or the source ends. A stream of signals that ends without an item never
            gives one; if it fails, this fails with its error.
        Closes when: it ends, or the consumer leaves: the source and the signal at once, each in its own task.

        Args:
            signal: a stream, or whatever one can begin with, whose first item is the signal; an ``asyncio.Event``
                that is set; an awaitable that is done; or a callable that makes one of these, for each run. A
                future or task is only waited for; a coroutine serves one run, and is cancelled when that ends.

        Raises:
            TypeError: `signal` is none of these.
        """
    @overload
    def take_while(
        self: Methods[A],
        predicate: Callable[[A], Awaitable[bool]],
        *,
        inclusive: bool = False,
        on_error: OnError | None = None,
    ) -> Stream[A]:
        """Pass on items as long as `predicate` is true, then end.

            items              --1--2--9--1--|
            take_while(x < 5)  --1--2--|

        >>> from streamkit import Stream, ops
        >>> list(Stream([1, 2, 9, 1]) | ops.take_while(lambda number: number < 5, inclusive=True))
        [1, 2, 9]

        Emits when: `predicate` has returned something true.
        Waits when: the consumer does.
        Completes when: `predicate` returns something false, or the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            predicate: called with each item.
            inclusive: whether the item that ends the stream is passed on too.
            on_error: what is done where `predicate` fails, such as ``Resume()``; by default, the stream fails.

        Raises:
            TypeError: `predicate` is not callable, or `inclusive` is neither True nor False.
        """
    @overload
    def take_while(
        self: Methods[A],
        predicate: Callable[[A], object],
        *,
        inclusive: bool = False,
        on_error: OnError | None = None,
    ) -> Stream[A]: ...
    def tap(
        self: Methods[Item], function: Callable[[Any], Any], *, on_error: OnError | None = None
    ) -> Stream[Item]:
        """Call `function` with each item, and pass the item on.

            items      --a--b--|
            tap(print) --a--b--|

        >>> from streamkit import Stream, ops
        >>> seen = []
        >>> list(Stream("ab") | ops.tap(seen.append)), seen
        (['a', 'b'], ['a', 'b'])

        Emits when: `function` has returned. An awaitable is awaited; the result is ignored.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            function: called with each item; may return an awaitable.
            on_error: what is done where `function` fails, such as ``Resume()``; by default, the stream fails.
                ``Resume`` drops the item; ``Replace`` passes it on.

        Raises:
            TypeError: `function` is not callable, or `on_error` is something else.
        """
    def throttle(
        self: Methods[Item],
        rate: float | RateLimit,
        *,
        burst: float = 1,
        burst_seconds: float | Absent = ...,
        cost: Callable[[Any], Any] | Absent = ...,
        failing: bool = False,
        key: Callable[[Any], Any] | Absent = ...,
        max_keys: int | Absent = ...,
        lookahead: int | Absent = ...,
        on_error: OnError | None = None,
    ) -> Stream[Item]:
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
    def throttle_first(self: Methods[Item], seconds: float, *, on_drop: OnDrop | None = None) -> Stream[Item]:
        """Pass an item on, then none that comes within `seconds` after it.

            items             --a-b-c-----------d--|
            throttle_first(5) --a---------------d--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.throttle_first(60.0))
        ['a']

        Emits when: an item comes, and `seconds` have passed since the last one was passed on.
        Waits when: no such item has come. The source never waits.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        Args:
            seconds: how long it is silent after an item. The silence begins when the consumer takes the item,
                so a slow consumer, too, gets two items no sooner than that; while an item waits for it, those
                that come are dropped.
            on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `seconds` is not finite, or not above 0.

        In RxPY the silence begins when the item comes. `throttle_latest` keeps the latest instead.
        """
    def throttle_latest(
        self: Methods[Item], seconds: float, *, on_drop: OnDrop | None = None
    ) -> Stream[Item]:
        """Pass on at most one item every `seconds`: the first at once, then the latest.

            items              --a-b-c-----------d--|
            throttle_latest(5) --a----c----------d--|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.throttle_latest(0.1))
        ['a', 'c']

        Emits when: an item has come, and `seconds` have passed since the last one was passed on.
        Waits when: no item has come, or it is too soon. The source never waits.
        Completes when: the source does, and the latest item was passed on in its turn.
        Closes when: it ends, or the consumer leaves.

        Args:
            seconds: the least time between two items, also before the last one and before an error.
            on_drop: called with each item that is dropped, and why, as in `DropIncoming`.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `seconds` is not finite, or not above 0.

        The first of several that come at once passes. No item is stale: a consumer that is late gets the one that
        is the latest when it asks. In RxJava the item that waits at the end is lost unless one asks for it.
        `sample` has fixed periods, and waits for the first one, too.
        """
    def through(
        self: Methods[Any],
        carrier: Store,
        *,
        group: str,
        batch: int = 100,
        key: Callable[[Any], str | None] | None = None,
        delay: float | Callable[[Any], float] = 0.0,
        lease: float = 30.0,
        max_deliveries: int | None = None,
        dead_letters: Any = None,
        prefetch: int | None = None,
        on_event: Callable[[Any], object] | None = None,
    ) -> Stream[Any]:
        """Cut the pipe in two, which meet in a carrier: ``carrier.writer(), carrier.reader(group=group)``.

            items              --a--b--|
            through(inbox)     ---a--b------

        >>> import tempfile
        >>> from streamkit import Stream, ops
        >>> from streamkit.durable import Json, SQLite
        >>> with tempfile.TemporaryDirectory() as directory:
        ...     inbox = SQLite(f"{directory}/jobs.db", "inbox", codec=Json())
        ...     doubled = [1, 2, 3] | ops.through(inbox, group="double") | ops.map(lambda number: 2 * number)
        ...     (doubled | ops.take(3) | ops.for_each(print)).run()
        2
        4
        6

        Awaited, the job runs both sides in one process. ``before, after = cut(job)`` makes two jobs of it, which
        run in processes of their own, and are started again independently of each other.

        Emits when: the carrier hands out an item.
        Waits when: the carrier has none, or the consumer does; what is before it does not wait for that.
        Completes when: never by itself, as ``carrier.reader``: there may be more at any time.
        Closes when: the consumer leaves; what is before it is cancelled first. What was stored stays.

        Args:
            carrier: where the items are kept, such as ``SQLite("jobs.db", "inbox")``.
            group: who reads.
            batch: how many items are stored, and claimed, at once, at most.
            key: called with each item, as for ``carrier.writer``.
            delay: seconds before an item is handed out, as for ``carrier.writer``.
            lease: seconds after which others are handed out what this process has, if it has died.
            max_deliveries: how often a message is handed out before it goes to the dead letters.
            dead_letters: another carrier, for messages that fail over and over, or do not decode.
            prefetch: how many messages may be open at once; four times `batch`, if it is not given.
            on_event: called with what the reader tells besides, as for ``carrier.reader``.

        Raises:
            TypeError: `carrier` is none, or another argument has the wrong type.
            ValueError: an argument is out of range.
        """
    def time_interval(self: Methods[Item]) -> Stream[TimeInterval[Item]]:
        """Pass on each item with the seconds since the one before it: ``TimeInterval(value, seconds)``.

            items         --a-------------b-------------|
            time_interval --(a,seconds=2)-(b,seconds=6)-|

        >>> from streamkit import Stream, ops
        >>> from streamkit.testing import run
        >>> run(lambda: Stream("a") | ops.time_interval() | ops.to_list())
        [TimeInterval(value='a', seconds=0.0)]

        Emits when: an item comes.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        The seconds are those of the event loop's clock, from when an item came here to when the next one did:
        while the consumer works, none is pulled, so its time is in them. Those of the first item count from the
        begin of the run. It is a named tuple, as that of ``timestamp`` is; RxPY has a ``timedelta`` there.
        """
    @overload
    def timeout(
        self: Methods[Item],
        seconds: float | None = None,
        *,
        first: float | None = None,
        between: float | None = None,
        total: float | None = None,
    ) -> Stream[Item]:
        """Fail if an item that is asked for does not come within `seconds`.

            items                      --a--b-----------c--|
            timeout(5)                 --a--b----X
            timeout(total=7)           --a--b-X
            timeout(5, fallback=["z"]) --a--b----z|

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.timeout(5.0))
        ['a', 'b']
        >>> list(Stream("ab") | ops.timeout(first=30.0, between=5.0, total=600.0, fallback="z"))
        ['a', 'b']

        The time is that of one pull: each item of the source counts, also one that an operator behind this leaves
        out.

        Emits when: an item comes in time, or in the turn of the event loop in which the time ends. The pull is
            never cancelled and begun again.
        Waits when: the consumer does; that time counts for `total` alone.
        Completes when: the source does, or `fallback`.
        Closes when: it ends, or the consumer leaves; a source that is late is closed before this fails,
            or `fallback` is opened.

        Args:
            seconds: how long an item may take, from when the consumer asks for it; and the end, too.
            first: how long the first item may take, where that is not `seconds`.
            between: how long each item after the first may take, where that is not `seconds`.
            total: how long the whole stream may take, from when the first item is asked for to its end.
            fallback: what to go on with, without any limit, instead of failing: a stream, an iterable, an async
                iterable, or a callable that makes one.

        Raises:
            TypeError: no time is given, or an argument has the wrong type.
            ValueError: a time is not finite, or not above 0; or `seconds` is given beside both `first` and
                `between`.
            StreamTimeoutError: (when run) no item came in time, or the end did not; a ``TimeoutError`` too.

        In RxPY the time runs while the consumer is busy, too, and a time of day is what `total` is here. To go on
        with what depends on the error, write ``timeout(5.0) | catch(function, errors=TimeoutError)``.
        """
    @overload
    def timeout(
        self: Methods[Item],
        seconds: float | None = None,
        *,
        first: float | None = None,
        between: float | None = None,
        total: float | None = None,
        fallback: SourceLike[B],
    ) -> Stream[Item | B]: ...
    @overload
    def timestamp(self: Methods[Item]) -> Stream[Timestamped[Item, float]]:
        """Pass on each item with the time at which it came: ``Timestamped(value, time)``, a named tuple.

            items     --a----------b----------|
            timestamp --(a,time=2)-(b,time=8)-|

        >>> from streamkit import Stream, ops
        >>> from streamkit.testing import run
        >>> run(lambda: Stream("ab") | ops.timestamp() | ops.to_list())
        [Timestamped(value='a', time=0.0), Timestamped(value='b', time=0.0)]

        Emits when: an item comes.
        Waits when: the consumer does.
        Completes when: the source does.
        Closes when: it ends, or the consumer leaves.

        The time is that of the event loop, in seconds: the clock by which ``timeout``, ``sample`` and all others
        count, which never jumps, and which is virtual in tests. Only differences of it mean something. RxPY gives
        the date and time of its scheduler; for that, write ``timestamp(time.time)``, or
        ``timestamp(lambda: datetime.now(UTC))``.

        Args:
            clock: called without an argument for each item; returns its time, of any type, or an awaitable of it.

        Raises:
            TypeError: `clock` is not callable.
        """
    @overload
    def timestamp(self: Methods[Item], clock: Callable[[], Awaitable[C]]) -> Stream[Timestamped[Item, C]]: ...
    @overload
    def timestamp(self: Methods[Item], clock: Callable[[], C]) -> Stream[Timestamped[Item, C]]: ...
    @overload
    def to_dict(self: Methods[tuple[Item, B]]) -> Job[dict[Item, B]]:
        """Collect pairs into a dict, or the items by a `key` of each.

        >>> from streamkit import Stream, ops
        >>> (Stream([("a", 1), ("b", 2), ("a", 3)]) | ops.to_dict()).run()
        {'a': 3, 'b': 2}
        >>> (Stream(["tea", "ale"]) | ops.to_dict(key=len, value=str.upper)).run()
        {3: 'ALE'}

        Completes when: the source does.
        Closes when: it ends.

        As in ``dict``, of one key the last value wins, in the place of the first.

        Args:
            key: called with each item; returns its key, or an awaitable of that. Without it, the items are pairs
                of a key and a value.
            value: called with each item, after `key`; returns its value, or an awaitable of that. Without it, the
                value is the item.
            on_error: what is done where `key` or `value` fails, such as ``Resume()``; by default, the stream
                fails.

        Raises:
            TypeError: `key` or `value` is not callable, or `value` is given without `key`; when run: a key cannot
                be hashed, or an item cannot be unpacked.
            ValueError: (when run) an item is no pair.
        """
    @overload
    def to_dict(
        self: Methods[A],
        *,
        key: Callable[[A], Awaitable[K2]],
        value: Callable[[A], Awaitable[V]],
        on_error: OnError | None = None,
    ) -> Job[dict[K2, V]]: ...
    @overload
    def to_dict(
        self: Methods[A],
        *,
        key: Callable[[A], Awaitable[K2]],
        value: Callable[[A], V],
        on_error: OnError | None = None,
    ) -> Job[dict[K2, V]]: ...
    @overload
    def to_dict(
        self: Methods[A],
        *,
        key: Callable[[A], K2],
        value: Callable[[A], Awaitable[V]],
        on_error: OnError | None = None,
    ) -> Job[dict[K2, V]]: ...
    @overload
    def to_dict(
        self: Methods[A], *, key: Callable[[A], K2], value: Callable[[A], V], on_error: OnError | None = None
    ) -> Job[dict[K2, V]]: ...
    @overload
    def to_dict(
        self: Methods[A], *, key: Callable[[A], Awaitable[K2]], on_error: OnError | None = None
    ) -> Job[dict[K2, A]]: ...
    @overload
    def to_dict(
        self: Methods[A], *, key: Callable[[A], K2], on_error: OnError | None = None
    ) -> Job[dict[K2, A]]: ...
    def to_list(self: Methods[Item]) -> Job[list[Item]]:
        """Collect the items into a list.

        >>> from streamkit import Stream, ops
        >>> (Stream("ab") | ops.to_list()).run()
        ['a', 'b']

        Completes when: the source does.
        Closes when: it ends.
        """
    def to_queue(self: Methods[A], queue: Queue[A], *, end: object = ...) -> Job[None]:
        """Put the items into a queue of asyncio's.

        >>> import asyncio
        >>> from streamkit import Stream, ops
        >>> async def main() -> list[str]:
        ...     queue: asyncio.Queue[str] = asyncio.Queue()
        ...     await (Stream("ab") | ops.to_queue(queue))
        ...     return [queue.get_nowait(), queue.get_nowait()]
        >>> asyncio.run(main())
        ['a', 'b']

        Completes when: the source does, and all was put in.
        Closes when: it ends. The queue stays as it is.

        It waits while the queue is full, and then the source does. ``streamkit.from_queue(queue, end=end)`` reads
        such a queue. After an error or a cancellation, `end` is not put in: whoever awaits the job tells others.

        Args:
            queue: a queue whose ``put`` is awaited: of asyncio, or of another library that has such a one.
            end: what is put in when the source has completed; nothing, if it is not given.

        Raises:
            TypeError: `queue` has no ``put`` that is awaited.
            QueueShutDown: (when run) the queue was shut down (Python 3.13).
        """
    def to_set(self: Methods[Item]) -> Job[set[Item]]:
        """Collect the different items into a set.

        >>> from streamkit import Stream, ops
        >>> sorted((Stream("abab") | ops.to_set()).run())
        ['a', 'b']

        Completes when: the source does.
        Closes when: it ends.

        Of items that are equal, it keeps the first, as ``set`` does.

        Raises:
            TypeError: (when run) an item cannot be hashed.
        """
    def valve(self: Methods[Item], control: Valve) -> Stream[Item]:
        """Pass items on as `control` says: pause, resume, drain or abort the stream.

            items   --a--b--c--d--e--f--|
            control -----pause----resume--drain
            valve   --a-----------b-c-d-|

        >>> from streamkit import Stream, Valve, ops
        >>> list(Stream("ab") | ops.valve(Valve()))
        ['a', 'b']

        Emits when: an item comes, and the valve is not paused.
        Waits when: the consumer does, or the valve is paused; the source then waits too.
        Completes when: the source does, or the valve was drained and its held items have passed.
        Closes when: it ends, is drained or aborted, or the consumer leaves.

        Args:
            control: the `Valve` that is turned from outside, from any thread.

        Raises:
            TypeError: `control` is not a `Valve`.
        """
    @overload
    def window(
        self: Methods[Item],
        kind: Windows,
        pipe: Keep | One,
        *,
        max_held: int = ...,
        on_error: OnError | None = ...,
    ) -> Stream[tuple[Window, Item]]:
        """Give each window of the stream a pipe of its own, and pass on what comes out of it, with its bounds.

            items                            --1--2--3--------4--|
            window(Tumbling(count=2), sum)   -----(0-2, 3)----(2-4, 7)|

        A sink passes on its result as ``(Window(start, end), result)`` when the window ends; a pipe of operators
        passes on each of its items as ``(Window(start, end), item)``:

        >>> from operator import add
        >>> from streamkit import Hopping, Session, Sliding, Stream, Tumbling, Until, ops
        >>> list(Stream([1, 2, 3, 4, 5]) | ops.window(Tumbling(count=2), ops.fold(add, 0)))
        [(Window(start=0, end=2), 3), (Window(start=2, end=4), 7), (Window(start=4, end=5), 5)]
        >>> [items for _, items in Stream("abcd") | ops.window(Hopping(count=3, every=2), ops.to_list())]
        [['a', 'b', 'c'], ['c', 'd']]
        >>> [items for _, items in Stream("abc") | ops.window(Sliding(count=2), ops.to_list())]
        [['a'], ['a', 'b'], ['b', 'c']]
        >>> [items for _, items in Stream("ab cd") | ops.window(Until(str.isspace), ops.to_list())]
        [['a', 'b', ' '], ['c', 'd']]

        Without `timestamp`, time is that of arrival: seconds since the run began, when an item is taken from what
        is before ``window``. A window ends by the clock, also when nothing comes. With `timestamp`, time is what
        that says of an item; it goes on by the items. The *watermark* is the greatest time so far, less
        `lateness`, and a window ends when the watermark has come to its end:

        >>> times = [1, 4, 12, 3, 13, 25, 7]
        >>> late = []
        >>> minutes = ops.window(
        ...     Tumbling(seconds=10), ops.to_list(), timestamp=float, lateness=5, on_late=late.append
        ... )
        >>> for (start, end), items in Stream(times) | minutes:
        ...     print(start, end, items)
        0.0 10.0 [1, 4, 3]
        10.0 20.0 [12, 13]
        20.0 30.0 [25]
        >>> late
        [7]

        An item is late if all the windows that it belongs to have ended. It goes to `on_late`; without that, it
        is dropped, and counted as dropped in ``handle.buffers()``. An item with a time far ahead ends all windows
        before it, and makes what follows late.

        Windows get their items as they come. Sessions and ``Sliding(seconds=)`` get them in order of their times
        (items of the same time, as they came): with `lateness`, an item waits until the watermark has come to it.
        A window without an item is never begun, and not passed on. Windows by count that are not full at the end
        of the source are passed on as they are, with the bounds that they have. An item of a pipe of operators
        has the bounds that its window has at that moment: the end of a session moves with each item.

        In `group_by`, each key has windows and a watermark of its own; windows by event time are run inside its
        loop if `on_late` is given. A ``group_by`` in the pipe of a window has one watermark, and one timer, for
        all keys.

        A pipe of steps runs inside the loop that reads the source. If a callback there returns an awaitable, what
        comes after it waits. If the pipe has a stage, each window has a task, and results come as these are done.

        Emits when: the pipe of a window does; a sink does when its window ends. When the source ends, all windows
            end, in the order of their ends.
        Waits when: the consumer does; or a window begins while one that has ended is busy still, and there are as
            many as may be open at once (pipes with stages only).
        Completes when: the source does, and every window has ended.
        Closes when: it ends, or the consumer leaves; then no window emits anything more.

        Args:
            kind: which items belong together: `Tumbling`, `Hopping`, `Sliding`, `Session` or `Until`.
            pipe: operators, or operators and a sink, that each window runs for itself.
            timestamp: called with each item; returns its time in seconds, as a number, or an awaitable of it. For
                windows by time only.
            lateness: seconds that an item may come late, measured in the times of items.
            on_late: called with each item that is late; what it returns is awaited if it is awaitable. So
                ``emitter.send`` of a `push` stream makes the late items a stream of their own. An error of it
                ends the stream, as one of dead letters does.
            idle: seconds without an item after which the watermark goes on as the clock does, in steps of as
                much, until every window has ended. Only with `timestamp`. Time in which the consumer is busy does
                not count.
            max_held: items that wait for the watermark, or that a ``Sliding(seconds=)`` window has, at most. For
                sessions with `lateness`, and for ``Sliding(seconds=)``.
            on_error: what is done where `timestamp`, or the predicate of ``Until``, fails, such as ``Resume()``;
                by default, the stream fails.

        Raises:
            TypeError: an argument has the wrong type; (when run) `timestamp` returns no number.
            ValueError: `lateness` is below 0, or `idle` not above 0, or one of them not finite; an argument is
                given where it means nothing, or `max_held` is missing; more than 100,000 windows would be open at
                once; (when run) `timestamp` returns NaN, or what is not finite.
            BufferOverflowError: (when run) `max_held` is not enough.

        Deliberately otherwise than in RxPY (``window_with_time``, ``buffer_with_time``): empty windows are not
        passed on. Otherwise than in bytewax: an item behind the watermark is not late as long as its window is
        open. Otherwise than in Beam: a window is passed on once.
        """
    @overload
    def window(
        self: Methods[Item],
        kind: Windows,
        pipe: ListOf | Lists,
        *,
        max_held: int = ...,
        on_error: OnError | None = ...,
    ) -> Stream[tuple[Window, list[Item]]]: ...
    @overload
    def window(
        self: Methods[Item],
        kind: Windows,
        pipe: Always[R],
        *,
        max_held: int = ...,
        on_error: OnError | None = ...,
    ) -> Stream[tuple[Window, R]]: ...
    @overload
    def window(
        self: Methods[A],
        kind: Windows,
        pipe: Operator[A, B] | Sink[A, B],
        *,
        max_held: int = ...,
        on_error: OnError | None = ...,
    ) -> Stream[tuple[Window, B]]: ...
    @overload
    def window(
        self: Methods[A],
        kind: Windows,
        pipe: Callable[[Stream[A]], Inlet[B] | Job[B]],
        *,
        max_held: int = ...,
        on_error: OnError | None = ...,
    ) -> Stream[tuple[Window, B]]: ...
    @overload
    def window(
        self: Methods[A],
        kind: Windows,
        pipe: Keep,
        *,
        timestamp: Timestamp[A],
        lateness: float = ...,
        on_late: OnLate[A] = ...,
        idle: float = ...,
        max_held: int = ...,
        on_error: OnError | None = ...,
    ) -> Stream[tuple[Window, A]]: ...
    @overload
    def window(
        self: Methods[A],
        kind: Windows,
        pipe: Operator[A, B] | Sink[A, B],
        *,
        timestamp: Timestamp[A],
        lateness: float = ...,
        on_late: OnLate[A] = ...,
        idle: float = ...,
        max_held: int = ...,
        on_error: OnError | None = ...,
    ) -> Stream[tuple[Window, B]]: ...
    @overload
    def window(
        self: Methods[A],
        kind: Windows,
        pipe: Callable[[Stream[A]], Inlet[B] | Job[B]],
        *,
        timestamp: Timestamp[A],
        lateness: float = ...,
        on_late: OnLate[A] = ...,
        idle: float = ...,
        max_held: int = ...,
        on_error: OnError | None = ...,
    ) -> Stream[tuple[Window, B]]: ...
    @overload
    def with_latest_from(self: Methods[Item], source: SourceLike[B], /) -> Stream[tuple[Item, B]]:
        """Pass on each item of this stream in a tuple with the latest one of each of `sources`.

            items             --a--------b--c------|
            source            -----1--2--------3---|
            with_latest_from  -----------x--x------|
                                     (b,2) (c,2)

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.with_latest_from([1, 2]))
        [('a', 2), ('b', 2), ('c', 2)]

        The items of this stream set the pace; those of `sources` never wait. What comes before each of them has
        an item is left out. Of what comes in the same turn of the event loop, the items of `sources` come first.
        An item that waits for the consumer gets what is the latest when it is asked for.

        Emits when: an item of this stream comes, and each of `sources` has brought one.
        Waits when: the consumer does: this stream is read one item ahead, the others as fast as they are.
        Completes when: this stream does, or one of `sources` ends without an item: no tuple can come then. (RxPY
            reads this stream to its end.)
        Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

        Args:
            sources: streams, iterables, async iterables, or callables that make them.

        Raises:
            TypeError: a source is none of these.
        """
    @overload
    def with_latest_from(
        self: Methods[Item], source: SourceLike[B], source2: SourceLike[C], /
    ) -> Stream[tuple[Item, B, C]]: ...
    @overload
    def with_latest_from(
        self: Methods[Item], source: SourceLike[B], source2: SourceLike[C], source3: SourceLike[D], /
    ) -> Stream[tuple[Item, B, C, D]]: ...
    @overload
    def with_latest_from(self: Methods[Item], *sources: SourceLike[Any]) -> Stream[tuple[Any, ...]]: ...
    @overload
    def zip(
        self: Methods[Item], source: SourceLike[B], /, *, lookahead: int = 1, strict: bool = False
    ) -> Stream[tuple[Item, B]]:
        """Pass on tuples of one item of this stream and one of each of `sources`.

            items   --a-----b-----c--|
            source  -----1-----2--|
            zip     -----(a,1)-(b,2)-|

        >>> from streamkit import Stream, ops
        >>> list(Stream("abc") | ops.zip([1, 2]))
        [('a', 1), ('b', 2)]
        >>> list(Stream("abc") | ops.zip([1, 2], fill=None))
        [('a', 1), ('b', 2), ('c', None)]

        Emits when: every source has an item.
        Waits when: the consumer does; each source is read `lookahead` items ahead.
        Completes when: a source has ended and its items are used up; with `strict` or `fill`, all sources have.
        Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

        Args:
            sources: streams, iterables, async iterables, or callables that make them.
            lookahead: items that each source may be ahead.
            strict: fail with ValueError if the sources do not end together.
            fill: replaces the missing items of sources that have ended, until all have.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `lookahead` is less than 1, or both `strict` and `fill` are given; when running, with
                `strict`: the sources did not end together.
        """
    @overload
    def zip(
        self: Methods[Item],
        source: SourceLike[B],
        source2: SourceLike[C],
        /,
        *,
        lookahead: int = 1,
        strict: bool = False,
    ) -> Stream[tuple[Item, B, C]]: ...
    @overload
    def zip(
        self: Methods[Item],
        source: SourceLike[B],
        source2: SourceLike[C],
        source3: SourceLike[D],
        /,
        *,
        lookahead: int = 1,
        strict: bool = False,
    ) -> Stream[tuple[Item, B, C, D]]: ...
    @overload
    def zip(
        self: Methods[Item], *sources: SourceLike[Any], lookahead: int = 1, strict: bool = False, fill: Any
    ) -> Stream[tuple[Any, ...]]: ...
    @overload
    def zip_latest(self: Methods[Item], source: SourceLike[B], /) -> Stream[tuple[Item, B]]:
        """Pass on tuples of the latest item of this stream and of each of `sources`; each item once at most.

            items       --a--b-----c---------d--|
            source      --------1-----2--3------|
            zip_latest  --------x-----x------x--|
                            (b,1) (c,2)  (d,3)

        >>> from streamkit import Stream, ops
        >>> list(Stream("ab") | ops.zip_latest([1, 2, 3]))
        [('b', 3)]

        So nothing in a tuple was in one before, and nothing is older than it has to be: frames of a camera with
        readings of a sensor. ``zip`` leaves nothing out, and lets the faster source wait. ``combine_latest`` uses
        an item again until the next one comes, as ``zipLatest`` of Pekko does; this is the one of RxPY.

        Emits when: every source has an item that was in no tuple yet.
        Waits when: one has none. The sources never wait: of each, the latest item is kept.
        Completes when: a source has, and its last item was in a tuple or cannot be in one.
        Closes when: it ends, or the consumer leaves: all sources at once, each in its own task.

        Args:
            sources: streams, iterables, async iterables, or callables that make them.

        Raises:
            TypeError: a source is none of these.
        """
    @overload
    def zip_latest(
        self: Methods[Item], source: SourceLike[B], source2: SourceLike[C], /
    ) -> Stream[tuple[Item, B, C]]: ...
    @overload
    def zip_latest(
        self: Methods[Item], source: SourceLike[B], source2: SourceLike[C], source3: SourceLike[D], /
    ) -> Stream[tuple[Item, B, C, D]]: ...
    @overload
    def zip_latest(self: Methods[Item], *sources: SourceLike[Any]) -> Stream[tuple[Any, ...]]: ...
