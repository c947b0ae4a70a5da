"""uvloop: every operator gives the same there as on asyncio's own loop, and each exit closes.

uvloop has a clock of its own, in real time: a pipe whose run takes any virtual time is left out.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest

from streamkit import TimeInterval, Timestamped
from streamkit.testing.conformance.exits import (
    bare_loop,
    blocking,
    break_open,
    callback_error,
    consume,
    consumer_error,
    exhaust,
    source_error,
)
from streamkit.testing.conformance.items import plain
from streamkit.testing.conformance.subject import Case
from tests.laws.lab import Boom, Lab, Sample, play, trying
from tests.samples import SAMPLES
from tests.tiers import stride
from tests.variants.loops import play_on

uvloop = pytest.importorskip("uvloop", reason="it has no wheel for this Python")

STYLES = ("turn", "ready", "plain")
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}
MOST = 300
"""Turns of the loop that a sample takes at most."""


def kind_of(sample: Sample) -> str:
    return "async" if sample.calls else "sync"


def timeless(item: Any) -> Any:
    """`item` as it compares, without the time of a clock."""
    match item:
        case Timestamped(value=value) | TimeInterval(value=value):
            return timeless(value)
        case _:
            return plain(item)


@cache
def needs_time(sample: Sample) -> bool:
    """Whether a run of it takes time; the clock of the tests tells."""

    async def main() -> float:
        await consume(sample.built(Lab("turn", kind_of(sample))))
        return asyncio.get_running_loop().time()

    return play(main) > 0.0


@pytest.fixture
def real_time(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the exits of the close matrix run on uvloop."""
    if needs_time(sample):
        pytest.skip("its run takes time, and uvloop has a clock of its own")
    monkeypatch.setattr("streamkit.testing.conformance.exits.play", partial(play_on, LOOPS["uvloop"]))


@pytest.mark.spread
@pytest.mark.usefixtures("real_time")
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sample", SAMPLES, ids=repr)
def test_results_are_those_of_asyncio(sample: Sample, style: str) -> None:
    async def main(lab: Lab) -> Any:
        found = [timeless(item) for item in await consume(sample.built(lab))]
        lab.check_finished()
        return found

    found = {
        name: play_on(make, lambda: main(Lab(style, kind_of(sample), count=9)))
        for name, make in LOOPS.items()
    }
    if sample.timed:
        return
    if not sample.ordered:
        found = {name: sorted(items, key=repr) for name, items in found.items()}
    assert found["uvloop"] == found["asyncio"]


# The exits ------------------------------------------------------------------------------------------------


async def _cancelled(lab: Lab, sample: Sample, number: int, *, everyone: bool) -> bool:
    """Cancel the reader, or every task as the end of `asyncio.run` does; whether it still ran then."""
    work = asyncio.get_running_loop().create_task(_read(sample.built(lab)))
    for _ in range(number):
        await asyncio.sleep(0)
    running = not work.done()
    for task in asyncio.all_tasks() - {asyncio.current_task()} if everyone else {work}:
        task.cancel()
    await asyncio.wait([work])
    assert work.cancelled() or not running, "the cancellation was swallowed"
    for visit in lab.visits:
        assert visit.cleaned == 1
    return running


async def _read(built: Any) -> None:
    await consume(built)


def cancelled_at_every_turn(sample: Sample, case: Case, *, everyone: bool = False) -> None:
    every = stride(8)
    for number in count(1 + SAMPLES.index(sample) % every, every):
        lab = case.lab(count=3)
        with trying(f"turn {number}"):
            if not play_on(
                LOOPS["uvloop"],
                lambda lab=lab, number=number: _cancelled(lab, sample, number, everyone=everyone),  # type: ignore[misc]
            ):
                return
            assert number < MOST


def shut_down_at_every_turn(sample: Sample, case: Case) -> None:
    cancelled_at_every_turn(sample, case, everyone=True)


def hanging(sample: Sample, case: Case) -> None:
    """The source never ends, and the reader is cancelled while it waits."""
    lab = case.lab(hang=("main", "other"))

    async def main() -> None:
        work = asyncio.get_running_loop().create_task(_read(sample.built(lab)))
        for _ in range(MOST):
            await asyncio.sleep(0)
        work.cancel()
        with suppress(asyncio.CancelledError, Boom):
            await work
        lab.check_finished()

    play_on(LOOPS["uvloop"], main)


def blocking_on_uvloop(sample: Sample, case: Case) -> None:
    """A plain ``for`` and ``job.run()`` where uvloop is what asyncio makes, as its policy says."""
    new = LOOPS["uvloop"]
    with patch("asyncio.new_event_loop", new), patch("asyncio.events.new_event_loop", new):
        blocking(sample, case)


Exit = Callable[[Any, Case], None]
EXITS: list[Exit] = [
    exhaust,
    source_error,
    callback_error,
    blocking_on_uvloop,
    hanging,
    cancelled_at_every_turn,
    shut_down_at_every_turn,
]
STREAM_EXITS: list[Exit] = [bare_loop, break_open, consumer_error]
MATRIX = [
    (sample, leave)
    for sample in SAMPLES
    for leave in (EXITS if sample.sink else EXITS + STREAM_EXITS)
    if leave is not callback_error or sample.calls
]


@pytest.mark.full
@pytest.mark.spread
@pytest.mark.usefixtures("real_time")
@pytest.mark.parametrize(
    ("sample", "leave"), MATRIX, ids=[f"{sample.name}-{leave.__name__}" for sample, leave in MATRIX]
)
def test_every_exit_closes(sample: Sample, leave: Exit) -> None:
    turn = SAMPLES.index(sample) + [*EXITS, *STREAM_EXITS].index(leave)
    style = STYLES[
        turn % len(STYLES)
    ]  # tests/laws/test_close.py has each sample and each exit with all of them
    leave(sample, Case(style, kind_of(sample)))
