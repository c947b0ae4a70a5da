"""Pools: workers as users have them. A pool says what they are; while it is open, a `Staff` has them."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

from streamkit._core.arguments import callback, seconds, whole
from streamkit._core.errors import (
    WorkerCrashedError,
    attach,
    raise_first,
)
from streamkit._core.limit import Limit
from streamkit._core.markers import ABSENT
from streamkit._core.show import named, shown
from streamkit._core.workers import Calls, Send, Work, Workers
from streamkit.executors.events import WorkerInfo
from streamkit.executors.functions import Packed
from streamkit.executors.hand import Crash
from streamkit.executors.remote import Setup
from streamkit.executors.sending import Sending
from streamkit.executors.staff import Recruit, Staff
from streamkit.executors.terms import Terms

__all__ = ["Pool"]

R = TypeVar("R")


class Pool(Workers):
    """What all pools have in common.

    ``async with pool:`` opens it for several runs; a run opens a pool that is not open, for itself.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._staff: Staff | None = None
        self._share = 1 + min(terms.prefetch, 1)
        """Of a worker of which it is not known that its calls are quick."""
        most = terms.most * (1 + terms.prefetch)
        self._limit = Limit(len(terms.arguments) * self._share, most=most)
        self._entered: list[Staff] = []

    def __repr__(self) -> str:
        setup = self._terms.setup
        parts = [str(len(self._terms.arguments))]
        if callable(setup.prepare):
            parts.append(f"prepare={named(setup.prepare)}")
        return f"{type(self).__name__}({', '.join(parts)})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself: copies of a pipe share its workers."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        """What it is in another process: not open."""
        return {**self.__dict__, "_staff": None, "_entered": []}

    # what operators ask ------------------------------------------------------------------------

    @property
    def limit(self) -> Limit:
        """How many chunks may be in flight: 2 of each worker, or where they are quick 1 and `prefetch`."""
        return self._limit

    def used(self, work: Work) -> AbstractAsyncContextManager[Send]:
        return Use(self, work, 0)

    def with_priority(self, priority: int) -> Workers:
        """The same workers, for work that goes before what has a lower priority and waits; the usual is 0.

        Raises:
            TypeError: `priority` is not a whole number.
        """
        return _Prioritized(self, whole("priority", priority))

    # what users ask ----------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        staff = self.enter()
        self._entered.append(staff)
        try:
            await staff.opened()
        except BaseException as error:
            self._entered.remove(staff)
            await self.left(staff, error)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.left(self._entered.pop(), error)

    def workers(self) -> tuple[WorkerInfo, ...]:
        """How each worker is now; none where the pool is not open."""
        return () if self._staff is None else tuple([station.info() for station in self._staff.stations])

    async def add_worker(self, **arguments: Any) -> int:
        """Add a worker, prepared with `arguments`; returns its index when it is ready.

        Raises:
            RuntimeError: the pool is not open.
            ValueError: it has as many workers as it may have, by ``most=``.
        """
        staff = self._open()
        if len(staff.stations) >= self._terms.most:
            raise ValueError(
                f"there are {len(staff.stations)} workers; where there may be more, give that as most="
            )
        try:
            return await staff.grown(arguments)
        finally:
            self._resize()

    async def remove_worker(self, index: int) -> None:
        """Remove the worker with that index, when it has done what it has.

        Raises:
            RuntimeError: the pool is not open.
            ValueError: there is no such worker, or no other.
        """
        staff = self._open()
        station = next((each for each in staff.stations if each.index == index and not each.removed), None)
        if station is None:
            raise ValueError(f"index must be that of a worker, not {shown(index)}")
        if sum(not each.removed for each in staff.stations) == 1:
            raise ValueError(f"worker {index} is the only one")
        try:
            await staff.shrunk(station)
        finally:
            self._resize()

    async def broadcast(self, function: Callable[..., R]) -> list[R]:
        """Call `function` in each worker, between two chunks, and return what it returns there, by index.

        It is called with what was prepared there, or with nothing if nothing was. A worker that is prepared
        later has not heard it.
        """
        staff = self._open()
        callback("function", function, waits=False)
        found = await staff.dispatch.tell([*staff.stations], self._function(function))
        raise_first([_crashed(each) for each in found if isinstance(each, Exception)])
        return found

    async def halt(self, deadline: float) -> tuple[Any, ...]:
        """Take no more work, wait up to `deadline` seconds for what there is, and end all workers.

        Returns the items that were not done: those of chunks that waited or were under way at the deadline.
        Whoever has sent them, or sends more, gets a ``WorkersClosedError``. A thread cannot be ended in the
        middle of a call; it ends after that, and nobody waits for it.
        """
        deadline = seconds("deadline", deadline, positive=False)
        staff = self._open()
        self._staff = None
        return tuple(await staff.halted(deadline))

    # -------------------------------------------------------------------------------------------

    @abstractmethod
    def _recruiter(self, setup: Setup) -> Recruit:
        """What makes hands, for one opening of the pool."""

    @abstractmethod
    def _packed(self, work: Work) -> Packed:
        """`work` as it is sent; an error where it cannot be."""

    @abstractmethod
    def _payload(self, items: Sequence[Any], work: Packed) -> Any:
        """`items` as they are sent; a `PackingError` where they cannot be."""

    def _function(self, function: Callable[..., Any]) -> Any:
        """A function as it is sent."""
        return function

    async def _over(self, recruit: Recruit) -> None:
        """None of the hands is left that `recruit` has made; its opening of the pool is over."""
        return

    def _open(self) -> Staff:
        if self._staff is None:
            raise RuntimeError("the pool is not open: write async with pool:")
        return self._staff

    def _resize(self) -> None:
        """Have as many chunks in flight as are good for the workers that there are, as quick as these are."""
        if self._staff is not None:
            share = self._share
            shares = [max(share, 1 + each.ahead) for each in self._staff.stations if not each.removed]
            self._limit.set(sum(shares) or share)

    def enter(self) -> Staff:
        """The staff, for one more that uses it: opened if it is not open."""
        staff, loop = self._staff, asyncio.get_running_loop()
        if staff is not None and staff.loop is not loop:
            if not staff.loop.is_closed():
                raise RuntimeError("the pool is open in another event loop: make one for each")
            staff.abandon()
            self._entered.clear()
            staff = None
        if staff is None:
            recruit = self._recruiter(self._terms.setup)
            self._limit.set(len(self._terms.arguments) * self._share)
            if (hooks := self._terms.setup.hooks) is not None:
                hooks.opened()
            staff = self._staff = Staff(self._terms, recruit, self._resize)
            staff.open()
        staff.users += 1
        return staff

    async def left(self, staff: Staff, error: BaseException | None) -> None:
        """One who used it has left, maybe by an `error`; the last one closes it."""
        staff.users -= 1
        if staff.users:
            return
        if self._staff is staff:
            self._staff = None
        staff.shut()
        try:
            try:
                try:
                    await staff.ended()
                finally:
                    await self._over(staff.recruit)
            finally:
                if (hooks := self._terms.setup.hooks) is not None:
                    hooks.closed()
        except Exception as late:
            if error is None:
                raise
            attach(error, late)

    def sending(self, staff: Staff, work: Packed, priority: int) -> Sending:
        """What sends the chunks of a run."""
        return Sending(staff.dispatch, work, priority, self._payload, self._terms.on_crash)

    def packed(self, work: Work) -> Packed:
        """`work` as it is sent; an error where it can never be done here."""
        setup = self._terms.setup
        if isinstance(work, Calls) and work.function is ABSENT and setup.prepare is ABSENT:
            raise TypeError(f"a function must be given, or {self!r} must have prepare=")
        if setup.hooks is not None and setup.hooks.around_items and not work.one_each:
            raise TypeError("hooks with before or after need a function that is called with each item")
        return self._packed(work)


def _crashed(error: Exception) -> Exception:
    if not isinstance(error, Crash):
        return error
    return WorkerCrashedError(f"worker {error.worker} was lost before it had answered", worker=error.worker)


class Use:
    """A pool, for one run."""

    def __init__(self, pool: Pool, work: Work, priority: int) -> None:
        self._pool = pool
        self._work = work
        self._priority = priority
        self._staff: Staff | None = None
        self._packed: Packed | None = None

    async def __aenter__(self) -> Send:
        packed = self._packed = self._pool.packed(self._work)
        staff = self._staff = self._pool.enter()
        try:
            await staff.opened()
        except BaseException as error:
            await self._pool.left(staff, error)
            raise
        staff.learn(packed)
        return self._pool.sending(staff, packed, self._priority).of

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._staff is not None
        assert self._packed is not None
        self._staff.forget(self._packed)
        await self._pool.left(self._staff, error)


class _Prioritized(Workers):
    """A pool, with another priority."""

    def __init__(self, pool: Pool, priority: int) -> None:
        self._pool = pool
        self._priority = priority

    def __repr__(self) -> str:
        return f"{self._pool!r}.with_priority({self._priority})"

    @property
    def limit(self) -> Limit:
        return self._pool.limit

    def used(self, work: Work) -> AbstractAsyncContextManager[Send]:
        return Use(self._pool, work, self._priority)
