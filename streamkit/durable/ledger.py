"""The ledger: what a run keeps of a reader's messages from their claim to their acknowledgement.

Two tasks of its own work beside the run. One claims ahead: a batch at a time, and never more are open than
the reader's `prefetch`. The other acknowledges in batches, hands back what has failed, and renews leases long
before they end, so that work may take as long as it takes. Acknowledging waits for half a batch, for 10 ms,
or until the run has nothing left to work on; nothing more is handed out while a batch is not acknowledged.

Both are hidden from ``asyncio.run``, which cancels all tasks when the program ends: `CarrierLedger.close`
ends them, when none of the run's own tasks is left.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Task
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from math import inf
from typing import Any, Final

from streamkit._core.delivery import Delivery
from streamkit._core.errors import CarrierError, raise_first
from streamkit._core.show import told
from streamkit._engine.run.shelter import hide
from streamkit.durable.codec import decoded
from streamkit.durable.events import LeaseLost, Trimmed
from streamkit.durable.letters import Dead, DeadLetters
from streamkit.durable.messages import Connection, Message
from streamkit.durable.reading import Bell, Reading, State

__all__ = ["CarrierLedger"]

_WAIT: Final = 0.05
"""Seconds that a claim waits. A run that ends waits for it: what one that was cancelled has, nobody knows."""
_LATER: Final = 0.1
"""Seconds after which a message is claimed again that is not to be held beside another."""
_LINGER: Final = 0.01
"""Seconds after which what is done is acknowledged, however little it is."""


class CarrierLedger:
    """Hands out the messages of one reader, in one run."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self._opened = AsyncExitStack()
        self._letters = DeadLetters(reading.carrier, reading.group, reading.tell)
        self._connection: Connection
        self._tasks: dict[Callable[[], Coroutine[Any, Any, None]], Task[None]] = {}
        self._held: dict[int, Delivery] = {}
        """What is claimed and not acknowledged, by the identity of its message."""
        self._ready: deque[tuple[Delivery, Any]] = deque()
        self._done: deque[Delivery] = deque()
        self._wake = Bell()
        self._room = Bell()
        self._arrived = Bell()
        self._state = State()

    async def open(self) -> None:
        reading = self.reading
        try:
            self._connection = await self._opened.enter_async_context(reading.carrier.connect())
            if reading.dead_letters is not None:
                letters = await self._opened.enter_async_context(reading.dead_letters.connect())
                self._letters.connection = letters
        except BaseException:
            await self._opened.aclose()
            raise

    async def deliveries(self) -> AsyncIterator[tuple[Delivery, Any]]:
        ready, state, half = self._ready, self._state, self.reading.batch // 2
        state.error, state.raised = None, False
        for work in (self._claim, self._keep):
            if work not in self._tasks or self._tasks[work].done():  # begun, or begun again by a retry
                self._tasks[work] = self._begun(work())
        while True:
            while not ready or self._unsaid() >= self.reading.batch:
                if state.error is not None:
                    state.raised = True
                    raise state.error
                self._room.ring()
                await self._arrived.heard()
            await self._apart(self.reading.is_last(ready[0][0].message))
            state.working += 1
            pair = ready.popleft()
            if len(ready) == half:
                self._room.ring()
            yield pair
            del pair  # nothing is pinned while more is waited for

    def _unsaid(self) -> int:
        """How many are done and not acknowledged: a crash doubles them, so there is a batch at most."""
        return len(self._held) - self._state.working - len(self._ready)

    async def _apart(self, last: bool) -> None:
        """Have what is handed out for the `last` time alone in work: it may be what kills its process."""
        state, loop = self._state, asyncio.get_running_loop()
        if (last or state.alone) and not state.gathers:
            due = loop.time() + self.reading.beat
            while state.working and loop.time() < due:
                await self._arrived.heard(due)
            state.alone, state.gathers = last, state.working > 0

    def closed(self, delivery: Delivery) -> None:
        done, state = self._done, self._state
        done.append(delivery)
        state.working -= 1
        count = len(done)
        if count == 1 or not state.working or count == self.reading.enough:
            self._wake.ring()
            if state.alone:
                self._arrived.ring()

    def fail(self, error: BaseException) -> None:
        """End the stream with `error`, when what is ready was handed out."""
        if self._state.error is None:
            self._state.error = error
        self._arrived.ring()

    async def close(self, error: BaseException | None = None) -> None:
        """Acknowledge and hand back, to the end, however often this is cancelled.

        What the run worked on when it failed with `error` is handed out again, or was so too often.
        """
        task = asyncio.create_task(self._end(error, blameless=_ends(error)))
        if not task.done():  # pragma: no branch - an eager task may be
            hide(task)
        errors: list[BaseException] = []
        await _attempt(_ended(task), errors)
        await _attempt(task, errors)  # behind a cancellation, whose error tells of it
        raise_first(errors)

    async def _end(self, error: BaseException | None, *, blameless: bool) -> None:
        state = self._state
        state.ending = True
        errors: list[BaseException] = []
        for bell in (self._wake, self._room):
            bell.ring()
        if self._keep in self._tasks:
            await _attempt(_ended(self._tasks[self._keep]), errors)
        under_way = [each for each in self._held.values() if each.count]
        state.blamed |= blameless or any(each.failed for each in under_way)
        await _attempt(self._settle(), errors)
        await _attempt(self._rest(error), errors)
        if self._claim in self._tasks:  # it may wait for some time: what is open was handed back before
            await _attempt(_ended(self._tasks[self._claim]), errors)
        await _attempt(self._opened.aclose(), errors)
        own, state.error = state.error, None
        raise_first([*([] if own is None or state.raised else [own]), *errors])

    # tasks ---------------------------------------------------------------------------------

    def _begun(self, work: Coroutine[Any, Any, None]) -> Task[None]:
        task = asyncio.create_task(self._watched(work))
        if not task.done():  # pragma: no branch - an eager task may be
            hide(task)
        return task

    async def _watched(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception as error:
            self.fail(error)

    async def _claim(self) -> None:
        reading, state = self.reading, self._state
        loop = asyncio.get_running_loop()
        while not state.ending:
            room = reading.prefetch - len(self._held)
            if room <= 0 or len(self._ready) > reading.batch // 2:
                await self._room.heard()
                continue
            most = min(room, reading.batch)
            messages = await self._connection.claim(reading.group, most, reading.lease, _WAIT)
            if messages and state.ending:
                await self._connection.hand_back(reading.group, messages, counted=False)
            elif messages:
                state.renew_at = min(state.renew_at, loop.time() + reading.beat)
                await self._take(messages)
                self._arrived.ring()
                self._wake.ring()
            if self._connection.trimmed > state.trimmed:
                count, state.trimmed = self._connection.trimmed - state.trimmed, self._connection.trimmed
                reading.tell(Trimmed(reading.group, count, state.trimmed))

    async def _take(self, messages: Iterable[Message]) -> None:
        """Hold `messages`, and make their items; what cannot be worked on goes to the dead letters.

        Of those without a key that are handed out for the last time, one is held: if it kills this process,
        the others have not been handed out so often.
        """
        reading, state = self.reading, self._state
        dead: list[Dead] = []
        others: list[Message] = []
        now = asyncio.get_running_loop().time()
        risky = any(reading.is_last(each.message) for each in self._held.values())
        state.gathers |= risky and now >= state.risky_at + reading.beat
        for message in messages:
            if reading.is_last(message) and message.key is None and not state.gathers:
                if risky:
                    others.append(message)
                    continue
                risky, state.risky_at = True, now
            delivery = self._held[id(message)] = Delivery(self, message)
            if reading.max_deliveries is not None and message.times > reading.max_deliveries:
                dead.append(Dead.of(message, None))
                continue
            try:
                item = message if reading.messages else decoded(reading.carrier.codec, message.body)
            except Exception as error:
                dead.append(Dead(message, f"it does not decode: {told(error)}"))
                continue
            self._ready.append((delivery, item))
        if others:
            await self._connection.hand_back(reading.group, others, delay=_LATER, counted=False)
        await self._bury(dead)

    async def _keep(self) -> None:
        loop, state, enough = asyncio.get_running_loop(), self._state, self.reading.enough
        since = inf
        while not state.ending:
            now = loop.time()
            if not self._done:
                since = inf
            elif since == inf:
                since = now
            if since < inf and (len(self._done) >= enough or not state.working or now >= since + _LINGER):
                since = inf
                await self._settle()
            elif now >= state.renew_at:
                await self._renew()
            else:
                await self._wake.heard(min(state.renew_at, since + _LINGER))

    # what becomes of them ------------------------------------------------------------------

    async def _settle(self) -> None:
        """Acknowledge what is done, and hand back what has failed."""
        done, self._done = self._done, deque()
        settled: list[Message] = []
        failed: list[Message] = []
        beside: list[Message] = []
        spared: list[Message] = []
        dead: list[Dead] = []
        for delivery in done:
            message = delivery.message
            if id(message) not in self._held:
                continue  # its lease was lost, which was told then
            if not delivery.failed:
                settled.append(message)
            elif delivery.error is None:
                beside.append(message)
            elif not _blames(delivery.error):
                spared.append(message)
            else:
                self._state.blamed = True
                self._failed(delivery, failed, dead)
        await self._acknowledge(settled)
        await self._bury(dead)
        await self._hand_back(failed)
        await self._hand_back(beside, counted=not self._state.blamed)
        await self._hand_back(spared, counted=False)

    def _failed(self, delivery: Delivery, failed: list[Message], dead: list[Dead]) -> None:
        message, most = delivery.message, self.reading.max_deliveries
        if most is not None and message.times >= most:
            dead.append(Dead.of(message, delivery.error))
        else:
            failed.append(message)
        delivery.error = None

    async def _bury(self, dead: Sequence[Dead]) -> None:
        if dead:
            await self._letters.write(dead)
            await self._acknowledge([each.message for each in dead])
            self._letters.tell(dead)

    async def _acknowledge(self, messages: list[Message]) -> None:
        if messages:
            lost = await self._connection.acknowledge(self.reading.group, messages)
            self._let_go(messages)
            self._tell_lost(len(lost))

    async def _hand_back(self, messages: list[Message], *, counted: bool = True) -> None:
        if messages:
            await self._connection.hand_back(self.reading.group, messages, counted=counted)
            self._let_go(messages)

    def _let_go(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self._held.pop(id(message), None)
        self._room.ring()
        self._arrived.ring()

    async def _renew(self) -> None:
        reading, state = self.reading, self._state
        held = [delivery.message for delivery in self._held.values()]
        if not held:
            state.renew_at = inf
            return
        state.renew_at = asyncio.get_running_loop().time() + reading.beat
        lost = await self._connection.renew(reading.group, held, reading.lease)
        missing = {id(message) for message in lost} & self._held.keys()  # others were let go of meanwhile
        if missing:
            kept = [pair for pair in self._ready if id(pair[0].message) not in missing]
            self._ready.clear()
            self._ready.extend(kept)
            self._let_go(lost)
            self._tell_lost(len(missing))

    def _tell_lost(self, count: int) -> None:
        if count:
            self._state.lost += count
            self.reading.tell(LeaseLost(self.reading.group, count, self._state.lost))

    async def _rest(self, error: BaseException | None) -> None:
        """Hand back all that is open: what was never handed out, as if it had not been claimed."""
        errors: list[BaseException] = []
        untouched = [delivery.message for delivery, _ in self._ready]
        self._ready.clear()
        await _attempt(self._hand_back(untouched, counted=False), errors)
        failed: list[Message] = []
        beside: list[Message] = []
        dead: list[Dead] = []
        for delivery in self._held.values():
            if delivery.failed and _blames(error):
                delivery.error = error
                self._failed(delivery, failed, dead)
            else:
                beside.append(delivery.message)
        await _attempt(self._bury(dead), errors)
        failed += [each.message for each in dead if id(each.message) in self._held]
        await _attempt(self._hand_back(failed), errors)
        await _attempt(self._hand_back(beside, counted=not self._state.blamed), errors)
        raise_first(errors)


def _blames(error: BaseException | None) -> bool:
    """Whether an error tells of what was worked on: a carrier that is away does not, and no end does."""
    return isinstance(error, Exception) and not isinstance(error, CarrierError)


def _ends(error: BaseException | None) -> bool:
    """Whether nothing that was worked on is to blame for the end of this run."""
    if isinstance(error, (CancelledError, GeneratorExit)):
        # where nobody has cancelled the run, a callback has raised that itself, or an `async for` is left,
        # whose body may have failed
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0
    return not _blames(error)


async def _attempt(work: Awaitable[None], errors: list[BaseException]) -> None:
    """A part of the end. Its error does not keep the other parts from being done."""
    try:
        await work
    except BaseException as error:
        errors.append(error)


async def _ended(task: Task[None]) -> None:
    """Wait for the end of `task`, however often this is cancelled."""
    cancelled: CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
