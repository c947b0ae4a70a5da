"""Changes on trial: what fails on its first items goes back, and nothing is lost, doubled or torn by that."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from operator import neg
from typing import Any

import pytest

from streamkit import RolledBackError, Stream, Suspend, ops
from streamkit.live import Slot, edit
from streamkit.testing import run
from tests.files import over
from tests.laws.lab import trying
from tests.live.test_woven import SOURCES, same, turn
from tests.tiers import examples


async def ticks(count: int) -> AsyncIterator[int]:
    for number in range(count):
        await asyncio.sleep(1.0)
        yield number


class FiveFailsError(Exception): ...


def five_fails(number: int) -> int:
    if number == 5:
        raise FiveFailsError(number)
    return -number


def news() -> list[tuple[str, Any, int, list[object]]]:
    """New contents, how many items are on trial, and what comes out of items 3 and on."""
    old = [*range(5, 9)]
    return [
        ("plain", ops.map(five_fails), 8, [-3, -4, *old]),
        ("held", ops.map(five_fails) | ops.batch(2), 8, [[-3, -4], *old]),
        # what came out stays; of the last item of the batch something did
        ("held before", ops.batch(3) | ops.flatten() | ops.map(five_fails), 8, [-3, -4, *old[1:]]),
        ("nothing out", ops.filter(lambda number: five_fails(number) > 0), 8, [3, 4, *old]),
        ("first", ops.map(lambda number: five_fails(5)), 1, [3, 4, *old]),
    ]


@over([(*each, stages) for each in news() for stages in (False, True)], named=lambda each: each[0])
def test_a_content_that_fails_on_trial_is_rolled_back(case: tuple[str, Any, int, list[object], bool]) -> None:
    _, content, items, expected, stages = case

    async def main() -> list[Any]:
        slot = Slot[Any, Any](ops.map(abs), stages=stages)
        job = (Stream(ticks(9)) | slot | ops.to_list()).start()
        await asyncio.sleep(3.5)
        change = await slot.replace(content, rollback=items)
        assert slot.generation == 1
        with pytest.raises(RolledBackError, match="rolled back: FiveFailsError: 5") as raised:
            await change
        assert isinstance(raised.value.__cause__, FiveFailsError)
        assert change.error is raised.value
        assert (slot.generation, repr(slot), change.done) == (2, "Slot(map(abs))", True)
        assert repr(change) == "<Change taken back, generation 1>"
        return await job

    assert run(main) == [0, 1, 2, *expected]


def test_a_content_that_fails_behind_its_trial_fails_the_stream() -> None:
    async def main() -> None:
        slot = Slot(ops.map(abs))
        job = (Stream(ticks(9)) | slot | ops.to_list()).start()
        await asyncio.sleep(3.5)
        change = await slot.replace(ops.map(five_fails), rollback=2)
        await asyncio.sleep(1.0)
        assert not change.done
        with pytest.raises(FiveFailsError):
            await job
        await change  # it has passed its trial

    run(main)


def test_an_error_of_the_source_rolls_nothing_back() -> None:
    async def failing() -> AsyncIterator[int]:
        async for number in ticks(3):
            yield number
        raise FiveFailsError

    async def main() -> None:
        slot = Slot(ops.map(abs))
        job = (Stream(failing()) | slot | ops.to_list()).start()
        await asyncio.sleep(1.5)
        change = await slot.replace(ops.map(neg), rollback=8)
        with pytest.raises(FiveFailsError):
            await job
        await change
        assert slot.generation == 1

    run(main)


def test_a_roll_back_is_for_all_runs_and_gives_way_to_what_came_later() -> None:
    async def main() -> tuple[list[Any], ...]:
        slot = Slot[Any, Any](ops.map(abs))
        one = (Stream(ticks(8)) | slot | ops.to_list()).start()
        two = (Stream(ticks(7)) | ops.skip(2) | slot | ops.to_list()).start()
        await asyncio.sleep(4.5)
        change = await slot.replace(ops.map(five_fails), rollback=5)
        with pytest.raises(RolledBackError):
            await change
        change = await slot.replace(ops.map(five_fails), rollback=9)
        await slot.insert(1, ops.map(str))
        await change
        return await one, await two

    assert run(main) == ([0, 1, 2, 3, -4, 5, "-6", "-7"], [2, 3, -4, 5, "-6"])


def test_behind_a_buffer_a_change_waits_for_no_item_after_a_trial_either() -> None:
    async def main() -> list[Any]:
        got: list[Any] = []
        slot = Slot[Any, Any]()
        job = (Stream(ticks(4)) | ops.buffer(Suspend(2)) | slot | ops.for_each(got.append)).start()
        await asyncio.sleep(0.5)
        await slot.replace(ops.batch(3), rollback=1)
        await asyncio.sleep(2.0)
        assert got == []
        change = await slot.replace(None)
        await asyncio.sleep(0.1)
        assert (got, change.done) == ([[0, 1]], True)
        await job
        return got

    assert run(main) == [[0, 1], 2, 3]


# several slots at once --------------------------------------------------------------------------------------


class Torn:
    """What an item has been through, in two slots."""

    def __init__(self) -> None:
        self.first = Slot[Any, Any](ops.map("old {}".format))
        self.second = Slot[Any, Any](ops.map("{} old".format))

    async def changed(self, between: Any, *contents: Any) -> tuple[list[Any], str]:
        """What comes out where both are changed behind the second item, with what error."""
        job = (
            Stream(ticks(6)) | self.first | between | self.second | ops.enumerate() | ops.to_list()
        ).start()
        await asyncio.sleep(2.5)
        async with edit(rollback=3) as change:
            await self.first.replace(contents[0])
            await self.second.replace(contents[1])
        try:
            await change
        except RolledBackError as error:
            return [item for _, item in await job], str(error)
        return [item for _, item in await job], ""


def three_fails(seen: str) -> str:
    if "3" in seen:
        raise FiveFailsError(seen)
    return seen


def broken(seen: object) -> object:
    raise ValueError(seen)


NEW = ops.map("new {}".format), ops.map("{} new".format)
OLD = [f"old {number} old" for number in range(6)]


@over(
    [
        ("first", NEW[0] | ops.map(three_fails), NEW[1], ["new 2 new"]),
        ("second", NEW[0], ops.map(three_fails) | NEW[1], ["new 2 new"]),
        ("second, late", NEW[0], NEW[1] | ops.map(three_fails), ["new 2 new"]),
        ("held in the second", NEW[0], ops.map(three_fails) | ops.batch(9), OLD[2:3]),
        ("held in the first", NEW[0] | ops.batch(2), ops.map(str) | ops.map(three_fails), OLD[2:3]),
        ("held behind", NEW[0] | ops.map(three_fails), ops.batch(9) | ops.map(broken), OLD[2:3]),
        # what came out stays: "3" was taken out of the same batch
        ("behind a part", NEW[0] | ops.batch(2) | ops.flatten(), ops.map(three_fails), ["new 2", *OLD[4:]]),
        ("dropped", NEW[0] | ops.filter(lambda _: False), ops.map(three_fails), None),
        ("none", *NEW, None),
    ],
    named=lambda each: each[0],
)
def test_slots_that_are_changed_together_go_back_together(
    case: tuple[str, Any, Any, list[str] | None],
) -> None:
    name, *contents, before = case
    seen, error = run(lambda: Torn().changed(ops.filter(bool), *contents))
    if before is None:
        assert (seen, error) == (OLD[:2] + [f"new {n} new" for n in range(2, 6)] * (name == "none"), "")
        return
    rest = OLD[3:] if OLD[4:] != before[-2:] else []
    assert seen == OLD[:2] + before + rest
    assert "rolled back: FiveFailsError: " in error


def test_another_change_of_one_of_them_ends_their_trial() -> None:
    async def main() -> None:
        torn = Torn()
        job = (Stream(ticks(6)) | torn.first | torn.second | ops.drain()).start()
        await asyncio.sleep(2.5)
        async with edit(rollback=9) as change:
            await torn.first.replace(NEW[0])
            await torn.second.replace(ops.batch(9) | ops.map(broken))
        await asyncio.sleep(1.0)
        assert not change.done
        await torn.second.replace(None)  # the next item waits before it, and has been through the first
        with pytest.raises(ValueError, match="new 2"):
            await job
        await change
        assert (torn.first.generation, torn.second.generation) == (1, 2)

    run(main)


def _fails_at(call: int) -> Callable[[Any], Any]:
    left = call

    def fails(item: Any) -> Any:
        nonlocal left
        left -= 1
        if not left:
            raise FiveFailsError(call)
        return item

    return fails


BETWEEN: list[Any] = [ops.filter(lambda _: True), ops.map(turn), ops.map(same), Slot[Any, Any](ops.map(same))]


async def _failing(slots: list[Slot[Any, Any]], drawn: random.Random, rolled: list[BaseException]) -> None:
    """Change some of them, again and again; one of the contents fails; the last may hold items."""
    contents = [None, ops.map(same), ops.map(turn), ops.broadcast(ops.map(same), ops.ignore_items())]
    while True:
        for _ in range(drawn.randrange(4)):
            await asyncio.sleep(0)
        some = [slot for slot in slots if drawn.random() < 0.8]
        bad = drawn.randrange(len(some)) if some else 0
        async with edit(rollback=40) as change:
            for number, slot in enumerate(some):
                content = drawn.choice(contents)
                if number == bad:
                    fails = ops.map(_fails_at(drawn.randrange(1, 4)))
                    content = fails if content is None else fails | content
                    content |= ops.batch(5) | ops.flatten() if number == len(some) - 1 else ops.map(same)
                await slot.replace(content)
        try:
            await change
        except RolledBackError as error:
            rolled.append(error)


def test_nothing_is_lost_or_doubled_where_several_go_back() -> None:
    rolled: list[BaseException] = []

    async def main(seed: int) -> None:
        drawn = random.Random(seed)
        slots = [Slot[Any, Any]() for _ in range(drawn.randrange(2, 4))]
        source: Any = Stream(drawn.choice(SOURCES)) | ops.enumerate()
        pipe = source
        for slot in slots:
            pipe |= slot
            pipe |= drawn.choice(BETWEEN)
        changing = asyncio.create_task(_failing(slots, drawn, rolled))
        try:
            found = await (pipe | ops.enumerate() | ops.map(turn) | ops.to_list())
        finally:
            changing.cancel()
            await asyncio.wait([changing])
        assert changing.cancelled(), changing.exception()
        assert [(number, item[0]) for number, item in found] == [(n, n) for n in range(len(found))], found
        assert [item for _, item in found] == await (source | ops.to_list())

    for seed in range(examples(60)):
        with trying(seed):
            run(main(seed))
    assert len(rolled) > 20


@over(
    [
        (ops.enumerate(), False, r"enumerate\(\) stands between two slots: what it has made of an item"),
        (ops.flatten(), False, r"flatten\(\) stands between"),
        (Slot(ops.distinct(last=9)), False, r"distinct\(.*\) stands between"),
        (ops.map(same), True, r"Slot\(.*\) is changed together with another: what is read ahead"),
    ],
    named=repr,
)
def test_what_cannot_go_back_together_is_refused_by_name(case: tuple[Any, bool, str]) -> None:
    between, stages, words = case

    async def main() -> None:
        first, second = Slot[Any, Any](), Slot[Any, Any](stages=stages)
        job = (Stream(ticks(1)) | ops.map(str) | first | between | second | ops.drain()).start()
        await asyncio.sleep(0.5)
        with pytest.raises(ValueError, match="rollback must be 0 where " + words):
            async with edit(rollback=1):
                await first.replace(ops.map(same))
                await second.replace(ops.map(same))
        assert (first.generation, second.generation) == (0, 0)
        with pytest.raises(
            ValueError, match=r"0 where buffer\(.*\) comes in: it is a stage, which may have several"
        ):
            async with edit(rollback=1):
                await Slot(stages=True).replace(ops.buffer(Suspend(1)))
        await job

    run(main)
