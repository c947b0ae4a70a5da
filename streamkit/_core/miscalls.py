"""Words for calls with wrong arguments: what was called, what it takes, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from enum import Enum
from inspect import Parameter, Signature, getdoc, signature
from typing import Any, Final

from streamkit._core.argument_names import ARGUMENTS
from streamkit._core.lazy import listed
from streamkit._core.markers import ABSENT
from streamkit._core.show import named as name_of

__all__ = ["miscalled"]

_FRONT: Final = "streamkit"
_OPS: Final = "ops"
_HOMES: Final = {
    "operators": _OPS,
    "sinks": _OPS,
    **{name: name for name in ("aiostream", "reactive_streams", "rx", "testing")},
}
"""How users say the modules in which public functions are; those of others are said without one."""
_MADE: Final = "__init__"
_SELF: Final = "self"
_DECORATES: Final = "Callable[[F], F]"
_EXAMPLES: Final = {"strategy": ("Suspend(16)", "DropOldest(16) for what cannot wait")}
"""Arguments for parameters that have no default on purpose."""
_FURTHER: Final = {"reduce": "to begin with a value, write ops.fold(function, initial)"}
"""What one more argument by position is meant for, where another function has it."""


def miscalled(function: Callable[..., Any], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> str:
    """What to say of a call of `function` with `arguments`, some of them `named`, that it does not take."""
    parameters = [*signature(function).parameters.values()]
    called = _called(function)
    if parameters and parameters[0].name == _SELF:
        called = type(arguments[0]).__name__ if function.__name__ == _MADE else function.__name__
        arguments, parameters = arguments[1:], parameters[1:]
    places = [each for each in parameters if each.kind in _BY_PLACE]
    placed = [each.name for each in places[: len(arguments)]]
    names = {each.name for each in parameters if each.kind in _BY_NAME}
    unknown = {name: value for name, value in named.items() if name not in names}
    given = {*placed, *named}
    free = [each for each in parameters if each.kind in _BY_NAME and each.name not in given]
    head = f"{called}({_listing(parameters)})"
    if unknown:
        meant = {
            near: value
            for name, value in unknown.items()
            if (near := _nearest(name, [each.name for each in free]))
        }
        return f"{head} takes no {' and no '.join(unknown)}{_write(meant)}"
    if len(arguments) > len(places) and not any(each.kind is Parameter.VAR_POSITIONAL for each in parameters):
        return head + _too_many(function, arguments, places, free)
    if twice := [name for name in placed if name in named]:
        return f"{head} was given {' and '.join(twice)} twice, by position and by name"
    needed = [each for each in parameters if each.default is Parameter.empty and each.kind not in _SEVERAL]
    missing = [each for each in needed if each.name not in given]
    return head + _missing(function, called, missing, given=bool(arguments or named))


_BY_PLACE: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME: Final = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
_SEVERAL: Final = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def _called(function: Callable[..., Any]) -> str:
    """How users say `function`, in words that tell it from others of its name."""
    home = _HOMES.get(f"{function.__module__}..".split(".")[1])
    if home is None and function.__name__ in listed(f"{_FRONT}.{_OPS}"):
        home = _FRONT
    return f"{home}.{function.__name__}" if home else function.__name__


def _listing(parameters: Iterable[Parameter]) -> str:
    """What stands between the parentheses, without types.

    >>> from streamkit import ops
    >>> _listing(signature(ops.map).parameters.values())
    'function=..., *, concurrency=1, ordered=True, key=..., lookahead=0, on=None, chunk=1, on_error=None'
    """
    plain = [
        each.replace(annotation=Parameter.empty, default=_Default.of(each.default)) for each in parameters
    ]
    return str(Signature(plain))[1:-1]


class _Default:
    """A default, as a user would write it; ``...`` stands for one that is no value."""

    def __init__(self, value: Any) -> None:
        self.value = value

    @classmethod
    def of(cls, value: Any) -> Any:
        return value if value is Parameter.empty else cls(value)

    def __repr__(self) -> str:
        if self.value is ABSENT:
            return "..."
        return str(self.value) if isinstance(self.value, Enum) else name_of(self.value)


def _nearest(name: str, choices: list[str]) -> str | None:
    """Which of `choices` is meant by `name`, probably: elsewhere it is called so, or it is spelled alike."""
    plain = name.strip("_").lower()
    for each in choices:
        if plain in ARGUMENTS.get(each, "").split():
            return each
    return next(iter(get_close_matches(plain, choices)), None)


def _write(meant: Mapping[str, Any]) -> str:
    code = ", ".join(f"{name}={name_of(value, 20)}" for name, value in meant.items())
    return f": write {code}" if code else ""


def _too_many(
    function: Callable[..., Any], arguments: tuple[Any, ...], places: list[Parameter], free: list[Parameter]
) -> str:
    if signature(function).return_annotation == _DECORATES and not places:
        return f" is written with parentheses: write @{function.__name__}(...)"
    meant: dict[str, Any] = {}
    for value in arguments[len(places) :]:
        fits = [each.name for each in free if each.name not in meant and _fits(value, each.default)]
        meant.update(dict.fromkeys(fits[:1], value))
    most = len(places)
    if function.__name__ in _FURTHER and not meant:
        return f" takes {most} argument by position, not {len(arguments)}: {_FURTHER[function.__name__]}"
    count = f"{most or 'no'} argument{'s' * (most != 1)} by position, not {len(arguments)}"
    return f" takes {count}{_write(meant)}"


def _fits(value: object, default: object) -> bool:
    """Whether `value` may be meant for an argument that has this default, or none."""
    return default is Parameter.empty or type(value) is type(default)


def _missing(function: Callable[..., Any], called: str, missing: list[Parameter], *, given: bool) -> str:
    said = [each.name + (f" ({words})" if (words := _said(function, each.name)) else "") for each in missing]
    needs = f" needs {' and '.join(said)}"
    for each in missing:
        if each.name in _EXAMPLES:
            example, other = _EXAMPLES[each.name]
            word = f"{each.name}=" if each.kind is Parameter.KEYWORD_ONLY else ""
            return f"{needs}: write {called}({'..., ' if given else ''}{word}{example}), or {other}"
    return needs


def _said(function: Callable[..., Any], name: str) -> str:
    """What the docstring of `function` says of an argument, in its first sentence."""
    _, _, section = (getdoc(function) or "").partition("\nArgs:\n")
    found = re.search(rf"^    {name}: ((?:.|\n     )*)", section, re.MULTILINE)
    if found is None:
        return ""
    sentence = re.split(r"[.;](?:\s|$)", " ".join(found[1].split()))[0]
    return sentence.replace("`", "")
