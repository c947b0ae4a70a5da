"""What is told of a flow: how its children fare, and what was left when it was stopped."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from streamkit._core.show import told
from streamkit._core.value import Record
from streamkit.flow.faults import Fault

__all__ = ["Left", "Report", "State", "Status"]


class State(Enum):
    """What a child of a flow is doing."""

    RUNNING = "running"
    PAUSED = "paused"
    WAITING = "waiting"
    """It has failed, or was stopped together with one that has, and is started again."""
    STOPPING = "stopping"
    """It was told to end, and finishes what is inside, or closes."""
    STOPPED = "stopped"
    """It was ended from outside, before its own end."""
    DONE = "done"
    """It has come to its end."""
    FAILED = "failed"
    """It has failed, and is not started again."""


class Status(Record):
    """How a child of a flow fares, or the flow, and what is inside. ``print`` shows the tree.

    It is how things were when it was asked for.
    """

    path: str
    """The names of the flows that it is in, and its own, with ``/`` between them."""
    state: State
    since: float
    """The time of the event loop at which it came into this state."""
    restarts: int
    """How often it was started again by the rules of its flow."""
    error: BaseException | None
    """With what it has last failed."""
    children: tuple[Status, ...] = ()

    @property
    def name(self) -> str:
        """Its own name, the last of the path."""
        return self.path.rpartition("/")[2]

    def __getitem__(self, name: str) -> Status:
        """Of a child, by its name, or by names with ``/`` between them."""
        first, _, rest = name.partition("/")
        for each in self.children:
            if each.name == first:
                return each[rest] if rest else each
        raise KeyError(f"{self.path} has no {first!r}: {', '.join(each.name for each in self.children)}")

    def __str__(self) -> str:
        return "\n".join(self._lines(0))

    def _lines(self, depth: int) -> Iterator[str]:
        error = f", {told(self.error)}" if self.error is not None else ""
        again = f", {self.restarts} restarts" if self.restarts else ""
        yield f"{'    ' * depth}{self.name}: {self.state.value} since {self.since:.3f}{again}{error}"
        for each in self.children:
            yield from each._lines(depth + 1)


class Left(Record):
    """Items that one operator held, or was busy with, when its job was cancelled at the deadline."""

    path: str
    """Of the job."""
    operator: str
    """As it was written in the pipe."""
    count: int


class Report(Record):
    """How a flow, or a child, has come to its end, when it was told to: by the paths of its jobs."""

    ended: tuple[str, ...]
    """Those that have finished what was inside, or had ended before."""
    cancelled: tuple[str, ...]
    """Those that were cancelled at the deadline, or at once, and have closed everything."""
    closing: tuple[str, ...]
    """Those that were cancelled and still close what they have open; awaiting the flow waits for them."""
    left: tuple[Left, ...]
    """What was inside of the cancelled, by operator: held in buffers or by steps, in calls under way, or as
    items whose streams are open.
    """
    faults: tuple[Fault, ...]
    """What has failed on the way down."""
    seconds: float
    """How long it has taken."""

    @property
    def ok(self) -> bool:
        """Whether all have finished what was inside, and nothing has failed on the way down."""
        return not (self.cancelled or self.closing or self.faults)
