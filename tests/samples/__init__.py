"""Samples: for every operator and sink, ways to write it. The law tests run over all of them.

A module per family has lists named `OPERATORS` and `SINKS`. A new operator needs a line in one of them;
without one, `test_laws` fails and names it.
"""

from importlib import import_module
from pkgutil import iter_modules

from tests.laws.lab import Sample

__all__ = ["OPERATORS", "SAMPLES", "SINKS"]

_FAMILIES = [import_module(f"tests.samples.{found.name}") for found in iter_modules(__path__)]
OPERATORS: list[Sample] = [each for family in _FAMILIES for each in getattr(family, "OPERATORS", ())]
SINKS: list[Sample] = [each for family in _FAMILIES for each in getattr(family, "SINKS", ())]
SAMPLES = [*OPERATORS, *SINKS]
