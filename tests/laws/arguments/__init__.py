"""Arguments: for every operator and sink, all the ways to write it that hypothesis may choose from.

A module per family has a table named `ARGUMENTS`. A new operator needs an entry in one of them; without one,
`test_bound` fails and names it.
"""

from importlib import import_module
from pkgutil import iter_modules

from hypothesis.strategies import SearchStrategy

from tests.laws.ways import Way

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {}
for _found in iter_modules(__path__):
    ARGUMENTS |= import_module(f"{__name__}.{_found.name}").ARGUMENTS
