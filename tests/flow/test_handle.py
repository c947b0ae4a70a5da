"""Flows and their children, steered while they run."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

import pytest

import streamkit
from streamkit import Job, ops
from streamkit.flow import Child, Flow, FlowHandle, Intensity, Restart, Scope, State
from streamkit.testing import run
from tests.flow.jobs import Log, end, ends, fails, lasts


def steered(flow: Flow, main: Callable[[FlowHandle], Coroutine[Any, Any, Any]]) -> Any:
    """What `main` makes of the flow, half a second after its start; all is ended then."""

    async def steer() -> Any:
        handle = flow.start()
        await asyncio.sleep(0.5)
        made = await main(handle)
        await end(handle)
        assert handle.done
        return made

    return run(steer)


class TestStatus:
    def test_it_is_a_tree_of_states(self) -> None:
        log = Log()
        inner = Flow(Child("ends", log.job("ends", ends(0.1))), Child("lasts", log.job("lasts", lasts())))
        flow = Flow(
            Child("waits", log.job("waits", fails(0.2), lasts()), backoff=9.0),
            Child("never", log.job("never", fails(0.3)), restart=Restart.TEMPORARY),
            Child("in", inner),
            name="main",
            on_error=log.fault,
        )

        async def main(handle: FlowHandle) -> str:
            status = handle.status()
            assert status["in/ends"].state is status["in"]["ends"].state is State.DONE
            assert (status["waits"].name, status["waits"].path) == ("waits", "main/waits")
            with pytest.raises(KeyError, match="main has no 'of': waits, never, in"):
                status["of"]
            await asyncio.sleep(10.0)
            assert handle["waits"].status.restarts == 1
            return str(status)

        assert steered(flow, main).splitlines() == [
            "main: running since 0.000",
            "    waits: waiting since 0.200, OSError: lost",
            "    never: failed since 0.300, OSError: lost",
            "    in: running since 0.000",
            "        ends: done since 0.100",
            "        lasts: running since 0.000",
        ]

    def test_it_says_how_the_flow_has_ended(self) -> None:
        log = Log()

        async def main(*lives: Any, stop: bool = False) -> State:
            handle = Flow(
                Child("a", log.job("a", *lives)), intensity=Intensity(0, seconds=1.0), on_error=log.fault
            ).start()
            assert repr(handle) == "<FlowHandle running flow>"
            await asyncio.sleep(0.5)
            if stop:
                await handle.stop()
            await asyncio.wait([asyncio.ensure_future(awaited(handle))])
            return handle.status().state

        async def awaited(handle: FlowHandle) -> None:
            try:
                await handle
            except OSError:
                log.note("failed")

        assert run(lambda: main(ends(1.0))) is State.DONE
        assert run(lambda: main(ends(1.0), stop=True)) is State.STOPPED
        assert run(lambda: main(fails(1.0))) is State.FAILED
        assert len(log.times("failed")) == 1


class TestOneChild:
    def test_pause_holds_it_also_when_it_is_started_again(self) -> None:
        seen: list[int] = []
        lives = iter([3, 10**6, 10**6])

        def make() -> Any:
            def work(item: int, last: int = next(lives)) -> None:
                if item == last:
                    raise OSError("lost")
                seen.append(item)

            return streamkit.interval(1.0) | ops.for_each(work)

        async def main(handle: FlowHandle) -> None:
            member = handle["a"]
            await asyncio.sleep(1.0)
            member.pause()
            assert member.status.state is State.PAUSED
            held = len(seen)
            await asyncio.sleep(5.0)
            assert len(seen) == held
            member.resume()
            await asyncio.sleep(5.0)
            assert member.status.restarts == 1
            member.pause()
            await handle["a"].stop(0.0)
            await member.start()
            held = len(seen)
            await asyncio.sleep(5.0)
            assert (member.status.state, len(seen)) == (State.PAUSED, held)

        steered(Flow(Child("a", make, backoff=0.5), on_error=lambda fault: None), main)
        assert seen[:3] == [0, 1, 2]

    def test_one_that_was_stopped_stays_so_and_keeps_the_flow_until_it_is_started(self) -> None:
        log = Log()
        flow = Flow(
            Child("a", log.job("a", ends(5.0))),
            Child("b", log.job("b", fails(2.0), ends(1.0))),
            scope=Scope.ALL,
            on_error=log.fault,
        )

        async def main(handle: FlowHandle) -> None:
            report = await handle["a"].stop()
            assert (report.ended, report.ok, report.seconds) == (("flow/a",), True, 0.0)
            await asyncio.sleep(99.0)
            assert (handle["a"].status.state, handle["b"].status.state) == (State.STOPPED, State.DONE)
            assert not handle.done
            await handle["a"].start()
            await handle

        steered(flow, main)
        assert log.times("a begins") == [0.0, 99.5]
        assert len(log.times("b begins")) == 2

    def test_start_ends_the_wait_of_one_that_has_failed(self) -> None:
        log = Log()
        flow = Flow(Child("a", log.job("a", fails(0.1), ends(1.0)), backoff=60.0), on_error=log.fault)

        async def main(handle: FlowHandle) -> None:
            await handle["a"].start()
            await handle["a"].start()  # it runs
            await handle

        steered(flow, main)
        assert log.times("a begins") == [0.0, 0.5]

    def test_stop_ends_the_wait_of_one_that_has_failed(self) -> None:
        log = Log()
        flow = Flow(Child("a", log.job("a", fails(0.1)), backoff=60.0), on_error=log.fault)

        async def main(handle: FlowHandle) -> None:
            assert (await handle["a"].stop()).ended == ("flow/a",)
            await asyncio.sleep(99.0)
            assert handle["a"].status.state is State.STOPPED
            await handle.remove("a")
            await handle

        steered(flow, main)
        assert log.times("a begins") == [0.0]

    def test_start_waits_for_one_that_is_being_stopped(self) -> None:
        log = Log()

        async def main(handle: FlowHandle) -> None:
            report = await handle["a"].stop(0.0)
            assert report.closing == ("flow/a",)
            await handle["a"].start()
            await asyncio.sleep(1.0)

        steered(Flow(Child("a", log.job("a", lasts(), closing=3.0))), main)
        assert log.times("a begins") == [0.0, 3.5]

    def test_paths_that_lead_nowhere_are_errors(self) -> None:
        log = Log()
        inner = Flow(Child("b", log.job("b", ends(0.1))))
        flow = Flow(Child("a", log.job("a", lasts())), Child("in", inner))

        async def main(handle: FlowHandle) -> None:
            for path, words in [
                ("c", "flow has no child 'c': a, in"),
                ("a/b", "flow/a does not run"),
                ("in/c", "b"),
            ]:
                with pytest.raises(LookupError, match=words):
                    handle[path]
            assert repr(handle["in/b"]) == "<Member flow/in/b>"

        steered(flow, main)


class TestChange:
    def test_children_come_and_go(self) -> None:
        log = Log()
        inner = Flow(Child("b", log.job("b", lasts())))

        async def main(handle: FlowHandle) -> None:
            added = handle.add(Child("c", log.job("c", fails(1.0), lasts()), after=["a"]))
            handle.add(Child("d", log.job("d", lasts())), to="in")
            await asyncio.sleep(9.0)
            assert (added.status.restarts, handle["in/d"].status.state) == (1, State.RUNNING)
            assert (await handle.remove("in/b")).ended == ("flow/in/b",)
            assert (await handle.remove("c", 1.0)).ended == ("flow/c",)
            assert [each.name for each in handle.status().children] == ["a", "in"]
            handle.add(Child("c", log.job("c", ends(0.0))))
            await asyncio.sleep(1.0)
            assert [each.name for each in handle.status()["in"].children] == ["d"]

        steered(Flow(Child("a", log.job("a", lasts())), Child("in", inner), on_error=log.fault), main)
        assert len(log.times("c begins")) == 3

    def test_one_may_be_added_before_the_flow_has_begun(self) -> None:
        log = Log()

        async def main() -> None:
            handle = Flow(Child("b", log.job("b", ends(0.5)))).start()
            handle.add(Child("a", log.job("a", ends(1.0))))
            await handle

        run(main)
        assert log.times("a ends") == [1.0]

    def test_one_may_be_stopped_before_the_flow_has_begun_and_so_may_the_flow(self) -> None:
        log = Log()

        async def main() -> None:
            children = [Child(name, log.job(name, ends(1.0))) for name in "ab"]
            handle = Flow(*children).start()
            assert (await handle.remove("a", 0.0)).ended == ("flow/a",)
            await handle
            handle = Flow(*children).start()
            report = await handle.stop(1.0)
            assert (report.ended, report.left, report.ok) == (("flow/a", "flow/b"), (), True)
            await handle

        run(main)
        assert log.seen == [(0.0, "b begins"), (1.0, "b ends")]

    def test_a_flow_that_is_started_again_has_the_children_that_it_was_written_with(self) -> None:
        log = Log()
        inner = Flow(Child("b", log.job("b", fails(2.0), lasts())), intensity=Intensity(0, seconds=1.0))

        async def main(handle: FlowHandle) -> None:
            handle.add(Child("c", log.job("c", lasts())), to="in")
            await asyncio.sleep(9.0)
            assert [each.name for each in handle.status()["in"].children] == ["b"]

        steered(Flow(Child("in", inner), on_error=log.fault), main)
        assert log.times("c closes") == [2.0]

    def test_in_a_flow_that_is_paused_it_is_paused(self) -> None:
        log = Log()
        flow = Flow(Child("in", Flow(Child("b", log.job("b", lasts())))))

        async def main(handle: FlowHandle) -> None:
            handle["in"].pause()
            handle.add(Child("c", log.job("c", lasts())), to="in")
            await asyncio.sleep(1.0)
            assert {each.state for each in handle.status()["in"].children} == {State.PAUSED}
            assert not log.times("c begins")
            handle["in"].resume()
            await asyncio.sleep(1.0)
            assert len(log.times("c begins")) == 1

        steered(flow, main)

    def test_also_where_what_others_are_after_was_removed_and_comes_back(self) -> None:
        log = Log()
        after = Child("b", log.job("b", lasts()), after=["a"])

        async def main(handle: FlowHandle) -> None:
            await handle.remove("a", 0.0)
            handle.add(Child("c", log.job("c", lasts())))
            handle.add(Child("a", log.job("a", lasts())))
            names = [each.name for each in handle.status().children]
            assert sorted(names) == ["a", "b", "c"]
            assert names.index("a") < names.index("b")

        steered(Flow(Child("a", log.job("a", lasts())), after), main)

    def test_one_that_was_cancelled_before_it_began_takes_no_more(self) -> None:
        log = Log()

        async def main() -> None:
            handle = Flow(Child("a", log.job("a", lasts()))).start()
            (task,) = asyncio.all_tasks() - {asyncio.current_task()}
            task.cancel()
            await asyncio.wait([task])
            assert handle.status()["a"].state is State.STOPPED
            with pytest.raises(RuntimeError, match="b cannot be started"):
                handle.add(Child("b", log.job("b", lasts())))

        run(main)

    def test_what_cannot_be_added_is_an_error(self) -> None:
        log = Log()
        flow = Flow(Child("a", log.job("a", lasts(), closing=1.0)))

        async def main(handle: FlowHandle) -> None:
            with pytest.raises(ValueError, match="two children have the name 'a'"):
                handle.add(Child("a", log.job("a", lasts())))
            with pytest.raises(TypeError, match="child must be Child"):
                handle.add(log.job("a", lasts()))  # type: ignore[arg-type]
            with pytest.raises(LookupError, match="flow/a is no flow that runs"):
                handle.add(Child("b", log.job("b", lasts())), to="a")
            await handle.stop(0.0)
            with pytest.raises(RuntimeError, match="b cannot be started: the flow flow is ending"):
                handle.add(Child("b", log.job("b", lasts())))

        steered(flow, main)


def test_all_lives_of_a_child_see_the_variables_of_who_started_the_flow() -> None:
    """Not those of somebody who has started one by hand, or has added it: a request is over long before."""
    variable: ContextVar[str] = ContextVar("variable", default="nobody")
    seen: list[str] = []

    def make() -> Job[None]:
        seen.append(variable.get())
        return streamkit.interval(1.0) | ops.take(1) | ops.drain()

    async def by_hand(handle: FlowHandle) -> None:
        variable.set("a request")
        await handle["in/a"].stop()
        await handle["in/a"].start()
        handle.add(Child("b", make, restart=Restart.PERMANENT), to="in")
        await handle["in"].stop()
        await handle["in"].start()

    async def main() -> None:
        variable.set("program")
        handle = Flow(Child("in", Flow(Child("a", make, restart=Restart.PERMANENT)))).start()
        await asyncio.sleep(0.5)
        await asyncio.create_task(by_hand(handle))
        await asyncio.sleep(5.0)
        await end(handle)

    run(main)
    assert len(seen) > 4
    assert {*seen} == {"program"}
