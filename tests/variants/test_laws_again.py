"""The laws of closing on loops of other kinds. All laws under each: `pytest tests/laws --loop eager`."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import streamkit.testing
from streamkit.testing.conformance.checks import EXITS, STREAM_EXITS, Check
from tests.laws.lab import Sample, trying
from tests.samples import SAMPLES
from tests.variants.loops import KINDS, loops_of

OTHERS = [kind for kind in KINDS if kind != "usual" and (kind != "eager" or sys.version_info >= (3, 12))]


def exits(sample: Sample) -> list[Check]:
    """The checks of law 3 that apply to it."""
    return [check for check in (EXITS if sample.sink else STREAM_EXITS + EXITS) if not check.applies(sample)]


DIAGONAL = [(sample, exits(sample)[number % len(exits(sample))]) for number, sample in enumerate(SAMPLES)]
"""Each sample with one exit, the next one's with the next: `make variants` runs all of them."""
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(params=OTHERS)
def other_loops(request: pytest.FixtureRequest) -> Iterator[str]:
    with loops_of(request.param):
        yield request.param


def is_eager(loop: asyncio.AbstractEventLoop) -> bool:
    return loop.get_task_factory() is getattr(asyncio, "eager_task_factory", ...)


@pytest.mark.full
@pytest.mark.usefixtures("other_loops")
@pytest.mark.parametrize(
    ("sample", "check"), DIAGONAL, ids=[f"{sample.name}-{check.name}" for sample, check in DIAGONAL]
)
def test_every_exit_closes(sample: Sample, check: Check) -> None:
    style = check.styles[SAMPLES.index(sample) % len(check.styles)]
    for case in check.cases(sample):
        if case.style == style:
            with trying(case):
                check.run(sample, case)


@pytest.mark.parametrize("play", [asyncio.run, streamkit.testing.run], ids=["asyncio", "virtual"])
def test_loops_are_of_the_kind_that_was_asked_for(other_loops: str, play: Callable[[Any], Any]) -> None:
    async def main() -> tuple[bool, bool]:
        loop = asyncio.get_running_loop()
        return loop.get_debug(), is_eager(loop)

    in_debug_mode, eager = play(main())
    assert in_debug_mode if other_loops == "debug" else eager


def test_an_unknown_kind_and_one_that_is_not_there() -> None:
    with pytest.raises(KeyError):
        loops_of("green")
    if sys.version_info < (3, 12):
        with pytest.raises(ValueError, match=r"from Python 3\.12 on"):
            loops_of("eager")


def test_in_development_mode_a_pipeline_warns_of_nothing() -> None:
    """In an interpreter of its own, with the very options: a run, a break, an error and a cancellation."""
    found = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.split() == ["6", "left", "failed", "cancelled"]


PROGRAM = """
import asyncio, logging, sys
from streamkit import Stream, Suspend, ops

def no_pace(record):  # a machine may be busy
    return not record.msg.startswith("Executing")

logging.getLogger("asyncio").addFilter(no_pace)

async def slow(item):
    await asyncio.sleep(0)
    return item

def pipe(source):
    return Stream(source) | ops.map(slow, concurrency=2) | ops.merge([]) | ops.buffer(Suspend(2))

async def endless():
    while True:
        await asyncio.sleep(0)
        yield 1

async def main():
    assert sys.flags.dev_mode and asyncio.get_running_loop().get_debug()
    print(await (pipe([1, 2, 3]) | ops.sum()))
    async for _ in pipe(endless):
        break
    print("left")
    try:
        await (pipe([1, 2, 0]) | ops.map(lambda item: 1 // item) | ops.drain())
    except ZeroDivisionError:
        print("failed")
    try:
        async with asyncio.timeout(0.001):
            await (pipe(endless) | ops.drain())
    except TimeoutError:
        print("cancelled")

asyncio.run(main())
assert list(pipe([1, 2])) == [1, 2]
"""
