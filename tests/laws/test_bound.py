"""Law 2: never more is inside than `explain` says; and as much can be, so the bound is not padded."""

import asyncio
import random
import weakref
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import Phase, given, settings, strategies as st

from streamkit import BufferOverflowError, DropOldest, EmptyStreamError, Stream, ops
from streamkit._core.catalogue import catalogue
from tests import own, tiers
from tests.files import over
from tests.laws.arguments import ARGUMENTS
from tests.laws.items import Item, items_in
from tests.laws.lab import STYLES, Lab, play, trying
from tests.laws.ways import FINITE, STALL, Way, before, fanned
from tests.tiers import examples

TURNS = 5
"""Turns of the event loop after each timer at which the watch looks."""
PAUSES = (0, 0, 0, 0.5, 1.0, 3.0)
LENGTH = 40
"""Items of each source."""


class Watched(Lab):
    """A lab that sees how much is inside: when a source is asked, a callback called, an item delivered."""

    most = 0
    random_turns: Callable[[], int] | None = None
    """How many turns of the event loop more each step of a source takes."""

    def observe(self) -> None:
        self.most = max(self.most, len(self.alive))

    def drop(self, item: Any, _: object = None) -> None:
        self.alive.difference_update([*items_in(item)])

    async def pause(self) -> None:
        self.observe()
        await super().pause()
        if self.random_turns is not None:
            for _ in range(self.random_turns()):
                await asyncio.sleep(0)
        self.observe()

    def callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def observed(*arguments: Any) -> Any:
            self.observe()
            return function(*arguments)

        return super().callback(observed)

    async def watch(self) -> None:
        while True:
            for _ in range(TURNS):
                self.observe()
                await asyncio.sleep(0)
            await asyncio.sleep(0.5)


@dataclass(frozen=True)
class Plan:
    """A schedule: how fast sources, callbacks and the consumer are, and when the consumer stalls."""

    style: str = "ready"
    """Of the sources."""
    busy: str = ""
    """Whose loops think that they have run too long, and let others run: ``consumer``, ``pumps``."""
    callbacks: float | None = None
    """Seconds that each takes; None if they are synchronous."""
    takes: int = 1
    """Items after which the consumer stalls, once."""
    between: float = 0.0
    """Seconds that the consumer takes for each item."""
    seed: int | None = None
    """Of random pauses, of all of them."""


DECLARATIONS = [
    each
    for each in catalogue()
    if each.function.__module__.startswith(("streamkit.operators.", "streamkit.sinks"))
]
STALLED = (
    Plan(),
    Plan(busy="consumer pumps"),
    Plan(busy="consumer", takes=8),
    Plan("turn", busy="pumps", takes=2, between=1.0),
    Plan("clock", busy="consumer", takes=3, between=3.0),
    Plan("plain", busy="consumer", takes=7),
    Plan(callbacks=3.0, busy="consumer", between=8.0),
    Plan("turn", callbacks=STALL, takes=LENGTH),
    Plan("clock", callbacks=STALL, takes=LENGTH),
)
SEEDS = range(60)
"""Of the schedules that are tried where those above do not reach the bound."""


def any_plan(seed: int) -> Plan:
    """Some schedule, the same one for the same seed."""
    choose = random.Random(seed).choice
    return Plan(
        choose(STYLES),
        choose(["", "consumer", "consumer", "pumps", "consumer pumps"]),
        choose([None, 0.0, 1.0, STALL]),
        choose([1, 2, 5, LENGTH]),
        choose([0.0, 0.0, 1.0, 3.0]),
        seed,
    )


def clock(busy: str) -> Callable[[], float]:
    """A clock that stands still, but in the tasks that are `busy`, where each look is a second later."""
    consumer = asyncio.current_task()
    numbers = count(1)

    def look() -> float:
        who = "consumer" if asyncio.current_task() is consumer else "pumps"
        return float(next(numbers)) if who in busy else 0.0

    return look


def run_through(operators: list[Way], plan: Plan) -> tuple[int, float]:
    """Run `plan`; return how many items were inside at most, and how many may be."""

    def build(lab: Watched) -> Any:
        built: Any = Stream(lab.source(operators[0].shape))
        for way in operators:
            built = built | way.make(lab)
        return built

    return run_built(build, plan, failing=any(way.catches for way in operators))


def run_built(
    build: Callable[[Any], Any], plan: Plan, *, failing: bool = False, watched: type[Watched] = Watched
) -> tuple[int, float]:
    """The same for what `build` makes of the lab; `failing`, if the source may fail at its end."""
    choose = random.Random(plan.seed).choice
    seeded = plan.seed is not None
    kind = "sync" if plan.callbacks is None else "async"
    pause = partial(choose, PAUSES) if seeded else None
    lab = watched(plan.style, kind, count=LENGTH, pause=pause, failing=("main",) * (seeded and failing))
    lab.random_turns = partial(choose, range(4)) if seeded else None
    lab.stall = plan.callbacks or 0.0
    built = build(lab)

    async def consume() -> None:
        async with built.open() as items:
            taken = 0
            async for value in items:
                lab.observe()
                lab.drop(value)
                del value
                taken += 1
                await asyncio.sleep(STALL if taken == plan.takes else plan.between)
                if seeded:
                    await asyncio.sleep(choose(PAUSES))
                if taken > plan.takes + 15:
                    break

    async def main() -> None:
        watch = asyncio.get_running_loop().create_task(lab.watch())
        try:
            with patch("streamkit._engine.compile.pace.perf_counter", clock(plan.busy)):
                async with asyncio.timeout(4 * STALL):
                    await (consume() if isinstance(built, Stream) else built)
        except (BufferOverflowError, EmptyStreamError, TimeoutError):
            pass
        except ValueError as error:
            if "zip(strict=True)" not in str(error):
                raise
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    play(main)
    return lab.most, built.explain().bound


def never_reached(way: Way) -> str:
    """Why a bound that is right cannot be reached with these arguments, if so."""
    if way.text.startswith("for_each(") and way.text != "for_each(concurrency=1)":
        return (
            "the drain behind the calls has a result in hand: its item was delivered when the call returned"
        )
    if way.text.startswith(("group_by-stage-sink", "aggregate-stage")):
        return "what the consumer has in hand is a result, and no item"
    if way.text.startswith(("buffer(Spill", "share(strategy=Spill")):
        return "items on disk are no objects"
    if way.text.startswith("share-replay"):
        return "what is replayed, only readers that come late have"
    if way.text.startswith("interleave(") and way.text.endswith(
        ("count=3, lookahead=5)", "count=3, lookahead=6)")
    ):
        return "a source is asked again when half of its lane is free: turns of 3 never find all lanes full"
    return ""


STORED = {"through"}
"""What is behind it is another stream, whose items are not inside the program meanwhile."""


@over(sorted({*ops.__all__, *(each.name for each in DECLARATIONS)} - STORED))
def test_every_operator_has_arguments_to_choose_from(name: str) -> None:
    assert name in ARGUMENTS, f"tests/laws/arguments.py has no entry for {name}"


@over(ARGUMENTS)
def test_every_entry_of_the_arguments_is_an_operator(name: str) -> None:
    assert name in ops.__all__, f"tests/laws/arguments.py has an entry for {name}, which is no operator"


@pytest.mark.parametrize("name", [*ARGUMENTS][:: tiers.stride(3)])
@settings(max_examples=examples(6))
@given(data=st.data())
def test_no_more_is_inside_than_explain_says_whatever_the_arguments(name: str, data: st.DataObject) -> None:
    way = data.draw(ARGUMENTS[name])
    stride = tiers.stride(9)  # other ones for each operator; together they try them all
    stalled = STALLED[[*ARGUMENTS].index(name) % stride :: stride]
    for plan in (*stalled, any_plan(data.draw(st.sampled_from(SEEDS)))):
        with trying(way, plan):
            most, bound = run_through([way], plan)
            assert most <= bound, f"{most} items inside, bound {bound}"


@pytest.mark.parametrize("name", [*ARGUMENTS][1 % tiers.stride(3) :: tiers.stride(3)])
@settings(
    max_examples=examples(6), phases=[Phase.generate]
)  # a simpler example takes all the schedules again
@given(data=st.data())
def test_the_bound_is_reached(name: str, data: st.DataObject) -> None:
    way = data.draw(ARGUMENTS[name].filter(lambda way: not never_reached(way)))
    found = 0
    for plan in (*STALLED, *map(any_plan, SEEDS)):
        most, bound = run_through([way], plan)
        found = max(found, most)
        if found == min(bound, LENGTH):
            return
    raise AssertionError(f"{way}: bound {bound}, but at most {found} items were ever inside")


def pipes() -> st.SearchStrategy[list[Way]]:
    """Several operators; a sink may be the last."""
    one = st.sampled_from(sorted(ARGUMENTS)).flatmap(ARGUMENTS.__getitem__)
    # these keep items as a result, beside the bound; an operator behind them may have left those out
    one = one.filter(lambda way: not way.text.startswith(("distinct()", "expand(", "scan(")))
    first = one.filter(lambda way: not way.sink)
    middle = st.lists(first.filter(lambda way: not way.shaped), min_size=1, max_size=3)
    last = st.just([]) | one.filter(lambda way: way.sink).map(lambda way: [way])
    return st.builds(lambda *parts: [parts[0], *parts[1], *parts[2]], first, middle, last)


@settings(max_examples=examples(100))
@given(pipes(), st.integers(0, 10**6))
def test_no_more_is_inside_a_pipe_of_any_operators_than_explain_says(pipe: list[Way], seed: int) -> None:
    for plan in (STALLED[1], STALLED[2], STALLED[6], any_plan(seed)):
        with trying(pipe, plan):
            most, bound = run_through(pipe, plan)
            assert most <= bound, f"{most} items inside, bound {bound}"


def test_the_item_that_extrapolate_works_on_is_counted_before_a_buffer_that_never_waits() -> None:
    slow = Way("extrapolate", lambda lab: ops.extrapolate(lab.callback(lambda item: [item])))
    lossy = Way("buffer", lambda lab: ops.buffer(DropOldest(1, on_drop=lab.drop)))
    most, bound = run_through([slow, lossy], Plan(callbacks=3.0, between=8.0))
    assert most <= bound, f"{most} items inside, bound {bound}"


def test_a_batch_in_the_hand_of_a_branch_counts_as_many_as_it_holds() -> None:
    batch = Way("batch", lambda lab: ops.batch(4))
    branch = Way("broadcast", lambda lab: ops.broadcast(ops.for_each(lab.callback(lab.drop))))
    most, bound = run_through([batch, branch], Plan(callbacks=3.0))
    assert most <= bound, f"{most} items inside, bound {bound}"


def test_the_bound_is_reached_where_branches_behind_buffers_fill_one_after_the_other() -> None:
    buffers = [("DropOldest", 1), ("Suspend", 6), ("Suspend", 3), ("DropOldest", 4)]
    ways: list[Way | None] = [
        Way(name, partial(FINITE[name][0], capacity=capacity)) for name, capacity in buffers
    ]
    most, bound = max(run_through([fanned(ways, sinks=False)], plan) for plan in STALLED)
    assert most == bound == 19


def test_a_bound_of_sources_that_are_read_in_different_ways_is_reached() -> None:
    latest = Way("with_latest_from", lambda lab: own.with_latest_from(lab.source()))
    slow = Way("map", lambda lab: ops.map(lab.callback(lambda pair: pair)))
    found = 0
    for plan in (*STALLED, *map(any_plan, SEEDS)):
        most, bound = run_through([latest, slow], plan)
        assert most <= bound == 4, f"{most} items inside, bound {bound}"
        found = max(found, most)
    assert found == 4


def test_the_bound_of_a_step_that_emits_at_the_end_is_reached() -> None:
    last = Way("take_last", lambda lab: own.take_last(3))
    found = [run_through([last], plan) for plan in STALLED]
    assert max(most for most, _ in found) == 4
    assert {bound for _, bound in found} == {4}


MERGES: dict[str, Callable[[Lab], Any]] = {
    "of three": lambda lab: ops.merge(lab.source(), lab.source()),
    "behind each other": lambda lab: ops.merge(lab.source()) | ops.merge(lab.source()),
    "inside": lambda lab: ops.merge(Stream(lab.source()) | ops.merge(lab.source())),
}


@pytest.mark.parametrize("make", MERGES.values(), ids=MERGES)
def test_the_bound_of_merges_that_run_as_one_is_reached(make: Callable[[Lab], Any]) -> None:
    found = [run_through([Way("merge", make)], plan) for plan in STALLED]
    assert {bound for _, bound in found} == {3}
    assert max(most for most, _ in found) == 3


def test_what_loses_a_race_may_be_in_hand_when_another_wins() -> None:
    held_up = Way("skip_while", lambda lab: ops.skip_while(before(lab, 1)))
    race = Way("race", lambda lab: ops.race(lab.source()))
    found = [run_through([held_up, race], plan) for plan in STALLED]
    assert {bound for _, bound in found} == {2}
    assert max(most for most, _ in found) == 2


def test_what_the_first_call_of_a_callback_has_returned_is_not_held_while_later_items_wait() -> None:
    """The loop looks at the first result of a callback, to know whether it is to be awaited."""
    alive: weakref.WeakSet[Item] = weakref.WeakSet()

    async def source() -> AsyncIterator[Item]:
        for number in range(4):
            item = Item(number)
            alive.add(item)
            yield item
            del item

    def noted(state: list[Any], item: Item) -> tuple[list[Any], Item]:
        return state, item

    async def main() -> None:
        stream = Stream(source) | ops.merge(source) | ops.stateful_map(list, noted)
        stream = stream | ops.map(lambda _: [0, 0]) | ops.flatten()
        async with stream.open() as items:
            async for _ in items:
                assert len(alive) <= stream.explain().bound
                await asyncio.sleep(0)

    play(main)


@pytest.mark.parametrize("late", [ops.timeout(9.0), ops.keep_alive(9.0, function=object)])
def test_the_item_before_is_in_hand_while_a_stage_that_holds_nothing_is_asked_for_the_next(late: Any) -> None:
    alive, inside = weakref.WeakSet[Item](), list[int]()

    async def source() -> AsyncIterator[Item]:
        for _ in range(4):
            item = Item(0)
            alive.add(item)
            inside.append(len(alive))
            yield item
            del item

    stream = Stream(source) | late | ops.filter(lambda _: False)

    async def main() -> None:
        async for _ in stream:
            pass

    play(main)
    assert max(inside) == stream.explain().bound == 2
