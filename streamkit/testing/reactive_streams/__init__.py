"""The rules of Reactive Streams 1.0.4 as a suite of checks, for any publisher, subscriber or processor.

Write a case that makes what is to be tested, and check each rule, for example with pytest:

    class Mine(PublisherCase):
        def publisher(self, count):
            return MyPublisher(range(count))

        def failing(self, count, error):
            return MyPublisher(range(count), then=error)

    @pytest.mark.parametrize("rule", rules(PublisherCase), ids=str)
    def test_rule(rule):
        run(rule.check(Mine()))

`RULES` has all 43. Those that no test can check say why, in ``rule.untested``. The checks are coroutines
for any event loop; in virtual time (`streamkit.testing.run`) their waits take no real time.
"""

from streamkit.testing.reactive_streams.cases import (
    Case,
    Consumer,
    ProcessorCase,
    PublisherCase,
    SubscriberCase,
)
from streamkit.testing.reactive_streams.probes import Link, Probe, Supply, Upstream
from streamkit.testing.reactive_streams.processor import PROCESSOR
from streamkit.testing.reactive_streams.publisher import PUBLISHER
from streamkit.testing.reactive_streams.rules import Rule
from streamkit.testing.reactive_streams.subscriber import SUBSCRIBER
from streamkit.testing.reactive_streams.subscription import CARE, SUBSCRIPTION

__all__ = [
    "RULES",
    "Case",
    "Consumer",
    "Link",
    "Probe",
    "ProcessorCase",
    "PublisherCase",
    "Rule",
    "SubscriberCase",
    "Supply",
    "Upstream",
    "rules",
]

RULES: tuple[Rule, ...] = tuple(
    sorted(
        [*PUBLISHER, *SUBSCRIBER, *SUBSCRIPTION, *CARE, *PROCESSOR],
        key=lambda rule: [int(part) for part in rule.number.split(".")],
    )
)
"""All 43, in the order of the specification."""


def rules(case: type[Case]) -> list[Rule]:
    """Those that can be checked on such a case."""
    return [rule for rule in RULES if rule.case is case and rule.function is not None]
