"""How a loop hands over what comes out of its last step: at once only what nothing else goes with."""

from __future__ import annotations

from typing import Any

from streamkit import Stream, ops
from streamkit._engine.compile.handing import handing_over, in_parts
from streamkit._engine.compile.key import End, Kind, Pairs

STEPS: Any = ((Stream([1]) | ops.map(str)).links[0].key,)


def test_what_is_taken_out_of_a_list_is_handed_over_at_once_where_nothing_goes_with_it() -> None:
    usual = handing_over(Kind.CHANNEL, (), End.FILL)
    for kind in Kind:
        assert handing_over(kind, STEPS, End.FILL) == usual
        assert handing_over(kind, (), End.FILL, Pairs.TAKES) == usual
        for end in End:
            assert in_parts(kind, (), end) == (kind is Kind.SLICE and end is End.FILL)
            assert not in_parts(kind, STEPS, end)
            assert not in_parts(kind, (), end, Pairs.GIVES)
            assert (handing_over(kind, STEPS, end) == "") == (end is End.RESULT)
    assert handing_over(Kind.SLICE, (), End.FILL) != usual
