"""Items of the law tests, and how to find them in what an operator made of them."""

from collections.abc import Iterator
from typing import Any

from streamkit import Next

__all__ = ["Item", "items_in", "plain"]


class Item:
    """An item that can be followed: it is itself wherever it goes."""

    __slots__ = ("__weakref__", "number")

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"<{self.number}>"


def items_in(value: Any) -> Iterator[Item]:
    """The items in what an operator passed on."""
    if isinstance(value, Item):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from items_in(each)
    elif isinstance(value, Next):
        yield from items_in(value.value)
    elif isinstance(value, dict):
        yield from items_in([*value.values()])


def plain(value: Any) -> Any:
    """`value` with the numbers of its items, so that two runs compare."""
    if isinstance(value, Item):
        return value.number
    if isinstance(value, Next):
        return Next(plain(value.value))
    if isinstance(value, (list, tuple)):
        return getattr(value, "_make", type(value))(plain(each) for each in value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value
