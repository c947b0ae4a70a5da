"""The laws of the design, over every operator: here, that every operator has a sample; see `laws`."""

from collections.abc import Iterator
from typing import Any

import pytest

import streamkit.rx  # noqa: F401 - fills the catalogue
from streamkit._core.catalogue import Declaration, catalogue
from streamkit._engine.plan.link import flattened
from tests.laws.lab import Lab
from tests.samples import SAMPLES

DECLARATIONS = [each for each in catalogue() if each.function.__module__.startswith("streamkit.")]


def declarations_in(pipe: Any) -> Iterator[Declaration]:
    for link in flattened(pipe.links):
        yield link.declaration


@pytest.mark.parametrize("declaration", DECLARATIONS, ids=lambda each: each.function.__qualname__)
def test_every_operator_has_a_sample(declaration: Declaration) -> None:
    sampled = {each for sample in SAMPLES for each in declarations_in(sample.make(Lab()))}
    assert declaration in sampled, f"tests/samples/ has no sample of {declaration.name}"
