"""Callbacks and sources of the rows of steps."""

from __future__ import annotations

from asyncio import Queue

__all__ = [
    "MANY",
    "Nowhere",
    "add",
    "add_one",
    "halves",
    "high",
    "kept",
    "lists",
    "low",
    "noon",
    "odd",
    "pairs",
    "same",
    "shut",
    "some",
    "summed",
]

MANY = 10**9
"""So many items do not come."""


def add_one(number: int) -> int:
    return number + 1


def kept(number: int) -> int:
    return number % 16


def odd(number: int) -> int:
    return number % 2


def same(items: list[int]) -> list[int]:
    return items


def low(number: int) -> bool:
    return number < MANY


def high(number: int) -> bool:
    return number > MANY


def add(one: int, other: int) -> int:
    return one + other


def summed(total: int, number: int) -> tuple[int, int]:
    return total + number, total


def lists(count: int) -> list[list[int]]:
    """Lists that are no part: what each costs by itself, `flat_ours` in tests/compile/by_hand.py counts."""
    return [[0] * 64] * (count // 64)


def pairs(count: int) -> list[tuple[int, int]]:
    return [(1, 2)] * count


def halves(number: int) -> int:
    return number // 2


def some(number: int) -> int:
    return number % 4


def noon() -> float:
    return 12.0


def shut() -> None:
    return None


class Nowhere(Queue[object]):
    """A queue that keeps nothing."""

    async def put(self, item: object) -> None:
        return None
