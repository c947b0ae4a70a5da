"""The operator that cuts a pipe in two, which meet in a carrier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamkit._core.arguments import discard
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._stages.hop import Hop, Store

__all__ = ["through"]


@answering
def through(
    carrier: Store,
    *,
    group: str,
    batch: int = 100,
    key: Callable[[Any], str | None] | None = None,
    delay: float | Callable[[Any], float] = 0.0,
    lease: float = 30.0,
    max_deliveries: int | None = None,
    dead_letters: Any = None,
    prefetch: int | None = None,
    on_event: Callable[[Any], object] | None = None,
) -> Hop:
    """Cut the pipe in two, which meet in a carrier: ``carrier.writer(), carrier.reader(group=group)``.

        items              --a--b--|
        through(inbox)     ---a--b------

    >>> import tempfile
    >>> from streamkit import Stream, ops
    >>> from streamkit.durable import Json, SQLite
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     inbox = SQLite(f"{directory}/jobs.db", "inbox", codec=Json())
    ...     doubled = [1, 2, 3] | ops.through(inbox, group="double") | ops.map(lambda number: 2 * number)
    ...     (doubled | ops.take(3) | ops.for_each(print)).run()
    2
    4
    6

    Awaited, the job runs both sides in one process. ``before, after = cut(job)`` makes two jobs of it, which
    run in processes of their own, and are started again independently of each other.

    Emits when: the carrier hands out an item.
    Waits when: the carrier has none, or the consumer does; what is before it does not wait for that.
    Completes when: never by itself, as ``carrier.reader``: there may be more at any time.
    Closes when: the consumer leaves; what is before it is cancelled first. What was stored stays.

    Args:
        carrier: where the items are kept, such as ``SQLite("jobs.db", "inbox")``.
        group: who reads.
        batch: how many items are stored, and claimed, at once, at most.
        key: called with each item, as for ``carrier.writer``.
        delay: seconds before an item is handed out, as for ``carrier.writer``.
        lease: seconds after which others are handed out what this process has, if it has died.
        max_deliveries: how often a message is handed out before it goes to the dead letters.
        dead_letters: another carrier, for messages that fail over and over, or do not decode.
        prefetch: how many messages may be open at once; four times `batch`, if it is not given.
        on_event: called with what the reader tells besides, as for ``carrier.reader``.

    Raises:
        TypeError: `carrier` is none, or another argument has the wrong type.
        ValueError: an argument is out of range.
    """
    if isinstance(carrier, type) or not (
        callable(getattr(carrier, "writer", None)) and callable(getattr(carrier, "reader", None))
    ):
        discard(carrier)
        raise TypeError(f"carrier must be a carrier, such as SQLite(path, name), not {shown(carrier)}")
    writing: dict[str, Any] = {"batch": batch, "key": key, "delay": delay}
    said = {
        "lease": (lease, 30.0),
        "max_deliveries": (max_deliveries, None),
        "dead_letters": (dead_letters, None),
        "prefetch": (prefetch, None),
        "on_event": (on_event, None),
    }
    options: dict[str, Any] = {"group": group, "batch": batch}
    options |= {name: value for name, (value, default) in said.items() if value is not default}
    carrier.writer(**writing)  # both check their arguments
    carrier.reader(**options)
    return Hop(carrier, writing, options)
