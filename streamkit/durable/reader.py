"""The reader: a stream of what a carrier hands out to one group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamkit._core.arguments import callback, flag, seconds, whole
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.tracked import Tracked
from streamkit.durable.events import Event, log
from streamkit.durable.ledger import CarrierLedger
from streamkit.durable.messages import Connects
from streamkit.durable.names import named
from streamkit.durable.reading import Reading

__all__ = ["opened_reader"]

_DELIVERIES = 5
"""How often a message is handed out where there are dead letters, and nothing else was said."""

_OPEN = 4
"""How many batches may be open: one is read ahead, and a writer of such batches holds two."""


def opened_reader(
    carrier: Connects,
    *,
    group: str,
    batch: int,
    lease: float,
    max_deliveries: int | None,
    dead_letters: Connects | None,
    prefetch: int | None,
    messages: bool,
    on_event: Callable[[Event], object] | None,
) -> Stream[Any]:
    """The stream, when its arguments were checked."""
    batch = whole("batch", batch, least=1)
    if on_event is not None:
        callback("on_event", on_event, waits=False)
    if dead_letters is not None and not callable(getattr(dead_letters, "connect", None)):
        raise TypeError(
            f"dead_letters must be a carrier, such as SQLite(path, name), not {shown(dead_letters)}"
        )
    if dead_letters is not None and dead_letters == carrier:
        raise ValueError(f"dead_letters must be another carrier than {carrier!r} itself")
    if max_deliveries is not None:
        max_deliveries = whole("max_deliveries", max_deliveries, least=1)
        if dead_letters is None:
            raise ValueError(
                "max_deliveries needs dead_letters, where a message goes that was handed out so often"
            )
    elif dead_letters is not None:
        max_deliveries = _DELIVERIES
    reading = Reading(
        carrier=carrier,
        group=group_argument(group),
        batch=batch,
        lease=seconds("lease", lease),
        prefetch=_OPEN * batch if prefetch is None else whole("prefetch", prefetch, least=1),
        max_deliveries=max_deliveries,
        dead_letters=dead_letters,
        messages=flag("messages", messages),
        tell=log if on_event is None else on_event,
    )
    return Stream(
        Tracked(f"{carrier!r}.reader", (), lambda: CarrierLedger(reading), reading.prefetch, group=group)
    )


def group_argument(group: str) -> str:
    """Return `group` if it is the name of one."""
    return named("group", "group", group)
