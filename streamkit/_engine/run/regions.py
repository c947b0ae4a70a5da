"""Where the exceptions of an instruction are handled: what surrounds a place in compiled code."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from opcode import opmap
from types import CodeType

__all__ = ["handlers", "is_within_with"]


def handlers(code: CodeType) -> Iterator[tuple[int, int, int]]:
    """Start and end of each stretch of `code`, and the offset where its exceptions are handled.

    The format is that of ``Objects/exception_handling_notes.txt`` in CPython.
    """
    numbers: list[int] = []
    number = 0
    for byte in code.co_exceptiontable:
        number = number << 6 | byte & 63
        if not byte & 64:
            numbers.append(number)
            number = 0
    for start, length, target in zip(numbers[::4], numbers[1::4], numbers[2::4], strict=True):
        yield 2 * start, 2 * (start + length), 2 * target


@lru_cache(maxsize=512)
def is_within_with(code: CodeType, offset: int) -> bool:
    """Whether the instruction at `offset` stands within a ``with``, or an ``async with``."""
    left = {offset}
    seen: set[int] = set()
    while left:
        at = left.pop()
        seen.add(at)
        for start, end, target in handlers(code):
            if start <= at < end and target not in seen:
                if code.co_code[target + 2] == opmap["WITH_EXCEPT_START"]:
                    return True
                # a handler is within what is around its ``try``; that of its own clean-up stands last in it
                left |= {target, target + 2}
    return False
