"""Arguments: from data to the values that operators take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import Parameter as Own
from typing import Any, Final, cast

from streamkit._core.markers import ABSENT
from streamkit._core.show import shown, told
from streamkit._engine.face.stream import Pipe
from streamkit.graph.mistakes import Fault, Wrong, either, nearest, raise_all
from streamkit.graph.registry import Entry, Registry
from streamkit.graph.vocabulary import (
    VALUES,
    Kind,
    Parameter,
    Role,
    Sort,
    is_choice,
    kind_names,
    kind_of,
    parameters,
)

__all__ = ["COMMON", "Values", "called", "listing", "table", "unknown"]

DEEP: Final = 20
"""Values, pipes and graphs within each other."""
COMMON: Final = frozenset({"input", "join", "strategy", "args", "aligned"})
"""Keys that nodes of every kind may have."""


def table(value: object) -> dict[str, Any] | None:
    """`value`, if it is a table."""
    return cast("dict[str, Any]", value) if isinstance(value, Mapping) else None


def listing(value: object) -> list[Any] | None:
    """`value`, if it is a list."""
    return [*cast("list[Any]", value)] if isinstance(value, (list, tuple)) else None


class Values:
    """Makes arguments of data, with the functions of `registry` and the `context` of a job."""

    def __init__(self, registry: Registry, context: Any = ABSENT) -> None:
        self.registry = registry
        self.context = context
        self.asked: str = ""
        """The name of something that asks for the context; nothing, if nothing does."""
        self.needed: str = ""
        """The same, of what cannot be called without it."""

    def argument(self, raw: Any, parameter: Parameter, depth: int = 0) -> Any:
        """The value of one argument.

        Raises:
            Wrong: it is none, or names what there is not.
        """
        sort = parameter.sort
        if depth > DEEP:
            raise Wrong(Fault.WRONG_ARGUMENT, f"{parameter.name} is nested too deep")
        if sort in VALUES:
            return self._valued(raw, parameter, depth)
        if sort is Sort.FUNCTION:
            return self.function(raw, parameter)
        if sort is Sort.OBJECT:
            return self.registry.entry(raw, parameter.name).value
        if sort is Sort.PIPE:
            return self.pipe(raw, parameter.name, depth + 1)
        return raw

    def function(self, raw: Any, parameter: Parameter, arguments: Mapping[str, Any] | None = None) -> Any:
        """The function of this name, with its own `arguments`, and with the context if it asks for that."""
        entry = self.registry.entry(raw, parameter.name)
        if not callable(entry.value):
            words = f"{parameter.name} must name a function; {raw} stands for {shown(entry.value)}"
            raise Wrong(Fault.WRONG_ARGUMENT, words)
        return self.bound(entry, arguments or {}, parameter.takes)

    def bound(self, entry: Entry, arguments: Mapping[str, Any], takes: int) -> Any:
        """What `entry` stands for, called with `arguments`, and with `takes` values before them."""
        _check_bound(entry, arguments, takes)
        given = dict(arguments)
        if entry.wants_context and "context" not in given:
            self.asked = entry.name
            if entry.needs_context:
                self.needed = entry.name
            if self.context is not ABSENT:
                given["context"] = self.context
        return partial(entry.value, **given) if given else entry.value

    def pipe(self, raw: Any, what: str, depth: int = 0) -> Pipe:
        """The pipe that a list of tables says, or that the registry has by a name."""
        if isinstance(raw, str):
            found = self.registry.entry(raw, what).value
            if isinstance(found, Pipe):
                return found
            raise Wrong(Fault.WRONG_ARGUMENT, f"{what} must name an operator, not {shown(found)}")
        parts = listing(raw)
        if not parts:
            raise Wrong(Fault.WRONG_ARGUMENT, f"{what} must be a list of operators, not {shown(raw)}")
        made: Any = None
        for place, part in enumerate(parts):
            try:
                found = self._part(part, depth)
                made = found if made is None else made | found
            except Wrong as wrong:
                raise wrong.below(place) from None
            except (TypeError, ValueError) as error:  # as an operator behind a sink
                raise Wrong(Fault.WRONG_ARGUMENT, told(error), path=(place,)) from None
        return cast("Pipe", made)

    def _part(self, raw: Any, depth: int) -> Pipe:
        keys = table(raw)
        if keys is None:
            raise Wrong(Fault.WRONG_ARGUMENT, f"an operator is a table, not {shown(raw)}")
        names = [key for key in keys if key in kind_names()]
        if len(names) != 1 and not (names := fitting(names, keys)):
            raise Wrong(
                Fault.NO_KIND, f"one of these keys must name an operator: {', '.join(map(str, keys))}"
            )
        kind = kind_of(names[0])
        if kind.function is None or kind.role is Role.SOURCE:
            raise Wrong(Fault.NO_KIND, f"{kind.name} cannot stand inside a pipe")
        return self.made(kind, {key: each for key, each in keys.items() if key != "args"}, keys, depth)

    def made(self, kind: Kind, raw: Mapping[str, Any], keys: Mapping[str, Any], depth: int = 0) -> Pipe:
        """The operator of `kind`, with all of its arguments as data; `keys` may have those of its function.

        Raises:
            Wrong: an argument is wrong, missing or unknown.
        """
        places, named = self.arguments(kind, raw, keys.get("args"), depth)
        found: Pipe = called(kind, places, named)
        return found

    def arguments(
        self, kind: Kind, raw: Mapping[str, Any], own: Any, depth: int = 0
    ) -> tuple[list[Any], dict[str, Any]]:
        """Its arguments, by place and by name; `own` are those of its function."""
        places: list[Any] = []
        named: dict[str, Any] = {}
        wrongs: list[Wrong] = []
        for key, value in raw.items():
            try:
                self._argument(kind, key, value, own, depth, places, named)
            except Wrong as wrong:
                wrongs.append(wrong)
        missing = [
            each.name
            for each in kind.parameters.values()
            if each.required and each is not kind.first and each.name not in raw
        ]
        if missing:
            wrongs.append(Wrong(Fault.MISSING_ARGUMENT, f"{kind.name} needs {either(missing)}"))
        raise_all(wrongs)
        return places, named

    def _argument(
        self,
        kind: Kind,
        key: str,
        value: Any,
        own: Any,
        depth: int,
        places: list[Any],
        named: dict[str, Any],
    ) -> None:
        """Add one argument to `places`, or to those that are `named`."""
        parameter = kind.first if key == kind.name else kind.parameters.get(key)
        if parameter is None and key == kind.name:
            if value is not True and value != {}:
                raise Wrong(Fault.WRONG_ARGUMENT, f"{key} takes nothing: write {key} = true", path=(key,))
            return
        if parameter is None:
            raise unknown(kind, key)
        if key == kind.name and value is True and not parameter.required:
            return
        try:
            if key == kind.name and parameter.sort is Sort.FUNCTION:
                found = self.function(value, parameter, table(own))
            else:
                found = self.argument(value, parameter, depth)
        except Wrong as wrong:
            raise (wrong if wrong.path[:1] == ("args",) else wrong.below(key)) from None
        if parameter.several:
            places += [found] if (several := listing(found)) is None else several
        elif key == kind.name:
            places.append(found)
        else:
            named[key] = found

    def _valued(self, raw: Any, parameter: Parameter, depth: int) -> Any:
        """A value that is written by its class, such as ``{ Suspend = 8 }``; or what the registry has."""
        classes = {each.__name__: each for each in VALUES[parameter.sort]}
        if parameter.sort is Sort.ON_FULL:
            return _choice(raw, parameter, *classes.values())
        plain = parameter.sort in (Sort.LIMIT, Sort.LASTING, Sort.BACKOFF, Sort.RATE)
        if plain and isinstance(raw, (int, float)):
            return raw
        keys = table(raw)
        if isinstance(raw, str):
            keys = {raw: dict[str, Any]()}
        if not keys or len(keys) != 1:
            words = f"{parameter.name} must be one of {either([*classes])}, not {shown(raw)}"
            raise Wrong(Fault.WRONG_ARGUMENT, words)
        name, given = next(iter(keys.items()))
        if name not in classes:
            if isinstance(raw, str) and name in self.registry:
                return self.registry.entry(name, parameter.name).value
            words = f"{parameter.name} must be one of {either([*classes])}, not {shown(name)}"
            raise Wrong(Fault.UNKNOWN_NAME, words, nearest(name, classes))
        return self._instance(classes[name], given, depth)

    def _instance(self, made: type[Any], given: Any, depth: int) -> Any:
        known = parameters(cast("Callable[..., Any]", made))
        options = table(given)
        if options is None:
            options = {next(iter(known), "value"): given}
        values: dict[str, Any] = {}
        for key, value in options.items():
            if key not in known:
                words = f"{made.__name__} takes no {key}"
                raise Wrong(Fault.UNKNOWN_ARGUMENT, words, nearest(key, known), (made.__name__, key))
            try:
                values[key] = self.argument(value, known[key], depth + 1)
            except Wrong as wrong:
                raise wrong.below(made.__name__) from None
        missing = [each.name for each in known.values() if each.required and each.name not in values]
        if missing:
            raise Wrong(Fault.MISSING_ARGUMENT, f"{made.__name__} needs {either(missing)}")
        try:
            return made(**values)
        except (TypeError, ValueError) as error:
            raise Wrong(Fault.WRONG_ARGUMENT, str(error), path=(made.__name__,)) from None


def _choice(raw: Any, parameter: Parameter, choices: Any) -> Any:
    if is_choice(choices):
        words = {str(each.value): each for each in choices}
        if isinstance(raw, str) and raw in words:
            return words[raw]
        message = f"{parameter.name} must be {either([*words])}, not {shown(raw)}"
        raise Wrong(Fault.WRONG_ARGUMENT, message, nearest(raw, words))
    return raw


def fitting(names: list[str], keys: Mapping[str, Any]) -> list[str]:
    """Of `names`, the kinds that take all of the other `keys` as arguments; one, if one kind is meant."""
    found = [
        name
        for name in names
        if all(key in kind_of(name).parameters or key in COMMON for key in keys if key != name)
    ]
    return found if len(found) == 1 else []


def called(kind: Kind, places: list[Any], named: dict[str, Any]) -> Any:
    """What the function of `kind` makes of these arguments; what it says of them is told as a mistake."""
    function: Callable[..., Any] = cast("Callable[..., Any]", kind.function)
    try:
        return function(*places, **named)
    except (TypeError, ValueError, LookupError) as error:
        words = str(error)
        about = words.split(" ", 1)[0]
        key = kind.name if kind.first is not None and about == kind.first.name else about
        path = (key,) if key == kind.name or key in kind.parameters else ()
        raise Wrong(Fault.WRONG_ARGUMENT, words, path=path) from None


def unknown(kind: Kind, key: str) -> Wrong:
    """The mistake of a `key` that nodes of this kind do not have."""
    keys = [each for each in kind.parameters if kind.first is None or each != kind.first.name]
    return Wrong(
        Fault.UNKNOWN_ARGUMENT, f"{kind.name} takes no {shown(key)}", nearest(key, [*keys, *COMMON]), (key,)
    )


def _check_bound(entry: Entry, arguments: Mapping[str, Any], takes: int) -> None:
    """Raise if what `entry` stands for cannot be called with `arguments` after `takes` values."""
    if entry.signature is None:
        return
    known = entry.signature.parameters.values()
    if not any(each.kind is Own.VAR_KEYWORD for each in known):
        names = [each.name for each in known if each.kind in (Own.KEYWORD_ONLY, Own.POSITIONAL_OR_KEYWORD)]
        for key in arguments:
            if key not in names:
                words = f"{entry.name} takes no {shown(key)}"
                raise Wrong(Fault.UNKNOWN_ARGUMENT, words, nearest(key, names), ("args", key))
    places = [each for each in known if each.kind in (Own.POSITIONAL_ONLY, Own.POSITIONAL_OR_KEYWORD)]
    several = any(each.kind is Own.VAR_POSITIONAL for each in known)
    if takes >= 0 and len(places) < takes and not several:
        raise Wrong(Fault.WRONG_ARGUMENT, f"{entry.name} takes {len(places)} values, and is given {takes}")
    twice = [each.name for each in places[: max(takes, 0)] if each.name in arguments]
    if twice:
        words = f"{entry.name} is called with items as its {either(twice)}"
        raise Wrong(Fault.WRONG_ARGUMENT, words, path=("args", twice[0]))
    left = places[max(takes, 0) :] if takes >= 0 else []
    left += [each for each in known if each.kind is Own.KEYWORD_ONLY]
    missing = [
        each.name
        for each in left
        if each.default is each.empty and each.name not in arguments and each.name != "context"
    ]
    if missing:
        raise Wrong(Fault.MISSING_ARGUMENT, f"{entry.name} needs args with {either(missing)}")
