"""Random flows, steered at random: whatever is done when, no child has two lives, and all of it ends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import Any

import pytest

from streamkit import Job, Stream, ops
from streamkit.flow import Child, Flow, FlowHandle, Intensity, Restart, Scope, State, Status
from streamkit.testing import run
from tests.tiers import examples


class Alive:
    """Jobs that run, by their paths."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now: set[str] = set()

    def job(self, path: str) -> Callable[[], Job[Any]]:
        async def source() -> AsyncIterator[int]:
            assert path not in self.now, f"{path} has two lives"
            self.now.add(path)
            try:
                for number in range(self.random.choice([0, 1, 1000])):
                    yield number
                    await asyncio.sleep(self.random.choice([0.0, self.random.uniform(0.0, 5.0)]))
                if self.random.random() < 0.5:
                    raise OSError(path)
            finally:
                await asyncio.sleep(self.random.choice([0.0, 0.0, 2.0]))
                self.now.remove(path)
                if self.random.random() < 0.1:
                    raise ValueError(path)

        async def work(_: int) -> None:
            await asyncio.sleep(self.random.choice([0.0, 0.0, 1.0, 50.0]))
            if self.random.random() < 0.1:
                raise LookupError(path)

        return lambda: Stream(source) | ops.for_each(work)

    def child(self, path: str, others: list[str]) -> Child:
        random = self.random
        deep = path.count("/") < 3 and random.random() < 0.3
        return Child(
            path.rpartition("/")[2],
            self.flow(path) if deep else self.job(path),
            restart=random.choice([*Restart]),
            after=random.sample(others, min(len(others), random.choice([0, 0, 1]))),
            backoff=random.choice([0.0, random.uniform(0.0, 5.0)]),
        )

    def flow(self, path: str) -> Flow:
        random = self.random
        children: list[Child] = []
        for number in range(random.randint(1, 3)):
            children.append(self.child(f"{path}/{number}", [each.name for each in children]))
        often = Intensity(random.choice([0, 3, 100]), seconds=60.0)
        return Flow(*children, name=path.rpartition("/")[2], scope=random.choice([*Scope]), intensity=often)


def paths(status: Status, above: str = "") -> list[str]:
    return [
        found
        for each in status.children
        for found in (f"{above}{each.name}", *paths(each, f"{above}{each.name}/"))
    ]


async def steered(handle: FlowHandle, alive: Alive) -> None:
    """Do something, at some time, with some child."""
    random = alive.random
    for number in range(random.randint(0, 12)):
        await asyncio.sleep(random.choice([0.0, random.uniform(0.0, 4.0)]))
        path = random.choice(paths(handle.status()) or ["none"])
        deadline = random.choice([None, 0.0, 1.0])
        try:
            match random.randrange(7):
                case 0:
                    handle[path].pause()
                case 1:
                    handle[path].resume()
                case 2:
                    await asyncio.wait_for(handle[path].stop(deadline), random.choice([0.5, 9.0]))
                case 3:
                    await handle[path].start()
                case 4:
                    await asyncio.wait_for(handle.remove(path, deadline), 9.0)
                case 5:
                    handle.add(alive.child(f"flow/{path}/n{number}", []), to=path)
                case _:
                    handle.add(alive.child(f"flow/n{number}", []))
        except (LookupError, RuntimeError, ValueError, TimeoutError):
            """It was removed, or ends; or takes longer."""


def once(seed: int) -> None:
    alive = Alive(Random(seed))
    flow = alive.flow("flow").but(on_error=lambda fault: None)

    async def main() -> None:
        handle = flow.start()
        steering = [asyncio.create_task(steered(handle, alive)) for _ in range(2)]
        await asyncio.wait(steering)
        for task in steering:
            task.result()
        deadline = alive.random.choice([0.0, 5.0])
        begun = asyncio.get_running_loop().time()
        report = await handle.stop(deadline)
        assert asyncio.get_running_loop().time() - begun <= deadline + 0.05
        try:
            await handle
        except (OSError, LookupError, ValueError, RuntimeError):
            assert handle.status().state is State.FAILED
        assert not alive.now
        assert len({*report.ended, *report.cancelled, *report.closing}) == sum(
            map(len, (report.ended, report.cancelled, report.closing))
        )
        ends = {State.DONE, State.FAILED, State.STOPPED}
        found = [handle.status()]
        for each in found:
            assert each.state in ends, str(handle.status())
            found.extend(each.children)

    run(main)


@pytest.mark.parametrize("part", range(2))
def test_no_child_has_two_lives_and_all_ends(part: int) -> None:
    for seed in range(part, examples(600), 2):
        try:
            once(seed)
        except BaseException as error:
            error.add_note(f"tree {seed}")
            raise
