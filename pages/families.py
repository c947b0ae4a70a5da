"""The families of operators, sinks and sources, as the pages show them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import streamkit
from streamkit import ops
from streamkit._core.catalogue import Declaration, catalogue
from streamkit._core.lazy import listed


def families() -> dict[str, dict[str, list[Declaration]]]:
    """By module and name, the forms of each operator; none of those that are made of another.

    Those that have no room in the module of their family stand in ``_stages``.
    """
    found: dict[str, dict[str, list[Declaration]]] = {}
    forms: dict[tuple[str, str], list[Declaration]] = {}
    for declaration in catalogue():
        forms.setdefault((declaration.function.__module__, declaration.name), []).append(declaration)
    names: list[str] = vars(ops)["__all__"]  # type checkers read the door's imports, and see no `__all__`
    for name in names:
        module = getattr(ops, name).__module__
        found.setdefault(module, {})[name] = forms.get((module, name), [])
        found[module][name] += [
            form
            for (place, of), more in forms.items()
            if of == name and "._stages." in place
            for form in more
        ]
    return dict(sorted(found.items()))


def sources() -> dict[str, dict[str, Callable[..., Any]]]:
    """By module and name, the functions of the front door that make streams."""
    found: dict[str, dict[str, Callable[..., Any]]] = {}
    for name in listed("streamkit"):
        function = getattr(streamkit, name)
        module = getattr(function, "__module__", None) or ""
        if module.startswith("streamkit.sources.") and inspect.isfunction(function):
            found.setdefault(module, {})[name] = function
    return dict(sorted(found.items()))
