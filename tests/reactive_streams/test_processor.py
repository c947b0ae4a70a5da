"""`to_processor`: what it adds to the rules, which have tests of their own."""

from streamkit import SourceConsumedError, Stream, ops
from streamkit.reactive_streams import from_publisher, to_processor, to_publisher
from streamkit.testing import run
from streamkit.testing.reactive_streams import Probe, Supply, Upstream
from tests.reactive_streams.asking import Source, asking, rest


def test_a_processor_requests_upstream_only_on_demand_and_cancels_with_its_subscriber() -> None:
    async def main() -> None:
        upstream, probe = Upstream(), Probe()
        processor = to_processor(ops.map(str), lookahead=4)
        upstream.subscribe(processor)
        link = upstream.links[0]
        processor.subscribe(probe)
        await rest()
        assert link.calls == 0
        probe.link.request(1)
        await rest()
        assert link.requests == [4]
        for number in range(4):
            processor.on_next(number)
        await rest()
        assert probe.items == ["0"]
        probe.link.cancel()
        await processor.wait_closed()
        assert link.cancels == 1

    run(main)


def test_a_processor_cancels_upstream_even_if_nothing_was_ever_requested() -> None:
    async def main() -> None:
        upstream, probe = Upstream(), Probe(lambda probe: probe.link.cancel())
        processor = to_processor()
        upstream.subscribe(processor)
        other = Probe()
        processor.subscribe(other)
        await rest()
        other.link.cancel()
        await processor.wait_closed()
        assert upstream.links[0].cancels == 1
        processor.subscribe(probe)
        late = Upstream()
        late.subscribe(processor)
        assert late.links[0].cancels == 1
        await processor.wait_closed()

    run(main)


def test_a_processor_delivers_what_it_holds_before_the_end() -> None:
    async def main() -> None:
        processor, probe = to_processor(ops.map(str), lookahead=3), Probe()
        Supply(3, LookupError("the end")).subscribe(processor)
        processor.subscribe(probe)
        for sent in (1, 2, 3):
            probe.link.request(1)
            await rest()
            assert len(probe.items) == sent
            assert probe.ended == (sent == 3)
        assert isinstance(probe.error, LookupError)

    run(main)


def test_operators_of_a_processor_may_recover_from_an_error() -> None:
    async def main() -> None:
        processor = to_processor(ops.catch(lambda _: ["recovered"]))
        Supply(1, LookupError()).subscribe(processor)
        return await (from_publisher(processor, lookahead=2) | ops.to_list())

    assert run(main) == [0, "recovered"]


def test_a_second_subscriber_of_a_processor_is_turned_away() -> None:
    async def main() -> None:
        processor = to_processor()
        Supply(1).subscribe(processor)
        first, second = Probe(asking(2)), Probe(asking(2))
        processor.subscribe(first)
        processor.subscribe(second)
        await processor.wait_closed()
        assert first.signals[-1] == "on_complete"
        assert second.signals == ["on_subscribe", "on_error"]
        assert isinstance(second.error, SourceConsumedError)

    run(main)


def test_processors_form_a_chain_that_holds_demand() -> None:
    async def main() -> None:
        source = Source()
        first, second = to_processor(ops.map(lambda number: number + 1)), to_processor(ops.map(str))
        publisher = to_publisher(Stream(source))
        publisher.subscribe(first)
        first.subscribe(second)
        async with from_publisher(second).open() as items:
            assert await anext(aiter(items)) == "1"
            await rest()
            assert len(source.pulled) <= 4
        await publisher.wait_closed()
        assert source.closed == 1

    run(main)
