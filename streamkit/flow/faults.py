"""Faults: what has failed in a flow, and where: flow, job, operator and item."""

from __future__ import annotations

import ast
import linecache
import logging
import re
from asyncio import CancelledError
from collections.abc import Callable
from enum import Enum
from itertools import islice
from types import FrameType, TracebackType
from typing import Any, Final

from streamkit._core.arguments import at_once
from streamkit._core.awaiting import pending
from streamkit._core.errors import attach, notes
from streamkit._core.show import shown
from streamkit._core.value import Record
from streamkit._engine.compile.loop import NAMED

__all__ = ["Action", "Fault", "Tell", "fault_of", "tell"]

_BLAMED: Final = re.compile(r"in (.+) at (.+:\d+)", re.DOTALL)
"""The note of an error that came out of a callback: law 4."""
_UNKNOWN: Final = object()
_LOGGER: Final = logging.getLogger("streamkit")


class Action(Enum):
    """What a flow does about a fault."""

    RESTART = "it is started again"
    JOIN = "it is started again with another that has failed"
    LEAVE = "it is not started again"
    ESCALATE = "its flow fails"
    STOP = "it was being stopped anyway"


class Fault(Record):
    """A child of a flow has failed: which, where in its pipe, with what, and what its flow does about that.

    With Sentry, `on_error` calls ``capture_exception(fault.error, tags=fault.tags, extras=fault.extras)``.
    """

    flow: str
    """The path of the flow: names, with ``/`` between them."""
    job: str
    """The name of the job in it; of the inner flow, where that has failed."""
    error: BaseException
    action: Action
    restarts: int
    """How often it was started again before."""
    seconds: float | None
    """How long it waits until it is started again; None if it is not, or with another."""
    operator: str | None
    """Whose callback has failed, as it was written; None if it was a source, or what makes the job."""
    place: str | None
    """The file and the line where that operator was put into the pipe."""
    items: tuple[Any, ...]
    """The item that the callback was called with; none where there was no item, or it is not known."""

    @property
    def path(self) -> str:
        """The path of the job."""
        return f"{self.flow}/{self.job}"

    @property
    def tags(self) -> dict[str, str]:
        """What faults are searched by, as short texts."""
        found = {"flow": self.flow, "job": self.job, "action": self.action.name.lower()}
        if self.operator is not None:
            found["operator"] = self.operator.partition("(")[0]
        return found

    @property
    def extras(self) -> dict[str, Any]:
        """What else is known, with the item as a text of limited length."""
        found: dict[str, Any] = {"path": self.path, "restarts": self.restarts, "seconds": self.seconds}
        if self.operator is not None:
            found |= {"operator": self.operator, "place": self.place}
        if self.items:
            found["item"] = shown(self.items[0])
        return found

    def __str__(self) -> str:
        where = f" in {self.operator} at {self.place}" if self.operator is not None else ""
        item = f" with {shown(self.items[0])}" if self.items else ""
        return f"{self.path} has failed{where}{item}, {self.action.value}: {shown(self.error)}"


Tell = Callable[[Fault], object]
"""What is called with each fault."""


def tell(hook: Tell | None, fault: Fault) -> None:
    """Call `hook`, or log where there is none. Where it fails, both errors are logged."""
    if hook is None:
        _log(fault)
        return
    try:
        at_once("on_error", hook(fault))
    except (Exception, CancelledError) as error:
        attach(fault.error, error)
        _log(fault)


def _log(fault: Fault) -> None:
    _LOGGER.error("%s", fault, exc_info=fault.error)


def fault_of(
    error: BaseException, flow: str, job: str, action: Action, *, restarts: int, seconds: float | None
) -> Fault:
    """What is known of `error`, with which `job` of `flow` has failed."""
    operator = place = None
    for note in notes(error):
        if found := _BLAMED.fullmatch(note):
            operator, place = found.groups()
            break
    item = _UNKNOWN if operator is None else _item(error)
    return Fault(
        flow=flow,
        job=job,
        error=error,
        action=action,
        restarts=restarts,
        seconds=seconds,
        operator=operator,
        place=place,
        items=() if item is _UNKNOWN else (item,),
    )


# An error carries no item: to note it would cost each item something. But the frames of its traceback still
# have it. In a loop that was generated, the text of the call that has failed says which variable it is. A
# stage that is written by hand calls it `item`, or it is the last of the `arguments` of a callback.


def _item(error: BaseException) -> Any:
    """What the innermost callback was called with, that `error` came out of."""
    trace, found = error.__traceback__, None
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name.startswith(NAMED) or trace.tb_frame.f_globals.get("__name__", "").startswith("streamkit."):
            found = trace
        trace = trace.tb_next
    assert found is not None  # the task of the job is one of ours
    frame = found.tb_frame
    if frame.f_code.co_filename.startswith(NAMED):
        return frame.f_locals.get(_argument(frame, found), _UNKNOWN)
    names = frame.f_locals
    return names.get("item", (names.get("arguments") or (_UNKNOWN,))[-1])


def _argument(frame: FrameType, trace: TracebackType) -> str:
    """The variable that is the last argument of the call which was made there; empty if there is none."""
    places = islice(frame.f_code.co_positions(), trace.tb_lasti // 2, None)
    first, last, start, end = next(places, (None,) * 4)
    if first is None or last != first or start is None or end is None:
        return ""  # pragma: no cover - under `python -X no_debug_ranges`
    # columns count bytes
    text = linecache.getline(frame.f_code.co_filename, first).encode()[start:end].decode()
    try:
        call: ast.expr = ast.parse(text, mode="eval").body
    except SyntaxError:
        return ""
    while isinstance(call, (ast.Await, ast.NamedExpr)):
        call = call.value
    if not isinstance(call, ast.Call) or not call.args or ast.unparse(call.func) == pending.__name__:
        return ""  # that waits for what the callback has returned, which took the place of the item
    argument = call.args[-1].value if isinstance(call.args[-1], ast.Starred) else call.args[-1]
    return argument.id if isinstance(argument, ast.Name) else ""
