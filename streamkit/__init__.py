"""streamkit: pipelines over async iterators that run as one loop, say what they hold, and end clean.

The front door: every name is loaded when it is first used. ``import *`` takes all but ``range`` and ``zip``,
which would hide builtins.
"""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit import (
        aiostream as aiostream,
        connect as connect,
        durable as durable,
        executors as executors,
        flow as flow,
        graph as graph,
        ops as ops,
        reactive_streams as reactive_streams,
        runner as runner,
        rx as rx,
        testing as testing,
    )
    from streamkit._core.backoff import Backoff as Backoff
    from streamkit._core.contract import Behaviour as Behaviour, Contract as Contract
    from streamkit._core.errors import (
        BufferOverflowError as BufferOverflowError,
        CarrierAwayError as CarrierAwayError,
        CarrierError as CarrierError,
        EmitterClosedError as EmitterClosedError,
        EmptyStreamError as EmptyStreamError,
        GraphError as GraphError,
        GroupsFullError as GroupsFullError,
        LateChangeError as LateChangeError,
        NoRouteError as NoRouteError,
        ObservableError as ObservableError,
        PackingError as PackingError,
        PreparationError as PreparationError,
        RateExceededError as RateExceededError,
        RestartsExceededError as RestartsExceededError,
        RolledBackError as RolledBackError,
        RunningLoopError as RunningLoopError,
        SeveralItemsError as SeveralItemsError,
        SourceConsumedError as SourceConsumedError,
        StoppedError as StoppedError,
        StreamkitError as StreamkitError,
        StreamTimeoutError as StreamTimeoutError,
        WorkerCrashedError as WorkerCrashedError,
        WorkerError as WorkerError,
        WorkersClosedError as WorkersClosedError,
        attached as attached,
    )
    from streamkit._core.guarded import guarded as guarded
    from streamkit._core.limit import Adaptive as Adaptive, Limit as Limit
    from streamkit._core.markers import ABSENT as ABSENT, DROPPED as DROPPED, EMPTY as EMPTY, Gap as Gap
    from streamkit._core.on_error import (
        Failure as Failure,
        OnError as OnError,
        Replace as Replace,
        Resume as Resume,
        Retry as Retry,
        Return as Return,
    )
    from streamkit._core.strategy import (
        Collect as Collect,
        Conflate as Conflate,
        DropAll as DropAll,
        DropIncoming as DropIncoming,
        DropOldest as DropOldest,
        DropYoungest as DropYoungest,
        Fail as Fail,
        KeepLatest as KeepLatest,
        Spill as Spill,
        Strategy as Strategy,
        Suspend as Suspend,
        Unbounded as Unbounded,
    )
    from streamkit._core.windows import (
        Hopping as Hopping,
        Session as Session,
        Sliding as Sliding,
        Tumbling as Tumbling,
        Until as Until,
        Window as Window,
    )
    from streamkit._core.workers import Lasting as Lasting
    from streamkit._engine.buffer.account import BufferStats as BufferStats
    from streamkit._engine.buffer.channel import Channel as Channel
    from streamkit._engine.buffer.lane import Lane as Lane
    from streamkit._engine.buffer.threads import Offered as Offered
    from streamkit._engine.face.explanation import Explanation as Explanation
    from streamkit._engine.face.job import Handle as Handle, Job as Job
    from streamkit._engine.face.stage import stage as stage
    from streamkit._engine.face.step import step as step
    from streamkit._engine.face.stream import (
        Keep as Keep,
        Operator as Operator,
        Shape as Shape,
        Sink as Sink,
        Stream as Stream,
    )
    from streamkit._engine.plan.link import Inlet as Inlet
    from streamkit._engine.run.run import Run as Run
    from streamkit._engine.run.tasks import Timer as Timer
    from streamkit._stages.outputs import Output as Output, Tagged as Tagged
    from streamkit._stages.push import Emitter as Emitter
    from streamkit.operators.group import OnFull as OnFull
    from streamkit.operators.materialize import (
        Done as Done,
        Failed as Failed,
        Next as Next,
    )
    from streamkit.operators.stamp import TimeInterval as TimeInterval, Timestamped as Timestamped
    from streamkit.operators.steer import Valve as Valve
    from streamkit.operators.throttle import RateLimit as RateLimit
    from streamkit.runner.background import Running as Running
    from streamkit.sources.combine import concat as concat, merge as merge, zip as zip
    from streamkit.sources.cronsim import cron as cron
    from streamkit.sources.defer import defer as defer, using as using
    from streamkit.sources.hub import Hub as Hub
    from streamkit.sources.latest import (
        combine_latest as combine_latest,
        fork_join as fork_join,
        zip_latest as zip_latest,
    )
    from streamkit.sources.order import (
        interleave as interleave,
        merge_prioritized as merge_prioritized,
        merge_sorted as merge_sorted,
    )
    from streamkit.sources.push import inbox as inbox, push as push
    from streamkit.sources.race import race as race
    from streamkit.sources.threads import from_blocking as from_blocking
    from streamkit.sources.timing import (
        Missed as Missed,
        interval as interval,
        never as never,
        ticks as ticks,
        timer as timer,
    )
    from streamkit.sources.values import (
        count as count,
        empty as empty,
        fail as fail,
        iterate as iterate,
        of as of,
        range as range,
        repeat as repeat,
    )
    from streamkit.sources.waiting import from_awaitable as from_awaitable, from_queue as from_queue
else:
    __getattr__, __dir__, __all__ = lazily()
