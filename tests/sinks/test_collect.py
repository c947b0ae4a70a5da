"""Sinks that keep the items."""

from hypothesis import given, strategies as st

from streamkit import Stream, ops

NUMBERS = st.lists(st.integers(), max_size=9)


class TestToList:
    @given(NUMBERS)
    def test_has_every_item_in_order(self, numbers: list[int]) -> None:
        assert (Stream(numbers) | ops.to_list()).run() == numbers

    def test_every_run_makes_a_list_of_its_own(self) -> None:
        job = Stream([1]) | ops.to_list()
        assert job.run() is not job.run()

    def test_what_it_keeps_is_told_as_its_result(self) -> None:
        assert (Stream([1]) | ops.to_list()).explain().parts[-1].result == "every item"
