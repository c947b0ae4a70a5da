"""Every law is found broken by an operator that breaks that law, and no other one is."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from streamkit.testing import Law, LawError, Report, check_operator
from tests.testing.conformance import broken
from tests.tiers import stride

APART = stride(10)
"""In the default tier, an operator is tested for each so many-th of the laws that it keeps, in turn."""
BROKEN: dict[str, tuple[Law, Callable[[], Any], dict[str, Any]]] = {}


def breaks(law: Law, operator: Any, **given: Any) -> None:
    BROKEN[operator.__name__] = law, operator, given


def same(item: Any) -> Any:
    return item


breaks(Law.DEMAND, broken.reads_ahead)
breaks(Law.DEMAND, broken.reads_in_a_step)
breaks(Law.BOUND, broken.holds_more)
breaks(Law.CLOSE, broken.never_closes)
breaks(Law.CLOSE, broken.leaves_a_task)
breaks(Law.CLOSE, broken.goes_on_when_it_is_closed)
breaks(Law.CLOSE, broken.hurries_its_source)
breaks(Law.CLOSE, broken.waits_for_a_first_item)
breaks(Law.ERRORS, broken.swallows_errors)
breaks(Law.ERRORS, broken.raises_another_error)
breaks(Law.ERRORS, broken.loses_the_rest)
breaks(Law.ERRORS, broken.forgets_errors_of_clean_up)
breaks(Law.ERRORS, broken.takes_an_end_for_its_own, callbacks=[same])
breaks(Law.CANCELLATION, broken.swallows_cancellation)
breaks(Law.CANCELLATION, broken.cancels_its_consumer)
breaks(Law.ONE_TASK, broken.closes_in_another_task)
breaks(Law.FAIRNESS, broken.waits_by_looking)
breaks(Law.ACCOUNTING, broken.doubles_the_second, items="abc", expected="abc")
breaks(Law.ACCOUNTING, broken.drops_when_slow)
breaks(Law.ACCOUNTING, broken.loses_what_comes_late)
breaks(Law.AWAITABLES, broken.never_awaits, callbacks=[same])
breaks(Law.AWAITABLES, broken.awaits_coroutine_functions_only, callbacks=[same])
breaks(
    Law.VALIDATION,
    lambda: broken.takes_any_argument(2),
    refuses={"most": lambda: broken.takes_any_argument(-1)},
)
breaks(Law.DEPTH, broken.swallows_recursion_errors)
breaks(Law.NOTHING_PINNED, broken.keeps_all_items)
breaks(Law.NOTHING_PINNED, broken.keeps_its_runs)


def report_of(operator: Any, **given: Any) -> Report:
    with pytest.raises(LawError) as caught:
        check_operator(operator, **given)
    assert str(caught.value) == str(caught.value.report)
    return caught.value.report


def in_tiers() -> Iterator[Any]:
    """The first that breaks a law is in both tiers, the others of that law in the full one."""
    seen: set[Law] = set()
    for name, (law, _, _) in BROKEN.items():
        yield pytest.param(name, marks=[pytest.mark.full] if law in seen else [])
        seen.add(law)


# one that yields where it is closed may be collected when its loop is gone, which Python tells of
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", [*in_tiers()])
def test_an_operator_that_breaks_one_law_is_found_to_break_that_one(name: str) -> None:
    law, operator, given = BROKEN[name]
    turn = [*BROKEN].index(name) % APART
    laws = [each for number, each in enumerate(Law) if each is law or number % APART == turn]
    report = report_of(operator, every=3 * stride(3), laws=laws, **given)
    assert report.broken == (law,), str(report)
