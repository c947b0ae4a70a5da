"""Callbacks that samples share."""

from typing import Any

from tests.laws.items import Item
from tests.laws.lab import Lab

__all__ = ["alone", "always", "fold", "never", "newest", "number", "odd", "pair", "parity", "same"]


def same(item: Any) -> Any:
    return item


def newest(_: Any, item: Any) -> Any:
    return item


def always(_: Any) -> bool:
    return True


def never(_: Any) -> bool:
    return False


def number(item: Item) -> int:
    return item.number


def alone(item: Any) -> Any:
    return [item]


def pair(item: Item) -> Any:
    return (item,)


def odd(lab: Lab) -> Any:
    """Keeps the items of odd number, and notes that it dropped the others."""

    def keep(item: Item) -> bool:
        if item.number % 2:
            return True
        lab.drop(item)
        return False

    return keep


def parity(item: Item) -> int:
    return item.number % 2


def fold(lab: Lab) -> Any:
    """Keeps the newer of two items, and notes that it dropped the other."""

    def keep(waiting: Item, item: Item) -> Item:
        lab.drop(waiting)
        return item

    return keep
