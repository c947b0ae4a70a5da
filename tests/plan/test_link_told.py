"""How a pipe is shown: as it was written, cut where it is long or deep; copies stand where they stood."""

import copy
from typing import Any

import pytest

from streamkit import Keep, Sink, Stream, ops, push, stage, step
from streamkit._core.strategy import Suspend
from streamkit._engine.plan.link import awaited, shared, unfolded


@step(each="emit(item)")
def spaced(gap: float = 1000.5, *, name: str = "a b") -> Keep:
    return Keep(spaced, gap=gap, name=name)


class Two:
    """Equal to all that is compared with it, and says so."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("a value of a user is not compared")

    def __hash__(self) -> int:
        return 1

    def __repr__(self) -> str:
        return "Two()"


def chain(length: int) -> str:
    return repr(Stream([1]).pipe(*[ops.take(number) for number in range(length)]))


def takes(*numbers: int) -> list[str]:
    return [f"take({number})" for number in numbers]


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (20, takes(*range(20))),
        (21, [*takes(*range(10)), "... 1 more ...", *takes(*range(11, 21))]),
        (35, [*takes(*range(10)), "... 15 more ...", *takes(*range(25, 35))]),
    ],
)
def test_of_a_long_pipe_both_ends_are_shown(length: int, shown: list[str]) -> None:
    assert chain(length).split(" | ") == ["Stream([1])", *shown]


@pytest.mark.parametrize(
    ("pipe", "text"),
    [
        (spaced(), "spaced()"),
        (spaced(float("1000.5"), name="".join(["a", " b"])), "spaced()"),
        (spaced(1000), "spaced(1000)"),
        (spaced(Two()), "spaced(Two())"),  # type: ignore[arg-type]
        (ops.merge(Stream([1]) | ops.take(2)), "merge(Stream([1]) | take(2))"),
        (ops.broadcast(ops.take(2) | ops.skip(1), ops.take(3)), "broadcast(take(2) | skip(1), take(3))"),
        (ops.partition(bool, ops.take(1), ops.skip(1)), "partition(bool, take(1), skip(1))"),
        (
            ops.merge(Stream([1]) | ops.zip(Stream([2]) | ops.concat([3]))),
            "merge(Stream([1]) | zip(Stream([2]) | concat(...)))",
        ),
        (
            ops.merge(*[[number] for number in range(22)]),
            f"merge({', '.join(f'Stream([{number}])' for number in range(20))}, ... 2 more ...)",
        ),
    ],
    ids=str,
)
def test_an_argument_is_shown_as_it_was_written(pipe: Any, text: str) -> None:
    assert repr(pipe) == text


def test_a_deep_copy_stands_in_the_same_line() -> None:
    pipe = ops.map(abs)
    copied = copy.deepcopy(pipe)
    assert [link.written for link in copied.links] == [link.written for link in pipe.links]
    assert pipe.links[0].place == copied.links[0].place != ""


@pytest.mark.parametrize("between", [0, 17, 18, 30])
def test_streams_at_both_ends_of_a_long_pipe_are_shown_as_deep_as_in_a_short_one(between: int) -> None:
    nested = Stream([2]) | ops.concat(Stream([3]) | ops.concat(Stream([4]) | ops.take(2)))
    shown = "concat(Stream([2]) | concat(Stream([3]) | concat(...)))"
    parts = repr(Stream([1]).pipe(ops.concat(nested), *[ops.take(1)] * between, ops.concat(nested)))
    middle = ["take(1)"] * between
    if between > 18:
        middle = [*middle[:9], f"... {between - 18} more ...", *middle[:9]]
    assert parts == " | ".join(["Stream([1])", shown, *middle, shown])


def test_a_stream_is_shared_if_an_operator_in_it_is() -> None:
    plain = Stream([1]) | ops.map(abs) | ops.merge([2])
    hot = plain | ops.share()
    streams: list[tuple[Any, bool]] = [(Stream([1]), False), (plain, False), (hot, True)]
    for stream, expected in [*streams, (hot | ops.take(1), True), (Stream([1]) | ops.merge(hot), False)]:
        assert shared(stream) is expected


def test_in_a_deep_copy_what_was_one_is_one_still() -> None:
    begin: list[int] = []
    pipe = ops.scan(max, begin) | ops.tap(abs) | ops.scan(min, begin)
    copies = [value for link in copy.deepcopy(pipe).links for value in link.arguments.values()]
    first, second = (value for value in copies if value == [])
    assert first is second is not begin


def test_sources_that_others_wait_for_are_found_however_deep() -> None:
    pushed: list[Any] = [push(Suspend(1))[0] for _ in range(6)]
    plain = Stream([1]) | ops.map(abs) | ops.merge([2])
    inner = plain | ops.merge(pushed[0], plain) | ops.concat([1], pushed[1] | ops.take(1))
    # a step reads none of its arguments
    nested = (
        ops.scan(max, pushed[5])
        | ops.merge(inner, pushed[2])
        | ops.broadcast(ops.merge(pushed[3]), ops.take(1))
    )
    found = [*awaited(plain, (pushed[4] | nested, 5), None)]
    assert sorted(map(id, found)) == sorted(id(stream.source) for stream in pushed[:5])
    assert [*awaited(plain, (plain, 5), ops.take(1))] == []


def test_streams_that_callables_make_are_one_pipe() -> None:
    inner = Stream(lambda: [1, 2]) | ops.map(str)
    found = unfolded(Stream(lambda: Stream(lambda: inner) | ops.take(1)) | ops.skip(0))
    assert repr(found.source) == "[1, 2]"
    assert [repr(link) for link in found.links] == ["map(str)", "take(1)", "skip(0)"]


def test_streams_of_other_sources_or_operators_have_other_hashes() -> None:
    streams: list[Any] = [Stream([number]) for number in range(20)]
    assert len({hash(stream) for stream in streams}) == 20
    one = streams[0]
    assert hash(one | ops.take(1)) == hash(one | ops.take(1)) != hash(one | ops.skip(1))


FLAGS = ["pumps", "buffers", "direct", "relays", "joins", "shares"]


async def counted(run: Any, source: Any) -> int:
    return 1


async def passed(run: Any, source: Any) -> Any:
    async for item in run.open(source):
        yield item


@pytest.mark.parametrize("flag", FLAGS)
def test_a_stage_is_what_is_said_of_it(flag: str) -> None:
    said = stage(passed, **{"pumps": False, flag: True})

    @said
    def mine() -> Keep:
        return Keep(mine)

    declaration: Any = mine().links[0].declaration
    assert [name for name in FLAGS if getattr(declaration, name)] == [flag]
    assert (declaration.sink, declaration.generates) == (False, True)


def test_a_stage_that_returns_a_result_is_a_sink() -> None:
    @stage(counted)
    def mine() -> Sink[Any, int]:
        return Sink(mine)

    declaration: Any = mine().links[0].declaration
    assert (declaration.sink, declaration.generates) == (True, False)
    assert (Stream([5]) | mine()).run() == 1
