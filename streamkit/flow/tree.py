"""Trees: the named children of a flow as they are written, which depend on each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from streamkit._core.arguments import callback, discard, seconds
from streamkit._core.backoff import Backoff, backoff_argument
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._core.value import Value
from streamkit._engine.face.job import Job
from streamkit.flow.faults import Tell
from streamkit.flow.rules import Intensity, Restart, Scope

__all__ = ["Child", "Tree", "in_order", "name_argument"]

_LASTING: Final = 60.0
_USUAL_BACKOFF: Final = Backoff(1.0)


class Child(Value):
    """A job of a flow, or a flow inside of it, with its name and the rules for it.

    >>> from streamkit import Backoff, Stream, ops
    >>> from streamkit.flow import Child, Restart
    >>> def numbers():
    ...     return Stream([1, 2]) | ops.for_each(print)
    >>> child = Child("numbers", numbers, restart=Restart.PERMANENT, backoff=Backoff(0.5, most=30.0))

    Args:
        name: by which it is found; without ``/``.
        make: called at each start, in the event loop; returns a fresh job. Or a flow.
        restart: whether it is started again when it has ended.
        after: names of children of the same flow that are started before it, and cancelled after it; whose
            items it reads, so that they end before it where there is time.
        backoff: seconds to wait before it is started again, or a ``Backoff``.
        reset_after: if it has run for so many seconds, its next failure counts as the first for `backoff`.
            None for never.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: the name is empty or has a ``/``, it is after itself, or a number is out of range.
    """

    name: str
    make: Callable[[], Job[Any]] | Tree
    restart: Restart
    after: tuple[str, ...]
    backoff: float | Backoff
    reset_after: float | None

    @answering
    def __init__(
        self,
        name: str,
        make: Callable[[], Job[Any]] | Tree,
        *,
        restart: Restart = Restart.TRANSIENT,
        after: Iterable[str] = (),
        backoff: float | Backoff = _USUAL_BACKOFF,
        reset_after: float | None = _LASTING,
    ) -> None:
        if isinstance(make, Job):
            discard(make)  # pyright: ignore[reportUnknownArgumentType] - a job of anything
            raise TypeError("make must be a function that makes the job: write lambda: job")
        if not isinstance(make, Tree):
            callback("make", make, waits=False)
        if not isinstance(restart, Restart):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"restart must be a Restart, such as Restart.PERMANENT, not {shown(restart)}")
        if isinstance(after, str):
            raise TypeError(f"after must be names, as in after=[{after!r}], not {shown(after)}")
        names = tuple([name_argument("after", each) for each in after])
        if name_argument("name", name) in names:
            raise ValueError(f"{name} cannot be after itself")
        if reset_after is not None:
            reset_after = seconds("reset_after", reset_after)
        self._made_of(
            name=name,
            make=make,
            restart=restart,
            after=names,
            backoff=backoff_argument(backoff),
            reset_after=reset_after,
        )


class Tree(Value):
    """What a flow is before it runs: its children, in the order in which they start, and its rules."""

    children: tuple[Child, ...]
    name: str
    scope: Scope
    intensity: Intensity
    on_error: Tell | None


def name_argument(name: str, value: object) -> str:
    """Return `value` if it can be the name of a child."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a text, not {shown(value)}")
    if not value or "/" in value:
        raise ValueError(f"{name} must be a text without '/', and not empty, not {shown(value)}")
    return value


def in_order(children: Sequence[Child]) -> tuple[Child, ...]:
    """`children` as they stand, but each behind those that it is after."""
    names = [child.name for child in children]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two children have the name {name!r}: names must differ")
    for child in children:
        for name in child.after:
            if name not in names:
                raise ValueError(f"{child.name!r} is after {name!r}, which is no child: {', '.join(names)}")
    placed: dict[str, Child] = {}
    while len(placed) < len(names):
        ready = (each for each in children if each.name not in placed and placed.keys() >= {*each.after})
        following = next(ready, None)
        if following is None:
            circle = " and ".join(name for name in names if name not in placed)
            raise ValueError(f"after must make no circle, as {circle} do")
        placed[following.name] = following
    return tuple(placed.values())
