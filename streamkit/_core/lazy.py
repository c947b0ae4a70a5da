"""Lazy packages: a module is loaded when a name that comes from it is first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazily", "load"]

_modules: list[str] = []


def lazily(
    package: str, names: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of `package`, for the `names` that come from each of these modules.

    Those of `package` itself are its modules. Type checkers are to find plain imports instead.
    """
    home = {name: module for module, found in names.items() for name in found}
    _modules.extend(names)

    def get(name: str) -> Any:
        module = home.get(name)
        if module is None:
            raise AttributeError(
                f"module {package!r} has no attribute {name!r}", name=name, obj=sys.modules[package]
            )
        own = module == package
        value = import_module(f"{package}.{name}") if own else getattr(import_module(module), name)
        setattr(sys.modules[package], name, value)  # it is not asked for again
        return value

    def listed() -> list[str]:
        own = vars(sys.modules[package])
        return sorted({*own, *own.get("__all__", ())})  # not what may lack its package: `help` gets all of it

    return get, listed


def load() -> None:
    """Load what was not used so far."""
    for module in _modules:
        import_module(module)
