"""Dask: chunks are tasks of a cluster, whose scheduler gives them to its workers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

from dask import distributed

from streamkit._core.arguments import callback, seconds, whole
from streamkit._core.calls import answering
from streamkit._core.errors import WorkerCrashedError, WorkerError
from streamkit._core.markers import ABSENT
from streamkit._core.show import named, shown
from streamkit._core.workers import Work
from streamkit.executors.chunks import Answer, done_by
from streamkit.executors.dispatch import ended
from streamkit.executors.events import Event
from streamkit.executors.functions import Packed, pack_function
from streamkit.executors.futures import Share
from streamkit.executors.hand import Call, Hand, Master
from streamkit.executors.packing import pack, unpack
from streamkit.executors.pool import Pool
from streamkit.executors.remote import Place, Setup, Worker
from streamkit.executors.sending import Unread
from streamkit.executors.staff import Staff
from streamkit.executors.terms import Terms, each_argument

__all__ = ["Dask"]

_PREPARE: Final = 300.0
_AHEAD: Final = 2
"""Chunks for each thread of the cluster, so that none waits for its next."""
_dask: Any = distributed


class _Prepared(_dask.WorkerPlugin):  # type: ignore[misc]
    """Has each worker of the cluster prepared, also those that come later or again."""

    def __init__(self, name: str, setup: bytes) -> None:
        self.name = name
        self._setup = setup
        self.place: Place

    def setup(self, worker: Any) -> None:
        self.place = Place(Worker(0, {}, {}, []), unpack(self._setup))
        self.place.prepare()

    def teardown(self, worker: Any) -> None:
        self.place.close()


def done_there(name: str, key: str, work: bytes, payload: bytes) -> Answer:
    """What becomes of a chunk. Runs in a worker of the cluster."""
    place = _dask.get_worker().plugins[name].place if name else None
    return done_by(place, key, work, payload)


class _Opening:
    """The cluster, as one opening of a pool uses it."""

    def __init__(self, client: Any, setup: Setup) -> None:
        self.executor = client.get_executor(pure=False)
        self.plugin: _Prepared | None = None
        if setup.prepare is not ABSENT:
            packed = pack_function(setup, f"prepare={named(setup.prepare)}")
            self.plugin = _Prepared(f"streamkit-{id(self)}", packed)
        self._client = client
        self._begun: asyncio.Future[Any] | None = None

    async def begun(self) -> None:
        """Wait until all workers are prepared; whoever comes first has it done."""
        if self.plugin is None:
            return
        if self._begun is None:
            self._begun = asyncio.ensure_future(self._told(self._client.register_plugin, self.plugin))
        await self._begun

    async def end(self) -> None:
        """Have all workers close what they have prepared."""
        if self._begun is not None and self.plugin is not None:
            await self._told(self._client.unregister_worker_plugin, self.plugin.name)

    async def _told(self, method: Callable[..., Any], *arguments: Any) -> Any:
        """What a method of the client gives, which waits in a thread, or is awaited in the client's loop."""
        if not self._client.asynchronous:
            return await asyncio.to_thread(method, *arguments)
        made: Awaitable[Any] = method(*arguments)
        return await made


class _ClusterShare(Share):
    """One of the chunks that the cluster has at once."""

    def __init__(self, master: Master, index: int, arguments: Mapping[str, Any], opening: _Opening) -> None:
        super().__init__(master, index, arguments, opening.executor)
        self._opening = opening
        self._starting: asyncio.Future[None] | None = None

    def start(self) -> None:
        self._starting = asyncio.ensure_future(self._start())

    async def _start(self) -> None:
        begun = self.master.loop.time()
        try:
            await self._opening.begun()
        except Exception as error:
            self.master.unprepared(self, error)
        else:
            self.master.prepared(self, self.master.loop.time() - begun)

    def submitted(self, call: Call) -> Future[Any]:
        work = call.work
        assert work is not None
        name = "" if self._opening.plugin is None else self._opening.plugin.name
        data = work.data or b""
        future: Future[Any] = self._executor.submit(done_there, name, work.key, data, call.payload)
        return future

    def outcomes(self, future: Future[Any]) -> Any:
        if future.cancelled():
            return WorkerError("the cluster has cancelled the call, or is gone")
        error = future.exception()
        if isinstance(error, _dask.KilledWorker):
            crashed = WorkerCrashedError(f"the workers of the cluster ended at it: {error}")
            crashed.__cause__ = error
            return Unread(crashed)
        return super().outcomes(future)


class Dask(Pool):
    """The workers of a Dask cluster, the extra ``streamkit[dask]``.

        from dask.distributed import Client

        with Client("tcp://scheduler:8786") as client:
            Stream(paths).pipe(ops.map(decode, on=Dask(client), chunk=256), ops.for_each(store)).run()

    What goes there and comes back is bytes: streamkit must be installed there, and what the functions need.
    The scheduler runs a chunk again whose worker was lost, and gives up one that several workers have died
    of; such a chunk is sent in halves, until the item is alone. A call that is under way in a thread of the
    cluster cannot be stopped: cancelled, its result is thrown away.

    Args:
        client: a client that is connected; synchronous, or asynchronous in the same event loop.
        count: how many chunks the cluster is given at once; by default, two for each thread that it has now.
        prepare: called once in each worker of the cluster, also in those that come later. What it returns is
            called with each item where ``on=`` is given without a function, by all threads of that worker;
            closed at the end, as for ``Threads``.
        on_event: called with each `Event`, in the event loop.
        prepare_timeout: seconds that preparing the workers may take.

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
        self._opening: _Opening | None = None

    async def left(self, staff: Staff, error: BaseException | None) -> None:
        try:
            await super().left(staff, error)
        finally:
            opening = self._opening
            if not staff.users and opening is not None:
                self._opening = None
                closing = asyncio.ensure_future(opening.end())
                await ended(closing)
                closing.result()

    def _recruiter(self, setup: Setup) -> Any:
        opening = self._opening = _Opening(self._client, setup)

        def recruit(master: Master, index: int, arguments: Mapping[str, Any]) -> Hand:
            return _ClusterShare(master, index, arguments, opening)

        return recruit

    def _packed(self, work: Work) -> Packed:
        return Packed(work, pack_function(work, shown(work)))

    def _payload(self, items: Sequence[Any], work: Packed) -> Any:
        return pack(items)

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
