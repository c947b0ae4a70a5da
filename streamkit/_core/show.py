"""Words for values of users: short, made in a short time, and without an error.

A message, a note or a name may show anything at all: an item of 10 MB, an array, an object whose ``__repr__``
fails. It must not put another error in the place of the one that it tells of. So what is in Python's
containers is read only as far as it is shown, and what a user's ``__repr__`` raises is told in words. Values
are never compared.
"""

# Values of any type are narrowed here by their class: what is inside them stays unknown to a type checker.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from types import AsyncGeneratorType, FunctionType, GeneratorType, MethodType, SimpleNamespace
from typing import Any, Final

__all__ = ["cut", "named", "shown", "told"]

MANY: Final = 100
"""Objects that say that they have more items are shown as their number."""
_DEEP: Final = 6
"""Containers within containers that are shown."""
_WIDE: Final = 512
"""Bits of the whole numbers that are shown; to print one takes the square of its length."""
_CUT: Final = "..."


def shown(value: object, limit: int = 60) -> str:
    """What ``repr(value)`` says, in `limit` characters at most.

    >>> shown([1, "two"]), shown(range(3)), shown("x" * 10**6, 10)
    ("[1, 'two']", 'range(0, 3)', "'xxxxxx...")
    """
    return cut(_guarded(value, limit, 0), limit)


def named(value: Any, limit: int = 60) -> str:
    """The name of a function, class or generator, also of what ``partial`` has wrapped; else it is `shown`.

    >>> named(len), named(functools.partial(int, base=2)), named(5)
    ('len', 'int', '5')
    """
    kind = type(value)
    while issubclass(kind, functools.partial):
        value = value.func
        kind = type(value)
    if callable(value) or issubclass(kind, (GeneratorType, AsyncGeneratorType)):
        try:
            name = value.__name__
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:
            name = None
        if issubclass(type(name), str):
            return cut(str.__str__(name), limit)  # pyright: ignore[reportArgumentType] - it is a str
    return shown(value, limit)


def told(error: BaseException, limit: int = 300) -> str:
    """The type and the words of an error, as the last line of a traceback has them.

    >>> told(OSError("disk full")), told(KeyError("name")), told(ValueError())
    ('OSError: disk full', "KeyError: 'name'", 'ValueError')
    """
    kind = type(error)
    try:
        if kind.__str__ in _LISTS_ARGUMENTS:
            words = _arguments_told(_arguments(error), limit, kind)
        else:
            words = str.__str__(str(error))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as failed:
        words = f"<its __str__ failed with {_name(type(failed))}>"
    return cut(f"{_name(kind)}: {words}" if words else _name(kind), limit)


_LISTS_ARGUMENTS: tuple[Any, ...] = BaseException.__str__, KeyError.__str__
_arguments: Callable[[BaseException], tuple[Any, ...]] = vars(BaseException)["args"].__get__


def _arguments_told(arguments: tuple[Any, ...], limit: int, kind: type) -> str:
    if not arguments:
        return ""
    if len(arguments) > 1:
        return shown(arguments, limit)
    only = arguments[0]  # pyright: ignore[reportGeneralTypeIssues] - it has one
    if type(only) is str and not issubclass(kind, KeyError):
        return only[:limit]
    return shown(only, limit)


def cut(text: str, limit: int = 60) -> str:
    """`text`, in `limit` characters at most."""
    return text if len(text) <= limit else text[: max(limit - len(_CUT), 0)] + _CUT


def _name(kind: type) -> str:
    """The name of a class, whatever its metaclass says."""
    name: str = type.__dict__["__name__"].__get__(kind)
    return name


def _guarded(value: object, room: int, depth: int) -> str:
    """What is shown of `value`: somewhat more than `room` characters, where there is more."""
    try:
        return _text(value, room, depth)
    except (KeyboardInterrupt, SystemExit):  # the user's wish, not what a `__repr__` says
        raise
    except BaseException as failed:  # a __repr__ may raise what it wants: none of it is ours to pass on
        return f"<{_name(type(value))} object: its __repr__ failed with {_name(type(failed))}>"


def _text(value: Any, room: int, depth: int) -> str:
    kind = type(value)
    if depth > _DEEP:
        return _CUT
    written = _WRITTEN.get(kind.__repr__)
    if written is not None:
        return written(value, room, depth)
    if issubclass(kind, type):
        return str.__str__(repr(value))
    if _is_record(kind):
        fields = {name: getattr(value, name) for name in _names(kind)}
        return _joined(f"{_name(kind)}(", _assigned(fields), ")", room, depth)
    if any("__len__" in vars(each) for each in kind.__mro__) and (length := len(value)) > MANY:
        return f"<{_name(kind)} of {length} items>"
    return str.__str__(repr(value))


def _is_record(kind: type) -> bool:
    """Whether the ``__repr__`` of a class is that which ``dataclass`` or ``namedtuple`` has written."""
    if hasattr(kind, "__dataclass_fields__"):
        return hasattr(kind.__repr__, "__wrapped__")
    return issubclass(kind, tuple) and hasattr(kind, "_fields") and _is_of_namedtuple(kind.__repr__)


def _is_of_namedtuple(function: Callable[..., str]) -> bool:
    return type(function) is FunctionType and function.__module__ == _NAMED_BY


_NAMED_BY: Final = "collections"


def _names(kind: Any) -> list[str]:
    if hasattr(kind, "__dataclass_fields__"):
        return [name for name, field in kind.__dataclass_fields__.items() if field.repr]
    return [*kind._fields]


# what each of Python's own ``__repr__`` would go through to its end -----------------------------


def _joined(begin: str, items: Iterable[tuple[str, Any]], end: str, room: int, depth: int) -> str:
    """`items`, each behind its word, between `begin` and `end`: as many as there is `room` for."""
    parts, length = [begin], len(begin)
    for word, item in items:
        if length >= room:
            parts.append(_CUT)
            return "".join(parts)
        text = word + _guarded(item, room - length, depth + 1)
        parts += [text] if len(parts) == 1 else [", ", text]
        length += len(text) + 2
    return "".join([*parts, end])


def _each(items: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    for item in items:
        yield "", item


def _pairs(items: Iterable[tuple[Any, Any]], room: int, depth: int) -> Iterator[tuple[str, Any]]:
    for key, value in items:
        yield f"{_guarded(key, room, depth + 1)}: ", value


def _assigned(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        yield f"{name}=", value


def _list(value: Any, room: int, depth: int) -> str:
    return _joined("[", _each(list.__iter__(value)), "]", room, depth)


def _tuple(value: Any, room: int, depth: int) -> str:
    end = ",)" if tuple.__len__(value) == 1 else ")"
    return _joined("(", _each(tuple.__iter__(value)), end, room, depth)


def _dict(value: Any, room: int, depth: int) -> str:
    return _joined("{", _pairs(dict.items(value), room, depth), "}", room, depth)


def _set(value: Any, room: int, depth: int) -> str:
    kind = type(value)
    base = set if issubclass(kind, set) else frozenset
    if not base.__len__(value):
        return f"{_name(kind)}()"
    begin, end = ("{", "}") if kind is set else (f"{_name(kind)}({{", "})")
    return _joined(begin, _each(base.__iter__(value)), end, room, depth)


def _deque(value: Any, room: int, depth: int) -> str:
    end = "])" if value.maxlen is None else f"], maxlen={value.maxlen})"
    return _joined(f"{_name(type(value))}([", _each(deque.__iter__(value)), end, room, depth)


def _str(value: Any, room: int, depth: int) -> str:
    return str.__repr__(str.__getitem__(value, slice(room)))


def _bytes(value: Any, room: int, depth: int) -> str:
    return bytes.__repr__(bytes.__getitem__(value, slice(room)))


def _bytearray(value: Any, room: int, depth: int) -> str:
    return repr(bytearray(bytearray.__getitem__(value, slice(room))))


def _int(value: Any, room: int, depth: int) -> str:
    bits = int.bit_length(value)
    return int.__repr__(value) if bits <= _WIDE else f"<{_name(type(value))} of {bits} bits>"


def _error(value: Any, room: int, depth: int) -> str:
    return _joined(f"{_name(type(value))}(", _each(_arguments(value)), ")", room, depth)


def _namespace(value: Any, room: int, depth: int) -> str:
    return _joined("namespace(", _assigned(vars(value)), ")", room, depth)


def _method(value: Any, room: int, depth: int) -> str:
    function = value.__func__
    name = getattr(function, "__qualname__", None) or named(function)
    return f"<bound method {name} of {_guarded(value.__self__, room, depth + 1)}>"


def _partial(value: Any, room: int, depth: int) -> str:
    items = chain(_each((value.func, *value.args)), _assigned(value.keywords))
    return _joined("functools.partial(", items, ")", room, depth)


_WRITTEN: dict[Any, Callable[[Any, int, int], str]] = {
    list.__repr__: _list,
    tuple.__repr__: _tuple,
    dict.__repr__: _dict,
    set.__repr__: _set,
    frozenset.__repr__: _set,
    deque.__repr__: _deque,
    str.__repr__: _str,
    bytes.__repr__: _bytes,
    bytearray.__repr__: _bytearray,
    int.__repr__: _int,
    BaseException.__repr__: _error,
    SimpleNamespace.__repr__: _namespace,
    MethodType.__repr__: _method,
    functools.partial.__repr__: _partial,
}
"""By the ``__repr__`` of a class, so that a subclass that has none of its own is shown alike."""
