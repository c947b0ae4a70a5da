"""Reading a pipeline in the way of a plan, with what its consumer does; and what came of that."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from streamkit import Explanation, StoppedError, ops
from tests.laws.account import check_sum
from tests.soak.kit import Kit, Plan
from tests.soak.pipeline import Pipeline, made
from tests.soak.values import label_of, plain
from tests.soak.words import SINKS, WORDS

__all__ = ["Outcome", "consume"]


@dataclass
class Outcome:
    """What came of one run."""

    kit: Kit
    got: list[tuple[float, Any]] = field(default_factory=list)
    """What was delivered, and when."""
    result: Any = None
    ending: str = "cut"
    """``end``, ``error`` or ``cut``."""
    error: BaseException | None = None
    handle: Any = None
    """That of the job, while it runs."""
    stopping: Any = None
    """The task that stops it."""
    steps: int = 0
    """Steps of the loop that the run took."""
    bound: float = float("inf")
    ahead: bool = True
    """Whether something may be read ahead."""
    dropped: int = 0
    """Items that the accounts of buffers say were dropped."""
    undecided: bool = False
    """Whether the reference does not know what was right."""

    @property
    def label(self) -> str:
        """What the reference calls the error."""
        return "" if self.error is None else label_of(self.error)


async def consume(pipeline: Pipeline, plan: Plan, outcome: Outcome) -> str:
    """Read the pipeline in the way of the plan; ``end``, or ``cut`` if the consumer has left."""
    stream = made(pipeline, outcome.kit)
    outcome.ahead = plan.form != "fused" or plan.way == "sink" or stream.explain().lookahead > 0
    # what a pull by ``anext`` was given is delivered, but its task may not have taken it yet
    counted = plan.form == "fused" and plan.style != "plain" and plan.way in {"open", "bare", "job"}
    unnoted = made(pipeline, Kit(plan, timed=outcome.kit.timed, notes=False))
    if counted and not keeps(pipeline, unnoted.explain()):
        outcome.bound = stream.explain().bound
    if plan.way == "open":
        return await opened(stream, plan, outcome)
    if plan.way == "polls":
        async with stream.open() as items:
            return await polled(items, plan, outcome)
    if plan.way == "iterator":
        async with aclosing(aiter(stream)) as items:
            return await polled(items, plan, outcome)
    if plan.way == "bare":
        return await bare(stream, plan, outcome)
    if plan.way == "sink":
        job = stream | SINKS[pipeline.sink.word].made(pipeline.sink, outcome.kit)
    else:
        job = stream | ops.for_each(lambda item: delivered(item, plan, outcome))
    outcome.handle = handle = job.start(name="job")
    try:
        outcome.result = plain(await handle)
    except StoppedError:
        return "cut"
    finally:
        outcome.handle = None
        for stats in handle.buffers():
            check_sum(stats)
            outcome.dropped += stats.dropped
    return "end"


def keeps(pipeline: Pipeline, explanation: Explanation) -> bool:
    """Whether something is kept that is not in the bound: for the result, or by a callback of ours."""
    ours = any(WORDS[step.word].keeps for step in pipeline.steps)
    return ours or any(part.result for part in explanation.parts)


async def bare(stream: Any, plan: Plan, outcome: Outcome) -> str:
    """Read it by ``async for`` alone; who leaves that waits for nothing."""
    async for item in stream:
        waits = delivered(item, plan, outcome)
        del item
        await waits
        if plan.consumer == ("leave", len(outcome.got)):
            outcome.kit.fired["a consumer leaves"] += 1
            return "cut"
    return "end"


async def opened(stream: Any, plan: Plan, outcome: Outcome) -> str:
    """Read it inside of ``async with``; who leaves that waits until all is closed."""
    async with stream.open() as items:
        if plan.consumer == ("leave", 0):
            outcome.kit.fired["a consumer leaves"] += 1
            return "cut"
        return await bare(items, plan, outcome)


async def polled(items: Any, plan: Plan, outcome: Outcome) -> str:
    """Read it by one ``anext`` after the other."""
    while plan.consumer != ("leave", len(outcome.got)):
        try:
            item = await pulled(items, plan, outcome)
        except StopAsyncIteration:
            return "end"
        waits = delivered(item, plan, outcome)
        del item
        await waits
    outcome.kit.fired["a consumer leaves"] += 1
    return "cut"


async def pulled(items: Any, plan: Plan, outcome: Outcome) -> Any:
    """The next item; where the plan says so, by a pull after one that was given up."""
    if plan.consumer == ("give up", len(outcome.got) + 1):
        pull = asyncio.ensure_future(anext(items))
        for _ in range(outcome.kit.random.randint(1, 3)):
            await asyncio.sleep(0)
        if not pull.cancel():
            return pull.result()
        outcome.kit.fired["a pull is given up"] += 1
        try:
            return await pull
        except asyncio.CancelledError:
            pass
    return await anext(items)


def delivered(item: Any, plan: Plan, outcome: Outcome) -> Any:
    """Note an item, and let go of it; what is returned is awaited."""
    kit = outcome.kit
    kit.observe()
    outcome.got.append((asyncio.get_running_loop().time(), plain(item)))
    kit.leave(item)
    match plan.consumer:
        case ("stall", place) if place == len(outcome.got):
            kit.fired["a consumer stalls"] += 1
            return asyncio.sleep(10.0)
        case ("pause", place) if place == len(outcome.got):
            kit.fired["a job is paused"] += 1
            outcome.handle.pause()
            asyncio.get_running_loop().call_later(10.0, outcome.handle.resume)
            return asyncio.sleep(0)
        case ("stop", place) if place == len(outcome.got):
            kit.fired["a job is stopped"] += 1
            outcome.stopping = asyncio.create_task(outcome.handle.stop(), name="stop")
            return asyncio.sleep(0)
        case ("raise", place) if place == len(outcome.got):
            raise kit.fault("a consumer raises", "consumer")
        case _:
            return asyncio.sleep(0)
