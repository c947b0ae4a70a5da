"""Two slots that are changed at once, while items flow: no item may see old and new.

`python -m tests.live.torn 100000` tries so many schedules of each kind, and prints how many it has tried.
They may be drawn in parts: `python -m tests.live.torn 25000 second 3` tries those of one kind and of seed 3.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

from streamkit import Stream, ops
from streamkit.live import Slot, edit
from streamkit.testing import run

__all__ = ["KINDS", "Mark", "torn", "turns"]

KINDS = {"steps": (False, False), "stages": (True, True), "first": (True, False), "second": (False, True)}
"""Which of the two slots have stages."""


class Mark:
    """Notes on each item which generation of a slot it has been through."""

    def __init__(self, generation: int) -> None:
        self.generation = generation

    def __call__(self, seen: Any) -> tuple[int, ...]:
        return (*seen, self.generation) if isinstance(seen, tuple) else (seen, self.generation)  # pyright: ignore[reportUnknownVariableType] - of any

    async def late(self, seen: Any) -> tuple[int, ...]:
        """The same, in a moment."""
        await asyncio.sleep(0.1)
        return self(seen)

    def content(self, *, stages: bool) -> Any:
        """An operator that does so."""
        return ops.map(self.late, concurrency=2) if stages else ops.map(self)


async def turns(count: int) -> AsyncIterator[int]:
    """Numbers, between which others run."""
    for number in range(count):
        await asyncio.sleep(0)
        yield number


async def torn(first_stages: bool, second_stages: bool, items: int = 10, edits: int = 2) -> None:
    """Fail if an item is torn, lost, doubled or overtaken, while two tasks change both slots."""
    first = Slot[Any, Any](Mark(0).content(stages=first_stages), stages=first_stages)
    second = Slot[Any, Any](Mark(0).content(stages=second_stages), stages=second_stages)
    seen: list[Any] = []
    numbers = count(1)

    async def changed() -> None:
        for _ in range(edits):
            await asyncio.sleep(0)
            async with edit() as change:
                mark = Mark(next(numbers))
                await first.replace(mark.content(stages=first_stages))
                await second.replace(mark.content(stages=second_stages))
            await change

    stream = Stream(turns(items)) | first | ops.filter(bool) | Slot() | second
    async with asyncio.TaskGroup() as group:
        group.create_task(changed())
        group.create_task(changed())
        await (stream | ops.for_each(seen.append))
    assert [item for item, _, _ in seen] == [*range(items)], seen
    assert all(one == other for _, one, other in seen), seen
    assert [one for _, one, _ in seen] == sorted([one for _, one, _ in seen]), seen


def main() -> None:
    """Try as many schedules as the command says; of one kind only, and with another seed, if it says so."""
    schedules, *kinds = sys.argv[1:3]
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    for name in kinds or KINDS:
        first, second = KINDS[name]
        began = time.perf_counter()
        run(lambda first=first, second=second: torn(first, second), schedules=int(schedules), seed=seed)  # type: ignore[misc]
        taken = time.perf_counter() - began
        print(f"{name}: {schedules} schedules of seed {seed}, none torn, {taken:.0f} s", flush=True)


if __name__ == "__main__":
    main()
