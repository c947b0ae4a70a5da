"""Work that is shipped to workers: a call of a concurrent ``map`` sends a chunk of items, and gets results.

A chunk of which an item has failed comes back whole. What ``on_error=`` says is done here, in the place that
the chunk has in flight: a `Retry` sends the item again, by itself. Where the stream fails, the results before
the item that failed are delivered first, if it is their turn.

Where there are no workers to make a call, it has not failed: nothing is done about that, and the stream
fails. Else item after item would be dropped to the last, or one be sent again for ever.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from streamkit._core.guarded import Beyond, Dropped, Guarded
from streamkit._core.markers import ABSENT, DROPPED
from streamkit._core.workers import Calls, Chunk, NoResult, Outcomes, Send, Work, Workers, error_told
from streamkit._engine.face.stream import Operator, Stream
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit._stages.chunks import sliced
from streamkit._stages.map import pooled

__all__ = ["Through", "prepared", "shipped", "shipped_chunks"]


def prepared(item: Any) -> Any:
    """Stands for what each worker has prepared, which is called there with `item`."""
    raise AssertionError(item)  # pragma: no cover - workers call what they have prepared, and never this


class Through(Work):
    """A chunk goes through a pipe, by itself."""

    pipe: Operator[Any, Any]

    def __init__(self, pipe: Operator[Any, Any]) -> None:
        self._made_of(pipe=pipe)

    def outcomes(self, items: Sequence[Any], prepared: Any) -> Outcomes:
        found = Outcomes()
        try:
            found.extend(Stream([*items]) | self.pipe)
        except BaseException as error:
            found.append(NoResult(error_told(error)))
        return found


def _work_of(function: Any) -> Work:
    """What workers do where `function` is called with each item."""
    if isinstance(function, Guarded):
        function = function.function
    return Calls(ABSENT if function is prepared else function)


async def shipped(
    run: Run, source: Inlet[Any], *, function: Any, on: Workers, ordered: bool, key: Any
) -> AsyncIterator[Any]:
    """Items that are sent one by one."""
    work = _work_of(function)
    async with on.used(work) as send:
        shipment = _Shipment(send, work, function)
        channel = pooled(
            run, source, function=shipment.one, concurrency=on.limit, ordered=ordered, lookahead=0, key=key
        )
        async for result in channel:
            yield result
            result = None  # noqa: PLW2901 - kept alive by nothing while the next is waited for


async def shipped_chunks(
    run: Run,
    source: Inlet[Any],
    *,
    on: Workers,
    ordered: bool,
    function: Any = ABSENT,
    pipe: Any = ABSENT,
    _policy: Any = None,
) -> AsyncIterator[Any]:
    """Chunks, for whose items a function is called or which go through a pipe, and lists of results."""
    work = _work_of(function) if pipe is ABSENT else Through(pipe)
    async with on.used(work) as send:
        shipment = _Shipment(send, work, function if pipe is ABSENT else _policy)
        channel = pooled(
            run, sliced(source), function=shipment.sent, concurrency=on.limit, ordered=ordered, lookahead=0
        )
        turn = 0
        failed: Exception | None = None
        try:
            async for results in channel:
                turn += 1
                yield results
                results = None  # noqa: PLW2901 - as above
        except Exception as error:
            failed = error
        if failed is not None:
            try:
                if shipment.cut is not None and (shipment.cut[0] == turn or not ordered):
                    yield run.form.made(shipment.cut[1])
                raise failed
            finally:
                del failed  # its traceback has this frame: they would keep each other


class _Shipment:
    """The chunks of one run."""

    def __init__(self, send: Send, work: Work, function: Any) -> None:
        self._send = send
        self._one_each = work.one_each
        self._policy: Callable[[_Attempt, Any], Any] = _attempted
        if isinstance(function, Guarded):
            self._policy = function.but(function=_attempted)
        self._begun = 0
        self.cut: tuple[int, list[Any]] | None = None
        """The number of the chunk that failed first, and its results before that."""

    async def one(self, item: Any) -> Any:
        """The result of an item that is sent by itself."""
        [outcome] = await self._send((item,))
        if type(outcome) is not NoResult:
            return outcome
        result = await self._instead(outcome, item)
        if result is DROPPED:
            raise Dropped
        return result

    async def sent(self, items: Chunk) -> list[Any]:
        """The results of a chunk; what has failed is dealt with."""
        number = self._begun
        self._begun += 1
        outcomes = await self._send(items)
        items.sizer.took(len(items), outcomes.seconds)
        if outcomes.are_results:
            return outcomes
        return await self._settled(number, items, outcomes)

    async def _settled(self, number: int, items: Sequence[Any], outcomes: Outcomes) -> list[Any]:
        results: list[Any] = []
        try:
            for place, outcome in enumerate(outcomes):
                result = outcome
                if type(outcome) is NoResult:
                    result = await self._instead(outcome, items[place] if self._one_each else outcome.item)
                if result is not DROPPED:
                    results.append(result)
        except Exception:
            if self.cut is None:
                self.cut = number, results
            raise
        return results

    async def _instead(self, failed: NoResult, item: Any) -> Any:
        """What takes the place of the result that there is not."""
        if item is ABSENT:
            raise failed.error
        try:
            made = self._policy(_Attempt(failed, self._send), item)
            return await made if hasattr(made, "__await__") else made
        except Beyond as beyond:
            error = beyond.__cause__ or beyond
        try:
            raise error
        finally:
            del error


class _Attempt:
    """A call that has failed in a worker, and can be made again."""

    def __init__(self, failed: NoResult, send: Send) -> None:
        self.error: Exception | None = failed.error
        self.send = send


def _attempted(attempt: _Attempt, item: Any) -> Any:
    """Fail as the worker did; called once more, send `item` again."""
    error, attempt.error = attempt.error, None
    return _again(attempt.send, item) if error is None else _raised(error)


def _raised(error: Exception) -> Any:
    try:
        raise error
    finally:
        del error


async def _again(send: Send, item: Any) -> Any:
    try:
        outcomes = await send((item,))
    except Exception as error:  # of the workers, which is no failure of the call
        raise Beyond from error
    for outcome in outcomes:
        return _raised(outcome.error) if type(outcome) is NoResult else outcome
    return DROPPED
