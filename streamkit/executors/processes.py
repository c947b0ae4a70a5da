"""Processes: workers that share nothing, use all processors, and may be killed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.context import BaseContext
from typing import Any, Final

from streamkit._core.arguments import whole
from streamkit._core.calls import answering
from streamkit._core.on_error import Retry
from streamkit._core.show import named, shown
from streamkit._core.workers import Work
from streamkit.executors.child import Child
from streamkit.executors.events import Event
from streamkit.executors.functions import Packed, pack_function, pack_work
from streamkit.executors.hand import Hand, Master
from streamkit.executors.memory import is_measured
from streamkit.executors.packing import pack
from streamkit.executors.pool import Pool
from streamkit.executors.remote import Hooks, Setup
from streamkit.executors.terms import on_crash_argument, terms

__all__ = ["Processes"]

_PREPARE: Final = 300.0
_AGAIN: Final = Retry(2)


class Processes(Pool):
    """Workers that are processes: each uses a processor of its own, and its crash costs its own call only.

    >>> from streamkit.executors import Processes
    >>> Processes(4, spare=1).limit.value
    8

    Items and results are pickled, and so is the function: it has a name in a module, or ``cloudpickle`` is
    installed (``streamkit[cloudpickle]``). Processes are never forked from this one. A script that opens a
    pool does so under ``if __name__ == "__main__":``, because each process imports it.

    Args:
        count: how many.
        prepare: called once in each, with its arguments of `each`. What it returns is called with each item
            where ``on=`` is given without a function. At the end its ``close`` is called, or it is left if it
            is a context manager.
        each: the arguments for `prepare`, a mapping for each worker.
        spare: how many more stand prepared, so that one takes the place of a worker that is lost at once;
            so many for each of the different arguments in `each`.
        on_crash: what becomes of a call whose worker is lost. ``Retry(2)``: an item is sent once more. If its
            worker is lost again, a ``WorkerCrashedError`` is its error. A chunk is sent again in halves,
            until the item that kills workers is alone. None: the error is raised at once.
        hooks: what is called around it all.
        most: as many workers as there may be, with ``add_worker``; by default, `count`.
        prefetch: chunks that a worker may have at most beside the one that it works at: where they take less
            than 20 ms one, and more where they are so quick that it would wait for the next, as many as
            take 2 ms. ``limit.value`` follows that; ``explain()`` counts with the most.
        recycle_after: items after which a worker is replaced by a new one, between two chunks.
        memory_limit: bytes; a worker that has needed more is replaced by a new one, between two chunks.
        on_event: called with each `Event`, in the event loop.
        prepare_timeout: seconds that starting and preparing a worker may take, and closing it.
        context: that of ``multiprocessing.get_context("spawn")``, which is the default, or ``"forkserver"``.
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
        prefetch: int = 15,
        recycle_after: int | None = None,
        memory_limit: int | None = None,
        on_event: Callable[[Event], object] | None = None,
        prepare_timeout: float = _PREPARE,
        context: BaseContext | None = None,
    ) -> None:
        made = terms(count, prepare, each, hooks, most, prefetch, on_event, prepare_timeout)
        if memory_limit is not None and not is_measured():
            raise ValueError(
                "memory_limit must not be given here: this system does not say what a process needs"
            )
        super().__init__(
            made.but(
                spare=whole("spare", spare, least=0),
                on_crash=on_crash_argument(on_crash),
                recycle_after=None
                if recycle_after is None
                else whole("recycle_after", recycle_after, least=1),
                memory_limit=None if memory_limit is None else whole("memory_limit", memory_limit, least=1),
            )
        )
        self._context = _context(context)

    def _recruiter(self, setup: Setup) -> Any:
        what = "hooks" if not callable(setup.prepare) else f"prepare={named(setup.prepare)}"
        plain = pack_function((setup, {}), what)

        def recruit(master: Master, index: int, arguments: Mapping[str, Any]) -> Hand:
            words = f"{what} with {shown(arguments)}"
            sent = pack_function((setup, arguments), words) if arguments else plain
            return Child(master, index, arguments, self._context, sent)

        return recruit

    def _packed(self, work: Work) -> Packed:
        return pack_work(work)

    def _payload(self, items: Sequence[Any], work: Packed) -> Any:
        return pack([*items])  # a plain list: the fastest to pickle

    def _function(self, function: Callable[..., Any]) -> Any:
        return pack_function(function, named(function))


def _context(value: BaseContext | None) -> BaseContext:
    if value is None:
        return multiprocessing.get_context("spawn")
    # not every program is type checked, so this may be false
    if not isinstance(value, BaseContext):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f'context must be that of multiprocessing.get_context("spawn"), not {shown(value)}')
    if value.get_start_method() == "fork":
        raise ValueError(
            'context must be that of "spawn" or "forkserver": '
            "a process that is forked from one with threads may hang"
        )
    return value
