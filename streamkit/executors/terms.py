"""Terms: what was said of a pool when it was made, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streamkit._core.arguments import callback, mapping, seconds, whole
from streamkit._core.markers import ABSENT, Absent
from streamkit._core.on_error import Retry
from streamkit._core.show import shown
from streamkit._core.value import Record
from streamkit.executors.events import Event
from streamkit.executors.remote import Hooks, Setup

__all__ = ["Terms", "each_argument", "on_crash_argument", "terms"]


class Terms(Record):
    """What was said of a pool."""

    setup: Setup
    arguments: tuple[Mapping[str, Any], ...]
    """Those of each worker at the beginning."""
    most: int
    prefetch: int
    on_event: Callable[[Event], object] | None
    timeout: float
    """Seconds that preparing may take, and closing."""
    spare: int = 0
    on_crash: Retry | None = None
    recycle_after: int | None = None
    memory_limit: int | None = None


def terms(
    count: int,
    prepare: Callable[..., Any] | None,
    each: Sequence[Mapping[str, Any]] | None,
    hooks: Hooks | None,
    most: int | None,
    prefetch: int,
    on_event: Callable[[Event], object] | None,
    prepare_timeout: float,
) -> Terms:
    """What all pools with workers of their own are told."""
    count = whole("count", count, least=1)
    made: Callable[..., Any] | Absent = (
        ABSENT if prepare is None else callback("prepare", prepare, waits=False)
    )
    # not every program is type checked, so this may be false
    if hooks is not None and not isinstance(hooks, Hooks):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"hooks must be an instance of a subclass of Hooks, not {shown(hooks)}")
    arguments = each_argument(each, count)
    if made is ABSENT and any(arguments):
        raise TypeError("each must not be given without prepare, which is called with them")
    return Terms(
        setup=Setup(made, hooks),
        arguments=arguments,
        most=count if most is None else whole("most", most, least=count),
        prefetch=whole("prefetch", prefetch, least=0),
        on_event=None if on_event is None else callback("on_event", on_event, waits=False),
        timeout=seconds("prepare_timeout", prepare_timeout),
    )


def each_argument(each: Sequence[Mapping[str, Any]] | None, count: int) -> tuple[Mapping[str, Any], ...]:
    """The arguments for each of so many workers."""
    if each is None:
        nothing: Mapping[str, Any] = {}
        return (nothing,) * count
    found = [dict(mapping("each of each", one)) for one in each]
    for one in found:
        if not all(isinstance(name, str) for name in one):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"each must have mappings from names of arguments, not {shown(one)}")
    if len(found) != count:
        raise ValueError(f"each must have the arguments of {count} workers, not {len(found)}")
    return tuple(found)


def on_crash_argument(value: Retry | None) -> Retry | None:
    """Return the argument ``on_crash`` if it says how often a chunk is sent again."""
    # not every program is type checked, so this may be false
    if value is not None and not isinstance(value, Retry):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"on_crash must be Retry(...) or None, not {shown(value)}")
    if value is not None and (value.then is not None or value.errors is not Exception):
        raise ValueError(
            "on_crash must have attempts and backoff only: "
            "on_error= of the operator says what then becomes of the item"
        )
    return value
