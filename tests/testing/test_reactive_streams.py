"""The suite of rules itself: 43 of them, each of which tells the flawed from the sound."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from streamkit.testing.reactive_streams import (
    RULES,
    ProcessorCase,
    PublisherCase,
    Rule,
    SubscriberCase,
    rules,
)
from streamkit.testing.reactive_streams.probes import Probe
from tests.testing.flawed import case

TESTED = [rule for rule in RULES if rule.function is not None]


def test_there_are_43_rules_each_tested_or_with_a_reason_why_not() -> None:
    counts = {1: 11, 2: 13, 3: 17, 4: 2}
    assert [rule.number for rule in RULES] == [
        f"{part}.{n + 1}" for part in counts for n in range(counts[part])
    ]
    assert all((rule.function is None) == bool(rule.untested) for rule in RULES)
    assert [rule.number for rule in RULES if rule.untested] == ["3.1", "3.4"]


@pytest.mark.parametrize("rule", TESTED, ids=str)
def test_what_keeps_a_rule_passes(rule: Rule, run: Callable[..., Any]) -> None:
    run(rule.check(case(rule.case)))


@pytest.mark.parametrize("rule", TESTED, ids=str)
def test_what_breaks_a_rule_is_caught_and_told_which(rule: Rule, run: Callable[..., Any]) -> None:
    with pytest.raises(AssertionError, match=rf"^rule {rule.number} \({rule.text[:20]}"):
        run(rule.check(case(rule.case, rule.number)), leaks=False)


def test_a_rule_that_cannot_be_tested_says_so(run: Callable[..., Any]) -> None:
    rule = next(rule for rule in RULES if rule.untested)
    with pytest.raises(ValueError, match="cannot be tested"):
        run(rule.check(case(rule.case)))


def test_a_rule_is_checked_on_its_own_kind_of_case_only(run: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="checked on a PublisherCase"):
        run(RULES[0].check(case(SubscriberCase)))


def test_checks_that_are_optimised_away_do_not_pass() -> None:
    script = """
import asyncio
from streamkit.testing.reactive_streams import PublisherCase, rules

class Nothing(PublisherCase):
    publisher = failing = None

asyncio.run(rules(PublisherCase)[0].check(Nothing()))
"""
    ran = subprocess.run([sys.executable, "-O", "-c", script], capture_output=True, text=True, check=False)
    assert "run them without -O" in ran.stderr


def test_the_rules_of_a_kind_of_case_are_those_that_can_be_checked_on_it() -> None:
    counts = [len(rules(kind)) for kind in (PublisherCase, SubscriberCase, ProcessorCase)]
    assert counts == [24, 15, 2]


def test_a_probe_is_told_the_end_with_the_last_item_too() -> None:
    probe = Probe()
    probe.on_next(1, is_complete=True)
    assert probe.signals == ["on_next", "on_complete"]
    assert probe.ended


class Stubborn(SubscriberCase):
    """Its consumers heed no cancel."""

    seconds = 0.05

    def subscribe(self, publisher: Any) -> Any:
        return self

    async def take(self) -> Any:  # type: ignore[override]
        await asyncio.sleep(1e6)

    async def cancel(self) -> None:
        """Go on taking."""


def test_a_consumer_that_takes_on_after_its_cancel_is_ended(run: Callable[..., Any]) -> None:
    async def main() -> None:
        stubborn = Stubborn()
        take = SubscriberCase.take
        goes_on, given_up = take(stubborn, stubborn), take(stubborn, stubborn)
        given_up.cancel()
        await stubborn.close()
        await asyncio.sleep(0)
        assert goes_on.cancelled()

    run(main)


def test_a_reader_of_a_processor_may_leave_before_it_has_a_subscription(run: Callable[..., Any]) -> None:
    class Silent:
        def subscribe(self, subscriber: Any) -> None:
            """Signal nothing."""

    class Silents(ProcessorCase):
        def processor(self) -> Any:
            return Silent()

    async def main() -> None:
        await Silents().as_subscriber().subscribe(Silent()).cancel()

    run(main)
