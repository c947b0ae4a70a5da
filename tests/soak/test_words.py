"""Every operator and sink has a word, and each word alone gives what the reference says."""

from random import Random
from typing import Any

import pytest

from streamkit import ops
from tests.files import over
from tests.soak.kit import Plan
from tests.soak.line import TieError, UndecidedError
from tests.soak.pipeline import Pipeline
from tests.soak.reference import TooMuchError
from tests.soak.trial import attempt
from tests.soak.words import SINKS, UNREAD, WORDS, Draw, Step, Word
from tests.tiers import stride

EVERY = {word.name for word in (*WORDS.values(), *SINKS.values())}
ALONE = (
    Plan(),
    Plan(style="drip", calls="mixed", form="hops", way="job"),
    Plan(style="turn", calls="async", form="alone", way="sink"),
)
DRAWN = 4 // stride(4)
"""Arguments of each word that are tried."""


@over(ops.__all__)
def test_every_operator_and_sink_has_a_word_or_a_reason_why_it_has_none(name: str) -> None:
    assert (name in EVERY) is not (name in UNREAD), f"tests/soak/words_of_*.py: no word of {name}"


@over(sorted(EVERY | {*UNREAD}))
def test_every_word_is_of_an_operator_or_sink(name: str) -> None:
    assert name in ops.__all__


def alone(word: Word, mode: str, seed: int) -> Pipeline:
    """A pipeline of this word only."""
    while True:
        draw = Draw(Random(f"{word.key}/{seed}"), mode)
        source = draw.source(8)
        step = word.drawn(draw)
        steps = () if word.key in SINKS else (step,)
        sink = step if word.key in SINKS else Step("to_list", draw.place())
        pipeline = Pipeline(mode, source, steps, sink)
        try:
            pipeline.line()
        except (TieError, UndecidedError, TooMuchError):
            seed += 1000
            continue
        return pipeline


def tried(word: Word, mode: str) -> None:
    for seed in range(DRAWN):
        pipeline = alone(word, mode, seed)
        for plan in ALONE[:: stride(2)]:
            if mode == "L" or plan.style != "drip":
                attempt(pipeline, plan)


def in_turn(mode: str) -> list[str]:
    """The words of a mode; in the default tier, a word of both modes is tried in one of them."""
    both = [key for key, word in WORDS.items() if {*"LT"} <= {*word.modes}]
    left = {*both} - {*both["LT".index(mode) % stride(2) :: stride(2)]}
    return [key for key, word in WORDS.items() if mode in word.modes and key not in left]


@pytest.mark.parametrize("key", in_turn("L"))
def test_an_operator_alone_gives_what_the_reference_says(key: str) -> None:
    tried(WORDS[key], "L")


@pytest.mark.parametrize("key", in_turn("T"))
def test_an_operator_alone_gives_it_at_the_times_that_the_reference_says(key: str) -> None:
    tried(WORDS[key], "T")


@pytest.mark.parametrize("key", SINKS)
def test_a_sink_alone_gives_what_the_reference_says(key: str) -> None:
    for seed in range(DRAWN):
        attempt(alone(SINKS[key], "L", seed), Plan(way="sink", style="turn", calls="async"))


def test_what_is_drawn_stands_in_its_pipeline_as_written() -> None:
    shown: Any = str(alone(WORDS["take"], "L", 0))
    assert "take#1(count=" in shown
