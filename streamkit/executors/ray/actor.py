"""Actors: hands that are workers of Ray."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from threading import Event, Lock, Thread
from time import perf_counter
from typing import Any, Final

from streamkit._core.errors import WorkerError
from streamkit._core.show import named, shown
from streamkit._core.workers import Outcomes
from streamkit.executors.chunks import answered, done_by
from streamkit.executors.functions import Packed, pack_function
from streamkit.executors.hand import Call, Hand, Master, loop_hears
from streamkit.executors.packing import pack, pack_error, unpack, unpack_error
from streamkit.executors.ray.cluster import cluster, engine
from streamkit.executors.remote import KnownWork, Place, Setup, lone_place

__all__ = ["Opening"]

_LIFE: Final = "life"
"""The calls that wait in an actor as long as it lives, beside the work."""
_LOST: Final = (
    engine.exceptions.RayActorError,
    engine.exceptions.ObjectLostError,
    engine.exceptions.OutOfMemoryError,
)
"""What a call ends with whose actor is lost, or may be."""


class _Actor:
    """What runs in a worker of Ray's."""

    def __init__(self, index: int, setup: bytes) -> None:
        self._index = index
        self._setup = setup
        self._place: Place | None = None
        self._known = KnownWork()

    @engine.method(concurrency_group=_LIFE)  # type: ignore[untyped-decorator]
    def stays(self) -> None:
        """Wait as long as it lives."""
        Event().wait()

    def prepare(self) -> tuple[int, bytes]:
        """Its process, and the error of preparing it, if there is one."""
        try:
            setup, arguments = unpack(self._setup)
            self._place = lone_place(setup, self._index, arguments)
            self._place.prepare()
        except Exception as error:
            return os.getpid(), pack_error(error)
        return os.getpid(), b""

    def learn(self, number: int, work: bytes) -> None:
        self._known.learn(number, work)

    def forget(self, number: int) -> None:
        self._known.forget(number)

    def done(self, number: int, payload: bytes) -> bytes:
        return done_by(self._place, partial(self._known.work, number), payload)

    def seat(self, index: int) -> None:
        self._here.seat(index)

    def tell(self, function: bytes) -> tuple[bool, bytes]:
        try:
            return True, pack(self._here.tell(unpack(function)))
        except Exception as error:
            return False, pack_error(error)

    @property
    def _here(self) -> Place:
        assert self._place is not None
        return self._place

    def close(self) -> bytes:
        try:
            if self._place is not None:
                self._place.close()
        except Exception as error:
            return pack_error(error)
        return b""


class Opening:
    """Ray, as one opening of a pool uses it. It makes the hands."""

    def __init__(self, setup: Setup, options: Mapping[str, Any]) -> None:
        self._setup = setup
        self._options = options
        self._lock = Lock()
        self._ours: bool | None = None
        """Whether Ray was started here; None if it was not asked for yet."""

    def __call__(self, master: Master, index: int, arguments: Mapping[str, Any]) -> Hand:
        setup = self._setup
        what = "hooks" if not callable(setup.prepare) else f"prepare={named(setup.prepare)}"
        return _ActorHand(
            master,
            index,
            arguments,
            pack_function((setup, arguments), f"{what} with {shown(arguments)}", far=True),
            self,
        )

    def actor(self, index: int, setup: bytes) -> Any:
        """A new actor, when Ray runs."""
        with self._lock:
            if self._ours is None:
                self._ours = cluster.enter()
        if not any(node["Alive"] for node in engine.nodes()):
            raise WorkerError("Ray has no node any more that is alive: its raylet is gone")
        # where we have started it, nobody else needs its processors: there are as many as were asked for
        options = {"num_cpus": 0 if self._ours else 1, **self._options, "max_restarts": 0}
        made = engine.remote(concurrency_groups={_LIFE: 1})(_Actor)
        return made.options(**options).remote(index, setup)

    def end(self) -> None:
        """Ray is needed no more."""
        with self._lock:
            if self._ours is not None:
                self._ours = None
                cluster.leave()


class _ActorHand(Hand):
    """An actor. Its calls come back in the order in which they were made."""

    def __init__(
        self, master: Master, index: int, arguments: Mapping[str, Any], setup: bytes, opening: Opening
    ) -> None:
        super().__init__(master, index, arguments)
        self._setup = setup
        self._opening = opening
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
            actor = self._opening.actor(self.index, self._setup)
        except Exception as failed:
            error = failed
        if not loop_hears(self.master.loop, self._started, actor, error):
            self._end(actor)

    def _started(self, actor: Any, error: Exception | None) -> None:
        self._actor = actor
        if error is not None:
            if not self.ending:
                self.master.unprepared(self, error)
            self._gone(None)
        elif self.ending:
            self._end(actor)
            self._gone(None)
        else:
            self._begun = perf_counter()
            self._await(actor.prepare.remote(), self._prepared)
            for work in self.master.works.values():
                self.learn(work)
            self._await(actor.stays.remote(), self._left)

    def _prepared(self, found: Any, error: BaseException | None) -> None:
        if self.exited.done() or self.ending:
            return
        if isinstance(error, _LOST):
            self._lost()
        elif error is not None:
            self.master.unprepared(self, _failed(error))
        else:
            self.pid, packed = found
            if packed:
                self.master.unprepared(self, unpack_error(packed))
            else:
                self.master.prepared(self, perf_counter() - self._begun)

    def _left(self, found: Any, error: BaseException | None) -> None:
        """It stays no more, which is how an actor is missed that had nothing to do."""
        self._lost()

    def give(self, call: Call) -> None:
        if self.exited.done():
            return  # it was lost, as its master has heard
        if call.work is None:
            reference = self._actor.tell.remote(call.payload)
        else:
            reference = self._actor.done.remote(call.work.number, call.payload)
        self._calls[call] = reference

        def answer(found: Any, error: BaseException | None) -> None:
            self._answer(call, found, error)

        self._await(reference, answer)

    def _answer(self, call: Call, found: Any, error: BaseException | None) -> None:
        if isinstance(error, _LOST):
            self._lost()
        elif self._calls.pop(call, None) is None:
            return  # it was lost, as its master has heard
        elif isinstance(error, engine.exceptions.TaskCancelledError):
            self.master.dropped(self, call)
        elif error is not None:
            self.master.done(self, call, _failed(error), 0.0, 0)
        else:
            outcomes = _outcomes(call, found)
            seconds = outcomes.seconds if isinstance(outcomes, Outcomes) else 0.0
            self.master.done(self, call, outcomes, seconds, 0)

    def stop(self, call: Call, *, first: bool) -> None:
        if first:
            self.kill()
        elif call in self._calls:
            engine.cancel(self._calls[call])

    def close(self) -> None:
        if not self.ending:
            self.ending = True
            if self._actor is not None:
                self._await(self._actor.close.remote(), self._closed)

    def _closed(self, packed: bytes, error: BaseException | None) -> None:
        if not self.exited.done():
            self._end(self._actor)
            self._gone(unpack_error(packed) if error is None and packed else None)

    def kill(self) -> bool:
        self.ending = True
        if self._actor is not None:
            self._lost()
        return True

    def seat(self, index: int) -> None:
        super().seat(index)
        self._actor.seat.remote(index)

    def learn(self, work: Packed) -> None:
        if self._actor is not None:
            self._actor.learn.remote(work.number, work.data)

    def forget(self, work: Packed) -> None:
        if self._actor is not None:
            self._actor.forget.remote(work.number)

    def abandon(self) -> None:
        self._end(self._actor)
        Thread(target=self._opening.end, name="streamkit ray", daemon=True).start()

    def _lost(self) -> None:
        if not self.exited.done():
            self._end(self._actor)
            self._calls.clear()
            self.master.lost(self)
            self._gone(None)

    def _gone(self, error: Exception | None) -> None:
        self.exited.set_result(None)
        self.master.gone(self, error)

    def _end(self, actor: Any) -> None:
        """Have nothing left of an actor, dead or alive."""
        if actor is not None and engine.is_initialized():
            engine.kill(actor)

    def _await(self, reference: Any, then: Callable[[Any, BaseException | None], None]) -> None:
        """Call `then` in the event loop with what comes of `reference`."""

        def come(future: Future[Any]) -> None:
            error = future.exception()
            loop_hears(self.master.loop, then, None if error else future.result(), error)

        reference.future().add_done_callback(come)


def _failed(error: BaseException) -> WorkerError:
    failed = WorkerError(f"Ray has failed: {error}")
    failed.__cause__ = error
    return failed


def _outcomes(call: Call, found: Any) -> Any:
    """What an actor says became of a call."""
    try:
        if call.work is None:
            fine, packed = found
            return unpack(packed) if fine else unpack_error(packed)
        return answered(found)
    except Exception as failed:
        return failed
