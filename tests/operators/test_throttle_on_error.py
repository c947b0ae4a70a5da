"""`throttle(cost=, key=, on_error=)`: what becomes of an item for which `cost` or `key` fails."""

import asyncio
from typing import Any

import pytest

from streamkit import DropOldest, RateLimit, Replace, Resume, Retry, Stream, ops
from streamkit.testing import run
from tests.operators.failing import check_policies, failing_first, now, timed, unless


class TestThrottle:
    def test_what_is_dropped_costs_nothing(self) -> None:
        paced = ops.throttle(1.0, burst=1, cost=unless(7), on_error=Resume())
        assert timed(Stream([1, 7, 7, 1]) | paced) == [(0.0, 1), (1.0, 1)]

    def test_behind_a_buffer_that_drops(self) -> None:
        """The item that waits in the buffer is asked for its cost, and is out of the way if that fails."""
        lost: list[int] = []
        letters = Resume(lambda item, error: lost.append(item))
        paced = ops.buffer(DropOldest(9)) | ops.throttle(1.0, cost=unless(7), on_error=letters)
        assert timed(Stream([1, 7, 2, 7]) | paced) == [(0.0, 1), (1.0, 2)]
        assert lost == [7, 7]

    def test_one_that_several_share(self) -> None:
        shared = RateLimit(1.0, burst=1)

        async def main() -> list[Any]:
            def through(*numbers: int) -> Any:
                return (
                    Stream(numbers) | ops.throttle(shared, cost=unless(7), on_error=Resume()) | ops.to_list()
                )

            found: list[Any] = await asyncio.gather(through(1, 7, 1), through(7, 1, 7))
            assert now() == 2.0
            return found

        assert run(main) == [[1, 1], [1]]

    def test_by_key(self) -> None:
        paced = ops.throttle(1.0, key=unless(7), max_keys=2, on_error=Resume())
        assert timed(Stream([1, 7, 1, 2, 7]) | paced) == [(0.0, 1), (0.0, 2), (1.0, 1)]

    def test_by_key_and_cost(self) -> None:
        lost: list[int] = []
        letters = Resume(lambda item, error: lost.append(item))
        paced = ops.throttle(1e3, key=unless(7), cost=unless(8, 7), max_keys=3, on_error=letters)
        assert list(Stream([1, 7, 8, 2]) | paced) == [1, 2]
        assert lost == [7, 8]

    def test_with_no_key_in_common(self) -> None:
        paced = ops.throttle(
            1.0, key=unless(7, 8), max_keys=2, on_error=Replace(lambda item, error: "others")
        )
        assert timed(Stream([7, 8, 1]) | paced) == [(0.0, 7), (0.0, 1), (1.0, 8)]

    def test_a_cost_that_is_tried_again(self) -> None:
        paced = ops.throttle(1e3, cost=failing_first({2: 2}), on_error=Retry(3, 1.0))
        assert timed(Stream([1, 2]) | ops.throttle(1e3) | paced)[1:] == [(2.001, 2)]

    @pytest.mark.parametrize("cost", ["x", -1.0, None])
    @pytest.mark.parametrize("form", [{}, {"key": abs, "max_keys": 1}])
    def test_what_is_no_cost_is_no_failure_of_the_callback(self, cost: Any, form: dict[str, Any]) -> None:
        with pytest.raises((TypeError, ValueError), match=r"^cost must be"):
            list(Stream([1]) | ops.throttle(1.0, cost=lambda _: cost, on_error=Resume(), **form))


@pytest.mark.parametrize("form", [{"cost": len}, {"key": len, "max_keys": 2}, {}], ids=repr)
def test_what_is_refused(form: dict[str, Any]) -> None:
    check_policies(lambda on_error: ops.throttle(1.0, on_error=on_error, **form))
    if "key" not in form:
        check_policies(lambda on_error: ops.throttle(RateLimit(1.0), on_error=on_error, **form))
    if not form:
        with pytest.raises(ValueError, match=r"^on_error must be given together with cost or key,"):
            ops.throttle(1.0, on_error=Resume())
