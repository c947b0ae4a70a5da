"""The 43 rules of Reactive Streams, one test each."""

from collections.abc import Callable
from typing import Any

import pytest

from streamkit.testing.reactive_streams import RULES, Rule
from tests.interop.conformance import CASES


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rule(rule: Rule, run: Callable[..., Any]) -> None:
    if rule.untested:
        pytest.skip(f"untested: {rule.untested}")
    run(rule.check(CASES[rule.case]()))
