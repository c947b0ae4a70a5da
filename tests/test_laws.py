"""The laws of the design, over every operator: here, that every operator has a sample; see `laws`."""

from collections.abc import Iterator
from typing import Any

import streamkit.rx  # noqa: F401 - fills the catalogue
from streamkit._core.catalogue import Declaration, catalogue
from streamkit._engine.compile.pieces import parsed
from streamkit._engine.plan.link import flattened, unfolded
from tests.files import over
from tests.laws.lab import Lab
from tests.samples import SAMPLES
from tests.samples.sources import SOURCES

DECLARATIONS = [each for each in catalogue() if each.function.__module__.startswith("streamkit.")]
STEPS = [each for each in DECLARATIONS if each.stage is None]


def declarations_in(pipe: Any) -> Iterator[Declaration]:
    for link in flattened(pipe.links):
        yield link.declaration


def declarations_of_sources() -> Iterator[Declaration]:
    """Those that sources run on, which are made with the stream."""
    for sample in SOURCES:
        if not sample.wasted:
            yield from declarations_in(unfolded(sample.make(Lab("ready"))))


def test_every_operator_has_a_sample() -> None:
    sampled = {each for sample in SAMPLES for each in declarations_in(sample.make(Lab()))}
    sampled.update(declarations_of_sources())
    missing = [each.name for each in DECLARATIONS if each not in sampled]
    assert not missing, f"tests/samples/ has no sample of {missing}"


@over(STEPS, named=lambda each: each.function.__qualname__)
def test_every_step_can_stand_in_a_group(step: Any) -> None:
    assert not parsed(step).early, "each group keeps what its setup assigns to: let it assign to these, too"
