"""Signs: what each character stands for, and which character an item is drawn as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from string import ascii_letters, digits
from typing import Any

from streamkit._core.show import named, shown, told
from streamkit.testing.events import same
from streamkit.testing.marbles.notation import is_sign_of_item

__all__ = ["DrawnError", "Signs"]


class DrawnError(Exception):
    """What a drawn source fails with at ``#``, where ``values`` has no other error for it."""


class Signs:
    """What `values` says that each sign stands for; others stand for themselves."""

    def __init__(self, values: Mapping[str, Any] | None) -> None:
        if values is not None and not isinstance(values, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(f"values must be a dict of characters and items, not {shown(values)}")
        self._values: dict[str, Any] = {} if values is None else dict(values)
        self._more: dict[str, Any] = {}
        """Signs that were given to items which have none."""
        self._drawn: set[str] = set()
        self._error: BaseException | None = None
        keys: list[Any] = [*self._values]
        for sign in keys:
            if sign == "#":
                self._check_error(self._values[sign])
            elif not (isinstance(sign, str) and is_sign_of_item(sign)):
                raise ValueError(f"values must have one character for each item, and '#', not {shown(sign)}")

    def reserve(self, signs: Iterable[str]) -> None:
        """Items without a sign get none of `signs`: those are drawn, and stand for something else."""
        self._drawn.update(signs)

    def value(self, sign: str) -> Any:
        """The item that `sign` stands for."""
        return self._values.get(sign, sign)

    def error(self) -> BaseException:
        """The error of ``#``; one and the same, if `values` has a class."""
        found = self._values.get("#", DrawnError)
        if isinstance(found, BaseException):
            return found
        error: BaseException = self._error or found()
        self._error = error
        return error

    def is_error(self, error: BaseException) -> bool:
        """Whether `error` is what ``#`` stands for: that error, one of that class, or one that is alike."""
        wanted = self._values.get("#", DrawnError)
        if isinstance(wanted, type):
            return isinstance(error, wanted)
        return error is wanted or (type(error) is type(wanted) and same(error.args, wanted.args))

    def sign(self, item: Any) -> str:
        """What `item` is drawn as: a letter of its own, if it has none."""
        for sign, value in (*self._values.items(), *self._more.items()):
            if sign != "#" and same(value, item):
                return sign
        if (
            isinstance(item, str)
            and is_sign_of_item(item)
            and item not in self._values
            and item not in self._more
        ):
            return item
        new = next(self._free(item))
        self._more[new] = item
        return new

    def _free(self, item: Any) -> Iterator[str]:
        """Signs that stand for nothing yet, such as no one would take for another item."""
        taken = {*self._values, *self._more, *self._drawn}
        first = [str(item)] if type(item) is int and 0 <= item <= 9 else []
        letters = [*first, *reversed(ascii_letters), *digits]
        yield from (sign for sign in letters if sign not in taken)
        yield from (chr(number) for number in range(0x100, 0x10000) if chr(number) not in taken)

    def legend(self, used: str) -> list[str]:
        """What the signs in `used` stand for, but for those that stand for themselves; a line each."""
        known = {**self._values, **self._more}
        return [
            f"{sign} = {shown(known[sign])}" for sign in dict.fromkeys(used) if sign in known and sign != "#"
        ]

    def expected_error(self) -> str:
        """What ``#`` stands for, in words."""
        wanted: Any = self._values.get("#", DrawnError)
        return told(wanted) if isinstance(wanted, BaseException) else named(wanted)

    @staticmethod
    def _check_error(value: Any) -> None:
        kind = value if isinstance(value, type) else type(value)
        if issubclass(kind, BaseException):
            return
        raise TypeError(f"values['#'] must be an error, or a class of errors, not {shown(value)}")
