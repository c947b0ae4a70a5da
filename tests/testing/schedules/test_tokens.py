"""Tokens: the text of a schedule, and what is no token."""

import pytest
from hypothesis import given, strategies as st

from streamkit.testing import run
from streamkit.testing.schedules.faults import Fault, Faults
from streamkit.testing.schedules.tokens import FIFO, Park, Rank, Schedule, Take, parsed, token

places = st.integers(0, 10**6)
switches = st.one_of(*(st.builds(kind, places, places) for kind in (Park, Take, Rank)))
cancels = st.builds(Fault, st.just(Faults.CANCEL), places)
shutdowns = st.builds(Fault, st.just(Faults.SHUTDOWN), places, st.integers(0, 2**64))
schedules = st.builds(
    Schedule,
    st.lists(switches, max_size=9).map(tuple),
    st.lists(st.one_of(cancels, shutdowns), max_size=3).map(tuple),
)


@given(schedules, st.integers(0, 2**32 - 1))
def test_a_token_says_all_of_a_schedule(schedule: Schedule, check: int) -> None:
    assert parsed(token(schedule, check)) == (schedule, check)


def test_a_token_can_be_typed() -> None:
    schedule = Schedule((Park(12, 0), Take(7, 1), Rank(3, 5)), (Fault(Faults.SHUTDOWN, 40, 2),))
    assert token(schedule, 0xBAD) == "v1:12~0,7.1,3_5!shutdown@40.2:00000bad"
    assert token(FIFO, 0) == "v1::00000000"
    assert len(schedule) == 4


WRONG = (
    "",
    "v1",
    "v2::00000000",
    "v1:00000000",
    "v1::0000000",
    "v1::0000000g",
    "v1:1:00000000",
    "v1:1~:00000000",
    "v1:1~2 3~4:00000000",
    "v1:-1~2:00000000",
    "v1:!hang@3:00000000",
    "v1:!cancel:00000000",
    "v1:!cancel@1.5.2:00000000",
    "v1::00000000 ",
)


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_token_is_refused_by_name(text: str) -> None:
    async def main() -> None: ...

    with pytest.raises(ValueError, match=r"^replay "):
        run(main, replay=text)


def test_a_token_is_a_text() -> None:
    async def main() -> None: ...

    with pytest.raises(TypeError, match=r"^replay must be a token .*, not 7$"):
        run(main, replay=7)  # type: ignore[arg-type]
