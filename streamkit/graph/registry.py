"""The registry: what the names in a graph stand for. They come from here, and from nowhere else.

A graph may come from somebody else. So a name is looked up in a dict, and never taken apart: no attribute of
what is found there is read by a name out of the data. The one way to anything that was not put in by hand is
`allow_modules`, which is exact: the module is named in full, and what it has by that name must be a function
or a class that is written in it. What it has imported from elsewhere is not given out.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from types import FunctionType
from typing import Any, TypeVar, get_type_hints, overload

from streamkit._core.calls import answering
from streamkit._core.show import shown, told
from streamkit.graph.mistakes import Fault, Wrong, nearest

__all__ = ["Entry", "Registry"]

F = TypeVar("F")


class Entry:
    """What a name stands for, and what is known of it. Each is found out once, for all nodes that name it."""

    def __init__(self, name: str, value: Any) -> None:
        self.name = name
        self.value = value
        try:
            self.signature = inspect.signature(value) if callable(value) else None
        except (TypeError, ValueError):  # of some builtins, nothing is known
            self.signature = None
        known: Mapping[str, inspect.Parameter] = {} if self.signature is None else self.signature.parameters
        self.wants_context: bool = (
            "context" in known and known["context"].kind is not inspect.Parameter.VAR_KEYWORD
        )
        """Whether it is called with the context of the job, which it asks for by the name."""
        self.needs_context: bool = self.wants_context and known["context"].default is inspect.Parameter.empty
        """Whether it cannot be called without."""
        self._hints: dict[str, Any] | None = None

    @property
    def hints(self) -> Mapping[str, Any]:
        """The types that its annotations name; none where they cannot be found out."""
        if self._hints is None:
            function = self.value if inspect.isroutine(self.value) else type(self.value).__call__
            try:
                self._hints = {} if isinstance(self.value, type) else get_type_hints(function)
            except Exception:  # an annotation may name what is not there at run time, or fail as it likes
                self._hints = {}
        return self._hints


class Registry:
    """The functions, sources, sinks and operators that graphs may name.

    >>> registry = Registry()
    >>> registry.add("work.double", lambda number: 2 * number)
    >>> registry.names
    ('work.double',)

    Args:
        entries: names and what they stand for.
        allow_modules: the full names of modules whose own functions and classes may be named too, as
            ``"module.function"``. They are imported when a graph first names something in them. If that
            fails, it is a mistake of the graph.

    Raises:
        TypeError: a name is no text, or `allow_modules` is one text.
        ValueError: a name is empty, or taken.
    """

    def __init__(
        self, entries: Mapping[str, Any] | None = None, *, allow_modules: Iterable[str] = ()
    ) -> None:
        self._entries: dict[str, Entry] = {}
        self._found: dict[str, Entry] = {}
        """What was found in modules that are allowed."""
        if isinstance(allow_modules, str):
            raise TypeError(f"allow_modules must be a list of names, not {shown(allow_modules)}")
        self.allow_modules: frozenset[str] = frozenset(allow_modules)
        """The modules whose own functions and classes may be named."""
        for name, value in (entries or {}).items():
            self.add(name, value)

    @overload
    def add(self, name: str) -> Callable[[F], F]: ...
    @overload
    def add(self, name: str, value: object, /) -> None: ...
    @answering
    def add(self, name: str, *value: Any) -> Any:
        """Let `name` stand for `value`. Without a value, this decorates a function.

        Raises:
            TypeError: the name is no text.
            ValueError: the name is empty, or stands for something else already.
        """
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"name must be a text, not {shown(name)}")
        if not name or name in self._entries:
            raise ValueError(f"name must be new, and not empty, not {name!r}")
        if value:
            self._entries[name] = Entry(name, value[0])
            return None

        def decorate(function: F) -> F:
            self.add(name, function)
            return function

        return decorate

    @property
    def names(self) -> tuple[str, ...]:
        """The names that were added, sorted."""
        return tuple(sorted(self._entries))

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def entry(self, name: object, what: str) -> Entry:
        """What `name` stands for; `what` says in words what it is needed for.

        Raises:
            Wrong: it stands for nothing, or for what is not given out.
        """
        if not isinstance(name, str):
            raise Wrong(Fault.WRONG_ARGUMENT, f"{what} must be a name of the registry, not {shown(name)}")
        found = self._entries.get(name) or self._found.get(name)
        if found is None:
            module, _, last = name.rpartition(".")
            if module not in self.allow_modules:
                hint = nearest(name, self._entries)
                raise Wrong(Fault.UNKNOWN_NAME, f"the registry has no {shown(name)}", hint)
            found = self._found[name] = Entry(name, _defined(module, last))
        return found

    def __repr__(self) -> str:
        return f"Registry({', '.join(self.names)})"


def _defined(module: str, name: str) -> Any:
    """The function or class that is defined in `module` by this `name`; what is imported there is refused."""
    if not name.isidentifier() or name.startswith("_"):
        raise Wrong(Fault.NOT_ALLOWED, f"{name!r} is no public name of {module}")
    if module not in sys.modules:
        try:
            import_module(module)
        except Exception as error:  # what it runs may fail as it likes
            words = f"{module} cannot be imported: {told(error)}"
            raise Wrong(Fault.UNKNOWN_NAME, words, "see whether allow_modules has its name") from error
    found = vars(sys.modules[module])
    value = found.get(name)
    if name not in found:
        public = [each for each in found if not each.startswith("_")]
        raise Wrong(Fault.UNKNOWN_NAME, f"{module} has no {name}", nearest(name, public))
    # a function knows the names of its own module, whatever its `__module__` says
    own = type(value) is FunctionType and value.__globals__ is found
    if isinstance(value, type):
        own = type.__getattribute__(value, "__module__") == module and value.__qualname__ == name
    if not own:
        raise Wrong(
            Fault.NOT_ALLOWED,
            f"{name} is not defined in {module}",
            "name the module that defines it in allow_modules, or add it to the registry",
        )
    return value
