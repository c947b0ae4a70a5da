"""What the library keeps from one test to the next: loops that it compiled, and what it knows of functions.

A test that finds a loop made would not reach what makes loops, and could not note that this is changed. So
before each test, all of it is forgotten.
"""

import sys
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from streamkit._core import catalogue
from streamkit._engine.compile import loop
from streamkit._engine.run import ending

__all__ = ["forget"]


def forget() -> None:
    """Forget what is kept, as in a program that has just begun."""
    for clear in _clears():
        clear()
    for declaration in [*catalogue._alive.values()]:
        for name in _worked_out(type(declaration)):
            vars(declaration).pop(name, None)
        seen = declaration.seen
        for each in (seen.codes, seen.forms, seen.keys):
            each.clear()
        seen.only = None


@cache
def _clears() -> list[Callable[[], object]]:
    modules = [module for name, module in sys.modules.items() if name.startswith("streamkit.")]
    values: dict[int, Any] = {id(value): value for module in modules for value in vars(module).values()}
    caches = [value for value in values.values() if callable(getattr(type(value), "cache_clear", None))]
    return [loop._cache.clear, ending._known.clear, *(each.cache_clear for each in caches)]


@cache
def _worked_out(kind: type) -> list[str]:
    """What is worked out of a declaration when it is first asked for."""
    return [
        name
        for each in kind.__mro__
        for name, value in vars(each).items()
        if isinstance(value, cached_property)
    ]
