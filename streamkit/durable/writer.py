"""The writer: a sink that stores items, in batches of those that have come meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamkit._core.arguments import callback, seconds, whole
from streamkit._core.contract import Contract
from streamkit._core.delivery import NO_DELIVERY
from streamkit._core.show import shown
from streamkit._core.strategy import Collect
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Sink
from streamkit._engine.plan.link import Inlet
from streamkit._engine.run.run import Run
from streamkit.durable.codec import encoded
from streamkit.durable.messages import Connects, Entry
from streamkit.durable.names import is_text
from streamkit.operators.rate import buffer

__all__ = ["writing"]


async def _stored(run: Run, source: Inlet[Any], *, carrier: Connects, key: Any, delay: Any) -> int:
    """Store each list of items; all of one are stored before the next is asked for."""
    count, tracked = 0, run.tracked
    async with carrier.connect() as connection:
        async for pair in run.open(source):
            delivery, items = pair if tracked else (NO_DELIVERY, pair)
            del pair
            try:
                entries = _entries(carrier, items, key, delay)
                del items
                await connection.append(entries)
            except BaseException as error:
                delivery.fail(error)
                raise
            delivery.settle()
            count += len(entries)
    return count


@stage(
    _stored,
    name="writer",
    pumps=False,
    pairs=lambda arguments: None,
    contract=Contract(result="the number of items"),
)
def _writer(carrier: Connects, *, key: Any, delay: Any) -> Sink[Any, int]:
    return Sink(_writer, carrier=carrier, key=key, delay=delay)


def _entries(
    carrier: Connects,
    items: list[Any],
    key: Callable[[Any], Any] | None,
    delay: float | Callable[[Any], float],
) -> list[Entry]:
    codec = carrier.codec
    if key is None and not callable(delay):
        return [Entry(encoded(codec, item, carrier), None, delay) for item in items]
    return [Entry(encoded(codec, item, carrier), _key(key, item), _delay(delay, item)) for item in items]


def _key(key: Callable[[Any], Any] | None, item: Any) -> str | None:
    if key is None:
        return None
    found = key(item)
    if found is None:
        return None
    if not isinstance(found, str):
        raise TypeError(f"key must return a text, or None, not {shown(found)}")
    if not is_text(found):
        raise ValueError(f"key must return a text without lone surrogates, not {shown(found)}")
    return found


def _delay(delay: float | Callable[[Any], float], item: Any) -> float:
    return seconds("delay", delay(item), positive=False) if callable(delay) else delay


def writing(
    carrier: Connects,
    *,
    batch: int,
    key: Callable[[Any], str | None] | None,
    delay: float | Callable[[Any], float],
) -> Sink[Any, int]:
    """The sink, when its arguments were checked."""
    if key is not None:
        callback("key", key, waits=False)
    if callable(delay):
        callback("delay", delay, waits=False)
    else:
        delay = seconds("delay", delay, positive=False)
    collected: Any = buffer(Collect(whole("batch", batch, least=1)))
    sink: Sink[Any, int] = collected | _writer(carrier, key=key, delay=delay)
    return sink
