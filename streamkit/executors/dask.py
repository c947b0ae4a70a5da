"""Dask: chunks are tasks of a cluster, whose scheduler gives them to its workers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast

from streamkit._core.arguments import callback, seconds, whole
from streamkit._core.calls import answering
from streamkit._core.errors import WorkerCrashedError, WorkerError
from streamkit._core.markers import ABSENT
from streamkit._core.show import named, shown
from streamkit._core.workers import NoResult, Outcomes, Work
from streamkit.executors.chunks import answered, done_by, done_elsewhere, failure, work_of
from streamkit.executors.dispatch import ended
from streamkit.executors.events import Event
from streamkit.executors.functions import Packed, pack_function, pack_work
from streamkit.executors.futures import Share
from streamkit.executors.hand import Call, Hand, Master
from streamkit.executors.packing import Unread, pack_error, pack_far, unpack, unpack_error
from streamkit.executors.pool import Pool
from streamkit.executors.remote import Place, Setup, lone_place
from streamkit.executors.staff import LONG, Recruit
from streamkit.executors.terms import Terms, each_argument

try:
    from dask import distributed  # type: ignore[import-not-found]
except ImportError as _missing:
    _words = "streamkit.executors.Dask needs dask.distributed: pip install streamkit[dask]"
    raise ImportError(_words) from _missing

__all__ = ["Dask"]

_PREPARE: Final = 300.0
_LOOK: Final = 2.0
"""Seconds of a call after which it is asked whether there are workers at all, again and again."""
_AHEAD: Final = 2
"""Chunks for each thread of the cluster, so that none waits for its next."""
_dask: Any = distributed


class NoWorkersError(WorkerError):
    """No call can be made, and none has failed."""


class _Prepared(_dask.WorkerPlugin):  # type: ignore[misc]
    """Has each worker of the cluster prepared, also those that come later or again."""

    def __init__(self, name: str, setup: bytes) -> None:
        self.name = name
        self.place: Place | None = None
        self.error = b""
        """Why the worker is not prepared. It goes on: one that ended would be started again for ever."""
        self._setup = setup
        self._closed = False

    # in a thread, because the event loop of the worker tells the scheduler that it lives
    async def setup(self, worker: Any) -> None:
        try:
            place = await asyncio.to_thread(self._prepared)
        except Exception as error:
            self.error = pack_error(error)
            return
        self.place = place
        if self._closed:  # nobody has waited so long
            await self.close()

    async def teardown(self, worker: Any) -> None:
        await self.close()

    async def close(self) -> None:
        self._closed = True
        place, self.place = self.place, None
        if place is not None:
            await asyncio.to_thread(place.close)

    def _prepared(self) -> Place:
        place = lone_place(unpack(self._setup), 0, {})
        place.prepare()
        return place


async def _result(future: Any) -> bytes:
    found: bytes = await future
    return found


def done_there(name: str, key: str, work: bytes, payload: bytes) -> bytes:
    """What becomes of a chunk. Runs in a worker of the cluster."""
    if not name:
        return done_elsewhere(key, work, payload)
    plugin = _dask.get_worker().plugins[name]
    if plugin.error:
        return failure(plugin.error)
    return done_by(plugin.place, partial(work_of, key, work), payload)


def wrong_there(name: str, dask_worker: Any) -> bytes:
    """Why a worker is not prepared, if it is not. Runs in each."""
    error: bytes = dask_worker.plugins[name].error
    return error


async def close_there(name: str, dask_worker: Any) -> bytes:
    """Close what was prepared; the error of that, if there is one. Runs in each worker."""
    try:
        await dask_worker.plugins[name].close()
    except Exception as error:
        return pack_error(error)
    return b""


class _Opening:
    """The cluster, as one opening of a pool uses it; all in the loop of the client. It makes the hands."""

    def __init__(self, client: Any, setup: Setup, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._plugin: _Prepared | None = None
        if setup.prepare is not ABSENT:
            packed = pack_function(setup, f"prepare={named(setup.prepare)}", far=True)
            self._plugin = _Prepared(f"streamkit-{id(self)}", packed)
        self._begun: asyncio.Future[None] | None = None
        self._calls: set[asyncio.Task[Any]] = set()
        self._alone = asyncio.Lock()
        """Held while a call is tried beside which there must be no other."""
        self._beside = 0
        """Calls that the cluster has beside each other."""
        self._quiet = asyncio.Event()
        """Set when it has none."""

    def __call__(self, master: Master, index: int, arguments: Mapping[str, Any]) -> Hand:
        return _ClusterShare(master, index, arguments, self)

    def asked(self, coroutine: Coroutine[Any, Any, Any]) -> Future[Any]:
        """What comes of a coroutine in the loop of the client."""
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._client.loop.asyncio_loop)
        except RuntimeError:  # the client is closed
            coroutine.close()
            raise

    async def begun(self) -> None:
        """Wait until all workers are prepared; whoever comes first has it done."""
        if self._plugin is None:
            return
        if self._begun is None:
            self._begun = asyncio.wrap_future(self.asked(self._prepare(self._plugin)))
        await asyncio.shield(self._begun)

    async def call(self, work: Packed, items: Sequence[Any], payload: bytes) -> bytes | Outcomes:
        """What the cluster says of a call; cancelled, nothing of it is left there."""
        task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        async with self._alone:
            self._beside += 1
            self._quiet.clear()
        try:
            return await self._asked(work, payload)
        except _dask.KilledWorker:
            pass  # it, or another that was to be done by the same worker: the scheduler does not tell
        finally:
            self._beside -= 1
            if not self._beside:
                self._quiet.set()
        async with self._alone:
            await self._quiet.wait()
            return await self._tried(work, items)

    async def _tried(self, work: Packed, items: Sequence[Any]) -> Outcomes:
        """What becomes of `items` that may kill workers, while the cluster has nothing else of ours."""
        try:
            return answered(await self._asked(work, pack_far([*items])))
        except _dask.KilledWorker as error:
            if len(items) == 1:
                lost = WorkerCrashedError(f"the workers of the cluster were lost at {shown(items[0])}")
                lost.__cause__ = error
                return Outcomes([NoResult(lost, items[0])])
        except Unread as unread:
            if len(items) == 1:
                return Outcomes([NoResult(unread.error, items[0])])
        half = len(items) // 2
        first, second = await self._tried(work, items[:half]), await self._tried(work, items[half:])
        return Outcomes([*first, *second], first.seconds + second.seconds)

    async def _asked(self, work: Packed, payload: bytes) -> bytes:
        name = "" if self._plugin is None else self._plugin.name
        future = self._client.submit(done_there, name, work.key, work.data, payload, pure=False)
        try:
            return await self._awaited(future)
        except (asyncio.CancelledError, NoWorkersError):
            await self._client.cancel([future])
            raise
        finally:
            future.release()  # or its error would keep it, and the cluster the task

    async def _awaited(self, future: Any) -> bytes:
        """What comes of `future`; an error where the cluster has no worker for too long."""
        waiting = asyncio.ensure_future(_result(future))
        pause, alone = min(_LOOK, self._timeout / 2), 0.0
        try:
            while not (await asyncio.wait([waiting], timeout=pause))[0]:
                with suppress(OSError):  # the scheduler is gone: the client cancels what it has been given
                    alone = 0.0 if await self._client.nthreads() else alone + pause
                if alone >= self._timeout:
                    raise NoWorkersError(f"the cluster has had no worker for {self._timeout:g} s")
            return waiting.result()
        finally:
            waiting.cancel()

    async def end(self) -> None:
        """Have all workers close what they have prepared, and wait until nothing of it all is left."""
        if self._client.status != "running":
            return  # so it is gone
        future = self.asked(self._end())
        waiting = asyncio.ensure_future(asyncio.wait([asyncio.wrap_future(future)], timeout=self._timeout))
        await ended(waiting)
        if not future.done():
            future.cancel()
            raise WorkerError(f"the workers of the cluster were not closed within {self._timeout:g} s")
        future.result()

    async def _prepare(self, plugin: _Prepared) -> None:
        await self._client.register_plugin(plugin)
        await self._in_each(wrong_there, plugin)

    async def _end(self) -> None:
        if self._calls:
            await asyncio.wait([*self._calls])
        if self._begun is None or self._plugin is None:
            return
        try:
            await self._in_each(close_there, self._plugin)
        finally:
            with suppress(KeyError):  # of a worker that has come right now
                await self._client.unregister_worker_plugin(self._plugin.name)

    async def _in_each(self, function: Callable[..., Any], plugin: _Prepared) -> None:
        """Call `function` in each worker, and raise the error that one has packed."""
        found = await self._client.run(function, plugin.name, on_error="return")
        for packed in found.values():
            if isinstance(packed, bytes) and packed:  # no bytes: that worker was lost meanwhile
                raise unpack_error(packed)


class _ClusterShare(Share):
    """One of the chunks that the cluster has at once."""

    def __init__(self, master: Master, index: int, arguments: Mapping[str, Any], opening: _Opening) -> None:
        super().__init__(master, index, arguments)
        self._opening = opening
        self._starting: asyncio.Future[None] | None = None

    def start(self) -> None:
        self._starting = asyncio.ensure_future(self._start())

    async def _start(self) -> None:
        begun = self.master.loop.time()
        try:
            await self._opening.begun()
        except Exception as error:
            if not self.ending:
                self.master.unprepared(self, error)
        else:
            self.master.prepared(self, self.master.loop.time() - begun)

    def submitted(self, call: Call) -> Future[Any]:
        assert call.work is not None
        return self._opening.asked(self._opening.call(call.work, call.items, call.payload))

    def outcomes(self, future: Future[Any]) -> Any:
        error = None if future.cancelled() else future.exception()
        # what a worker raises comes as bytes: an OSError is of the way there, where an answer was cut off
        if future.cancelled() or isinstance(error, CancelledError | OSError):
            gone = WorkerError(f"the cluster is gone, or has cancelled the call: {error}")
            gone.__cause__ = error
            return gone
        return super().outcomes(future)

    def close(self) -> None:
        self._give_up_start()
        super().close()

    def kill(self) -> bool:
        """A call can be taken back, though not stopped where it has begun."""
        if not self.exited.done():
            self._give_up_start()
            self.ending = True
            self.master.lost(self)
            self.leave()
        return True

    def leave(self) -> bool:
        self._give_up_start()
        return super().leave()

    def abandon(self) -> None:
        for future in self._under_way.values():
            future.cancel()

    def _give_up_start(self) -> None:
        if self._starting is not None and self._starting is not asyncio.current_task():
            self._starting.cancel()


class Dask(Pool):
    """The workers of a Dask cluster, the extra ``streamkit[dask]``.

        from dask.distributed import Client

        with Client("tcp://scheduler:8786") as client:
            digests = Stream(paths) | ops.map(digest, on=Dask(client), chunk=256)
            digests.for_each(store).run()

    What goes there and comes back is bytes: streamkit must be installed there, and what the functions need.
    The scheduler runs a chunk again whose worker was lost, and gives it up where that has happened too often
    (``distributed.scheduler.allowed-failures``, 3 by default). It is then tried with nothing beside it, and
    in halves, until the item that ends workers is alone: a ``WorkerCrashedError`` is the error of that.

    A call that is under way in a thread of the cluster cannot be stopped: cancelled, its result is thrown
    away. Where the cluster has no workers any more, chunks wait until it has some, for `prepare_timeout`.

    Args:
        client: a client that is connected; synchronous, or asynchronous in the same event loop.
        count: how many chunks the cluster is given at once; by default, two for each thread that it has now.
        prepare: called once in each worker of the cluster, also in those that come later. What it returns is
            called with each item where ``on=`` is given without a function, by all threads of that worker;
            closed at the end, as for ``Threads``.
        on_event: called with each `Event`, in the event loop.
        prepare_timeout: seconds that preparing the workers may take, and closing them; and for which the
            cluster may have none.

    Raises:
        TypeError: `client` is no client of Dask's, or another argument has the wrong type.
        ValueError: `count` is less than 1; or it is not given, and the cluster has no threads yet, or the
            client is asynchronous.
    """

    @answering
    def __init__(
        self,
        client: Any,
        count: int | None = None,
        *,
        prepare: Callable[..., Any] | None = None,
        on_event: Callable[[Event], object] | None = None,
        prepare_timeout: float = _PREPARE,
    ) -> None:
        if not isinstance(client, _dask.Client):
            raise TypeError(f"client must be a client of dask.distributed, not {shown(client)}")
        count = _threads(client) * _AHEAD if count is None else whole("count", count, least=1)
        super().__init__(
            Terms(
                setup=Setup(ABSENT if prepare is None else callback("prepare", prepare, waits=False), None),
                arguments=each_argument(None, count),
                most=count,
                prefetch=0,
                on_event=None if on_event is None else callback("on_event", on_event, waits=False),
                timeout=seconds("prepare_timeout", prepare_timeout),
            )
        )
        self._client = client

    async def _over(self, recruit: Any) -> None:
        await recruit.end()

    def _recruiter(self, setup: Setup) -> Recruit:
        return _Opening(self._client, setup, min(self._terms.timeout, LONG))

    def _packed(self, work: Work) -> Packed:
        return pack_work(work, far=True)

    def _payload(self, items: Sequence[Any], work: Packed) -> Any:
        return pack_far([*items])

    async def broadcast(self, function: Callable[..., Any]) -> list[Any]:
        """Not there: the client has `run`, which calls a function in each worker.

        Raises:
            TypeError: whenever it is called.
        """
        raise TypeError("Dask has no broadcast: write client.run(function)")


def _threads(client: Any) -> int:
    """How many threads the cluster has."""
    if client.asynchronous:
        raise ValueError("count must be given with an asynchronous client: how many chunks it gets at once")
    found = sum(client.nthreads().values())
    if not found:
        raise ValueError("count must be given where the cluster has no workers yet: Dask(client, 8)")
    return int(found)
