"""Guarded callbacks: called in place of a user's, with what is done where that fails.

Where the item is dropped, they return DROPPED. The loop compiler leaves out the rest of the step then
(``compile/names.py``); a stage looks for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final, NoReturn, Protocol

from streamkit._core.again import forget_earlier
from streamkit._core.arguments import callback, makes_coroutine
from streamkit._core.attempts import Attempts
from streamkit._core.awaiting import PLAIN, Settling, is_awaitable, pending
from streamkit._core.calls import answering
from streamkit._core.errors import UNCAUGHT, replaces_cancellation, set_cause
from streamkit._core.markers import DROPPED
from streamkit._core.on_error import OnError, Retry, on_error_argument
from streamkit._core.show import named, shown
from streamkit._core.value import Value, alike, hashed

__all__ = ["Beyond", "Dropped", "Guarded", "guarded", "policy_among", "protected", "unguarded"]


class Beyond(Exception):  # noqa: N818 - as below
    """Raised from an error that is no failure of the callback: nothing is done about that here."""


class Dropped(Exception):  # noqa: N818 - a signal, no failure
    """Raised in place of DROPPED, where a stage can do with that at no cost per item."""


_BEYOND: Final = (*UNCAUGHT, Beyond)


class Tally(Protocol):
    """What counts the items that are dropped in one run."""

    dropped: int


class Guarded(Value):
    """A callback with what is done where it fails."""

    function: Callable[..., Any]
    policy: OnError
    spread: bool
    """Whether its arguments are the elements of the item; else the last of them is the item."""
    tally: Tally | None
    raises: bool
    """Whether it raises `Dropped` instead of returning DROPPED."""

    def __init__(self, function: Callable[..., Any], policy: OnError, *, spread: bool) -> None:
        self._made_of(function=function, policy=policy, spread=spread, tally=None, raises=False)

    def __eq__(self, other: object) -> bool:
        """Whether they are written alike: neighbours that do not count together still fuse."""
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Guarded)
        return (
            alike(self.function, other.function)
            and self.policy == other.policy
            and (self.spread, self.raises) == (other.spread, other.raises)
        )

    def __hash__(self) -> int:
        return hash((hashed(self.function), self.policy))

    @property
    def drops(self) -> bool:
        """Whether it may drop the item."""
        last = self.policy.last
        return last is not None and last.drops

    def __call__(self, *arguments: Any) -> Any:
        try:
            made = self.function(*arguments)
        except Exception as error:
            return self._failed(arguments, error)
        if type(made) in PLAIN or not is_awaitable(made):
            return made
        return Settling(self._settled(made, arguments), made)

    @property
    def __name__(self) -> str:  # as it is shown in a pipe
        return named(self.function)

    async def _settled(self, made: Any, arguments: tuple[Any, ...]) -> Any:
        """What `made` gives, which the callback has returned."""
        try:
            return await pending(made)
        except Exception as error:
            made = self._failed(arguments, error)
        finally:
            del arguments
        return await pending(made) if is_awaitable(made) else made

    def _failed(self, arguments: tuple[Any, ...], error: Exception) -> Any:
        """What takes the place of the result, or an awaitable of that; raise `error` if nothing does."""
        try:
            if isinstance(error, _BEYOND) or replaces_cancellation(error):
                raise error
            again = self.policy.again
            if again is not None and isinstance(error, again.errors):
                return self._again(again, arguments, error)
            return self._instead(arguments, error)
        finally:
            del error  # its traceback has this frame: they would keep each other

    async def _again(self, how: Retry, arguments: tuple[Any, ...], error: Exception) -> Any:
        """Call the callback again, until it does not fail."""
        attempts = Attempts(how.attempts, how.backoff)
        try:
            while isinstance(error, how.errors) and (wait := attempts.wait(error)) is not None:
                await asyncio.sleep(wait)
                try:
                    made = self.function(*arguments)
                    return await pending(made) if is_awaitable(made) else made
                except _BEYOND:
                    raise
                except Exception as later:
                    if replaces_cancellation(later):
                        raise
                    forget_earlier(later)
                    error = later
            made = self._instead(arguments, error)
            return await pending(made) if is_awaitable(made) else made
        finally:
            del error, arguments

    def _instead(self, arguments: tuple[Any, ...], error: Exception) -> Any:
        """What takes the place of the result when the callback is not called any more."""
        policy = self.policy.last
        try:
            if policy is None or not isinstance(error, policy.errors):
                raise error
            made = policy.instead(arguments if self.spread else arguments[-1], error)
            if is_awaitable(made):
                return Settling(self._told(made, error), made)
        except Exception as later:
            _raise(later, error)
        finally:
            del error
        return self._noted(made)

    async def _told(self, made: Any, error: Exception) -> Any:
        """What `made` gives, which the policy has returned."""
        try:
            made = await pending(made)
        except Exception as later:
            _raise(later, error)
        finally:
            del error
        return self._noted(made)

    def _noted(self, made: Any) -> Any:
        if made is DROPPED:
            if self.tally is not None:
                self.tally.dropped += 1
            if self.raises:
                raise Dropped
        return made


def _raise(later: Exception, error: Exception) -> NoReturn:
    """Raise `later`, an error of what was done about `error`."""
    try:
        if later is not error and later.__cause__ is None:
            set_cause(later, error)
        raise later
    finally:
        del later, error


class _Awaited(Guarded):
    """Of a callback that is a coroutine function: so is this, as `makes_coroutine` says of it."""

    async def __call__(self, *arguments: Any) -> Any:
        try:
            return await self.function(*arguments)
        except Exception as error:
            made = self._failed(arguments, error)
        return await pending(made) if is_awaitable(made) else made


@answering
def guarded(
    name: str, function: Callable[..., Any], on_error: OnError | None, *, spread: bool = False
) -> Callable[..., Any]:
    """A callback for an operator of one's own, with what is done where it fails.

    >>> from streamkit import Operator, Resume, Stream, guarded, step
    >>> @step(each="emit((item, function(item)))")
    ... def beside(function, *, on_error=None):
    ...     return Operator(beside, function=guarded("function", function, on_error))
    >>> list(Stream([1, 0, 2]) | beside(lambda number: 2 // number, on_error=Resume()))
    [(1, 2), (2, 1)]

    Where ``Resume`` drops the item, the rest of the ``each`` of a step is left out; in a stage,
    ``await run.call(...)`` gives ``DROPPED``.

    Args:
        name: of the argument, for the error if it is no callable.
        function: called with each item, in ``each`` only.
        on_error: ``Resume(...)``, ``Replace(...)`` or ``Retry(...)``; with None, `function` comes back.
        spread: whether it is called with the elements of the item. Else the item is its last argument.

    Raises:
        TypeError: `function` is not callable, or `on_error` is something else.
    """
    return protected(name, function, on_error, spread=spread)


CALLABLE: Final = frozenset({FunctionType, BuiltinFunctionType, MethodType, type})
"""What needs no look to see that it can be called."""


def protected(
    name: str, function: Callable[..., Any], on_error: OnError | None, *, spread: bool = False
) -> Callable[..., Any]:
    """What `guarded` returns, for our own operators."""
    if on_error is None and type(function) in CALLABLE:
        return function
    callback(name, function)
    policy = on_error_argument(on_error)
    if policy is None:
        return function
    return (_Awaited if makes_coroutine(function) else Guarded)(function, policy, spread=spread)


def unguarded(name: str, on_error: OnError | None) -> None:
    """Check the argument `on_error`, where the callback that is called `name` was not given."""
    if on_error_argument(on_error) is not None:
        raise ValueError(f"on_error must be given together with {name}, not alone: {shown(on_error)}")


def policy_among(arguments: Iterable[Any]) -> OnError | None:
    """What is done where a callback among `arguments` fails; None if nothing is."""
    return next((value.policy for value in arguments if isinstance(value, Guarded)), None)
