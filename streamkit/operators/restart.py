"""Operators that run the stream before them again: after an error, or after its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from streamkit._core.again import forget_earlier
from streamkit._core.arguments import callback, seconds, whole
from streamkit._core.attempts import Attempts, attempts_argument
from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.backoff import Backoff, backoff_argument
from streamkit._core.contract import PASSED_ON
from streamkit._core.errors import ErrorTypes, error_types, is_error_types
from streamkit._core.markers import EMPTY
from streamkit._core.show import shown
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.paired import restarts
from streamkit._stages.entry import Again
from streamkit._stages.in_place import following

__all__ = ["repeat", "retry"]

When: TypeAlias = ErrorTypes | Callable[[Exception], object]
OnRetry: TypeAlias = Callable[[Exception, int, float], object]

_WHEN: Final = "a type of Exception, a tuple of them, or a callable that is asked whether to try again"


async def _settled(made: Any) -> Any:
    """What a callback has returned, awaited if it is awaitable."""
    return await pending(made) if is_awaitable(made) else made


class _Retry(Again):
    """Runs the stream before it again after an error."""

    shelters = True

    def __init__(
        self,
        attempts: int | None,
        backoff: float | Backoff,
        reset_after: float | None,
        when: When,
        on_retry: OnRetry | None,
    ) -> None:
        self.most = attempts
        self.backoff = backoff
        self.reset_after = reset_after
        self.types: ErrorTypes = when if is_error_types(when) else Exception
        self.wanted: Any = None if is_error_types(when) else when
        """Says of an error of these types whether to try again."""
        self.on_retry = on_retry
        self.attempts = Attempts(attempts, backoff)
        self.begun = asyncio.get_running_loop().time()
        """When the current attempt began."""
        self.seconds = 0.0
        """How long to wait before the next."""

    def ended(self) -> Inlet[Any] | None:
        self.done = True
        return None

    def takes(self, error: Exception) -> bool:
        return isinstance(error, self.types)

    async def failed(self, error: Exception) -> Any:
        now = asyncio.get_running_loop().time
        try:
            forget_earlier(error)
            if self.reset_after is not None and now() - self.begun >= self.reset_after:
                self.attempts = Attempts(self.most, self.backoff)
            if self.wanted is not None and not await _settled(self.wanted(error)):
                return EMPTY
            wait = self.attempts.wait(error)
            if wait is None:
                return EMPTY
            inlet = self.anew()  # a source that cannot be run again says so now, and not after the wait
            if self.on_retry is not None:
                await _settled(self.on_retry(error, self.attempts.failed, wait))
        finally:
            del error
        self.seconds, self.begun = wait, now()
        return inlet

    @property
    def pauses(self) -> bool:
        return self.seconds > 0

    async def pause(self) -> None:
        await asyncio.sleep(self.seconds)
        self.begun = asyncio.get_running_loop().time()


@stage(following(_Retry), pumps=False, relays=True, pairs=restarts, contract=PASSED_ON)
def retry(
    attempts: int | None = 3,
    *,
    backoff: float | Backoff = 0.0,
    reset_after: float | None = None,
    when: When = Exception,
    on_retry: OnRetry | None = None,
) -> Keep:
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
    if reset_after is not None:
        reset_after = seconds("reset_after", reset_after)
    return Keep(
        retry,
        attempts=attempts_argument(attempts),
        backoff=backoff_argument(backoff),
        reset_after=reset_after,
        when=_when(when),
        on_retry=None if on_retry is None else callback("on_retry", on_retry),
    )


def _when(value: Any) -> When:
    """Return the argument ``when``."""
    if isinstance(value, (type, tuple)):
        return error_types("when", value, _WHEN)  # pyright: ignore[reportUnknownArgumentType] - of anything
    if callable(value):
        return callback("when", value)
    raise TypeError(f"when must be {_WHEN}, not {shown(value)}")


class _Repeat(Again):
    """Runs the stream before it again when it has ended."""

    def __init__(self, times: int | None) -> None:
        self.left = times

    def ended(self) -> Inlet[Any] | None:
        if self.left is not None:
            self.left -= 1
            if self.left <= 1:
                self.done = True
            if not self.left:
                return None
        return self.anew()


@stage(following(_Repeat), pumps=False, relays=True, pairs=restarts, contract=PASSED_ON)
def repeat(times: int | None = None) -> Keep:
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
    return Keep(repeat, times=None if times is None else whole("times", times, least=1))
