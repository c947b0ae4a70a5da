"""Changes of the library hold for a block, and fail loudly where they do not fit."""

from __future__ import annotations

import pytest

from streamkit._core.markers import EMPTY
from streamkit._engine.buffer.rota import Rota
from streamkit._stages.supply import Supply, nothing
from tests.planted.change import Change, ChangeError, changed

SUPPLY = "streamkit/_stages/supply.py"
NOTHING = 'where a pump puts in all there is."""\n    return EMPTY'
FULL = "return len(self.todo) >= self.free\n"


def test_a_change_holds_for_the_block_also_where_the_function_was_imported_to() -> None:
    assert nothing() is EMPTY
    with changed(Change(SUPPLY, NOTHING, NOTHING.replace("EMPTY", "7"))):
        assert nothing() == 7
    assert nothing() is EMPTY


def test_it_is_taken_back_where_the_block_fails() -> None:
    before = Supply.put.__code__
    with pytest.raises(OSError, match="in the block"), changed(Change(SUPPLY, FULL, FULL.replace(">=", ">"))):
        assert Supply.put.__code__ is not before
        raise OSError("in the block")
    assert Supply.put.__code__ is before


def test_a_property_can_be_changed() -> None:
    with changed(
        Change("streamkit/_engine/buffer/rota.py", "return bool(self.queue)\n", "return not self.queue\n")
    ):
        assert Rota().ready
    assert not Rota().ready


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change(SUPPLY, "no such line", "x"), "not 0 times"),
        (Change(SUPPLY, "self", "other"), r"not \d\d+ times"),
        (Change(SUPPLY, FULL, FULL + "\n"), "would move"),
        (Change(SUPPLY, '__all__ = ["Supply", "nothing"]', '__all__ = ["Supply"]'), "no function"),
    ],
)
def test_a_change_that_does_not_fit_is_told(change: Change, words: str) -> None:
    with pytest.raises(ChangeError, match=words):
        changed(change).__enter__()
