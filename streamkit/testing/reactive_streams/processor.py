"""The rules of section 4: what a processor keeps to, besides those of the other sections."""

from __future__ import annotations

from streamkit.testing.reactive_streams.cases import Case, ProcessorCase, PublisherCase
from streamkit.testing.reactive_streams.probes import Probe, Upstream
from streamkit.testing.reactive_streams.publisher import PUBLISHER
from streamkit.testing.reactive_streams.rules import Registry
from streamkit.testing.reactive_streams.subscriber import SUBSCRIBER
from streamkit.testing.reactive_streams.subscription import CARE, SUBSCRIPTION

__all__ = ["PROCESSOR"]

PROCESSOR = Registry(ProcessorCase)


@PROCESSOR.rule("4.1", "keeps all rules of a publisher, and all of a subscriber")
async def both_sides(case: ProcessorCase) -> None:
    broken: list[str] = []
    for rule in [*PUBLISHER, *SUBSCRIBER, *SUBSCRIPTION, *CARE]:
        if rule.function is not None:
            side: Case = case.as_publisher() if rule.case is PublisherCase else case.as_subscriber()
            try:
                await rule.check(side)
            except AssertionError as error:
                broken.append(str(error))
    assert not broken, "; ".join(broken)


@PROCESSOR.rule("4.2", "an error that it does not recover from is passed on at once")
async def errors_pass(case: ProcessorCase) -> None:
    error = ArithmeticError("as the check wants it")
    processor, upstream, probe = case.processor(), Upstream(), Probe()
    upstream.subscribe(processor)
    processor.subscribe(probe)
    await case.eventually(lambda: probe.subscription is not None, "on_subscribe was not signalled")
    upstream.subscriber.on_error(error)
    await case.eventually(lambda: probe.ended, "on_error, without any demand,")
    assert probe.error is error, f"on_error was given {probe.error!r}, and it was {error!r}"
    await case.silence()
    assert not upstream.links[0].cancels, "a subscription that its publisher has ended was cancelled"
