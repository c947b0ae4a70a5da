"""`closes=` of a step: a callback that is called when the loop of the step is left."""

import pickle
from collections.abc import Callable

import pytest

from streamkit import Keep, Sink, Stream, ops, step

closed: list[str] = []


@step(setup="seen = 0", each="seen += 1\nemit(item)", closes="told")
def watched(told: Callable[[], object]) -> Keep:
    return Keep(watched, told=told)


@step(each="pass", result="None", closes="told")
def ended(told: Callable[[], object]) -> Sink[object, None]:
    return Sink(ended, told=told)


def note() -> None:
    closed.append("closed")


@pytest.fixture(autouse=True)
def nothing_closed() -> None:
    closed.clear()


def test_a_step_with_pieces_of_its_own_is_told() -> None:
    assert list(Stream("ab") | watched(note) | ops.map(str)) == ["a", "b"]
    assert closed == ["closed"]


def test_a_sink_is_told() -> None:
    (Stream("ab") | ended(note)).run()
    assert closed == ["closed"]


def test_a_chain_that_is_too_long_for_one_loop_tells_each_once() -> None:
    assert list(Stream("ab").pipe(*[watched(note)] * 300)) == ["a", "b"]
    assert closed == ["closed"] * 300


def test_a_pickle_of_it_tells_too() -> None:
    assert list(pickle.loads(pickle.dumps(Stream("ab") | watched(note)))) == ["a", "b"]
    assert closed == ["closed"]


def test_a_name_that_is_no_parameter_is_refused() -> None:
    with pytest.raises(NameError, match="step lost: closes= must name a parameter, not 'told'"):

        @step(each="emit(item)", closes="told")
        def lost() -> Keep:
            return Keep(lost)


def test_what_is_no_name_is_refused() -> None:
    with pytest.raises(TypeError, match="closes must be Python in quotes"):
        step(each="emit(item)", closes=note)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_an_argument_that_is_missing_is_refused() -> None:
    @step(each="emit(item)", closes="told")
    def forgetful(told: Callable[[], object]) -> Keep:
        return Keep(forgetful)

    with pytest.raises(TypeError, match="told"):
        forgetful(note)
