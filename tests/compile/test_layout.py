"""Layout: which steps an item may come from; keys: what is known of a step, and what is refused there."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Operator, Resume, Stream, Tumbling, ops, step
from streamkit._core.contract import NOTHING_HELD
from streamkit._engine.compile.key import End, Kind, Mode, nested_mode
from streamkit._engine.compile.layout import Layout
from streamkit._engine.compile.loop import Loop, compiled
from streamkit._engine.compile.pieces import Pieces, StepDeclaration
from tests.files import over


def layout(pipe: Any) -> Layout:
    return Layout(tuple(link.key for link in pipe.links))


def comes_from(pipe: Any) -> dict[str, set[str]]:
    """By the name of each step of `pipe`, those of the steps that an item may come from."""
    found = layout(pipe)
    names = [f"{key.declaration.name}{index}" for index, key in enumerate(found.steps)]
    return {name: {names[each] for each in found.before([index])} for index, name in enumerate(names)}


def test_an_item_may_come_from_all_steps_before_and_no_branch_beside() -> None:
    branches = ops.map(str) | ops.skip(1), ops.filter(bool) | ops.skip(2) | ops.enumerate()
    found = comes_from(ops.pairwise() | ops.partition(bool, *branches) | ops.batch(2))
    both = {"pairwise0", "partition1"}
    one, other = {"map3", "skip4"}, {"filter5", "skip6", "enumerate7"}
    assert found == {
        "pairwise0": set(),
        "partition1": {"pairwise0"},
        "batch2": both | one | other,
        "map3": both,
        "skip4": both | {"map3"},
        "filter5": both,
        "skip6": both | {"filter5"},
        "enumerate7": both | {"filter5", "skip6"},
    }


def test_so_it_may_in_groups_and_behind_them() -> None:
    found = comes_from(ops.group_by(abs, ops.map(str) | ops.skip(1), max_groups=3) | ops.batch(2))
    inside = {"group_by0", "map2", "skip3"}
    assert found["batch1"] == inside
    assert found["skip3"] == {"group_by0", "map2"}


async def later(item: Any) -> AsyncIterator[Any]:
    yield item


def test_what_is_known_of_the_streams_that_a_callable_makes() -> None:
    assert nested_mode(later) is Mode.STREAMS
    for function in (range, list, lambda item: [item], lambda item: later(item), Stream):
        assert nested_mode(function) is Mode.ANY


def test_where_two_callbacks_decide_no_function_decides_alone() -> None:
    @step(each="emit(f(g(item)))")
    def both(f: Any, g: Any) -> Operator[Any, Any]:
        return Operator(both, f=f, g=g)

    def plain(item: Any) -> Any:
        return item + 1

    async def waiting(item: Any) -> Any:
        return item

    for f, g, waits in ((plain, plain, ""), (plain, waiting, "g"), (waiting, plain, "f"), (plain, plain, "")):
        (link,) = both(f, g).links
        modes = {name: Mode.ASYNC if name == waits else Mode.UNKNOWN for name in "fg"}
        assert (link.key.modes, link.waits) == (modes, bool(waits))
        assert link.key is both(f, g).links[0].key


def test_a_callback_that_may_drop_is_refused_where_there_is_no_item() -> None:
    @step(setup="first = make()\nlast = close", each="emit(item)", finish="emit(close())")
    def late(make: Any, close: Any) -> Operator[Any, Any]:
        return Operator(late, make=make, close=close)

    def guard(function: Any) -> Any:
        return ops.map(function, on_error=Resume()).links[0].arguments["function"]

    drops = guard(abs)
    for make, close, name in ((drops, abs, "make"), (drops, drops, "close"), (abs, drops, "close")):
        with pytest.raises(TypeError) as caught:
            late(make, close)
        assert str(caught.value) == f"{name} of late is called where there is no item that could be dropped"


@pytest.mark.parametrize(
    ("pipe", "name"),
    [
        (ops.map(abs) | ops.take(1), "map | take"),
        (ops.take(1) | ops.skip(1) | ops.take(2) | ops.skip(2), "take | skip | take | skip"),
    ],
    ids=str,
)
def test_tracebacks_name_the_first_steps_of_a_loop(pipe: Any, name: str) -> None:
    loop = compiled(Kind.ITER, tuple(link.key for link in pipe.links), End.STAGE)
    assert isinstance(loop, Loop)
    assert loop.code.co_filename.startswith("<streamkit loop ")
    assert loop.code.co_filename.partition(": ")[2] == f"{name}>"


def test_and_of_many_no_more() -> None:
    keys = [link.key for link in Stream([1]).pipe(*[ops.take(1), ops.skip(1)] * 5).links]
    many, none = compiled(Kind.ITER, (*keys,), End.STAGE), compiled(Kind.ITER, (), End.STAGE)
    assert isinstance(many, Loop)
    assert isinstance(none, Loop)
    assert many.code.co_filename.count(" | ") == 7
    assert none.code.co_filename.endswith(": items>")


def test_a_chain_of_filters_is_one_loop_however_long() -> None:
    """One inside the other, they would soon be deeper than Python allows, and be cut into several loops."""
    filters = Stream([1]).pipe(*[ops.filter(bool)] * 100).links
    nested = (ops.flat_map(range, concurrency=1) | ops.flatten()).links
    for kind, end in ((Kind.SLICE, End.STAGE), (Kind.ASYNC, End.USER)):
        for before in (), nested[:1], nested[1:]:
            keys = tuple(link.key for link in (*before, *filters))
            assert isinstance(compiled(kind, keys, end), Loop), (kind, end, before)


def test_a_step_of_which_nothing_is_said_neither_forks_nor_groups() -> None:
    declaration = StepDeclaration(
        "mine", layout, NOTHING_HELD, pieces=Pieces(each="emit(item)"), parameters=("count",)
    )
    assert (declaration.forks, declaration.groups, declaration.signals) == (False, False, ("emit", "stop"))
    assert (declaration.needed, declaration.sink, declaration.uses) == (frozenset(), False, {})


def test_a_step_of_which_a_group_cannot_keep_all_is_refused_there() -> None:
    @step(
        setup="first = True", each="if first:\n    last = best = item\n    first = False\nemit(last + best)"
    )
    def early() -> Operator[Any, Any]:
        return Operator(early)

    assert list(Stream([1, 2]) | early()) == [2, 2]
    with pytest.raises(SyntaxError) as caught:
        list(Stream([1]) | ops.group_by(abs, early(), max_groups=3))
    assert caught.value.msg == (
        "step early: in groups, it must assign to best, last in setup: each group keeps what its setup "
        "assigns to, and this may be read before it is assigned"
    )


@step(
    setup="groups = {}",
    each="name = 0\nstate = groups.get(name)\nif state is None:\n    enter()",
    groups=True,
)
def with_none(pipe: Any) -> Operator[Any, Any]:
    """It takes None for a group that it has not seen."""
    return Operator(with_none, pipe=pipe)


STATES: list[tuple[Any, bool]] = [
    (ops.group_by(abs, ops.count(), max_groups=3), True),
    (ops.group_by(abs, ops.map(str) | ops.count(), max_groups=3), True),
    (ops.group_by(abs, ops.map(str), max_groups=3), False),
    (ops.group_by(abs, ops.skip(1) | ops.count(), max_groups=3), False),
    (ops.group_by(abs, ops.take(1), max_groups=3), False),
    (ops.window(Tumbling(count=2), ops.count()), True),
    (ops.window(Tumbling(count=2), ops.skip(1) | ops.count()), False),
    (with_none(ops.count()), False),
]


@over(STATES)
def test_a_group_is_kept_as_one_value_where_there_is_one_and_the_step_takes_any(
    state: tuple[Any, bool],
) -> None:
    pipe, bare = state
    assert layout(pipe).bare(0) is bare
