"""Random flows: trees of scripted jobs, of which is known how long each life lasts, and how it ends."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any, NamedTuple

from streamkit import Backoff, Job, Stream, ops
from streamkit.flow import Child, Fault, Flow, FlowHandle, Intensity, Restart, Scope, State, Status

__all__ = ["END", "Event", "Script", "Seen", "run_tree", "script_of", "tree_of"]

END = 3600.0
"""Seconds that are simulated."""


class Script(NamedTuple):
    """One life of one job."""

    seconds: float
    error: str | None
    """With what it fails when it ends by itself."""
    closing: float
    """Seconds that it takes to close, if it is cancelled."""
    closing_error: str | None


class Event(NamedTuple):
    """What is seen of a flow from outside."""

    time: float
    path: str
    what: str
    more: tuple[Any, ...] = ()


class Seen(NamedTuple):
    """All that was seen of one flow in an hour."""

    events: list[Event]
    states: dict[str, tuple[State, int]]
    """Of each child of a flow that runs: its state, and how often it was started again."""
    outcome: str | None
    """With what the flow has failed."""


def script_of(seed: int, path: str, life: int) -> Script:
    """The life of that number of a job."""
    random = Random(f"{seed} {path} {life}")
    lasting = random.choice([0.01, 1.0, 30.0, 30.0, 300.0, 3000.0])
    fails, closing = random.random() < 0.8, random.choice([0.0, 0.0, 0.5, 20.0])
    return Script(
        seconds=lasting * random.uniform(0.5, 2.0),
        error=f"{path} in life {life}" if fails else None,
        closing=closing * random.uniform(0.5, 1.5),
        closing_error=f"closing {path} in life {life}" if random.random() < 0.1 else None,
    )


def tree_of(random: Random, make: Callable[[str], Callable[[], Job[Any]]], path: str, **more: Any) -> Flow:
    """A random flow; `make` gives the function that makes the job with a path."""
    depth = path.count("/")
    children: list[Child] = []
    for number in range(random.randint(1, 4)):
        name = f"c{number}"
        inner = f"{path}/{name}"
        nested = depth < 2 and random.random() < 0.3
        names = [each.name for each in children]
        children.append(
            Child(
                name,
                tree_of(random, make, inner) if nested else make(inner),
                restart=random.choice([*Restart, Restart.TRANSIENT, Restart.PERMANENT]),
                after=random.sample(names, min(len(names), random.choice([0, 0, 1, 2]))),
                backoff=random.choice(
                    [
                        random.uniform(0.1, 20.0),
                        Backoff(random.uniform(0.1, 5.0), most=60.0, seed=random.randrange(99)),
                        Backoff(random.uniform(0.1, 5.0), most=60.0, jitter=0.0),
                    ]
                ),
                reset_after=random.choice([None, random.uniform(1.0, 100.0)]),
            )
        )
    random.shuffle(children)
    intensity = Intensity(random.choice([0, 1, 3, 10, 1000]), seconds=random.choice([5.0, 60.0, 600.0]))
    return Flow(
        *children, name=path.rpartition("/")[2], scope=random.choice([*Scope]), intensity=intensity, **more
    )


def run_tree(seed: int) -> tuple[Callable[[], Any], Flow]:
    """What runs the flow of that number for an hour, and says what was seen; and the flow."""
    events: list[Event] = []
    lives: Counter[str] = Counter()

    def note(path: str, what: str, *more: Any) -> None:
        events.append(Event(asyncio.get_running_loop().time(), path, what, more))

    def make(path: str) -> Callable[[], Job[Any]]:
        async def source() -> AsyncIterator[int]:
            script = script_of(seed, path, lives[path])
            lives[path] += 1
            note(path, "begins")
            try:
                await asyncio.sleep(script.seconds)
            except asyncio.CancelledError:
                note(path, "closes")
                await asyncio.sleep(script.closing)
                if script.closing_error is not None:
                    raise RuntimeError(script.closing_error) from None
                raise
            note(path, "ends")
            if script.error is not None:
                raise ValueError(script.error)
            return
            yield 1

        return lambda: Stream(source) | ops.drain()

    def told(fault: Fault) -> None:
        note(fault.path, "fault", fault.action, str(fault.error), fault.restarts, fault.seconds)

    flow = tree_of(Random(seed), make, "flow", on_error=told)

    async def main() -> Seen:
        handle: FlowHandle = flow.start()
        outcome = None
        try:
            await asyncio.wait_for(asyncio.shield(awaited(handle)), END)
        except TimeoutError:
            pass
        except Exception as error:
            outcome = str(error)
        hour = [each for each in events if each.time < END]
        states = (
            {} if handle.done else {each.path: (each.state, each.restarts) for each in below(handle.status())}
        )
        if not handle.done:
            await handle.stop(0.0)
            await handle
        return Seen(hour, states, outcome)

    return main, flow


def awaited(handle: FlowHandle) -> "asyncio.Future[None]":
    async def main() -> None:
        await handle

    return asyncio.ensure_future(main())


def below(status: Status) -> list[Status]:
    """All inside of a flow that runs; what is inside of one that does not run was seen before."""
    runs = status.state in (State.RUNNING, State.STOPPING)
    return [found for each in status.children if runs for found in (each, *below(each))]
