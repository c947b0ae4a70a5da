"""Workers: where ``on=`` sends the work of an operator, in chunks of items; and what comes back.

    async with workers.used(work) as send:      # for one run
        outcomes = await send(items)            # cancelled, it stops the work, as far as that can be

``streamkit.executors`` has those that there are: threads, processes, clusters. A test has workers that run
in the event loop; they show all that an operator asks for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from time import perf_counter
from typing import Any, TypeAlias

from streamkit._core.arguments import discard
from streamkit._core.awaiting import is_awaitable
from streamkit._core.limit import Limit
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.show import named, shown
from streamkit._core.value import Value

__all__ = ["Calls", "Failed", "Outcomes", "Send", "Work", "Workers", "workers_argument"]


class Failed:
    """What a worker sends in place of a result: the error, and the item, where one item is to blame."""

    __slots__ = ("error", "item")

    def __init__(self, error: Exception, item: Any = ABSENT) -> None:
        self.error = error
        self.item = item

    def __reduce__(self) -> tuple[type[Failed], tuple[Exception, Any]]:
        return Failed, (self.error, self.item)


class Outcomes(list[Any]):
    """What became of a chunk: results, and a `Failed` in place of each that there is not."""

    def __init__(self, outcomes: Iterable[Any] = (), seconds: float = 0.0) -> None:
        super().__init__(outcomes)
        self.seconds = seconds
        """How long a worker took for it."""

    def __reduce__(self) -> tuple[type[Outcomes], tuple[list[Any], float]]:
        return Outcomes, ([*self], self.seconds)


class Work(Value, ABC):
    """What a worker does with a chunk of items; it can be pickled if what it is made of can."""

    one_each = False
    """Whether each item has one outcome, in order."""

    @abstractmethod
    def outcomes(self, items: Sequence[Any], prepared: Any) -> list[Any]:
        """What becomes of `items`, in a worker in which `prepared` is at hand; ABSENT if nothing is."""

    def done(self, items: Sequence[Any], prepared: Any = ABSENT) -> Outcomes:
        """The same, with the time that it took."""
        begun = perf_counter()
        outcomes = self.outcomes(items, prepared)
        return Outcomes(outcomes, perf_counter() - begun)


class Calls(Work):
    """A function is called with each item; without one, what was prepared is."""

    function: Callable[[Any], Any] | Absent
    one_each = True

    def __init__(self, function: Callable[[Any], Any] | Absent) -> None:
        self._made_of(function=function)

    def outcomes(self, items: Sequence[Any], prepared: Any) -> list[Any]:
        function = prepared if self.function is ABSENT else self.function
        found: list[Any] = []
        for item in items:
            try:
                result = function(item)
                if is_awaitable(result):
                    discard(result)
                    raise TypeError(
                        f"{named(function)} must return a result, not {shown(result)}: a worker has no event loop"
                    )
            except Exception as error:
                found.append(Failed(error))
            else:
                found.append(result)
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

    def check(self, work: Work) -> None:
        """Raise where `work` can never be done here: when the pipe is written."""


def workers_argument(name: str, value: Any) -> Workers:
    """Return the argument `name` if it is workers."""
    if isinstance(value, Workers):
        return value
    raise TypeError(
        f"{name} must be workers such as streamkit.executors.Threads(8) or Processes(4), not {shown(value)}"
    )
