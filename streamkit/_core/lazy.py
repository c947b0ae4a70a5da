"""Lazy doors: a module is loaded when a name that comes from it is first used (PEP 562).

A door lists its names once, as imports under ``if TYPE_CHECKING:``, where type checkers and editors read
them. `lazily` reads the same block, out of the compiled module: what was not imported at run time is lazy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from opcode import EXTENDED_ARG, opmap
from types import CodeType, ModuleType
from typing import Any

__all__ = ["lazily", "load"]

_doors: list[ModuleType] = []


def lazily() -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """The ``__getattr__``, ``__dir__`` and ``__all__`` of the module that calls this."""
    caller = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    door, module = caller.f_globals, sys.modules[caller.f_globals["__name__"]]
    home = {name: source for source, name in _imports(caller.f_code) if source.startswith("streamkit")}
    del home["lazily"]
    _doors.append(module)

    def get(name: str) -> Any:
        source = home.get(name)
        if source is None:
            raise AttributeError(
                f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module
            )
        value = (
            import_module(f"{source}.{name}")
            if source == "streamkit"
            else getattr(import_module(source), name)
        )
        door[name] = value  # it is not asked for again
        return value

    # a neighbour is found by name, but not listed: its package may be missing, and `help` gets all that is
    public = sorted(name for name, source in home.items() if source != "streamkit" or name == "ops")

    def listed() -> list[str]:
        return sorted({*door, *public})

    return get, listed, public


def load() -> None:
    """Load all that the doors list, and so not the neighbours, whose packages may be missing."""
    for module in _doors:  # which grow: one door lists another
        for name in module.__all__:
            getattr(module, name)


def _imports(code: CodeType) -> Iterator[tuple[str, str]]:
    """What each ``from module import name`` of a module's code says, whether or not it was executed.

    By hand: `dis.get_instructions` would take a millisecond for each door.
    """
    source, wide, steps = "", 0, code.co_code
    for operation, low in zip(steps[::2], steps[1::2], strict=True):
        number = wide | low
        wide = number << 8 if operation == EXTENDED_ARG else 0
        if operation == opmap["IMPORT_NAME"]:
            source = code.co_names[number]
        elif operation == opmap["IMPORT_FROM"]:
            yield source, code.co_names[number]
