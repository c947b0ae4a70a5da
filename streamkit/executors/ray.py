"""Ray: workers that are its actors, on one machine or on a cluster."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from secrets import token_hex
from threading import Lock, Thread
from time import perf_counter
from typing import Any, Final

import ray  # pyright: ignore[reportMissingTypeStubs]

from streamkit._core.calls import answering
from streamkit._core.errors import WorkerError
from streamkit._core.on_error import Retry
from streamkit._core.show import named, shown
from streamkit._core.workers import Work
from streamkit.executors.chunks import Answer, answered, done_by
from streamkit.executors.dispatch import ended
from streamkit.executors.events import Event
from streamkit.executors.functions import Packed, pack_function
from streamkit.executors.hand import Call, Hand, Master, loop_hears
from streamkit.executors.packing import pack, pack_error, unpack, unpack_error
from streamkit.executors.pool import Pool
from streamkit.executors.remote import Hooks, Place, Setup, Worker
from streamkit.executors.staff import Staff
from streamkit.executors.terms import on_crash_argument, terms

__all__ = ["Ray"]

_PREPARE: Final = 300.0
_AGAIN: Final = Retry(2)
_MODE: Final = "RAY_AUTH_MODE"
_TOKEN: Final = "RAY_AUTH_TOKEN"
_ray: Any = ray


class _Cluster:
    """Ray, as one pool uses it: that which runs, or one that is started for it on this machine."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._lock = Lock()
        self._ours: dict[str, str | None] | None = None
        """What stood in the environment before, if it was started here."""

    def start(self) -> None:
        """Have Ray run; in a thread, of which several may come at once."""
        with self._lock:
            if _ray.is_initialized():
                return
            self._ours = {name: os.environ.get(name) for name in (_MODE, _TOKEN)}
            os.environ[_MODE] = "token"
            os.environ.setdefault(_TOKEN, token_hex(32))
            _ray.init(
                address="local",
                num_cpus=max(self._workers, os.cpu_count() or 1),
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
                _node_ip_address="127.0.0.1",
            )

    def stop(self) -> None:
        """End it, if it was started here."""
        with self._lock:
            before, self._ours = self._ours, None
            if before is None:
                return
            _ray.shutdown()
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


class _Actor:
    """What runs in a worker of Ray's."""

    def __init__(self, index: int, setup: bytes) -> None:
        made, arguments = unpack(setup)
        worker = Worker(index, arguments, {}, [])
        self._place = Place(worker, made)

    def prepare(self) -> tuple[int, bytes]:
        """Its process, and the error of preparing it, if there is one."""
        try:
            self._place.prepare()
        except Exception as error:
            return os.getpid(), pack_error(error)
        return os.getpid(), b""

    def done(self, key: str, work: bytes, payload: bytes) -> Answer:
        return done_by(self._place, key, work, payload)

    def tell(self, function: bytes) -> tuple[bool, bytes]:
        try:
            return True, pack(self._place.tell(unpack(function)))
        except Exception as error:
            return False, pack_error(error)

    def close(self) -> bytes:
        try:
            self._place.close()
        except Exception as error:
            return pack_error(error)
        return b""


class _ActorHand(Hand):
    """An actor. Its calls come back in the order in which they were made."""

    def __init__(
        self,
        master: Master,
        index: int,
        arguments: Mapping[str, Any],
        setup: bytes,
        options: dict[str, Any],
        cluster: _Cluster,
    ) -> None:
        super().__init__(master, index, arguments)
        self._cluster = cluster
        self._setup = setup
        self._options = options
        self._actor: Any = None
        self._calls: dict[Call, Any] = {}
        self._begun = 0.0

    def start(self) -> None:
        # in a thread: where Ray does not run yet, it takes seconds to start
        Thread(target=self._begin, name=f"streamkit start {self.index}", daemon=True).start()

    def _begin(self) -> None:
        error: Exception | None = None
        actor: Any = None
        try:
            self._cluster.start()
            actor = _ray.remote(_Actor).options(**self._options).remote(self.index, self._setup)
        except Exception as failed:
            error = failed
        loop_hears(self.master.loop, self._started, actor, error)

    def _started(self, actor: Any, error: Exception | None) -> None:
        self._actor = actor
        if error is not None:
            if not self.ending:
                self.master.unprepared(self, error)
            self._gone(None)
        elif self.ending:
            _ray.kill(actor)
            self._gone(None)
        else:
            self._begun = perf_counter()
            self._await(actor.prepare.remote(), self._prepared)

    def _prepared(self, found: Any, error: BaseException | None) -> None:
        if self.exited.done() or self.ending:
            return
        if error is not None:
            self._lost()
            return
        self.pid, packed = found
        if packed:
            self.master.unprepared(self, unpack_error(packed))
        else:
            self.master.prepared(self, perf_counter() - self._begun)

    def give(self, call: Call) -> None:
        if call.work is None:
            reference = self._actor.tell.remote(call.payload)
        else:
            reference = self._actor.done.remote(call.work.key, call.work.data, call.payload)
        self._calls[call] = reference

        def answer(found: Any, error: BaseException | None) -> None:
            self._answer(call, found, error)

        self._await(reference, answer)

    def _answer(self, call: Call, found: Any, error: BaseException | None) -> None:
        if self._calls.pop(call, None) is None:
            return  # it was lost, as its master has heard
        if isinstance(error, _ray.exceptions.TaskCancelledError):
            self.master.dropped(self, call)
        elif isinstance(error, _ray.exceptions.RayActorError):
            self._lost()
        elif error is not None:
            failed = WorkerError(f"Ray has failed: {error}")
            failed.__cause__ = error
            self.master.done(self, call, failed, 0.0, 0)
        else:
            outcomes, seconds = _outcomes(call, found)
            self.master.done(self, call, outcomes, seconds, 0)

    def stop(self, call: Call, *, first: bool) -> None:
        if first:
            self.kill()
        else:
            _ray.cancel(self._calls[call])

    def close(self) -> None:
        if not self.ending:
            self.ending = True
            if self._actor is not None:
                self._await(self._actor.close.remote(), self._closed)

    def _closed(self, packed: bytes, error: BaseException | None) -> None:
        late = unpack_error(packed) if error is None and packed else None
        _ray.kill(self._actor)
        self._gone(late)

    def kill(self) -> bool:
        self.ending = True
        if self._actor is not None and not self.exited.done():
            _ray.kill(self._actor)
            self._lost()
        return True

    def _lost(self) -> None:
        if not self.exited.done():
            self._calls.clear()
            self.master.lost(self)
            self._gone(None)

    def _gone(self, error: Exception | None) -> None:
        if not self.exited.done():
            self.exited.set_result(None)
            self.master.gone(self, error)

    def _await(self, reference: Any, then: Callable[[Any, BaseException | None], None]) -> None:
        """Call `then` in the event loop with what comes of `reference`."""

        def come(future: Future[Any]) -> None:
            error = future.exception()
            loop_hears(self.master.loop, then, None if error else future.result(), error)

        reference.future().add_done_callback(come)


def _outcomes(call: Call, found: Any) -> tuple[Any, float]:
    """What an actor says became of a call, and how long it took."""
    try:
        if call.work is None:
            fine, packed = found
            return (unpack(packed) if fine else unpack_error(packed)), 0.0
        return answered(found), found[2]
    except Exception as failed:
        return failed, 0.0


class Ray(Pool):
    """Workers that are actors of Ray, the extra ``streamkit[ray]``.

        async with Ray(8, prepare=Model, options={"num_gpus": 1}) as pool:
            await (Stream(photos) | ops.map(on=pool, chunk=64) | ops.for_each(store))

    Where Ray runs already (``ray.init()`` was called), its cluster is used. Otherwise the pool starts Ray on
    this machine, with a token that only this program has, and stops it when it is closed.

    A worker that is lost costs its call, which is sent again as for ``Processes``. What goes there and comes
    back is bytes: streamkit must be installed there, and what the functions need.

    Args:
        count: how many actors.
        prepare: called once in each, with its arguments of `each`; as for ``Processes``.
        each: the arguments for `prepare`, a mapping for each worker.
        spare: actors that stand prepared beside them.
        on_crash: how often a chunk is sent again whose worker was lost; None to fail.
        hooks: what is called around it all.
        most: as many workers as there may be, with ``add_worker``; by default, `count`.
        prefetch: chunks that a worker may have beside the one that it works at.
        on_event: called with each `Event`, in the event loop.
        prepare_timeout: seconds that preparing a worker may take, and closing it.
        options: what each actor needs, as Ray's ``options`` take it, such as ``{"num_cpus": 2}``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: `count` is less than 1, or another number is out of range.
    """

    @answering
    def __init__(
        self,
        count: int,
        *,
        prepare: Callable[..., Any] | None = None,
        each: Sequence[Mapping[str, Any]] | None = None,
        spare: int = 0,
        on_crash: Retry | None = _AGAIN,
        hooks: Hooks | None = None,
        most: int | None = None,
        prefetch: int = 1,
        on_event: Callable[[Event], object] | None = None,
        prepare_timeout: float = _PREPARE,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        made = terms(count, prepare, each, hooks, most, prefetch, on_event, prepare_timeout)
        super().__init__(made.but(spare=spare, on_crash=on_crash_argument(on_crash)))
        self._options = {"num_cpus": 1, **(options or {}), "max_restarts": 0}
        self._cluster = _Cluster(self._terms.most + spare)

    async def left(self, staff: Staff, error: BaseException | None) -> None:
        try:
            await super().left(staff, error)
        finally:
            if not staff.users:
                await ended(asyncio.ensure_future(asyncio.to_thread(self._cluster.stop)))

    def _recruiter(self, setup: Setup) -> Any:
        what = "hooks" if not callable(setup.prepare) else f"prepare={named(setup.prepare)}"

        def recruit(master: Master, index: int, arguments: Mapping[str, Any]) -> Hand:
            sent = pack_function((setup, arguments), f"{what} with {shown(arguments)}")
            return _ActorHand(master, index, arguments, sent, self._options, self._cluster)

        return recruit

    def _packed(self, work: Work) -> Packed:
        return Packed(work, pack_function(work, shown(work)))

    def _payload(self, items: Sequence[Any], work: Packed) -> Any:
        return pack(items)

    def _function(self, function: Callable[..., Any]) -> Any:
        return pack_function(function, named(function))
