"""`to_publisher`: subscriptions that are left where no loop runs, ahead of demand, and within clean-up."""

import asyncio
from functools import partial
from typing import Any

import pytest

from streamkit import Stream, attached, ops
from streamkit.reactive_streams import to_processor, to_publisher
from streamkit.reactive_streams.demand import Demand, wake
from streamkit.testing import Faults, FaultySource, run
from streamkit.testing.reactive_streams import Probe, Supply, Upstream
from tests.reactive_streams.asking import Source, asking, reports, rest


@pytest.mark.parametrize("misuse", [lambda link: link.cancel(), lambda link: link.request(0)])
@pytest.mark.parametrize("closed", [False, True], ids=["no loop", "a closed one"])
def test_where_no_loop_runs_a_subscription_can_be_left_from_within(misuse: Any, closed: bool) -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    probe = Probe(lambda probe: misuse(probe.link))
    to_publisher(Stream([1]), loop=loop if closed else None).subscribe(probe)
    assert probe.signals[0] == "on_subscribe"
    assert not probe.items


def test_what_fails_beside_a_cancel_is_reported() -> None:
    async def main() -> None:
        found = reports()
        first, second = Source(1, late=OSError("first")), Source(1, late=OSError("second"))
        probe = Probe(asking(9))
        publisher = to_publisher(Stream(first) | ops.merge(Stream(second)))
        publisher.subscribe(probe)
        await rest()
        probe.link.cancel()
        await publisher.wait_closed()
        (error,) = [context["exception"] for context in found]
        assert [str(each) for each in (error, *attached(error))] == ["first", "second"]
        assert not probe.ended

    run(main)


def test_a_run_that_was_cancelled_twice_tells_its_subscriber_nothing() -> None:
    """By the subscriber, who then hears no more; and in its clean-up by the program, which ends."""
    probe = Probe(asking(9))

    async def main() -> None:
        publisher = to_publisher(Stream(Source(1, closing=60.0)))
        publisher.subscribe(probe)
        await rest()
        probe.link.cancel()
        await rest()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await publisher.wait_closed()

    run(main, leaks=False)
    assert probe.signals == ["on_subscribe", "on_next"]


def test_a_cancel_cuts_no_clean_up_short() -> None:
    async def main(every: float | None) -> None:
        source, probe = FaultySource([1], every=every, close_seconds=60.0), Probe(asking(9))
        publisher = to_publisher(Stream(source))
        publisher.subscribe(probe)
        try:
            await rest()
        finally:
            probe.link.cancel()
            await publisher.wait_closed()
            assert [visit.closed for visit in source.visits] in ([1], [])

    run(partial(main, None))  # it closes by itself
    run(partial(main, 9.0), faults=Faults.SHUTDOWN)  # the end of the program has cancelled it


def test_an_item_that_was_pulled_ahead_of_demand_is_not_sent_if_the_pull_has_cancelled() -> None:
    async def main() -> None:
        probe, upstream = Probe(), Upstream()

        def recovered(_: Exception) -> list[str]:
            probe.link.cancel()
            return ["recovered"]

        processor = to_processor(ops.catch(recovered))
        upstream.subscribe(processor)
        processor.subscribe(probe)
        await rest()
        upstream.subscriber.on_error(LookupError())
        await processor.wait_closed()
        assert probe.signals == ["on_subscribe"]

    run(main)


def test_a_processor_may_be_subscribed_to_before_it_has_a_publisher() -> None:
    async def main() -> None:
        processor, probe = to_processor(ops.map(str)), Probe(asking(9))
        processor.subscribe(probe)
        await rest()
        assert probe.signals == ["on_subscribe"]
        Supply(2).subscribe(processor)
        await processor.wait_closed()
        assert probe.items == ["0", "1"]
        assert probe.signals[-1] == "on_complete"

    run(main)


def test_a_run_that_was_cancelled_while_it_waited_for_demand_is_not_woken() -> None:
    async def main() -> None:
        demand = Demand()
        waiting = asyncio.ensure_future(demand.wait())
        await rest()
        waiter = demand.add(1)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiter is not None
        wake(waiter)
        assert waiter.cancelled()

    run(main)
