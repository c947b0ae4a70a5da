"""materialize, dematerialize."""

import pickle
from typing import Any

import pytest
from hypothesis import given, strategies as st
from reactivex import operators as rx

from streamkit import Done, Failed, Next, Stream, ops
from tests.operators.beside import ended, ours, theirs

ITEMS = st.lists(st.integers(), max_size=4)


def translated(notification: Any) -> Any:
    """A notification of RxPY as ours."""
    match notification.kind:
        case "N":
            return Next(notification.value)
        case "E":
            return ("failed", type(notification.exception).__name__)
        case _:
            return Done()


def named(notification: Any) -> Any:
    if isinstance(notification, Failed):
        return ("failed", type(notification.error).__name__)
    return notification


class TestMaterialize:
    @given(ITEMS, st.booleans())
    def test_as_rxpy(self, items: list[int], fails: bool) -> None:
        found, end = ours(items, ops.materialize(), fails=fails)
        wanted, rx_end = theirs(items, rx.materialize(), fails=fails)
        assert ([named(each) for each in found], end) == ([translated(each) for each in wanted], rx_end)

    def test_an_error_of_a_callback_names_its_operator(self) -> None:
        *_, last = Stream([1, 0]) | ops.map(lambda number: 1 // number) | ops.materialize()
        assert isinstance(last, Failed)
        assert last.error.__notes__[0].startswith("in map(<lambda>)")

    def test_a_step_behind_it_ends_as_at_an_end(self) -> None:
        stream = Stream(lambda: ended([1, 2], fails=True)) | ops.materialize() | ops.map(type) | ops.batch(2)
        assert list(stream | ops.concat(["more"])) == [[Next, Next], [Failed], "more"]


class TestDematerialize:
    @given(ITEMS, st.booleans())
    def test_undoes_it(self, items: list[int], fails: bool) -> None:
        assert ours(items, ops.materialize(), ops.dematerialize(), fails=fails) == ours(items, fails=fails)

    def test_ends_at_the_first_done(self) -> None:
        assert ours([Next(1), Done(), Next(2)], ops.dematerialize()) == ([1], "end")
        assert ours([Next(1)], ops.dematerialize()) == ([1], "end")

    def test_raises_the_error_itself_as_often_as_it_runs(self) -> None:
        error = OSError("broken")
        stream: Stream[int] = Stream([Next(1), Failed(error)]) | ops.dematerialize()
        for _ in range(3):
            with pytest.raises(OSError, match="broken") as caught:
                list(stream)
            assert caught.value is error
            depth, trace = 0, error.__traceback__
            while trace is not None:
                depth, trace = depth + 1, trace.tb_next
            assert depth < 9
        assert len(error.__notes__) == 1

    @pytest.mark.parametrize("bad", [1, None, (1,), Next])
    def test_something_else(self, bad: Any) -> None:
        with pytest.raises(
            TypeError, match=r"dematerialize reads Next\(value\), Failed\(error\) and Done\(\)"
        ):
            list(Stream([bad]) | ops.dematerialize())


class TestNotifications:
    def test_they_are_values(self) -> None:
        error = OSError()
        assert Next(1) == Next(1) != Next(2)
        assert Failed(error) == Failed(error) != Next(error)
        assert Done() == Done() != Next(None)
        assert len({Next(1), Next(1), Done(), Done(), Failed(error), Failed(error)}) == 3
        assert [repr(each) for each in (Next("a"), Failed(error), Done())] == [
            "Next(value='a')",
            "Failed(error=OSError())",
            "Done()",
        ]
        assert pickle.loads(pickle.dumps([Next([1]), Done()])) == [Next([1]), Done()]
        with pytest.raises(AttributeError, match="cannot be changed"):
            Next(1).value = 2  # type: ignore[misc]


def test_an_error_that_stands_for_a_stop_iteration_is_an_item_as_any() -> None:
    def stops(_: object) -> None:
        raise StopIteration

    [failed] = Stream([1]) | ops.map(stops) | ops.materialize()
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, RuntimeError)
    assert isinstance(failed.error.__cause__, StopIteration)
