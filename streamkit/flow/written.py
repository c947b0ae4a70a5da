"""Flows: named jobs under supervision, as users write them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

from streamkit._core.arguments import callback, seconds
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.run.blocking import require_loop, require_no_loop
from streamkit.flow.faults import Tell
from streamkit.flow.handle import FlowHandle
from streamkit.flow.program import run
from streamkit.flow.report import Report
from streamkit.flow.rules import Intensity, Scope
from streamkit.flow.tree import Child, Tree, in_order, name_argument

__all__ = ["Flow"]

_USUAL: Final = Intensity(5, seconds=60.0)


class Flow(Tree):
    """Named jobs, and flows of them, that run side by side and are started again when they fail.

    >>> from streamkit import Stream, ops
    >>> from streamkit.flow import Child, Flow
    >>> answers = iter([ConnectionError("refused"), "hello"])
    >>> def answer(_):
    ...     if isinstance(said := next(answers), Exception):
    ...         raise said
    ...     return said
    >>> flow = Flow(
    ...     Child("greeting", lambda: Stream([1]) | ops.map(answer) | ops.for_each(print), backoff=0.01),
    ...     on_error=lambda fault: print(fault.path, fault.error, fault.action.name),
    ... )
    >>> flow.run().ok
    flow/greeting refused RESTART
    hello
    True

    It ends when each child has ended and is not started again, or when children fail more often than
    `intensity` says: it then stops all of them, and fails with the last error. Each ``await flow``,
    ``flow.run()`` and ``flow.start()`` is a new run, of fresh jobs.

    Args:
        children: in the order in which they are started, but for those that are ``after`` others.
        name: with which paths begin. An inner flow bears the name of its `Child`.
        scope: what else is stopped and started again with a child.
        intensity: how often children are started again.
        on_error: called with each `Fault`, of inner flows that have no `on_error` of their own, too; returns
            at once. Without it, faults are logged to the logger ``streamkit``.

    Raises:
        TypeError: an argument has the wrong type.
        ValueError: two children have one name, one is after a name that there is not, or they are after each
            other in a circle.
    """

    @answering
    def __init__(
        self,
        *children: Child,
        name: str = "flow",
        scope: Scope = Scope.ONE,
        intensity: Intensity = _USUAL,
        on_error: Tell | None = None,
    ) -> None:
        for each in children:
            if not isinstance(each, Child):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
                raise TypeError(f"children must be Child(name, make), not {shown(each)}")
        if not isinstance(scope, Scope):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"scope must be a Scope, such as Scope.ALL, not {shown(scope)}")
        if not isinstance(intensity, Intensity):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"intensity must be Intensity(restarts, seconds=...), not {shown(intensity)}")
        if on_error is not None:
            callback("on_error", on_error, waits=False)
        self._made_of(
            children=in_order(children),
            name=name_argument("name", name),
            scope=scope,
            intensity=intensity,
            on_error=on_error,
        )

    def __await__(self) -> Generator[Any, None, None]:
        return self.start().__await__()

    def start(self) -> FlowHandle:
        """Start all children in the running event loop, and return a handle to await, steer and stop them.

        Raises:
            RuntimeError: no event loop runs in this thread; there, ``flow.run()``.
        """
        require_loop("flow.start()", "flow.run()")
        return FlowHandle(self)

    def run(self, *, deadline: float | None = 10.0) -> Report:
        """Run to the end on an event loop of its own, in this thread, and return how it has ended.

        In the main thread, SIGINT and SIGTERM stop it within `deadline` seconds, as ``handle.stop(deadline)``
        does; a second of them cancels all at once, and a third does what it does to any program. In other
        threads, where Python handles no signals, it runs to its end.

        Args:
            deadline: seconds; None for no limit.

        Raises:
            RunningLoopError: an event loop runs in this thread; there, ``await flow``.
            ValueError: `deadline` is below 0, or not finite.
            Exception: what the flow has failed with.
        """
        require_no_loop("flow.run()", "await flow")
        return run(self, None if deadline is None else seconds("deadline", deadline, positive=False))
