"""`on_error=` of a concurrent `map`: results stay with their items, and in their order."""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given, strategies as st

from streamkit import Adaptive, Limit, OnError, Replace, Resume, Retry, Stream, ops
from streamkit.testing import run
from tests.operators.failing import failing_first, timed, unless

CONCURRENCIES: dict[str, Callable[[], Any]] = {
    "number": lambda: 3,
    "limit": lambda: Limit(3),
    "adaptive": lambda: Adaptive(2, 4, errors=ConnectionError),
}


class Call(NamedTuple):
    """An item: its number, how often its call fails, and how long each call takes."""

    number: int
    failures: int
    seconds: float


CALLS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([0.0, 0.5, 1.0, 3.0])), max_size=12).map(
    lambda found: [Call(number, *each) for number, each in enumerate(found)]
)
POLICIES: dict[str, OnError] = {
    "resume": Resume(),
    "replace": Replace(lambda item, error: ("instead", item.number)),
    "retry": Retry(9, 0.5),
    "retry, then resume": Retry(2, 0.5, then=Resume()),
    "retry, then replace": Retry(3, then=Replace(lambda item, error: ("instead", item.number))),
}


def by_hand(call: Call, policy: OnError) -> list[Any]:
    """What comes of a call."""
    calls = (policy.again.attempts or 0) if policy.again else 1
    if call.failures < calls:
        return [("done", call.number)]
    return [("instead", call.number)] if isinstance(policy.last, Replace) else []


def played(calls: list[Call], pipe: Callable[[Any], Any]) -> list[Any]:
    """What comes of all of them, and how often each was made."""
    made = [0] * len(calls)

    async def work(call: Call) -> Any:
        made[call.number] += 1
        await asyncio.sleep(call.seconds)
        if made[call.number] <= call.failures:
            raise ConnectionError(call.number)
        return "done", call.number

    async def main() -> list[Any]:
        found: list[Any] = await (Stream(calls) | pipe(work) | ops.to_list())
        return found

    return run(main)


@pytest.mark.parametrize("concurrency", CONCURRENCIES.values(), ids=CONCURRENCIES)
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
class TestAligned:
    @given(CALLS, st.integers(0, 2))
    def test_in_order(
        self, policy: OnError, concurrency: Callable[[], Any], calls: list[Call], lookahead: int
    ) -> None:
        expected = [each for call in calls for each in by_hand(call, policy)]
        found = played(
            calls,
            lambda work: ops.map(work, concurrency=concurrency(), lookahead=lookahead, on_error=policy),
        )
        assert found == expected

    @given(CALLS)
    def test_in_any_order_each_once(
        self, policy: OnError, concurrency: Callable[[], Any], calls: list[Call]
    ) -> None:
        expected = sorted(each for call in calls for each in by_hand(call, policy))
        found = played(
            calls, lambda work: ops.map(work, concurrency=concurrency(), ordered=False, on_error=policy)
        )
        assert sorted(found) == expected

    @given(CALLS, st.integers(1, 3))
    def test_in_order_of_each_key(
        self, policy: OnError, concurrency: Callable[[], Any], calls: list[Call], keys: int
    ) -> None:
        found = played(
            calls,
            lambda work: ops.map(
                work, concurrency=concurrency(), key=lambda call: call.number % keys, on_error=policy
            ),
        )
        for key in range(keys):
            mine = [call for call in calls if call.number % keys == key]
            expected = [each for call in mine for each in by_hand(call, policy)]
            assert [each for each in found if each[1] % keys == key] == expected


def test_a_key_waits_while_its_call_is_tried_again() -> None:
    """And others go on: one of the same key would overtake it otherwise."""
    begun: list[tuple[float, str]] = []

    async def work(item: str) -> str:
        begun.append((asyncio.get_running_loop().time(), item))
        if item == "a1" and len(begun) < 4:
            raise ConnectionError
        return item

    async def main() -> list[str]:
        pipe = ops.map(work, concurrency=3, key=lambda item: item[0], on_error=Retry(5, 2.0))
        return await (Stream(["a1", "a2", "b1"]) | pipe | ops.to_list())

    assert run(main) == ["b1", "a1", "a2"]
    assert begun == [(0.0, "a1"), (0.0, "b1"), (2.0, "a1"), (4.0, "a1"), (4.0, "a2")]


def test_a_limit_is_held_while_a_call_waits_for_its_next_attempt() -> None:
    limit = Limit(1)

    async def main() -> None:
        fails = ops.map(lambda item: 1 // 0, concurrency=limit, on_error=Retry(3, 5.0, then=Resume()))
        handle = (Stream([1]) | fails | ops.drain()).start()
        await asyncio.sleep(1.0)
        assert limit.in_flight == 1
        await handle
        assert limit.in_flight == 0

    run(main)


class TestKeyOfMap:
    @given(
        st.lists(st.integers(0, 9), max_size=12),
        st.sets(st.integers(0, 9)),
        st.sampled_from([2, 5]),
        st.integers(0, 2),
    )
    def test_an_item_without_a_key_is_not_called(
        self, numbers: list[int], bad: set[int], concurrency: int, lookahead: int
    ) -> None:
        called: list[int] = []

        async def work(number: int) -> int:
            called.append(number)
            await asyncio.sleep(number % 3)
            return number

        pipe = ops.map(
            work, concurrency=concurrency, key=unless(*bad), lookahead=lookahead, on_error=Resume()
        )
        kept = sorted(number for number in numbers if number not in bad)
        assert sorted(item for _, item in timed(Stream(numbers) | pipe)) == sorted(called) == kept

    def test_tried_again_in_turn(self) -> None:
        key = failing_first({2: 2})
        pipe = ops.map(abs, concurrency=4, key=lambda item: key(item) and 1, on_error=Retry(3, 1.0))
        assert timed(Stream([1, 2, 3]) | pipe) == [(0.0, 1), (2.0, 2), (2.0, 3)]

    def test_of_for_each(self) -> None:
        seen: list[int] = []
        sink = ops.for_each(seen.append, concurrency=2, key=unless(7), on_error=Resume())
        (Stream([1, 7, 2]) | sink).run()
        assert sorted(seen) == [1, 2]
