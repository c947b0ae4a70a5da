"""What may stand behind a durable source: all else is refused by name, when the pipe is put together."""

from __future__ import annotations

import asyncio
import pickle
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from streamkit import Collect, Operator, Stream, Suspend, Unbounded, ops, stage, step
from streamkit._core.catalogue import catalogue
from streamkit._core.delivery import Delivery
from streamkit._engine.compile.follow import unfollowed
from streamkit._engine.plan.tracked import Tracked, opened, tracked
from streamkit.live import Slot
from streamkit.testing import run
from tests.run.ledger import MANY, Trial


@step(setup="held = []", each="held.append(item)\nif len(held) > 1: emit(held.pop(0))")
def delayed() -> Operator[Any, Any]:
    """It has an item of an earlier turn, and does not say so."""
    return Operator(delayed)


@step(setup="held = []", each="held.append(item)\nif len(held) > 1: emit(held.pop(0))", keeps="len(held)")
def declared() -> Operator[Any, Any]:
    return Operator(declared)


async def _passing(run: Any, source: Any) -> Any:
    async for item in run.open(source):
        yield item


@stage(_passing, pumps=False)
def undeclared() -> Operator[Any, Any]:
    return Operator(undeclared)


REFUSED: dict[str, Callable[[Stream[Any]], Any]] = {
    "delayed": lambda s: s | delayed(),
    "undeclared": lambda s: s | undeclared(),
    "retry": lambda s: s | ops.retry(3),
    "repeat": lambda s: s | ops.repeat(),
    "expand": lambda s: s | ops.expand(lambda item: [], concurrency=2, frontier=Suspend(9)),
    "in a slot": lambda s: s | Slot(ops.map(str) | ops.retry(3)),
    "in a branch": lambda s: s | ops.broadcast(ops.map(str), ops.retry(3)),
    "behind a share": lambda s: s | ops.share() | ops.retry(3),
    "beside it": lambda s: s | ops.concat(Stream([1]) | ops.merge(s) | ops.buffer(Suspend(1)) | ops.retry(3)),
    "in a group": lambda s: s | ops.group_by(str, delayed(), max_groups=2),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_say_what_became_of_an_item_is_refused_by_name(name: str) -> None:
    named = {"in a group": "delayed"}.get(name, "retry" if " " in name else name)
    said = (
        rf"{named}.* at .*test_tracked\.py:\d+ .*: the durable source before it acknowledges an item "
        "when all that was made of it has left$"
    )
    with pytest.raises(TypeError, match=said):
        REFUSED[name](Trial().stream())


def test_a_step_that_says_how_many_items_it_keeps_is_followed() -> None:
    trial = Trial(4)
    run(lambda: _awaited(trial.stream() | declared() | ops.for_each(trial.out)))
    assert trial.settled == [1000, 1001, 1002, 1003]


async def _awaited(job: Any) -> Any:
    return await job


def test_too_small_a_prefetch_is_refused() -> None:
    few = Trial().stream(most=2) | ops.batch(3)
    said = r"reader\(\) hands out at most 2 items .* may wait for 3"
    with pytest.raises(ValueError, match=said):
        few | ops.drain()
    with pytest.raises(ValueError, match=said):
        run(lambda: _awaited(_first_of(few)))
    run(lambda: _awaited(Trial().stream(most=3) | ops.batch(3) | ops.drain()))


NEWEST: Any = ops.switch_map(lambda item: [item])
WAITING: list[tuple[Any, int]] = [
    (ops.batch(2) | ops.batch(3) | ops.batch(2), 1 + 1 + 2 * 2 + 6),
    (ops.batch(2) | ops.flatten() | ops.pairwise(), 1 + 1 + 2),
    (ops.sliding(3) | ops.batch(2), 1 + 2 + 1),
    (NEWEST | NEWEST | ops.batch(3), 1 + 1 + 1 + 2),
    (ops.batch_within(10, seconds=1.0) | ops.batch(3), 1 + 2 * 10),
    (ops.buffer(Collect(10)) | ops.batch(3), 1 + 2 * 10),
    (ops.batch(3) | NEWEST, 1 + 2 + 3),
    (ops.batch(2) | ops.broadcast(ops.batch(3), ops.batch(4)), 1 + 1 + 2 * 2 + 2 * 3),
    (ops.batch(2) | ops.group_by(str, ops.batch(3), max_groups=4), 1 + 1 + 4 * 2 * 2),
    (ops.map(str, concurrency=5) | ops.buffer(Suspend(9)), 1),
]
"""Pipes, and how many items they may wait for: one more than they may keep."""


def test_a_source_must_hand_out_as_many_as_all_of_its_pipe_waits_for() -> None:
    for pipe, many in WAITING:
        hash(Trial().stream(most=many) | pipe | ops.drain())  # so it need not be awaited
    for pipe, many in WAITING[:-1]:
        said = rf"may wait for {many}: let it hand out as many, with prefetch={many}$"
        with pytest.raises(ValueError, match=said):
            Trial().stream(most=many - 1) | pipe | ops.drain()


def test_what_keeps_an_item_until_the_next_has_come_must_be_handed_that() -> None:
    keeping: list[Any] = [ops.combine_latest([1]), ops.switch_map(lambda item: [item])]
    for operator in keeping:
        with pytest.raises(ValueError, match=r"hands out at most 1 items .* may wait for 2"):
            Trial().stream(most=1) | operator | ops.drain()
    with pytest.raises(
        TypeError, match=r"combine_latest.* and reader\(\) hands out one: let it hand out two"
    ):
        Trial().stream() | ops.combine_latest(Trial().stream(most=1))
    trial = Trial()
    run(lambda: _awaited(trial.stream(most=2) | ops.combine_latest([1]) | ops.drain()))
    assert trial.settled == [*trial.items]


def test_items_that_come_into_a_stream_which_begins_with_others_are_followed() -> None:
    pairs: Any = ops.map(lambda item: [item, item])
    ways: list[Any] = [
        ops.buffer(Suspend(1)),
        ops.map(_slow) | pairs | ops.concat_map(Stream),
        pairs | ops.flatten() | ops.map(_slow, concurrency=2),
        Slot(ops.map(_slow)) | ops.map(_slow),
    ]
    for way in ways:
        trial, other = Trial(3), Trial(3, first=2 * MANY)
        begins = Stream([1]) | ops.merge(other.stream())
        came: list[int] = run(partial(_awaited, trial.stream() | ops.concat(begins | way) | ops.to_list()))
        assert {*came} == {1, *trial.items, *other.items}
        assert (trial.open, other.open, trial.wrong(), other.wrong()) == (set(), set(), "", ""), way


def test_several_ways_of_one_source_need_as_many_as_they_hold() -> None:
    ways: dict[str, tuple[Callable[[Any], Any], int, str]] = {
        "three lanes": (lambda s: s | ops.zip(s, s), 3, "6"),
        "a batch": (lambda s: s | ops.batch(2) | ops.zip(s), 2, "6"),
        "the latest": (lambda s: s | ops.combine_latest(s), 2, "4"),
        "a buffer": (lambda s: s | ops.buffer(Suspend(9)) | ops.zip(s), 2, "12"),
        "without end": (lambda s: s | ops.buffer(Unbounded()) | ops.zip(s), 2, "any number"),
    }
    for name, (way, places, many) in ways.items():
        most = 5 if many.startswith("any") else int(many)
        said = rf"read in {places} places .* may hold {many},.* put ops.share\(readers={places}\) behind"
        with pytest.raises(ValueError, match=said):
            way(Trial().stream(most=most - 1)) | ops.drain()
        shared = Trial().stream(most=2) | ops.share(readers=places)
        if many.isdecimal():
            hash(way(Trial().stream(most=most)) | ops.drain())
        assert (way(shared) | ops.count()).explain().in_flight == 2, name


def test_buffers_wait_for_no_more_than_there_is() -> None:
    few = Trial().stream(most=2) | ops.buffer(Collect(9)) | ops.map(_slow, concurrency=5)
    run(lambda: _awaited(few | ops.drain()))


def test_a_sink_that_keeps_all_says_so_where_it_would_wait_for_ever() -> None:
    trial = Trial(8)
    with pytest.raises(
        RuntimeError, match=r"to_list\(\) keeps the deliveries .* and 4 is all .* take\(3\)"
    ) as caught:
        run(lambda: _awaited(trial.stream(most=4) | ops.buffer(Suspend(1)) | ops.map(str) | ops.to_list()))
    assert "in to_list() at " in caught.value.__notes__[0]
    assert not trial.settled
    kept = run(lambda: _awaited(Trial(8).stream(most=4) | ops.take(4) | ops.to_list()))
    assert len(kept) == 4


def test_what_a_sink_keeps_is_counted_by_what_was_handed_out() -> None:
    """A list of three items is three of them; what is made of one, or of none, is no more than that."""
    ways: list[tuple[Any, int]] = [
        (ops.batch(2), 4),
        (ops.batch(3), 4),  # the second list would wait for more than there can be
        (ops.batch(3) | ops.share(), 6),
    ]
    for way, many in ways:
        trial = Trial(9)
        with pytest.raises(RuntimeError, match="and 4 is all"):
            run(partial(_awaited, trial.stream(most=4) | way | ops.to_list()))
        assert trial.handed[:many] == [*trial.items[:many]]
        assert not trial.settled
    assert run(partial(_awaited, Trial(3).stream(most=4) | ops.batch(2) | ops.to_list())), "it may end before"
    few: Any = Trial(3).stream(most=4) | ops.merge(range(9))
    made = run(lambda: _awaited(few | ops.map(lambda item: [item] * 2) | ops.flatten() | ops.to_list()))
    assert len(made) == 24
    shared: Any = Trial(3).stream(most=4) | ops.share(readers=2)
    both = run(lambda: _awaited(shared | ops.merge(shared) | ops.to_list()))
    assert len(both) == 6, "two readers have the same three"


async def _slow(item: Any) -> Any:
    await asyncio.sleep(1)
    return item


async def _first_of(stream: Any) -> Any:
    async for item in stream:
        return item


def test_explain_says_how_many_items_may_come_twice() -> None:
    told = str((Trial().stream(most=50) | ops.buffer(Suspend(8)) | ops.drain()).explain())
    assert "deliveries: 50 in flight at most, which may come twice" in told
    assert "deliveries" not in str((Stream([1]) | ops.drain()).explain())


class _Two(Tracked):
    @property
    def beside(self) -> tuple[Any, ...]:
        return (Trial().stream(most=7) | ops.map(str),)


def test_what_runs_beside_a_source_is_in_flight_too() -> None:
    unmade: Any = None
    source = _Two("outer", (), unmade, 50)
    told = str((Stream(source) | ops.drain()).explain())
    assert "deliveries: 57 in flight at most" in told
    assert [each.most for each in tracked([Stream(source)])] == [50]
    assert [each.most for each, _ in opened([Stream(source)])] == [50]
    assert [each.most for each in tracked([Stream(source), Stream(A)], beside=True)] == [50, 7, 9]


A, B, C, D, E = (Tracked(name, (), cast(Any, None), 9) for name in "ABCDE")
SHARED = Stream(A) | ops.merge(Stream(B)) | ops.share() | ops.merge(Stream(C))
TWICE = Stream([1]) | ops.merge(Stream(B))
FOUND: list[tuple[list[Any], str]] = [
    ([Stream(A), Stream(B), Stream(C)], "ABC"),
    ([Stream(A) | ops.merge(Stream(B) | ops.merge(Stream(C)), Stream(D)), Stream(E)], "ABCDE"),
    ([(Stream(A), (Stream(B), Stream(C))), Stream(D)], "ABCD"),
    ([ops.map(str) | ops.merge(Stream(B)) | ops.merge(Stream(C)), 1], "BC"),
    ([TWICE, Stream(A), TWICE], "BA"),
    ([SHARED, Stream(D)], "abCD"),
    ([TWICE, TWICE | ops.share(), TWICE | ops.share()], "Bbb"),
]
"""Values, and the durable sources in them, in order; those that the run of a share opens in small letters."""


def test_durable_sources_are_found_however_deep_and_in_order() -> None:
    for values, names in FOUND:
        found = [(each.kind, by) for each, by in opened(values)]
        assert [name if by is None else name.lower() for name, by in found] == [*names]
        assert {by.declaration.name for _, by in found if by is not None} <= {"share"}
        assert [each.kind for each in tracked(values)] == [*names.upper()]


def test_what_hands_out_deliveries_says_what_it_was_made_of_and_how_it_is_read() -> None:
    source = Tracked("reader", ("a",), cast(Any, None), 9, size=3)
    with pytest.raises(TypeError) as caught:
        aiter(source.open().items)
    assert str(caught.value) == (
        "reader('a', size=3) hands out deliveries, and what reads it here cannot say what became of an item: "
        "begin a pipe with it, and end that in a sink"
    )


def test_other_ways_to_read_it_are_refused() -> None:
    stream = Trial().stream()
    for read in (aiter, Stream.open, lambda each: (Stream([1]) | ops.merge(each) | ops.drain()).run()):
        with pytest.raises(TypeError, match=r"reader\(\)"):
            read(stream)  # type: ignore[operator]
    inner = Stream([1]) | ops.concat_map(lambda _: stream)
    with pytest.raises(TypeError, match=r"reader\(\)"):
        list(inner)
    with pytest.raises(
        TypeError, match=r":\d+ reads another durable source, and cannot say what became of its items: "
    ):
        stream | ops.take_until(Trial().stream())


def test_a_delivery_cannot_be_copied_or_sent() -> None:
    with pytest.raises(TypeError, match="copied or sent"):
        pickle.dumps(Delivery(None, 1))


def test_a_slot_takes_no_content_that_cannot_follow() -> None:
    trial, slot = Trial(8), Slot(ops.map(str))

    async def main() -> None:
        handle = (trial.stream() | ops.tap(lambda _: asyncio.sleep(1)) | slot | ops.drain()).start()
        await asyncio.sleep(1.5)
        with pytest.raises(TypeError, match="delayed"):
            await slot.replace(delayed())
        await slot.replace(ops.batch(3))
        await handle

    run(main)
    assert trial.settled == [*trial.items]


def test_the_page_says_of_every_operator_whether_it_is_followed() -> None:
    """And of those of which one form is and another is not, in both tables."""
    page = Path("docs/acknowledgement.md").read_text(encoding="utf-8")
    rules, refused = page.split("## What is refused")
    forms: dict[str, set[bool]] = {}
    for declaration in catalogue():
        ours = (declaration.function.__module__ or "").startswith("streamkit.")
        if getattr(ops, declaration.name, None) is None or not ours:  # tests have some of these names, too
            continue
        follows = unfollowed(declaration) is None if declaration.stage is None else bool(declaration.pairs)  # type: ignore[attr-defined]
        if declaration.name in ("retry", "repeat"):  # which say why not
            follows = False
        forms.setdefault(declaration.name, set()).add(follows)
    named = {True: set(re.findall(r"[`.(](\w+)", rules)), False: set(re.findall(r"`(\w+)", refused))}
    wrong = {(name, how) for name, hows in forms.items() for how in hows if name not in named[how]}
    assert wrong <= {("batch", False)}  # of chunks for workers it is another
