"""What is told of a fault: where in the flow, and where in the pipe, with which item; and hooks that fail."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Replace, Stream, ops
from streamkit.flow import Action, Child, Fault, Flow, Intensity, Restart
from streamkit.testing import run


def inverse(item: int) -> float:
    return 1 / item


async def later(item: int) -> float:
    await asyncio.sleep(0.1)
    item += 1
    return 1 / (item - 1)


def faults_of(make: Callable[[], Any], **rules: Any) -> list[Fault]:
    found: list[Fault] = []

    async def main() -> None:
        await Flow(Child("a", make, restart=Restart.TEMPORARY), on_error=found.append, **rules)

    run(main)
    return found


CASES: list[tuple[Callable[[], Any], str | None, tuple[Any, ...]]] = [
    (lambda: Stream([1, 0]) | ops.map(inverse) | ops.filter(bool) | ops.drain(), "map(inverse)", (0,)),
    (lambda: Stream([1, 0]) | ops.map(later) | ops.drain(), "map(later)", (0,)),
    (
        lambda: Stream([1, 0]) | ops.map(later, concurrency=2) | ops.drain(),
        "map(later, concurrency=2)",
        (0,),
    ),
    (lambda: Stream([1, 0]) | ops.filter(lambda x: inverse(x)) | ops.drain(), "filter(<lambda>)", (0,)),
    (lambda: Stream(["1", "x"]) | ops.map(int) | ops.drain(), "map(int)", ("x",)),
    (
        lambda: Stream([1, 0]) | ops.batch(1) | ops.starmap(inverse) | ops.drain(),
        "starmap(inverse)",
        ([0],),
    ),
    (lambda: Stream([1, 0]) | ops.for_each(inverse), "for_each(inverse)", (0,)),
    (
        lambda: Stream([1, 0]) | ops.concat_map(lambda x: [1 / x]) | ops.drain(),
        "concat_map(<lambda>)",
        (0,),
    ),
    (lambda: Stream([4, 0]) | ops.fold(lambda a, x: a / x, 8), "fold(<lambda>, 8)", (0,)),
    (
        lambda: Stream([1, 0]) | ops.map(inverse, on_error=Replace(lambda x, _: 1 / x)) | ops.drain(),
        "map(inverse, on_error=Replace(<lambda>))",
        (0,),
    ),
    # where there is none
    (
        lambda: Stream([]) | ops.fail_if_empty(lambda: OSError("none")) | ops.drain(),
        "fail_if_empty(<lambda>)",
        (),
    ),
    (lambda: Stream([1, 2]) | ops.single(), "single()", ()),
    # what is not known is not guessed: the callback had returned, a source was read, a job was made
    (lambda: Stream([1, 0]) | ops.map(lambda x: later(x)) | ops.drain(), "map(<lambda>)", ()),
    (lambda: Stream(1 / x for x in [1, 0]) | ops.map(inverse) | ops.drain(), None, ()),
    (lambda: inverse(0), None, ()),
]


class TestWhere:
    def test_operator_and_item(self) -> None:
        for make, operator, items in CASES:
            (fault,) = faults_of(make)
            assert (fault.operator, fault.items) == (operator, items)
            assert ("tests/flow/test_faults.py:" in (fault.place or "")) is (operator is not None)

    def test_it_is_told_in_texts_too(self) -> None:
        (fault,) = faults_of(lambda: Stream(["x" * 100]) | ops.map(int) | ops.drain(), name="main")
        assert fault.tags == {"flow": "main", "job": "a", "action": "leave", "operator": "map"}
        assert fault.extras == {
            "path": "main/a",
            "restarts": 0,
            "seconds": None,
            "operator": "map(int)",
            "place": fault.place,
            "item": "'" + "x" * 56 + "...",
        }
        assert str(fault).startswith(f"main/a has failed in map(int) at {fault.place} with 'xxx")
        (fault,) = faults_of(lambda: Stream([1, 2]) | ops.single())
        assert (fault.extras["operator"], "item" in fault.extras) == ("single()", False)
        (fault,) = faults_of(lambda: inverse(0))
        assert fault.tags == {"flow": "flow", "job": "a", "action": "leave"}
        assert fault.extras == {"path": "flow/a", "restarts": 0, "seconds": None}


class TestHooks:
    def test_without_one_it_is_logged_with_its_traceback(self, caplog: pytest.LogCaptureFixture) -> None:
        run(lambda: awaited(Flow(Child("a", lambda: inverse(0), restart=Restart.TEMPORARY))))  # type: ignore[arg-type, return-value]
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("streamkit", logging.ERROR)
        assert "flow/a has failed, it is not started again: ZeroDivisionError" in record.getMessage()
        assert record.exc_info is not None

    def test_one_that_fails_stops_nothing_and_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        lives = iter([0, 0, 1])

        def hook(fault: Fault) -> None:
            raise LookupError("no network")

        def make() -> Any:
            return Stream([next(lives)]) | ops.for_each(inverse)

        run(lambda: awaited(Flow(Child("a", make), on_error=hook)))
        assert len(caplog.records) == 2
        assert all("no network" in (record.exc_text or "") for record in caplog.records)

    def test_one_that_must_be_awaited_is_refused(self, caplog: pytest.LogCaptureFixture) -> None:
        async def hook(fault: Fault) -> None:
            """It is never begun."""

        with pytest.raises(TypeError, match="on_error must be a plain function"):
            Flow(on_error=hook)
        failing = Child("a", lambda: Stream([0]) | ops.for_each(inverse), restart=Restart.TEMPORARY)
        run(lambda: awaited(Flow(failing, on_error=lambda fault: hook(fault))))
        assert "on_error must return at once" in (caplog.records[0].exc_text or "")

    def test_an_inner_flow_may_have_its_own(self) -> None:
        outer: list[Fault] = []
        inner: list[Fault] = []
        failing = Child("a", lambda: Stream([0]) | ops.for_each(inverse), restart=Restart.TEMPORARY)
        own = Flow(failing, on_error=inner.append)
        run(lambda: awaited(Flow(Child("own", own), Child("none", Flow(failing)), on_error=outer.append)))
        assert [(fault.path, fault.action) for fault in outer + inner] == [
            ("flow/none/a", Action.LEAVE),
            ("flow/own/a", Action.LEAVE),
        ]

    def test_one_may_stop_the_flow(self) -> None:
        handles: list[Any] = []
        lives: list[int] = []

        def make() -> Any:
            lives.append(1)
            return Stream([0]) | ops.for_each(inverse)

        async def main() -> None:
            flow = Flow(Child("a", make, backoff=1.0), on_error=lambda _: handles[0].end(0.0))
            handles.append(flow.start())
            await handles[0]

        run(main)
        assert lives == [1]

    def test_one_that_cancels_keeps_no_flow_from_its_end(self, caplog: pytest.LogCaptureFixture) -> None:
        def hook(_: Fault) -> None:
            raise asyncio.CancelledError("a hook")

        failing = Child("a", lambda: Stream([0]) | ops.for_each(inverse), backoff=1.0)
        once = Intensity(1, seconds=60.0)
        with pytest.raises(ZeroDivisionError):
            run(
                lambda: awaited(
                    Flow(Child("in", Flow(failing, intensity=once)), on_error=hook, intensity=once)
                )
            )
        assert len(caplog.records) == 6
        assert all("a hook" in (record.exc_text or "") for record in caplog.records)

    def test_when_one_is_told_that_the_flow_fails_nothing_more_is_started(self) -> None:
        handles: list[Any] = []
        refused: list[str] = []

        def hook(_: Fault) -> None:
            with pytest.raises(RuntimeError) as caught:
                handles[0].add(Child("b", lambda: Stream([1]) | ops.drain()))
            refused.append(str(caught.value))

        async def main() -> None:
            failing = Child("a", lambda: Stream([0]) | ops.for_each(inverse))
            handles.append(Flow(failing, on_error=hook, intensity=Intensity(0, seconds=1.0)).start())
            with pytest.raises(ZeroDivisionError):
                await handles[0]

        run(main)
        assert refused == ["b cannot be started: the flow flow is ending"]


class OddError(Exception):
    """Whatever is asked of it fails, or is False."""

    def __str__(self) -> str:
        raise LookupError("no words")

    __repr__ = __str__

    def __bool__(self) -> bool:
        return False

    @property
    def __notes__(self) -> Any:
        raise LookupError("no notes")


def test_an_error_that_cannot_be_read_is_told_and_fails_the_flow() -> None:
    found: list[Fault] = []

    def fails(_: int) -> None:
        raise OddError

    async def main() -> None:
        failing = Child("a", lambda: Stream([1]) | ops.for_each(fails), backoff=1.0)
        handle = Flow(failing, intensity=Intensity(1, seconds=60.0), on_error=found.append).start()
        with pytest.raises(OddError):
            await handle
        assert "OddError: <its __str__ failed with LookupError>" in str(handle.status())

    run(main)
    assert [(each.action, each.operator) for each in found] == [
        (Action.RESTART, "for_each(fails)"),
        (Action.ESCALATE, "for_each(fails)"),
    ]


async def awaited(flow: Flow) -> None:
    await flow
