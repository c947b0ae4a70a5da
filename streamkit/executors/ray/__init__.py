"""Ray: workers that are its actors, on one machine or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from streamkit._core.arguments import mapping, whole
from streamkit._core.calls import answering
from streamkit._core.on_error import Retry
from streamkit._core.show import named
from streamkit._core.workers import Work
from streamkit.executors.dispatch import ended
from streamkit.executors.events import Event
from streamkit.executors.functions import Packed, pack_function, pack_work
from streamkit.executors.packing import pack_far
from streamkit.executors.pool import Pool
from streamkit.executors.ray.actor import Opening
from streamkit.executors.ray.cluster import apart
from streamkit.executors.remote import Hooks, Setup
from streamkit.executors.staff import Recruit
from streamkit.executors.terms import on_crash_argument, terms

__all__ = ["Ray"]

_PREPARE: Final = 300.0
_AGAIN: Final = Retry(2)


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
        super().__init__(made.but(spare=whole("spare", spare, least=0), on_crash=on_crash_argument(on_crash)))
        self._options = {} if options is None else dict(mapping("options", options))

    async def _over(self, recruit: Any) -> None:
        closing = apart(recruit.end)
        await ended(closing)
        closing.result()

    def _recruiter(self, setup: Setup) -> Recruit:
        return Opening(setup, self._options)

    def _packed(self, work: Work) -> Packed:
        return pack_work(work, far=True)

    def _payload(self, items: Sequence[Any], work: Packed) -> Any:
        return pack_far([*items])

    def _function(self, function: Callable[..., Any]) -> Any:
        return pack_function(function, named(function), far=True)
