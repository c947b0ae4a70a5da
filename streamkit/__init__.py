"""streamkit: pipelines over async iterators that run as one loop, say what they hold, and end clean."""

from streamkit import operators as ops
from streamkit._core.arguments import ABSENT
from streamkit._core.contract import Contract
from streamkit._core.errors import (
    BufferOverflowError,
    EmptyStreamError,
    RunningLoopError,
    SourceConsumedError,
    StoppedError,
    StreamkitError,
    StreamTimeoutError,
    attached,
)
from streamkit._core.strategy import DropIncoming, DropOldest, Fail, KeepLatest, Strategy, Suspend, Unbounded
from streamkit._engine.channel import BufferStats, Channel, Lane
from streamkit._engine.explain import Explanation
from streamkit._engine.job import Handle, Job
from streamkit._engine.link import Inlet
from streamkit._engine.run import Run
from streamkit._engine.stage import stage
from streamkit._engine.step import step
from streamkit._engine.stream import Keep, Operator, Shape, Sink, Stream
from streamkit.sources import concat, merge, zip

__all__ = [
    "ABSENT",
    "BufferOverflowError",
    "BufferStats",
    "Channel",
    "Contract",
    "DropIncoming",
    "DropOldest",
    "EmptyStreamError",
    "Explanation",
    "Fail",
    "Handle",
    "Inlet",
    "Job",
    "Keep",
    "KeepLatest",
    "Lane",
    "Operator",
    "Run",
    "RunningLoopError",
    "Shape",
    "Sink",
    "SourceConsumedError",
    "StoppedError",
    "Strategy",
    "Stream",
    "StreamTimeoutError",
    "StreamkitError",
    "Suspend",
    "Unbounded",
    "attached",
    "concat",
    "merge",
    "ops",
    "stage",
    "step",
    "zip",
]
