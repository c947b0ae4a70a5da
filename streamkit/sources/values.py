"""Sources of values that are there, or are worked out one from the other."""

from __future__ import annotations

import builtins
import itertools
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from numbers import Number
from types import TracebackType
from typing import Any, Never, SupportsIndex, TypeVar, overload

from streamkit._core.again import origin, throw
from streamkit._core.arguments import callback, discard, is_said, whole
from streamkit._core.calls import answering
from streamkit._core.contract import Contract
from streamkit._core.guarded import Guarded, guarded
from streamkit._core.markers import ABSENT
from streamkit._core.on_error import OnError
from streamkit._core.show import shown
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Operator, Stream
from streamkit._engine.plan.source import Recipe

__all__ = ["count", "empty", "fail", "iterate", "of", "range", "repeat"]

A = TypeVar("A")
T = TypeVar("T")
N = TypeVar("N")


@answering
def of(*items: T) -> Stream[T]:
    """The items that are given.

        of(a, b)  --a-b-|

    >>> import streamkit
    >>> list(streamkit.of(1, "two", None))
    [1, 'two', None]

    Emits when: it is asked.
    Waits when: the consumer does.
    Completes when: all items were passed on.
    Closes when: it ends, or the consumer leaves.

    Args:
        items: what is passed on, in this order.
    """
    return Stream(items)


@answering
def empty() -> Stream[Never]:
    """No items: it ends at once.

        empty()  --|

    >>> import streamkit
    >>> list(streamkit.empty())
    []

    Emits when: never.
    Waits when: never.
    Completes when: it is asked.
    Closes when: it ends.
    """
    return Stream(())


def _failing(error: Any, trace: TracebackType | None) -> Iterator[Any]:
    if isinstance(error, Exception):
        throw(error, trace)
    made: object = error()
    if not isinstance(made, Exception):
        discard(made)
        raise TypeError(f"error must make an exception, not {shown(made)}")
    raise made
    yield  # never reached: it makes this function a generator


@answering
def fail(error: Exception | Callable[[], Exception]) -> Stream[Never]:
    """No items: it fails with `error` at once.

        fail(error)  --x

    >>> import streamkit
    >>> list(streamkit.fail(OSError("gone")))
    Traceback (most recent call last):
    OSError: gone

    Emits when: never.
    Waits when: never.
    Completes when: it never does; it fails when it is asked.
    Closes when: it fails.

    Args:
        error: what is raised, by every run the same; or what makes one for each run, such as an error class.

    Raises:
        TypeError: `error` is neither an exception nor a callable, or one that ends the program, such as
            ``KeyboardInterrupt``; when run: what the callable returns is no exception.
    """
    if isinstance(error, BaseException) and not isinstance(error, Exception):
        raise TypeError(f"error must be an Exception, or make one, not {shown(error)}")
    if isinstance(error, Exception):
        return Stream(Recipe("fail", (error,), partial(_failing, error, origin(error))))
    callback("error", error, waits=False)
    return Stream(Recipe("fail", (error,), partial(_failing, error, None)))


@overload
def range(stop: SupportsIndex, /) -> Stream[int]: ...
@overload
def range(start: SupportsIndex, stop: SupportsIndex, step: SupportsIndex = ..., /) -> Stream[int]: ...
@answering
def range(first: Any, second: Any = ABSENT, step: Any = 1, /) -> Stream[int]:
    """The whole numbers of the builtin ``range``: `stop`; or `start`, `stop` and `step`.

        range(3)  --0-1-2-|

    >>> import streamkit
    >>> list(streamkit.range(3)), list(streamkit.range(5, 0, -2))
    ([0, 1, 2], [5, 3, 1])

    Emits when: it is asked.
    Waits when: the consumer does.
    Completes when: `stop` is reached.
    Closes when: it ends, or the consumer leaves.

    RxPY's ``range`` is the same.

    Args:
        first: where it ends, if it is the only argument; else where it begins.
        second: where it ends; `stop` itself is not passed on.
        step: by how much each number differs from the one before.

    Raises:
        TypeError: an argument is not a whole number.
        ValueError: `step` is 0.
    """
    if second is ABSENT:
        return Stream(builtins.range(whole("stop", first)))
    width = whole("step", step)
    if not width:
        raise ValueError("step must be a whole number other than 0, not 0")
    return Stream(builtins.range(whole("start", first), whole("stop", second), width))


def _number(name: str, value: Any) -> Any:
    """`value`, if it is a number that another can be added to without an end."""
    if isinstance(value, bool) or not isinstance(value, Number):
        raise TypeError(f"{name} must be a finite number, not {shown(value)}")
    if not is_said(lambda each: each - each == 0, value):  # which it is not of a NaN and of infinity
        raise ValueError(f"{name} must be a finite number, not {shown(value)}")
    return value


@overload
def count(start: int = 0, step: int = 1) -> Stream[int]: ...
@overload
def count(start: N, step: N = ...) -> Stream[N]: ...
@overload
def count(*, step: N) -> Stream[N]: ...
@answering
def count(start: Any = 0, step: Any = 1) -> Stream[Any]:
    """`start`, then ever `step` more: ``itertools.count``. It never ends.

        count(1, 2)  --1-3-5-7-

    >>> import streamkit
    >>> from streamkit import ops
    >>> list(streamkit.count(1, 2) | ops.take(3))
    [1, 3, 5]

    Emits when: it is asked.
    Waits when: the consumer does.
    Completes when: it never does.
    Closes when: the consumer leaves.

    Args:
        start: the first number: whole, a float, a fraction or a decimal.
        step: what is added each time.

    Raises:
        TypeError: an argument is no number.
        ValueError: an argument is not finite.
    """
    start, step = _number("start", start), _number("step", step)
    return Stream(Recipe("count", (start, step), partial(itertools.count, start, step)))


@answering
def repeat(item: T, times: int | None = None) -> Stream[T]:
    """`item` again and again: ``itertools.repeat``.

        repeat(a, 3)  --a-a-a-|

    >>> import streamkit
    >>> list(streamkit.repeat("a", 3))
    ['a', 'a', 'a']

    Emits when: it is asked.
    Waits when: the consumer does.
    Completes when: it was passed on `times` times.
    Closes when: it ends, or the consumer leaves.

    Args:
        item: what is passed on, the same each time.
        times: how often; for ever, if it is not given.

    Raises:
        TypeError: `times` is not a whole number.
        ValueError: `times` is negative.
    """
    if times is None:
        return Stream(Recipe("repeat", (item,), partial(itertools.repeat, item)))
    times = whole("times", times, least=0)
    return Stream(Recipe("repeat", (item, times), partial(itertools.repeat, item, times)))


@step(
    name="iterate",
    setup="""
        state = initial
        if state is None:
            stop()
    """,
    each="""
        emit(state)
        state = function(state)
        if state is None:
            stop()
    """,
    contract=Contract(result="the item that function returned last"),
)
def _iterated(function: Callable[..., Any], initial: Any) -> Operator[Any, Any]:
    """The items of `iterate`, one for each item of an endless source."""
    return Operator(_iterated, function=function, initial=initial)


@overload
def iterate(
    function: Callable[[T], Awaitable[T | None]], initial: T, *, on_error: OnError | None = None
) -> Stream[T]: ...
@overload
def iterate(
    function: Callable[[T], T | None], initial: T, *, on_error: OnError | None = None
) -> Stream[T]: ...
@answering
def iterate(function: Callable[[Any], Any], initial: Any, *, on_error: OnError | None = None) -> Stream[Any]:
    """`initial`, then what `function` makes of the item before, until that is None.

        iterate(double, 1)  --1-2-4-8-

    >>> import streamkit
    >>> from streamkit import ops
    >>> list(streamkit.iterate(lambda number: 2 * number, 1) | ops.take(4))
    [1, 2, 4, 8]
    >>> path = {"c": "b", "b": "a"}
    >>> list(streamkit.iterate(path.get, "c"))
    ['c', 'b', 'a']

    Emits when: it is asked. `function` is called when the item after is asked for.
    Waits when: the consumer does, or `function` does.
    Completes when: `function` returns None.
    Closes when: it ends, or the consumer leaves; a call that waits is cancelled.

    It unfolds as Kotlin's ``generateSequence`` does, so that pages that name the next one, and lists that are
    linked, need no end of their own. RxPY's ``generate(initial, condition, function)`` is this with
    ``ops.take_while(condition)``.

    Args:
        function: called with an item; returns the next one, or an awaitable of it, or None.
        initial: the first item. None is no item: the stream is empty then.
        on_error: what is done where `function` fails: ``Retry(...)`` or ``Replace(...)``, whose function
            returns the next item, or None to end the stream; by default, the stream fails.

    Raises:
        TypeError: `function` is not callable, or `on_error` is something else.
        ValueError: `on_error` is ``Resume(...)``, or ends with it: nothing follows an item of which nothing
            was made.
    """
    function = guarded("function", function, on_error)
    if isinstance(function, Guarded) and function.drops:
        told = f"on_error must be Retry(...) or Replace(...), not {shown(on_error)}"
        raise ValueError(f"{told}: nothing follows what is dropped")
    stream: Stream[Any] = Stream(Recipe("repeat", (None,), partial(itertools.repeat, None)))
    made = stream | _iterated(function, initial)
    shown_options = {} if on_error is None else {"on_error": on_error}
    return Stream(Recipe("iterate", (function, initial), partial(_itself, made), **shown_options))


def _itself(stream: Stream[A]) -> Stream[A]:
    return stream
