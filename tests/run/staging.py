"""Stages that are written in place, for the tests of what an author of stages has."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from typing import Any

from streamkit import (
    Operator,
    Stream,
    ops,
    stage,
)
from streamkit.testing import run as play

LONG = 60.0


def written(runs: Callable[..., Any], **options: Any) -> Operator[Any, Any]:
    """An operator that runs as `runs(run, source)`."""

    @stage(runs, **options)
    def written() -> Operator[Any, Any]:
        return Operator(written)

    return written()


def outcome(runs: Callable[..., Any], source: Any = ()) -> Any:
    """What comes out of the stage, in virtual time."""

    async def main() -> Any:
        return await (Stream(source) | written(runs) | ops.to_list())

    return play(main)


class Source:
    """Numbers, one every second; then it waits. It notes what was done to it."""

    def __init__(self, *, clean_up: float = 0.0, error: Exception | None = None, count: int = 3) -> None:
        self.clean_up = clean_up
        self.error = error
        self.count = count
        self.taken = self.closed = 0
        self.thrown: list[type[BaseException]] = []

    async def __call__(self) -> AsyncIterator[int]:
        try:
            for number in range(self.count):
                self.taken += 1
                yield number
                await asyncio.sleep(1.0)
            await asyncio.sleep(1e9)
        except BaseException as error:
            self.thrown.append(type(error))
            raise
        finally:
            await asyncio.sleep(self.clean_up)
            self.closed += 1
            if self.error is not None:
                raise self.error


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def notes(error: BaseException) -> list[str]:
    return [note for note in getattr(error, "__notes__", ()) if note.startswith("in ")]


def check_blamed(error: BaseException, name: str = "written", file: str = __file__) -> None:
    """One note, which names the operator and a line of `file`: this one, where `written` joins its pipes."""
    (note,) = notes(error)
    place = re.escape(re.sub(r".*/tests/", "tests/", file.replace("\\", "/")))
    assert re.fullmatch(rf"in {name}\(.*\) at .*{place}:\d+", note), note
