"""Workers: where ``on=`` sends the work of an operator, in chunks of items; and what comes back.

An operator sends `Work`, once for each run, and then items:

    async with workers.used(work) as send:      # for one run
        outcomes = await send(items)            # cancelled, it stops the work, as far as that can be

``streamkit.executors`` has those that there are: threads, processes, clusters. A test has workers that run
in the event loop; they show all that an operator asks for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from asyncio import Runner
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, ExitStack
from time import perf_counter
from typing import Any, Final, TypeAlias

from streamkit._core.arguments import seconds as seconds_argument, whole
from streamkit._core.awaiting import PLAIN, is_awaitable, pending
from streamkit._core.calls import answering
from streamkit._core.errors import WorkerError
from streamkit._core.limit import Limit
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.show import named, shown
from streamkit._core.value import Value

__all__ = [
    "Calls",
    "Chunk",
    "Lasting",
    "NoResult",
    "Outcomes",
    "Send",
    "Sizer",
    "Work",
    "Workers",
    "awaited",
    "chunk_argument",
    "error_told",
    "sizer_of",
    "workers_argument",
]

MOST: Final = 1_000
GROWTH: Final = 2
"""How many times as long as the last one a chunk may be."""


class NoResult:
    """What a worker sends in place of a result: the error, and the item, where one item is to blame."""

    __slots__ = ("error", "item")

    def __init__(self, error: Exception, item: Any = ABSENT) -> None:
        self.error = error
        self.item = item

    def __reduce__(self) -> tuple[type[NoResult], tuple[Exception, Any]]:
        return NoResult, (self.error, self.item)


def error_told(error: BaseException) -> Exception:
    """`error`; as an Exception, also where a function has raised ``SystemExit`` or cancelled itself.

    What ends a worker would cost its neighbours in the chunk, and what was prepared there.
    """
    if isinstance(error, Exception):
        return error
    ended = WorkerError(f"a worker was told to end by {error!r}")
    ended.__cause__ = error
    return ended


async def awaited(made: Any) -> Any:
    """What `made` gives, which `is_awaitable`; for a `Runner`, which takes coroutines alone."""
    return await pending(made)


class Outcomes(list[Any]):
    """What became of a chunk: results, and a `NoResult` in place of each that there is not."""

    def __init__(self, outcomes: Iterable[Any] = (), seconds: float = 0.0, *, sure: bool = False) -> None:
        super().__init__(outcomes)
        self.seconds = seconds
        """How long a worker took for it."""
        self._sure = sure
        """Whether they are known to be results: nobody need look through them again."""

    def __reduce__(self) -> tuple[type[Outcomes], tuple[list[Any], float]]:
        return Outcomes, ([*self], self.seconds)

    @property
    def are_results(self) -> bool:
        """Whether there is a result of each item."""
        return self._sure or NoResult not in map(type, self)


class Work(Value, ABC):
    """What a worker does with a chunk of items; it can be pickled if what it is made of can."""

    one_each = False
    """Whether each item has one outcome, in order."""

    @abstractmethod
    def outcomes(self, items: Sequence[Any], prepared: Any) -> Outcomes:
        """What becomes of `items`, in a worker in which `prepared` is at hand; ABSENT if nothing is."""

    def done(self, items: Sequence[Any], prepared: Any = ABSENT) -> Outcomes:
        """The same, with the time that it took."""
        begun = perf_counter()
        outcomes = self.outcomes(items, prepared)
        outcomes.seconds = perf_counter() - begun
        return outcomes


class Calls(Work):
    """A function is called with each item; without one, what was prepared is.

    What it returns is awaited, if it is awaitable, in an event loop that the chunk has for it.
    """

    function: Callable[[Any], Any] | Absent
    one_each = True

    def __init__(self, function: Callable[[Any], Any] | Absent) -> None:
        self._made_of(function=function)

    def outcomes(self, items: Sequence[Any], prepared: Any) -> Outcomes:
        function: Any = prepared if self.function is ABSENT else self.function
        found: list[Any] = []
        left = iter(items)
        while len(found) < len(items):
            try:
                found.extend(map(function, left))  # until one fails, and then those behind it
            except BaseException as error:
                found.append(NoResult(error_told(error)))
            else:
                if len(found) < len(items):  # `map` has taken it for the end
                    found.append(NoResult(RuntimeError(f"{named(function)} raised StopIteration")))
        if _alike(found):
            return Outcomes(found, sure=True)
        kinds = {*map(type, found)}
        if others := kinds - PLAIN - {NoResult}:
            return Outcomes(_awaited(found, others))
        return Outcomes(found, sure=NoResult not in kinds)


def _alike(found: list[Any]) -> bool:
    """Whether all are of one plain type, as in most chunks: a set of the types would take twice as long."""
    kinds = [*map(type, found)]
    return bool(kinds) and kinds[0] in PLAIN and kinds.count(kinds[0]) == len(kinds)


def _awaited(found: list[Any], kinds: set[type]) -> list[Any]:
    """`found`, of which those of `kinds` are awaited, if they are awaitable."""
    with ExitStack() as ends:
        runner: Runner | None = None
        for place, result in enumerate(found):
            if type(result) in kinds and is_awaitable(result):
                runner = runner or ends.enter_context(Runner())
                try:
                    found[place] = runner.run(awaited(result))
                except BaseException as error:
                    found[place] = NoResult(error_told(error))
    return found


Send: TypeAlias = Callable[[Sequence[Any]], Awaitable[Outcomes]]
"""Has a chunk of items worked on, and gives what became of it. Cancelling it stops the work."""


class Workers(ABC):
    """Where ``on=`` sends work: threads, processes, a cluster."""

    @property
    @abstractmethod
    def limit(self) -> Limit:
        """How many chunks may be in flight at once, of all operators together that use these workers."""

    @abstractmethod
    def used(self, work: Work) -> AbstractAsyncContextManager[Send]:
        """These workers, for a run that sends them `work`; opened for it, unless they are open already.

        What cannot be sent is refused here, before anything is read.
        """


def workers_argument(name: str, value: Any) -> Workers:
    """Return the argument `name` if it is workers."""
    if isinstance(value, Workers):
        return value
    asked = (
        f"{name} must be workers such as streamkit.executors.Threads(8) or Processes(4), not {shown(value)}"
    )
    if isinstance(value, Executor):
        asked += f": write {name}=Executor(executor, 8), of streamkit.executors"
    raise TypeError(asked)


class Lasting(Value):
    """As ``chunk=``: chunks so long that a worker takes about so many seconds for one.

    >>> from streamkit import Lasting
    >>> Lasting(0.1)
    Lasting(seconds=0.1, most=1000)

    The first chunk of a run is one item. From then on, how many go into one is made out from how long the
    workers took for those before, and at most doubled each time.

    Args:
        seconds: how long a worker is to take for a chunk.
        most: items in a chunk at most. ``explain()`` counts with it.

    Raises:
        TypeError: `seconds` is not a number, or `most` not a whole number.
        ValueError: `seconds` is not finite or not above 0, or `most` is less than 1.
    """

    seconds: float
    most: int

    @answering
    def __init__(self, seconds: float, *, most: int = MOST) -> None:
        self._made_of(seconds=seconds_argument("seconds", seconds), most=whole("most", most, least=1))


class Sizer:
    """How many items go into the next chunk of one run: always as many."""

    def __init__(self, size: int) -> None:
        self.size = size

    def took(self, count: int, seconds: float) -> None:
        """A worker has taken so long for so many items."""


class _Timed(Sizer):
    """As many as take the time that was said."""

    def __init__(self, chunk: Lasting) -> None:
        super().__init__(1)
        self._chunk = chunk

    def took(self, count: int, seconds: float) -> None:
        fits = int(count * self._chunk.seconds / seconds) if seconds > 0 else self._chunk.most
        self.size = max(1, min(fits, GROWTH * count, self._chunk.most))


def sizer_of(chunk: int | Lasting) -> Sizer:
    """What says how many items go into each chunk of a run that begins."""
    return _Timed(chunk) if isinstance(chunk, Lasting) else Sizer(chunk)


class Chunk(list[Any]):
    """Items that are sent together, and what says how many those will be that follow."""

    def __init__(self, sizer: Sizer, items: Iterable[Any] = ()) -> None:
        super().__init__(items)
        self.sizer = sizer


def chunk_argument(value: int | Lasting) -> int | Lasting:
    """Return the argument ``chunk`` if it says how many items are sent at once."""
    if isinstance(value, Lasting):
        return value
    try:
        return whole("chunk", value, least=1)
    except TypeError:
        raise TypeError(f"chunk must be a whole number or Lasting(seconds), not {shown(value)}") from None
