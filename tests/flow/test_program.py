"""Flows from code that blocks: `run`, and signals."""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import RunningLoopError, Stream, Suspend, ops
from streamkit.flow import Child, Flow, Report, Restart
from tests.flow.jobs import Log, ends
from tests.patience import joined


def raising(*numbers: signal.Signals, stuck: bool = False) -> tuple[Flow, list[int], list[str]]:
    """A flow that gets these signals at its third items, and what it has taken in, and closed."""
    seen: list[int] = []
    closed: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            for number in range(10**6):
                yield number
                await asyncio.sleep(0.001)
        finally:
            closed.append("source")

    async def work(item: int) -> None:
        if item == 3:
            await asyncio.sleep(0.05)  # the buffer is full then
            for number in numbers:
                signal.raise_signal(number)
                await asyncio.sleep(0.01)
        if item == 3 and stuck:
            await asyncio.Event().wait()
        seen.append(item)

    job = Child(
        "a",
        lambda: Stream(source) | ops.buffer(Suspend(4)) | ops.for_each(work),
        restart=Restart.PERMANENT,
    )
    return Flow(job), seen, closed


def test_it_runs_to_its_end_and_says_so() -> None:
    log = Log()
    report = Flow(Child("a", log.job("a", ends(0.01)))).run()
    assert (report.ended, report.ok, report.seconds) == (("flow/a",), True, 0.0)


def test_it_raises_what_the_flow_has_failed_with() -> None:
    with pytest.raises(TypeError, match="must be made as a job"):
        Flow(Child("a", lambda: 1), on_error=lambda fault: None).run()  # type: ignore[arg-type, return-value]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    flow, seen, closed = raising(number)
    report = flow.run(deadline=30.0)
    assert (report.ended, report.ok) == (("flow/a",), True)
    assert seen == [*range(len(seen))]
    assert len(seen) >= 4
    assert closed == ["source"]
    assert signal.getsignal(number) is before


def test_the_deadline_cancels() -> None:
    flow, _, closed = raising(signal.SIGTERM, stuck=True)
    report = flow.run(deadline=0.05)
    assert (report.cancelled, report.ok, closed) == (("flow/a",), False, ["source"])
    assert [left.operator for left in report.left] == ["buffer(Suspend(capacity=4))", "for_each(work)"]
    assert {left.path for left in report.left} == {"flow/a"}


def test_a_second_signal_cancels_at_once() -> None:
    flow, _, closed = raising(signal.SIGINT, signal.SIGTERM, stuck=True)
    report = flow.run(deadline=None)
    assert (report.cancelled, closed) == (("flow/a",), ["source"])


def test_in_another_thread_it_runs_without_signals() -> None:
    reports: list[Report] = []
    log = Log()
    flow = Flow(Child("a", log.job("a", ends(0.01))))
    thread = threading.Thread(target=lambda: reports.append(flow.run()), daemon=True)
    thread.start()
    assert joined(thread)
    assert reports[0].ok


def test_where_a_loop_runs_it_says_what_to_write() -> None:
    async def main() -> Any:
        return Flow().run()

    with pytest.raises(RunningLoopError, match="await flow"):
        asyncio.run(main())
