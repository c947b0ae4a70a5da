"""The pack that every carrier passes, on servers: what each of them cannot do is named, and why."""

from collections.abc import Callable

import pytest

from streamkit.durable import Kafka, Nats, Redis
from streamkit.durable.testing import CHECKS, check_carrier
from tests.brokers.servers import Cluster, JetStream, Valkey

MEMBERS = {
    "forgets_what_is_acknowledged",
    "hands_back_at_once",
    "hands_back_nothing_too_late",
    "hands_back_with_a_delay",
    "hands_out_again_after_the_lease",
    "hands_out_once",
    "keeps_the_order_of_keys",
    "loses_nothing_of_a_cancelled_claim",
    "renews",
    "renews_nothing_too_late",
    "acknowledges_nothing_too_late",
}
"""Two readers of a group, of which one shall have what the other gave up: partitions move otherwise."""


def test_redis(valkey: Valkey, fresh: Callable[[], str]) -> None:
    report = check_carrier(lambda: Redis(valkey.url, fresh()))
    assert len(report.tested) == len(CHECKS)


@pytest.mark.parametrize("atomic", [True, False])
def test_nats(jetstream: JetStream, fresh: Callable[[], str], atomic: bool) -> None:
    def carrier() -> Nats:
        return Nats(jetstream.url, fresh(), atomic=atomic, patience=10.0)

    # what was handed back is counted as claimed: docs/brokers.md
    report = check_carrier(carrier, without={"counts"})
    assert len(report.tested) == len(CHECKS) - 1


def test_kafka(cluster: Cluster, fresh: Callable[[], str]) -> None:
    def carrier() -> Kafka:
        return Kafka(cluster.servers, fresh(), patience=10.0)

    # the mock cluster can delete neither records nor groups
    report = check_carrier(carrier, without={*MEMBERS, "purges", "forgets_a_group"}, lease=1.5, patience=20.0)
    assert len(report.tested) == len(CHECKS) - len(MEMBERS) - 2
