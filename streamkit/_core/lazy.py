"""Lazy doors: a module is loaded when a name that comes from it is first used (PEP 562).

A door imports each of its names once, under ``if TYPE_CHECKING:``, as ``name as name``. Type checkers and
editors read that block. It is not executed, so `lazily` reads it too, in the compiled code of the module.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from opcode import EXTENDED_ARG, opmap
from types import CodeType, ModuleType
from typing import Any, Final

__all__ = ["from_door", "lazily", "listed", "load"]

_doors: list[tuple[ModuleType, list[str]]] = []
"""The doors, and the names that each lists."""
_ANSWERS: Final = "streamkit._core.elsewhere"


def lazily(
    *, shadows: bool = False, extras: frozenset[str] = frozenset()
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """The ``__getattr__``, ``__dir__`` and ``__all__`` of the module that calls this.

    ``import *`` must not change what a builtin means, as ``zip``: unless the door `shadows` them on purpose,
    those names are there, but not in ``__all__``. Nor are those of `extras`, whose packages may be missing.
    """
    # `inspect.stack()` would read the sources of all callers
    caller = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    door, module = caller.f_globals, sys.modules[caller.f_globals["__name__"]]
    home = {name: source for source, name in _imports(caller.f_code) if source.startswith("streamkit")}
    del home["lazily"]
    # neighbours are not listed: `help` loads all that is listed, and their packages may be missing
    listable = home.keys() - extras
    ours = sorted(name for name in listable if home[name] != "streamkit" or name == "ops")
    _doors.append((module, ours))

    def get(name: str) -> Any:
        source = home.get(name)
        if source is None:
            # loaded here, because a program without mistakes has no use for it
            answer = import_module(_ANSWERS).hint(name)
            frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
            if answer and frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]:
                # Python would put words of its own in the place of an `AttributeError`
                words = f"cannot import name {name!r} from {module.__name__!r}{answer}"
                raise ImportError(words, name=module.__name__, path=module.__file__)
            raise AttributeError(
                f"module {module.__name__!r} has no attribute {name!r}{answer}", name=name, obj=module
            )
        value = (
            import_module(f"{source}.{name}")
            if source == "streamkit"
            else getattr(import_module(source), name)
        )
        door[name] = value  # so that `get` is not called for it again
        return value

    def listed() -> list[str]:
        """All that can be completed: a neighbour, where its package is there."""
        for name in extras - door.keys():
            with suppress(ImportError):
                get(name)
        return sorted({*door, *ours} - {"TYPE_CHECKING", "lazily"})

    return get, listed, [name for name in ours if shadows or name not in vars(builtins)]


def listed(module: str) -> list[str]:
    """The names that a door lists."""
    door = import_module(module)
    return next(names for each, names in _doors if each is door)


def from_door(module: str, name: str) -> Any:
    """What a door gives by this name."""
    return getattr(import_module(module), name)


def load() -> None:
    """Load every name that the doors list. Neighbours are not listed."""
    for module, names in _doors:  # the list grows meanwhile: loading `streamkit.ops` adds a door
        for name in names:
            getattr(module, name)


def _imports(code: CodeType) -> Iterator[tuple[str, str]]:
    """Module and name of each ``from module import name`` in a module's code, executed or not.

    This decodes the instructions by hand, because `dis.get_instructions` takes a millisecond for each door.
    """
    source, wide, steps = "", 0, code.co_code
    for operation, low in zip(steps[::2], steps[1::2], strict=True):
        number = wide | low
        wide = number << 8 if operation == EXTENDED_ARG else 0
        if operation == opmap["IMPORT_NAME"]:
            source = code.co_names[number]
        elif operation == opmap["IMPORT_FROM"]:
            yield source, code.co_names[number]
