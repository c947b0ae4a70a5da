"""Backoff."""

import math
import pickle
from copy import deepcopy
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, strategies as st

from streamkit import Backoff
from streamkit._core.backoff import backoff_argument, waits


def first_waits(backoff: Backoff, count: int = 6) -> list[float]:
    return [*islice(backoff, count)]


def test_each_wait_is_longer_up_to_the_most() -> None:
    assert first_waits(Backoff(1.0, jitter=0.0)) == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]
    assert first_waits(Backoff(1, factor=3, most=10, jitter=0)) == [1.0, 3.0, 9.0, 10.0, 10.0, 10.0]
    assert first_waits(Backoff(2.0, factor=1.0, jitter=0.0), 3) == [2.0, 2.0, 2.0]


def test_a_thousand_waits_do_not_overflow() -> None:
    assert first_waits(Backoff(1e300, factor=1e300, most=1.7e308, jitter=0.0), 5000)[-1] == 1.7e308


@given(st.floats(0, 1), st.integers())
def test_jitter_takes_away_a_part_of_each_wait(jitter: float, seed: int) -> None:
    whole = first_waits(Backoff(1.0, most=8.0, jitter=0.0))
    found = first_waits(Backoff(1.0, most=8.0, jitter=jitter, seed=seed))
    assert all((1 - jitter) * wait <= part <= wait for wait, part in zip(whole, found, strict=True))


def test_full_jitter_spreads_over_the_whole_wait() -> None:
    found = sorted(first_waits(Backoff(1.0, factor=1.0, seed=1), 1000))
    assert found[0] < 0.01
    assert found[-1] > 0.99
    assert 0.45 < found[500] < 0.55


def test_a_seed_makes_the_same_waits_each_time_and_none_makes_others() -> None:
    seeded, free = Backoff(1.0, seed=7), Backoff(1.0)
    assert first_waits(seeded) == first_waits(seeded)
    assert first_waits(seeded) != first_waits(Backoff(1.0, seed=8))
    assert first_waits(free) != first_waits(free)


def test_it_is_a_value() -> None:
    backoff = Backoff(1.0, seed=7)
    assert backoff == Backoff(1, seed=7) != Backoff(1.0, seed=8)
    assert repr(backoff) == "Backoff(first=1.0, factor=2.0, most=60.0, jitter=1.0, seed=7)"
    assert hash(backoff) == hash(Backoff(1.0, seed=7))
    assert pickle.loads(pickle.dumps(backoff)) == deepcopy(backoff) == backoff
    with pytest.raises(AttributeError):
        backoff.first = 2.0  # type: ignore[misc]


def test_a_number_waits_as_long_each_time() -> None:
    assert [*islice(waits(backoff_argument(2)), 3)] == [2.0, 2.0, 2.0]
    assert [*islice(waits(Backoff(2.0, jitter=0.0)), 2)] == [2.0, 4.0]


def test_jitter_is_a_part_of_a_wait_of_any_length() -> None:
    found = [wait for seed in range(100) for wait in first_waits(Backoff(60.0, jitter=0.5, seed=seed), 1)]
    assert 30.0 <= min(found) < 33.0
    assert 57.0 < max(found) <= 60.0


def test_no_seconds_are_a_number_of_seconds_too() -> None:
    assert backoff_argument(0) == 0.0


@pytest.mark.parametrize(
    ("value", "kind", "told"),
    [("soon", TypeError, "'soon'"), (-1.0, ValueError, "-1.0"), (math.inf, ValueError, "inf")],
)
def test_what_is_neither_a_backoff_nor_seconds(value: Any, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind) as caught:
        backoff_argument(value)
    assert type(caught.value) is kind
    assert str(caught.value) == (
        f"backoff must be a Backoff, or a finite number of seconds of at least 0, not {told}"
    )


NUMBERS: Any = [None, "1", [1.0], True, 1j]


@pytest.mark.parametrize("name", ["first", "factor", "most", "jitter"])
@pytest.mark.parametrize("value", NUMBERS, ids=repr)
def test_what_is_no_number(name: str, value: Any) -> None:
    arguments: dict[str, Any] = {"first": 1.0, name: value}
    with pytest.raises(TypeError, match=f"^{name} must be a finite number"):
        Backoff(**arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first", 0),
        ("first", -1),
        ("first", math.nan),
        ("first", math.inf),
        ("first", 10**400),
        ("factor", 0.5),
        ("factor", math.nan),
        ("factor", math.inf),
        ("most", 0),
        ("most", math.inf),
        ("most", 0.5),
        ("jitter", -0.1),
        ("jitter", 1.1),
        ("jitter", math.nan),
    ],
)
def test_what_is_out_of_bounds(name: str, value: float) -> None:
    arguments: dict[str, Any] = {"first": 1.0, name: value}
    with pytest.raises(ValueError, match=f"^{name} must be"):
        Backoff(**arguments)


@pytest.mark.parametrize("seed", [1.5, "1", [1]])
def test_what_is_no_seed(seed: Any) -> None:
    with pytest.raises(TypeError, match=r"^seed must be a whole number"):
        Backoff(1.0, seed=seed)


def test_a_first_wait_above_the_most() -> None:
    with pytest.raises(ValueError, match=r"^most must be at least first, which is 120.0, not 60.0$"):
        Backoff(120.0)


def test_a_wrong_call_is_answered_with_what_it_takes() -> None:
    with pytest.raises(TypeError, match=r"^Backoff\(first, \*, .*\) takes no base"):
        Backoff(1.0, base=2.0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
