"""Jobs for tests of flows, and what they note."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from streamkit import Job, Stream, ops
from streamkit.flow import Fault, FlowHandle

__all__ = ["Log", "end", "ends", "fails", "lasts"]


class Log:
    """What happens, and when."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, str]] = []
        self.faults: list[Fault] = []

    def note(self, what: str) -> None:
        self.seen.append((round(asyncio.get_running_loop().time(), 6), what))

    def fault(self, fault: Fault) -> None:
        self.faults.append(fault)

    def told(self) -> list[tuple[str, str]]:
        """Of each fault, the path and what is done."""
        return [(fault.path, fault.action.name) for fault in self.faults]

    def times(self, what: str) -> list[float]:
        """When that has happened."""
        return [time for time, each in self.seen if each == what]

    def job(
        self,
        name: str,
        *lives: Sequence[Any],
        closing: float = 0.0,
        closing_error: Exception | None = None,
        deaf: float = 0.0,
    ) -> Callable[[], Job[Any]]:
        """A job that is another in each life: so many seconds, and then perhaps an error.

        It takes so long to close, and then fails; while it finishes its one item, it listens to nobody.
        """
        left = [*lives]

        async def source() -> AsyncIterator[str]:
            seconds, *errors = left.pop(0) if len(left) > 1 else left[0]
            self.note(f"{name} begins")
            try:
                if deaf:
                    yield name
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                self.note(f"{name} closes")
                await asyncio.sleep(closing)
                if closing_error is not None:
                    raise closing_error from None
                raise
            self.note(f"{name} ends")
            for error in errors:
                raise error
            return
            yield name

        async def work(_: str) -> None:
            await asyncio.sleep(deaf)
            self.note(f"{name} has worked")

        return lambda: Stream(source) | ops.for_each(work)


def ends(seconds: float) -> tuple[float]:
    return (seconds,)


def fails(seconds: float, error: Exception | None = None) -> tuple[float, Exception]:
    return (seconds, error or OSError("lost"))


def lasts() -> tuple[float]:
    return (1e6,)


async def end(handle: FlowHandle) -> None:
    """Cancel all of it, and wait until everything is closed."""
    await handle.stop(0.0)
    await handle
