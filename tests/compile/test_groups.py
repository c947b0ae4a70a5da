"""Steps that group: what they give to a group, the label of what comes out, and a group that ends early."""

from collections.abc import Iterator
from typing import Any
from weakref import ref

import pytest

from streamkit import Hopping, Keep, Operator, Stream, ops, step


def shout(name: int) -> str:
    return f"group {name}"


@step(
    setup="groups = {}",
    each="""
        for name in range(2):
            state = groups.get(name)
            if state is None:
                enter()
            else:
                resume()
            run(item * 10 + name)
    """,
    finish="""
        for name in [*groups]:
            state = groups[name]
            end()
    """,
    groups=True,
)
def twice(pipe: Any, *, _label: Any = shout) -> Operator[Any, Any]:
    """Give each item to two groups, as something else."""
    return Operator(twice, pipe=pipe, _label=_label)


def test_a_group_is_given_what_the_step_says_and_labelled_by_it() -> None:
    found = list(Stream([1, 2]) | twice(ops.map(str)))
    assert found == [("group 0", "10"), ("group 1", "11"), ("group 0", "20"), ("group 1", "21")]
    assert list(Stream([1, 2]) | twice(ops.to_list())) == [("group 0", [10, 20]), ("group 1", [11, 21])]


def test_an_error_of_a_label_names_the_step() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(Stream([1]) | ops.map(abs) | twice(ops.map(str), _label=lambda name: 1 // name))
    assert [note.partition("(")[0] for note in caught.value.__notes__] == ["in twice"]


def test_a_group_that_ends_early_leaves_the_others_alone() -> None:
    pipe = ops.take_while(lambda number: number != 20, inclusive=True) | ops.to_list()
    assert list(Stream([1, 2, 3]) | twice(pipe)) == [("group 0", [10, 20]), ("group 1", [11, 21, 31])]


@step(each="if item > 20:\n    stop()\nemit(item)")
def _until_above() -> Keep:
    return Keep(_until_above)


def test_so_does_one_of_steps_that_keep_nothing() -> None:
    found = list(Stream([1, 2, 1]) | twice(_until_above()))
    assert found == [("group 0", 10), ("group 1", 11), ("group 0", 20), ("group 0", 10)]


def test_what_a_callback_in_it_awaits_is_awaited() -> None:
    async def half(number: int) -> float:
        return number / 2

    found = [half for _, half in Stream([1]) | twice(ops.map(half))]
    assert found == [5.0, 5.5]


class Thing:
    """What is seen to be gone."""


@step(
    setup="groups = {}\nname = 0",
    each="""
        state = groups.get(name)
        if state is None:
            enter()
        else:
            resume()
        run([0])
    """,
    finish="""
        state = groups[name]
        resume()
        run([1])
        end()
    """,
    groups=True,
)
def replaced(pipe: Any) -> Operator[Any, Any]:
    """Give a group something else for each item, and once more at the end."""
    return Operator(replaced, pipe=pipe)


def test_what_a_group_is_given_for_an_item_takes_its_place() -> None:
    things, held = list[Any](), list[Any]()

    def thing() -> Thing:
        made = Thing()
        things.append(ref(made))
        return made

    def source() -> Iterator[Thing]:
        for _ in range(3):
            yield thing()

    pipe = ops.tap(lambda given: held.append((given, sum(each() is not None for each in things))))
    assert (Stream(source) | replaced(pipe) | ops.count()).run() == 4
    assert held == [([0], 0), ([0], 0), ([0], 0), ([1], 0)]


def test_a_group_is_given_one_thing_at_most() -> None:
    with pytest.raises(SyntaxError, match=r"run\(\) takes one value at most"):

        @step(setup="groups = {}", each="run(1, 2)", groups=True)
        def wrong(pipe: Any) -> Operator[Any, Any]:
            return Operator(wrong, pipe=pipe)


def test_a_step_in_a_loop_of_the_group_that_stops_runs_by_itself() -> None:
    pipe = ops.flatten() | ops.take(1)
    grouped = ops.window(Hopping(count=2, every=2), pipe)
    assert [each for _, each in Stream(["ab", "cd", "ef"]) | grouped] == ["a", "e"]
