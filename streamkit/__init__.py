"""streamkit: pipelines over async iterators that run as one loop, say what they hold, and end clean."""

from typing import TYPE_CHECKING, Any

from streamkit import operators as ops
from streamkit._core.arguments import ABSENT
from streamkit._core.contract import Behaviour, Contract
from streamkit._core.errors import (
    BufferOverflowError,
    EmitterClosedError,
    EmptyStreamError,
    GroupsFullError,
    ObservableError,
    RateExceededError,
    RunningLoopError,
    SourceConsumedError,
    StoppedError,
    StreamkitError,
    StreamTimeoutError,
    attached,
)
from streamkit._core.lazy import lazily
from streamkit._engine.job import Handle, Job
from streamkit._engine.link import Inlet
from streamkit._engine.stage import stage
from streamkit._engine.step import step
from streamkit._engine.stream import Keep, Operator, Shape, Sink, Stream

if TYPE_CHECKING:
    from streamkit._core.strategy import (
        Collect,
        Conflate,
        DropAll,
        DropIncoming,
        DropOldest,
        DropYoungest,
        Fail,
        Gap,
        KeepLatest,
        Spill,
        Strategy,
        Suspend,
        Unbounded,
    )
    from streamkit._engine.channel import Channel
    from streamkit._engine.emitter import Emitter
    from streamkit._engine.explain import Explanation
    from streamkit._engine.lane import BufferStats, Lane
    from streamkit._engine.run import Run
    from streamkit._engine.shared import Offered
    from streamkit.operators.grouping import OnFull
    from streamkit.operators.steer import Valve
    from streamkit.sources import concat, merge, push, zip

    aiostream: Any
    reactive_streams: Any
    rx: Any
else:  # loaded when it is first used: not every program needs it
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "streamkit._core.strategy": (
                "Collect",
                "Conflate",
                "DropAll",
                "DropIncoming",
                "DropOldest",
                "DropYoungest",
                "Fail",
                "Gap",
                "KeepLatest",
                "Spill",
                "Strategy",
                "Suspend",
                "Unbounded",
            ),
            "streamkit._engine.channel": ("Channel",),
            "streamkit._engine.emitter": ("Emitter",),
            "streamkit._engine.explain": ("Explanation",),
            "streamkit._engine.lane": ("BufferStats", "Lane"),
            "streamkit._engine.run": ("Run",),
            "streamkit._engine.shared": ("Offered",),
            "streamkit.interop": ("aiostream", "reactive_streams", "rx"),
            "streamkit.operators.grouping": ("OnFull",),
            "streamkit.operators.steer": ("Valve",),
            "streamkit.sources": ("concat", "merge", "push", "zip"),
        },
    )

__all__ = [
    "ABSENT",
    "Behaviour",
    "BufferOverflowError",
    "BufferStats",
    "Channel",
    "Collect",
    "Conflate",
    "Contract",
    "DropAll",
    "DropIncoming",
    "DropOldest",
    "DropYoungest",
    "Emitter",
    "EmitterClosedError",
    "EmptyStreamError",
    "Explanation",
    "Fail",
    "Gap",
    "GroupsFullError",
    "Handle",
    "Inlet",
    "Job",
    "Keep",
    "KeepLatest",
    "Lane",
    "ObservableError",
    "Offered",
    "OnFull",
    "Operator",
    "RateExceededError",
    "Run",
    "RunningLoopError",
    "Shape",
    "Sink",
    "SourceConsumedError",
    "Spill",
    "StoppedError",
    "Strategy",
    "Stream",
    "StreamTimeoutError",
    "StreamkitError",
    "Suspend",
    "Unbounded",
    "Valve",
    "attached",
    "concat",
    "merge",
    "ops",
    "push",
    "stage",
    "step",
    "zip",
]
