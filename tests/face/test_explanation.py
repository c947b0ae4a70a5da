"""Explanations: the words in which the parts of a pipeline, and their sums, are told."""

from typing import Any

from streamkit._core.contract import UNBOUNDED
from streamkit._engine.face.explanation import Explanation, Part

TOLD: list[tuple[dict[str, Any], str]] = [
    ({"kind": "source"}, ""),
    (
        {"kind": "source", "holds": 2, "lookahead": 3.0, "strategy": "Suspend(2)"},
        "source   holds 2 items, reads 3 items ahead, Suspend(2)",
    ),
    ({"kind": "segment", "holds": 1.0}, "segment  holds 1 item"),
    ({"kind": "stage", "lookahead": 1, "keys": 1}, "stage    holds 0 items, reads 1 item ahead, keeps 1 key"),
    (
        {"kind": "stage", "holds": UNBOUNDED, "lookahead": UNBOUNDED, "keys": UNBOUNDED},
        "stage    holds any number of items, reads any number of items ahead, keeps any number of keys",
    ),
    (
        {"kind": "edge", "keys": 2, "at_end": True, "loses": "the oldest", "result": "all"},
        "edge     holds 0 items, keeps 2 keys, emits at the end only, loses the oldest, result: all",
    ),
]
"""What is known of a part, and how that is told behind its text."""


def told(*parts: Part, **more: Any) -> list[str]:
    return str(Explanation(parts=parts, **more)).splitlines()


def test_a_part_is_told_in_words() -> None:
    for known, words in TOLD:
        line, _ = told(Part(**{"text": "part", "holds": 0, **known}))
        assert line == f"part  {words}".rstrip()


def test_parts_stand_below_one_another_however_deep_they_are() -> None:
    parts = [Part(text=text, kind="stage", holds=1, depth=depth) for text, depth in (("ab", 0), ("a", 2))]
    assert told(*parts) == [
        "ab     stage    holds 1 item",
        "    a  stage    holds 1 item",
        "bound: 2 items inside at most, 0 items read ahead",
    ]


def test_what_is_in_flight_and_the_loops_come_behind_the_sums() -> None:
    part = Part(text="part", kind="source", holds=1.0, lookahead=UNBOUNDED)
    assert told(part, in_flight=7, code=("one\n", "two\n"))[1:] == [
        "bound: 1 item inside at most, any number of items read ahead",
        "deliveries: 7 in flight at most, which may come twice",
        "",
        "one",
        "",
        "two",
    ]


def test_only_what_no_other_stream_waits_for_decides_whether_anything_comes_before_the_end() -> None:
    for at_end, depth, all_at_end in (True, 0, True), (True, 1, False), (False, 0, False):
        part = Part(text="part", kind="stage", holds=0, at_end=at_end, depth=depth)
        assert Explanation(parts=(part,)).at_end is all_at_end
