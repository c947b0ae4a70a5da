"""Ways to draw an order."""

from random import Random

from hypothesis import given, strategies as st

from streamkit.testing.schedules.orders import BEFORE, TOP, Followed, Given, Order, Parks, Pct, Walk, drawn
from streamkit.testing.schedules.tokens import Park, Rank, Schedule, Take


def test_an_order_changes_nothing() -> None:
    order = Order()
    assert (order.rank(3), order.parks(3), order.take(3, 9)) == (0, (), None)


def test_a_schedule_does_what_it_says() -> None:
    given = Given(Schedule((Park(2, 1), Park(2, 0), Take(4, 3), Rank(7, 5))))
    assert given.parks(2) == (1, 0)
    assert given.parks(3) == ()
    assert given.take(4, 4) == 3
    assert given.take(4, 3) is None, "there is no such candidate"
    assert given.take(5, 9) is None
    assert (given.rank(7), given.rank(8)) == (5, 0)


@given(st.randoms(use_true_random=False), st.integers(1, 9))
def test_a_walk_takes_a_candidate_that_is_there(random: Random, count: int) -> None:
    walk = Walk(random, 1.0)
    taken = {walk.take(pick, count) or 0 for pick in range(50)}
    assert taken <= set(range(count))


def test_a_walk_takes_each_candidate() -> None:
    walk = Walk(Random(1), 1.0)
    assert {walk.take(pick, 5) or 0 for pick in range(200)} == set(range(5))


@given(st.randoms(use_true_random=False), st.integers(1, 100), st.integers(2, 4))
def test_pct_has_ranks_and_few_change_points(random: Random, picks: int, depth: int) -> None:
    order = Pct(random, picks, depth)
    assert all(order.rank(lane) > 0 for lane in range(20))
    parks = [pick for pick in range(picks) if order.parks(pick)]
    assert 1 <= len(parks) <= depth - 1
    assert all(order.parks(pick) == (TOP,) for pick in parks)
    assert order.take(0, 9) is None


def test_a_park_is_where_it_was_put() -> None:
    order = Parks.at(7)
    assert [pick for pick in range(20) if order.parks(pick)] == [7]


def test_the_mix_has_all_kinds_and_is_the_same_for_a_seed() -> None:
    kinds = [type(drawn(number, Random(number), 10)) for number in range(9)]
    assert kinds == [Walk, Pct, Parks] * 3
    first, second = (drawn(1, Random("7/1"), 30) for _ in range(2))
    assert [first.rank(lane) for lane in range(9)] == [second.rank(lane) for lane in range(9)]
    assert [first.parks(pick) for pick in range(30)] == [second.parks(pick) for pick in range(30)]


def test_what_is_followed_parks_all_that_would_go_before() -> None:
    order = Followed([0, 2, 1])
    assert [order.parks(pick) for pick in range(4)] == [(BEFORE,), (BEFORE - 2,), (BEFORE - 1,), ()]
