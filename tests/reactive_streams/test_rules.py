"""The 43 rules of Reactive Streams, one test each."""

from collections.abc import Callable
from typing import Any

import pytest

from pages import rules as rules_page
from streamkit.testing.reactive_streams import RULES, Rule, SubscriberCase, rules
from tests.reactive_streams.conformance import CASES, OurSubscriber


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rule(rule: Rule, run: Callable[..., Any]) -> None:
    if rule.untested:
        pytest.skip(f"untested: {rule.untested}")
    run(rule.check(CASES[rule.case]()))


@pytest.mark.parametrize("lookahead", [2, 7])
@pytest.mark.parametrize("rule", rules(SubscriberCase), ids=str)
def test_subscribers_that_look_further_ahead_keep_the_rules_too(
    rule: Rule, lookahead: int, run: Callable[..., Any]
) -> None:
    case = OurSubscriber()
    case.lookahead = lookahead
    run(rule.check(case))


def test_the_page_of_the_rules_is_not_stale() -> None:
    assert rules_page.PAGE.read_text() == rules_page.page(), (
        "docs/reactive-streams.md is stale; run: make pages"
    )


def test_every_rule_is_kept_or_visibly_untested() -> None:
    text = rules_page.PAGE.read_text()
    rows = [line for line in text.splitlines() if line.startswith(("| 1.", "| 2.", "| 3.", "| 4."))]
    assert len(rows) == 43
    assert all(row.endswith("| kept |") or "| none | **untested**: " in row for row in rows)
