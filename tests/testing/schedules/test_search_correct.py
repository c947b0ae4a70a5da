"""No false alarm: what is right in every order passes in every schedule."""

import asyncio

import pytest

from streamkit.testing import Exhaustive, Faults, run
from tests import tiers
from tests.testing.schedules.correct import CORRECT
from tests.testing.schedules.correct_anyio import ANYIO
from tests.testing.schedules.piped import PIPED
from tests.testing.schedules.programs import Main

SCHEDULES = tiers.examples(1000) // tiers.stride(10)
BOTH = Faults.CANCEL | Faults.SHUTDOWN


@CORRECT.each()
def test_asyncio(main: Main) -> None:
    run(main, schedules=SCHEDULES, seed=1)


@ANYIO.each()
def test_anyio(main: Main) -> None:
    run(main, schedules=SCHEDULES, seed=1)


@PIPED.each()
def test_streamkit(main: Main) -> None:
    run(main, schedules=SCHEDULES, seed=1)


@pytest.mark.full
@pytest.mark.parametrize("main", [*CORRECT, *ANYIO, *PIPED], ids=lambda main: main.__name__)
def test_every_schedule_with_one_switch(main: Main) -> None:
    run(main, schedules=Exhaustive(switches=1))


@pytest.mark.full
@pytest.mark.parametrize("main", [*CORRECT, *ANYIO, *PIPED], ids=lambda main: main.__name__)
def test_in_debug_mode(main: Main) -> None:
    async def debugged() -> None:
        asyncio.get_running_loop().set_debug(True)
        await main()

    run(debugged, schedules=50, seed=3)


@PIPED.each()
def test_streamkit_with_faults(main: Main) -> None:
    run(main, schedules=SCHEDULES // 2, seed=2, faults=BOTH)


@pytest.mark.full
@PIPED.each()
@pytest.mark.parametrize("faults", [Faults.CANCEL, Faults.SHUTDOWN], ids=["cancel", "shutdown"])
def test_streamkit_with_a_fault_at_every_step(main: Main, faults: Faults) -> None:
    run(main, seed=2, faults=faults)
