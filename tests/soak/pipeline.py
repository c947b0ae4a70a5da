"""Pipelines as data: drawn at random, made with the library, and shown."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from streamkit import Stream
from tests.soak import (
    words_of_buffers,
    words_of_errors,
    words_of_joins,
    words_of_sinks,
    words_of_steps,
    words_of_time,
    words_of_timetables,
)
from tests.soak.kit import Kit
from tests.soak.line import Line, TieError, UndecidedError
from tests.soak.reference import Reference, TooMuchError
from tests.soak.words import SINKS, WORDS, Draw, Pipe, Src, Step

__all__ = ["Pipeline", "drawn", "made", "sources_in", "stream_of"]

WORDING = (
    words_of_steps,
    words_of_joins,
    words_of_buffers,
    words_of_errors,
    words_of_time,
    words_of_timetables,
    words_of_sinks,
)
"""The modules that enter the words."""

FEWEST, MOST = 3, 8
"""Operators of a pipeline."""
WEIGHTS = {"LT": 1, "L": 2, "T": 3}
"""How often a word is drawn, by the pipelines that it may stand in: all of them about as often."""


@dataclass(frozen=True)
class Pipeline:
    """A source, operators, and a sink that some trials end in."""

    mode: str
    """``L``, loose: the order of some operators is free, and nothing minds the clock. ``T``: a timetable."""
    source: Src
    steps: tuple[Step, ...]
    sink: Step

    def line(self, reference: Reference | None = None) -> Line:
        """What comes out of it, without the sink."""
        return (reference or Reference()).stream(self.source, self.steps)(0.0)

    def without(self, place: int) -> "Pipeline":
        """The same without one of its operators."""
        return replace(self, steps=self.steps[:place] + self.steps[place + 1 :])

    def __str__(self) -> str:
        return " | ".join(
            [f"source {self.source.number} of {len(self.source.gaps)}", *map(shown, self.steps)]
        )


def shown(step: Step) -> str:
    """An operator as one would write it."""
    return f"{step.word}#{step.place}({', '.join(f'{key}={told(each)}' for key, each in step.given.items())})"


def told(value: Any) -> str:
    match value:
        case Src():
            times = "" if not any(value.gaps) else f", gaps={value.gaps}, end={value.end}"
            return f"source {value.number} of {len(value.gaps)}{times}"
        case Pipe():
            return " | ".join(map(shown, value.steps))
        case tuple():
            return f"({', '.join(map(told, value))})"
        case _:
            return repr(value)


def sources_in(value: Any) -> Iterator[Src]:
    """All sources in a pipeline, or in a part of it."""
    match value:
        case Src():
            yield value
        case Pipeline():
            yield from sources_in((value.source, *value.steps))
        case Pipe():
            yield from sources_in(value.steps)
        case Step():
            yield from sources_in(tuple(value.given.values()))
        case tuple():
            for each in value:
                yield from sources_in(each)
        case _:
            return


def drawn(random: Random, mode: str | None = None) -> Pipeline:
    """A pipeline at random, of which it is clear what it gives."""
    mode = mode or random.choice("LLT")
    words = [word for word in WORDS.values() if mode in word.modes]
    weights = [WEIGHTS[word.modes] for word in words]
    while True:
        draw = Draw(random, mode)
        source = draw.source(12 if mode == "L" else 8)
        size = random.randint(FEWEST, MOST)
        steps = tuple([word.drawn(draw) for word in random.choices(words, weights, k=size)])
        sink = SINKS[random.choice([*SINKS])].drawn(draw)
        pipeline = Pipeline(mode, source, steps, sink)
        if shared_again([step.word for step in steps]):
            continue
        try:
            line = pipeline.line()
        except (TooMuchError, TieError, UndecidedError):
            continue
        if line.events or random.random() < 0.1:
            return pipeline


def shared_again(words: list[str]) -> bool:
    """Whether something that is shared is read again behind that, which has not always ended before."""
    shared = [place for place, word in enumerate(words) if word.startswith("share")]
    return bool(shared) and any(word in {"retry", "retry_later", "repeat"} for word in words[shared[0] :])


def made(pipeline: Pipeline, kit: Kit) -> Stream[Any]:
    """The stream of the library, in the form of the plan."""
    stream: Any = Stream(kit.source(pipeline.source))
    for step in pipeline.steps:
        stream = stream_of(stream, kit.plan.form) | kit.operator(step)
    return stream


def stream_of(before: Any, form: str) -> Any:
    """`before`, as the next operator reads it: itself, or so that nothing fuses with it."""
    if form == "fused":
        return before
    return Stream((lambda: aiter(before)) if form == "alone" else lambda: hop(before))


async def hop(stream: Any) -> AsyncIterator[Any]:
    """The items of `stream`, by a generator of ours."""
    async with stream.open() as items:
        async for item in items:
            yield item
            del item
