"""Law 11: streams inside of streams do what they would do in plain Python, and each is closed once."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from streamkit import Stream, ops
from tests.laws.lab import play
from tests.tiers import examples

# Any nest does what the same nest does in plain Python ----------------------------------------------------


class FailedError(Exception):
    pass


@dataclass(frozen=True)
class Nest:
    """Some items; or nests, and how they are joined."""

    form: str
    parts: tuple["Nest", ...] = ()
    items: tuple[int, ...] = ()
    fails: bool = False
    style: str = "list"


def model(nest: Nest) -> Iterator[int]:
    if nest.form == "items":
        yield from nest.items
        if nest.fails:
            raise FailedError(nest.items)
    elif nest.form in ("concat", "flat_map", "made"):
        for part in nest.parts:
            yield from model(part)
    elif nest.form == "step":
        yield from PLAIN[nest.style](model(nest.parts[0]))
    else:
        try:
            yield from model(nest.parts[0])
        except FailedError:
            caught = True
        else:
            caught = False
        if caught:
            yield from model(nest.parts[1])


def doubles(items: Iterator[int]) -> Iterator[int]:
    for item in items:
        yield item
        yield item


def regrouped(items: Iterator[int]) -> Iterator[int]:
    """In pairs; the last, before an error, too, may be of one."""
    held, failure = list[int](), None
    try:
        for item in items:
            held.append(item)
            if len(held) == 2:
                yield sum(held)
                held.clear()
    except FailedError as error:
        failure = error
    if held:
        yield sum(held)
    if failure is not None:
        raise failure


def fails_at_4(item: int) -> int:
    if item % 10 == 4:
        raise FailedError((item,))
    return item


async def later_by_1(item: int) -> int:
    await asyncio.sleep(item % 2)
    return item + 1


PLAIN: dict[str, Callable[[Iterator[int]], Iterator[int]]] = {
    "map": lambda items: (item + 1 for item in items),
    "waiting": lambda items: (item + 1 for item in items),
    "filter": lambda items: (item for item in items if item % 3),
    "take": lambda items: islice(items, 2),
    "doubles": doubles,
    "regrouped": regrouped,
    "numbered": lambda items: (number + item for number, item in enumerate(items)),
    "failing": lambda items: (fails_at_4(item) for item in items),
}
STEPS: dict[str, Any] = {
    "map": ops.map(lambda item: item + 1),
    "waiting": ops.map(later_by_1),
    "filter": ops.filter(lambda item: item % 3),
    "take": ops.take(2),
    "doubles": ops.map(lambda item: [item, item]) | ops.flatten(),
    "regrouped": ops.batch(2) | ops.map(sum),
    "numbered": ops.enumerate() | ops.map(sum),
    "failing": ops.map(fails_at_4),
}
"""Steps of each kind: with and without a state, with an end of their own, with errors of their own."""


@dataclass
class Log:
    opened: int = 0
    closed: int = 0


def built(nest: Nest, log: Log) -> Any:
    parts = [lambda part=part: built(part, log) for part in nest.parts]
    if nest.form == "items":
        return Stream(leaf(nest, log))
    if nest.form == "concat":
        first, *others = [part() for part in parts]
        return first | ops.concat(*others)
    if nest.form == "flat_map":
        ahead = 1 if len(parts) == 1 else 3
        return Stream(range(len(parts))) | ops.flat_map(
            lambda place: parts[place](), concurrency=1, lookahead=ahead
        )
    if nest.form == "made":
        return Stream(parts[0])
    if nest.form == "step":
        return parts[0]() | STEPS[nest.style]
    return parts[0]() | ops.catch(lambda _: parts[1](), errors=FailedError)


def leaf(nest: Nest, log: Log) -> Callable[[], Any]:
    async def waiting() -> AsyncIterator[int]:
        log.opened += 1
        try:
            for item in nest.items:
                await asyncio.sleep(1.0)
                yield item
            if nest.fails:
                raise FailedError(nest.items)
        finally:
            await asyncio.sleep(1.0)
            log.closed += 1

    def ready() -> Iterator[int]:
        log.opened += 1
        try:
            yield from nest.items
            if nest.fails:
                raise FailedError(nest.items)
        finally:
            log.closed += 1

    return waiting if nest.style == "waits" else ready


ITEMS = st.builds(
    Nest,
    st.just("items"),
    items=st.lists(st.integers(0, 9), max_size=3).map(tuple),
    fails=st.booleans(),
    style=st.sampled_from(["ready", "waits"]),
)


def joined(inner: st.SearchStrategy[Nest]) -> st.SearchStrategy[Nest]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Nest, st.sampled_from(["concat", "flat_map", "flat_map"]), several),
        st.builds(Nest, st.just("made"), inner.map(lambda part: (part,))),
        st.builds(Nest, st.just("step"), inner.map(lambda part: (part,)), style=st.sampled_from([*STEPS])),
        st.builds(Nest, st.just("catch"), st.tuples(inner, inner)),
    )


NESTS = st.recursive(ITEMS, joined, max_leaves=12)


READY = Nest("items", items=(1, 2, 3), style="ready")
FAILS = Nest("items", items=(4, 5), fails=True, style="ready")


def flat(*parts: Nest) -> Nest:
    return Nest("flat_map", parts)


@settings(max_examples=examples(200))
@example(flat(Nest("catch", (flat(FAILS), READY)), READY), None)
@example(flat(Nest("catch", (Nest("concat", (READY, flat(READY, FAILS))), READY))), None)
@example(flat(Nest("concat", (flat(READY, READY), READY)), READY), None)
@example(flat(Nest("concat", (READY, flat(READY), flat(READY), READY))), None)
@example(flat(flat(Nest("concat", (READY, flat(READY, FAILS))), READY)), None)
@example(flat(Nest("concat", (READY, flat(READY, READY))), READY), None)
@example(flat(Nest("catch", (flat(FAILS, READY), READY)), READY), None)
@example(flat(Nest("items", items=(0,), fails=True, style="ready")), 1)
@given(NESTS, st.none() | st.integers(0, 6))
def test_any_nest_gives_what_it_gives_in_plain_python(nest: Nest, leaves: int | None) -> None:
    log, seen, wanted = Log(), list[int](), list[int]()
    error = failure = None
    try:
        wanted.extend(islice(model(nest), leaves))
    except FailedError as caught:
        failure = caught.args

    async def main() -> None:
        async with built(nest, log).open() as items:
            for _ in range(sys.maxsize if leaves is None else leaves):
                try:
                    seen.append(await anext(items))
                except StopAsyncIteration:
                    break

    try:
        play(main)
    except FailedError as caught:
        error = caught.args
    assert (seen, error) == (wanted, failure)
    assert log.opened == log.closed


# Who is to blame ------------------------------------------------------------------------------------------


def failing() -> Any:
    raise KeyError


@pytest.mark.parametrize("make", [ops.concat, ops.merge])
@pytest.mark.parametrize("source", [failing, lambda: Stream(failing)])
def test_an_error_of_a_callable_that_makes_a_source_names_no_operator(make: Any, source: Any) -> None:
    with pytest.raises(KeyError) as caught:
        list(Stream([1]) | make() | make(source))
    assert getattr(caught.value, "__notes__", []) == []


@pytest.mark.parametrize("before", [[], [ops.catch(abs, errors=OSError)], [ops.concat([2])]], ids=str)
@pytest.mark.parametrize("behind", [[], [ops.catch(abs, errors=OSError)], [ops.concat([2])]], ids=str)
def test_an_error_names_the_operator_whose_function_raised_it_and_no_other(
    before: list[Any], behind: list[Any]
) -> None:
    def fail(_: Any) -> Any:
        raise KeyError

    def source() -> Iterator[int]:
        yield 1
        raise FailedError

    with pytest.raises(KeyError) as caught:
        list(Stream(source).pipe(*before, ops.catch(fail, errors=FailedError), *behind))
    assert isinstance(caught.value.__cause__, FailedError)
    (note,) = caught.value.__notes__
    assert note.startswith("in catch(fail, errors=FailedError) at ")


def test_a_failed_stream_is_closed_before_the_next_is_made_however_far_apart_they_stand() -> None:
    log: list[str] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            yield 0
        finally:
            await asyncio.sleep(0)
            log.append("closed")

    far = [ops.catch(abs, errors=OSError), ops.map(abs)] * 100
    last = [ops.map(lambda item: 1 // item), ops.catch(lambda _: log.append("made") or [9])]
    assert list(Stream(source).pipe(*far, *last)) == [1, 9]
    assert log == ["closed", "made"]
