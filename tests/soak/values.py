"""Items, callbacks and errors: the same for the library and for the reference.

The library gets objects (`Item`), so that one can see which of them are alive; the reference gets their
numbers. A callback makes the same of both, because it looks at their weight only, or wraps what it is given.
"""

from collections.abc import Callable, Iterator
from typing import Any

from streamkit import Done, Failed, Next, Window

__all__ = ["FUNCTIONS", "Boom", "Item", "items_in", "label_of", "plain", "weigh"]


class Item:
    """An item of a source."""

    __slots__ = ("__weakref__", "number")

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"<{self.number}>"


class Boom(Exception):  # noqa: N818 - what the soak throws
    """A fault; its label says which."""

    @property
    def label(self) -> str:
        return str(self.args[0])


def label_of(error: BaseException) -> str:
    """What the reference calls this error: a fault by its label, an error of the library by its type."""
    return error.label if isinstance(error, Boom) else type(error).__name__


def plain(value: Any) -> Any:
    """`value` as the reference has it."""
    match value:
        case Item():
            return value.number
        case Next():
            return ("next", plain(value.value))
        case Failed():
            return ("failed", label_of(value.error))
        case Done():
            return ("done",)
        case Window():
            return (value.start, value.end)
        case tuple():
            return tuple([plain(each) for each in value])
        case list():
            return [plain(each) for each in value]
        case dict():
            return {plain(key): plain(each) for key, each in value.items()}
        case set() | frozenset():
            return {plain(each) for each in value}
        case _:
            return value


def items_in(value: Any) -> Iterator[Item]:
    """The items in what an operator has passed on."""
    match value:
        case Item():
            yield value
        case Next():
            yield from items_in(value.value)
        case tuple() | list():
            for each in value:
                yield from items_in(each)
        case dict():
            yield from items_in([*value.values()])
        case _:
            return


def weigh(value: Any) -> int:
    """A number that depends on all numbers in `value`."""
    match value:
        case Item():
            return value.number
        case bool() | None | str():
            return 0
        case int() | float():
            return int(value)
        case tuple() | list():
            return sum(map(weigh, value))
        case _:
            return weigh(plain(value))


def even(value: Any) -> bool:
    return weigh(value) % 2 == 0


def often(value: Any) -> bool:
    return weigh(value) % 5 != 3


def seldom(value: Any) -> bool:
    return weigh(value) % 5 == 3


def three(value: Any) -> int:
    return weigh(value) % 3


def same(value: Any) -> Any:
    return value


def tagged(value: Any) -> Any:
    return ("tag", value)


def several(value: Any) -> list[Any]:
    """None, one or two of a value."""
    return [("a", value), ("b", value)][: weigh(value) % 3]


def alone(value: Any) -> list[Any]:
    return [value]


def newest(_: Any, value: Any) -> Any:
    return value


def added(state: Any, value: Any) -> int:
    return weigh(state) + weigh(value)


def counted(state: int, value: Any) -> tuple[int, Any]:
    """The state of a `stateful_map`, and what it passes on."""
    return state + 1, (state, value)


def joined(first: list[Any], second: list[Any]) -> list[Any]:
    return first + second


FUNCTIONS: dict[str, Callable[..., Any]] = {
    each.__name__: each
    for each in (
        *(even, often, seldom, three, same, tagged, several, alone, newest, added, counted, joined),
        weigh,
    )
}
"""Callbacks by name: a pipeline is data, and has their names."""
