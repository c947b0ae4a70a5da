"""What is done where a callback of an operator fails, as values: ``on_error=``.

    on_error                     where the callback fails with an item
    None                         the stream fails: the default
    Resume(dead_letters)         the item is dropped, and reported with its error
    Replace(function)            what `function` returns of item and error takes the place of the result
    Return()                     a `Failure` of both takes the place of the result
    Retry(attempts, backoff)     the callback is called again with the same item

`guarded` makes a callback that does so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import signature
from typing import Any, Final, Protocol

from streamkit._core.arguments import callback, is_said
from streamkit._core.attempts import attempts_argument
from streamkit._core.awaiting import Settling, is_awaitable, pending
from streamkit._core.backoff import Backoff, backoff_argument
from streamkit._core.calls import answering
from streamkit._core.errors import ErrorTypes, error_types
from streamkit._core.markers import DROPPED
from streamkit._core.show import named, shown
from streamkit._core.value import Value, alike

__all__ = ["Failure", "Letters", "OnError", "Replace", "Resume", "Retry", "Return", "on_error_argument"]

_TYPES: Final = "a type of Exception, or a tuple of them"


class Letters(Protocol):
    """What dead letters can be sent to: an ``Emitter`` of ``push``."""

    def send(self, item: tuple[Any, Exception], /) -> Awaitable[object]:
        """Put `item` in, and wait for room before that."""
        ...


class OnError(Value):
    """What is done where a callback fails: ``Resume``, ``Replace``, ``Return`` or ``Retry``."""

    errors: ErrorTypes = Exception

    def __repr__(self) -> str:
        """It, as it was written: what differs from the defaults."""
        shown_parts: list[str] = []
        for number, (name, parameter) in enumerate(signature(type(self)).parameters.items()):
            value = getattr(self, name)
            if not alike(value, parameter.default):
                shown_parts.append(f"{name}={named(value)}" if number else named(value))
        return f"{type(self).__name__}({', '.join(shown_parts)})"

    @property
    def again(self) -> Retry | None:
        """How the callback is called again; None if it is not."""
        return None

    @property
    def last(self) -> OnError | None:
        """What is done when it is not called again, or not any more; None if the error is raised."""
        return self

    @property
    def drops(self) -> bool:
        """Whether it drops the item."""
        return False

    def instead(self, item: Any, error: Exception) -> Any:
        """What takes the place of the result, or an awaitable of that; DROPPED if nothing does."""
        raise error  # nothing else was said


class Resume(OnError):  # noqa: N818 - a value that is no error
    """Drop the item for which a callback fails, report it with its error, and go on.

    >>> from streamkit import Resume, Stream, ops
    >>> failed = []
    >>> letters = Resume(lambda item, error: failed.append((item, str(error))))
    >>> list(Stream([1, 0, 2]) | ops.map(lambda number: 2 // number, on_error=letters))
    [2, 1]
    >>> failed
    [(0, 'integer division or modulo by zero')]

    What an operator has kept so far stays as it was: the state of ``scan`` is that after the last item for
    which the function returned. ``handle.buffers()`` counts what was dropped.

    Args:
        dead_letters: called with the item and its error; may return an awaitable. Or the emitter of a push
            stream, to which the tuple of both is sent; that waits while its buffer is full.
        errors: the types of error after which to do so. Others end the stream, as do errors of the program
            itself, such as a ``RecursionError``.

    Raises:
        TypeError: `dead_letters` is neither callable nor an emitter, or `errors` is no types of Exception.
        ValueError: `errors` has ``RecursionError`` or ``SourceConsumedError``.

    An error of `dead_letters` ends the stream; the item's own error is its ``__cause__``.
    """

    dead_letters: Callable[[Any, Exception], object] | Letters | None

    @answering
    def __init__(
        self,
        dead_letters: Callable[[Any, Exception], object] | Letters | None = None,
        *,
        errors: ErrorTypes = Exception,
    ) -> None:
        if dead_letters is not None and not _is_emitter(dead_letters):
            # checkers take `Letters` for what is left, of which `_is_emitter` tells them nothing
            callback("dead_letters", dead_letters)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self._made_of(dead_letters=dead_letters, errors=error_types("errors", errors, _TYPES))

    @property
    def drops(self) -> bool:
        return True

    def instead(self, item: Any, error: Exception) -> Any:
        letters: Any = self.dead_letters
        if letters is None:
            return DROPPED
        made = letters.send((item, error)) if _is_emitter(letters) else letters(item, error)
        return Settling(_then_dropped(made), made) if is_awaitable(made) else DROPPED


class Replace(OnError):  # noqa: N818 - a value that is no error
    """Where a callback fails, use what `function` returns instead of the callback's result.

    >>> from streamkit import Replace, Stream, ops
    >>> nothing = Replace(lambda item, error: None)
    >>> list(Stream([1, 0, 2]) | ops.map(lambda number: 2 // number, on_error=nothing))
    [2, None, 1]

    Args:
        function: called with the item and its error; returns the value, or an awaitable of it.
        errors: the types of error after which to do so; as for ``Resume``.

    Raises:
        TypeError: `function` is not callable, or `errors` is no types of Exception.
        ValueError: `errors` has ``RecursionError`` or ``SourceConsumedError``.

    An error of `function` ends the stream; the item's own error is its ``__cause__``. Type checkers do not
    look at `function`: where it returns another type than the callback, annotate the callback with both.
    """

    function: Callable[[Any, Exception], Any]

    @answering
    def __init__(self, function: Callable[[Any, Exception], Any], *, errors: ErrorTypes = Exception) -> None:
        self._made_of(function=callback("function", function), errors=error_types("errors", errors, _TYPES))

    def instead(self, item: Any, error: Exception) -> Any:
        return self.function(item, error)


class Failure(Value):
    """A result that there is not, under ``on_error=Return()``: the item, and the error that came of it."""

    item: Any
    """What the callback was called with."""
    error: Exception
    """What it raised."""

    def __init__(self, item: Any, error: Exception) -> None:
        self._made_of(item=item, error=error)


class Return(OnError):  # noqa: N818 - a value that is no error
    """Where a callback fails, pass on a `Failure` of the item and the error as its result.

    >>> from streamkit import Failure, Return, Stream, ops
    >>> results = Stream([1, 0, 2]) | ops.map(lambda number: 2 // number, on_error=Return())
    >>> [each.item if isinstance(each, Failure) else each for each in results]
    [2, 0, 1]

    Args:
        errors: the types of error after which to do so; as for ``Resume``.

    Raises:
        TypeError: `errors` is no types of Exception.
        ValueError: `errors` has ``RecursionError`` or ``SourceConsumedError``.

    Type checkers do not know of it: annotate the callback with `Failure` as well, where it matters.
    """

    @answering
    def __init__(self, *, errors: ErrorTypes = Exception) -> None:
        self._made_of(errors=error_types("errors", errors, _TYPES))

    def instead(self, item: Any, error: Exception) -> Any:
        return Failure(item, error)


class Retry(OnError):  # noqa: N818 - a value that is no error
    """Where a callback fails, call it again with the same item.

    >>> from streamkit import Retry, Stream, ops
    >>> answers = iter([ConnectionError("refused"), ConnectionError("refused"), "hello"])
    >>> def fetch(url):
    ...     answer = next(answers)
    ...     if isinstance(answer, Exception):
    ...         raise answer
    ...     return answer
    >>> list(Stream(["/"]) | ops.map(fetch, on_error=Retry(3)))
    ['hello']

    In a concurrent ``map``, a call that waits for its next attempt keeps its place and its turn, and others
    go on.

    Args:
        attempts: calls at most, the first included; None for no limit.
        backoff: seconds to wait before each further call, or a ``Backoff``. Others run meanwhile, also where
            it is 0.
        errors: the types of error after which to try again; as for ``Resume``.
        then: what is done after the last call, or with an error of another type: ``Resume``, ``Replace`` or
            ``Return``. If it is not given, the stream fails with that error.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `attempts` is less than 1, `backoff` is no finite time, or `errors` has ``RecursionError``
            or ``SourceConsumedError``.

    The error of the last call comes as it is; a note on it tells of the calls before.
    """

    attempts: int | None
    backoff: float | Backoff
    then: Resume | Replace | Return | None

    @answering
    def __init__(
        self,
        attempts: int | None = 3,
        backoff: float | Backoff = 0.0,
        *,
        errors: ErrorTypes = Exception,
        then: Resume | Replace | Return | None = None,
    ) -> None:
        # not every program is type checked, so this may be false
        if then is not None and not isinstance(then, (Resume, Replace, Return)):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"then must be Resume(...), Replace(...), Return(...) or None, not {shown(then)}")
        self._made_of(
            attempts=attempts_argument(attempts),
            backoff=backoff_argument(backoff),
            errors=error_types("errors", errors, _TYPES),
            then=then,
        )

    @property
    def again(self) -> Retry:
        return self

    @property
    def last(self) -> OnError | None:
        return self.then


def on_error_argument(value: OnError | None, name: str = "on_error") -> OnError | None:
    """Return the argument of this `name` if it is what may be done where a callback fails."""
    # not every program is type checked, so this may be false
    if value is None or isinstance(value, OnError):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        return value
    raise TypeError(
        f"{name} must be Resume(...), Replace(...), Return(...), Retry(...) or None, not {shown(value)}"
    )


def _is_emitter(value: Any) -> bool:
    return not callable(value) and is_said(lambda each: callable(each.send), value)


async def _then_dropped(made: Any) -> Any:
    await pending(made)
    return DROPPED
