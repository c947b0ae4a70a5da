"""starmap, flatten, enumerate, pairwise, scan."""

import asyncio
from operator import add
from typing import Any

import pytest

from streamkit import Stream, ops


class TestStarmap:
    def test_elements_are_arguments(self) -> None:
        assert list(Stream([(2, 5), (3, 2)]) | ops.starmap(pow)) == [32, 9]

    def test_async_function(self) -> None:
        async def total(*numbers: int) -> int:
            return sum(numbers)

        assert list(Stream([(), (1,), [1, 2]]) | ops.starmap(total)) == [0, 1, 3]

    def test_items_that_are_no_iterables_fail(self) -> None:
        with pytest.raises(TypeError) as caught:
            list(Stream([1]) | ops.starmap(pow))
        assert caught.value.__notes__[0].startswith("in starmap(pow) at")

    def test_bad_argument(self) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not 'f'"):
            ops.starmap("f")  # type: ignore[call-overload]


class TestFlatten:
    def test_elements_one_by_one(self) -> None:
        assert list(Stream([[1, 2], [], (3,), {4: 5}]) | ops.flatten()) == [1, 2, 3, 4]

    def test_is_lazy_in_the_elements(self) -> None:
        pulled: list[int] = []

        def elements() -> Any:
            for number in range(9):
                pulled.append(number)
                yield number

        assert list(Stream([elements(), 5]) | ops.flatten() | ops.take(2)) == [0, 1]
        assert pulled == [0, 1]

    def test_an_item_that_is_no_iterable_fails(self) -> None:
        with pytest.raises(TypeError) as caught:
            list(Stream([[1], 2]) | ops.flatten())
        assert caught.value.__notes__[0].startswith("in flatten() at")

    def test_empty(self) -> None:
        assert list(Stream([]) | ops.flatten()) == []


class TestEnumerate:
    @pytest.mark.parametrize("start", [0, 1, -3, 10**20])
    def test_numbers(self, start: int) -> None:
        assert list(Stream("abc") | ops.enumerate(start)) == list(enumerate("abc", start))

    def test_every_run_begins_anew(self) -> None:
        stream = Stream("ab") | ops.enumerate()
        assert list(stream) == list(stream)

    @pytest.mark.parametrize("start", [True, 1.0, "1", None])
    def test_bad_argument(self, start: Any) -> None:
        with pytest.raises(TypeError, match=rf"start must be a whole number, not {start!r}"):
            ops.enumerate(start)


class TestPairwise:
    @pytest.mark.parametrize("items", ["", "a", "ab", "abcd"])
    def test_pairs(self, items: str) -> None:
        assert list(Stream(items) | ops.pairwise()) == list(zip(items, items[1:], strict=False))

    def test_none_is_an_item(self) -> None:
        assert list(Stream([None, None]) | ops.pairwise()) == [(None, None)]


class TestScan:
    def test_without_initial_the_first_item_comes_as_it_is(self) -> None:
        assert list(Stream([1, 2, 3]) | ops.scan(add)) == [1, 3, 6]

    def test_initial_is_not_passed_on(self) -> None:
        assert list(Stream([1, 2, 3]) | ops.scan(add, 10)) == [11, 13, 16]

    @pytest.mark.parametrize("initial", [None, 0, "", []])
    def test_any_value_can_be_initial(self, initial: Any) -> None:
        assert list(Stream([1]) | ops.scan(lambda state, item: (state, item), initial)) == [(initial, 1)]

    def test_awaitable_results_are_awaited(self) -> None:
        async def later(state: int, item: int) -> int:
            await asyncio.sleep(0.0)
            return state + item

        assert list(Stream([1, 2, 3]) | ops.scan(later)) == [1, 3, 6]
        assert list(Stream([1, 2, 3]) | ops.scan(lambda a, b: later(a, b))) == [1, 3, 6]
        assert list(Stream([1, 2, 3]) | ops.scan(lambda a, b: later(a, b), 1)) == [2, 4, 7]

    @pytest.mark.parametrize("initial", [(), (5,)])
    def test_empty(self, initial: tuple[int, ...]) -> None:
        assert list(Stream([]) | ops.scan(add, *initial)) == []

    def test_bad_argument(self) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not 0"):
            ops.scan(0, 0)  # type: ignore[call-overload]


async def given(item: Any) -> Any:
    return item


class TestAPlainFor:
    @pytest.mark.parametrize(
        "callback",
        [
            lambda item: asyncio.gather(given(item)),
            lambda item: asyncio.create_task(given(item)),
            lambda item: asyncio.get_running_loop().run_in_executor(None, abs, item),
            lambda item: asyncio.ensure_future(given(item)),
        ],
    )
    def test_runs_callbacks_where_a_loop_seems_to_run(self, callback: Any) -> None:
        stream = Stream([1, 2]) | ops.map(callback)
        assert list(stream) == (stream | ops.to_list()).run()
        assert asyncio._get_running_loop() is None


class Unreadable:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __iter__(self) -> Any:
        raise self.error


@pytest.mark.parametrize("error", [ValueError("no"), TypeError("no")], ids=repr)
def test_an_error_of_an_iterable_that_flatten_reads_is_answered_with_no_advice(error: Exception) -> None:
    with pytest.raises(type(error), match="no") as raised:
        list(Stream([Unreadable(error)]) | ops.flatten())
    assert raised.value is error
    (note,) = error.__notes__
    assert note.startswith("in flatten()")
