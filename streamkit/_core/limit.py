"""Limits: how many calls may be in flight at once, as a number that can be changed while they are.

A `Limit` is what users have; its `Gate` is what the operators ask before each call. Those that share a limit
share its gate: together they have so many calls in flight. An operator that finds the gate closed stands in
a queue, so that none takes each place that becomes free before the others come to it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from threading import get_ident
from typing import Any, Final, Protocol
from weakref import WeakSet

from streamkit._core.arguments import seconds, whole
from streamkit._core.calls import answering
from streamkit._core.errors import ErrorTypes, is_error_types
from streamkit._core.show import shown

__all__ = ["Adaptive", "Gate", "Limit", "followed", "limit_argument"]

SHRINKS: Final = 0.75
EXACT: Final = 1e-9
"""What a sum of fractions may lack of a whole number."""


class Follower(Protocol):
    """An operator in one run that goes by the number of a limit."""

    def resized(self, more: int) -> None:
        """The limit has grown by so many; or has become smaller, if that is below 0."""
        ...


class User(Follower, Protocol):
    """One that asks before each call."""

    def granted(self) -> bool:
        """Take a place that has become free; False if none is wanted any more."""
        ...


class Gate:
    """Counts the calls that are in flight in all runs of one limit, and lets in no more."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.calls: int = 0
        """Calls in flight, and places that were granted for one."""
        self._users: WeakSet[Follower] = WeakSet()
        self._queue: deque[User] = deque()
        """Those that found the gate closed, each once."""
        self._loop: asyncio.AbstractEventLoop | None = None
        """In which the runs are."""
        self._thread = 0

    def join(self, user: Follower) -> None:
        """A run begins, in which `user` goes by the limit; it says so when it has ended, or is collected."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            if self._users and self._loop is not None and not self._loop.is_closed():
                raise RuntimeError(f"{self.limit!r} is used in another event loop: make a limit for each")
            self._users, self._queue, self.calls = WeakSet(), deque(), 0
        self._loop, self._thread = loop, get_ident()
        self._users.add(user)

    def leave(self, user: User, granted: int) -> None:
        """The run has ended; so many places were granted to it, and not used."""
        if user in self._users:
            self._users.remove(user)
            if user in self._queue:
                self._queue.remove(user)
            self.calls -= granted
            self._let_in()

    def open(self, user: User) -> bool:
        """Whether a call may begin now; else `user` will be granted a place when one is free."""
        if self.calls < self.limit.value:
            return True
        if user not in self._queue:
            self._queue.append(user)
        return False

    def enter(self, user: User) -> bool:
        """The same; if one may, it counts as begun."""
        found = self.open(user)
        self.calls += found
        return found

    def exit(self) -> None:
        """A call has ended."""
        self.calls -= 1
        self._let_in()

    def resized(self, more: int) -> None:
        """The limit was changed."""
        if self._users and get_ident() != self._thread:
            raise RuntimeError(
                f"{self.limit!r} is used in another thread: "
                "write loop.call_soon_threadsafe(limit.set, value), with the event loop there"
            )
        for user in [*self._users]:
            user.resized(more)
        self._let_in()

    def __reduce__(self) -> tuple[type[Gate], tuple[Limit]]:
        """What a limit takes to another process: no runs."""
        return Gate, (self.limit,)

    def _let_in(self) -> None:
        while self._queue and self.calls < self.limit.value:
            self.calls += 1
            if not self._queue.popleft().granted():
                self.calls -= 1


class Limit:
    """How many calls may be in flight at once: as ``concurrency=``, a number that `set` changes meanwhile.

    >>> from streamkit import Limit, Stream, ops
    >>> limit = Limit(8, most=32)
    >>> stream = Stream(range(3)) | ops.map(str, concurrency=limit)
    >>> limit.set(2)
    >>> limit.value, list(stream)
    (2, ['0', '1', '2'])

    Several operators, in one pipe or in several, may have the same limit: together, they then have no more
    calls in flight. They take turns. A function that waits for another call under the same limit may wait for
    ever. Streams are no calls: each ``flat_map`` and each ``expand`` that has the limit may have so many
    open.

    Args:
        value: calls at most, to begin with.
        most: the most that may be `set`; by default, `value`. ``explain()`` counts with it.

    Raises:
        TypeError: an argument is not a whole number.
        ValueError: `value` is less than 1, or `most` less than `value`.
    """

    @answering
    def __init__(self, value: int, *, most: int | None = None) -> None:
        self._value = whole("value", value, least=1)
        self._most = self._value if most is None else whole("most", most, least=self._value)
        self.gate: Gate = Gate(self)  # what operators ask: users have no use for it

    @property
    def value(self) -> int:
        """Calls in flight at most."""
        return self._value

    @property
    def most(self) -> int:
        """The most that `value` may become."""
        return self._most

    @property
    def in_flight(self) -> int:
        """Calls in flight now, of all operators that have this limit."""
        return self.gate.calls

    def set(self, value: int) -> None:
        """Change the limit. If more calls are in flight, they go on, and no others begin before enough end.

        Raises:
            TypeError: `value` is not a whole number.
            ValueError: it is less than 1, or more than `most`.
            RuntimeError: it is called in another thread than that in which the limit is used.
        """
        value = whole("value", value, least=self._least)
        if value > self._most:
            raise ValueError(
                f"value must be a whole number of at most {self._most}, not {value}: "
                f"where it may be more, give that as most="
            )
        self._change(value)

    @property
    def _least(self) -> int:
        return 1

    def _change(self, value: int) -> None:
        before, self._value = self._value, value
        if value != before:
            try:
                self.gate.resized(value - before)
            except RuntimeError:
                self._value = before
                raise

    def __copy__(self) -> Limit:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Limit:
        """Itself: copies of a pipe share one limit."""
        return self

    def __repr__(self) -> str:
        return f"Limit({self._value}{'' if self._most == self._value else f', most={self._most}'})"


class Adaptive(Limit):
    """A limit that finds out by itself how many calls at once are good: more, until they are too many.

    >>> from streamkit import Adaptive, Stream, ops
    >>> limit = Adaptive(1, 64, latency=0.5)
    >>> list(Stream(range(3)) | ops.map(str, concurrency=limit))
    ['0', '1', '2']

    It begins with `least`. After as many good calls as the limit is, it grows by 1, if at least half of it
    was in use. After a bad one it shrinks to three quarters; calls that were under way at that time say
    nothing more that is bad. This is the additive increase and multiplicative decrease of TCP. `set` says
    where it goes on from.

    Args:
        least: calls in flight that are always allowed, and how many are to begin with.
        most: calls in flight at most, however good they are.
        latency: seconds. A call that takes longer is a bad one.
        errors: types of error, such as ``TimeoutError``, or what a service raises that is asked too often. A
            call that raises one is a bad one. Any other error says nothing.

    Raises:
        TypeError: an argument has the wrong type, or neither `latency` nor `errors` is given.
        ValueError: `least` is less than 1, `most` less than `least`, or `latency` not above 0.

    An error ends the stream as ever. `errors` are for where it goes on: with ``on_error=``, of which each
    attempt counts, with ``retry``, or with several streams that have one limit.
    """

    @answering
    def __init__(
        self, least: int, most: int, *, latency: float | None = None, errors: ErrorTypes | None = None
    ) -> None:
        least = whole("least", least, least=1)
        super().__init__(least, most=whole("most", most, least=least))
        if latency is None and errors is None:
            raise TypeError("latency or errors must be given: what says that there are too many calls")
        self._floor = least
        self._latency = None if latency is None else seconds("latency", latency)
        if errors is not None and (errors == () or not is_error_types(errors)):
            raise TypeError(f"errors must be a type of Exception, or a tuple of them, not {shown(errors)}")
        types = () if errors is None else errors
        self._errors = types if isinstance(types, tuple) else (types,)
        self._estimate = float(least)
        """The limit with its fraction."""
        self._shrunk = float("-inf")
        """When it last became smaller."""

    @property
    def _least(self) -> int:
        return self._floor

    def set(self, value: int) -> None:
        super().set(value)
        self._estimate = float(self._value)

    def note(self, begun: float, ended: float, busy: int, error: Exception | None = None) -> None:
        """A call has ended, at the beginning of which so many were in flight, itself included."""
        if isinstance(error, self._errors) if error is not None else self._is_late(ended - begun):
            if begun >= self._shrunk:
                self._shrunk = ended
                self._estimate = max(self._floor, self._estimate * SHRINKS)
        elif error is None and 2 * busy >= self._value:
            self._estimate = min(self._most, self._estimate + 1 / self._value)
        self._change(int(self._estimate + EXACT))

    def _is_late(self, took: float) -> bool:
        return self._latency is not None and took > self._latency

    def __repr__(self) -> str:
        parts = [str(self._floor), str(self._most)]
        if self._latency is not None:
            parts.append(f"latency={self._latency:g}")
        if self._errors:
            parts.append(f"errors={' | '.join(each.__name__ for each in self._errors)}")
        return f"Adaptive({', '.join(parts)})"


def limit_argument(name: str, value: int | Limit, *, calls: bool = True) -> int | Limit:
    """Return `value` if it is a whole number of at least 1, or a limit; an adaptive one only of `calls`."""
    if isinstance(value, Adaptive) and not calls:
        raise TypeError(
            f"{name} must be a whole number or a Limit, not {value!r}: that goes by how calls end, "
            "and here it would bound streams"
        )
    if isinstance(value, Limit):
        return value
    if isinstance(value, type) and issubclass(value, Limit):
        raise TypeError(f"{name} must be a limit such as Limit(8), not the class {value.__name__} itself")
    return whole(name, value, least=1)


def followed(value: int | Limit, user: Follower) -> int:
    """The number that `value` says now; of a limit, `user` hears when that changes."""
    if isinstance(value, Limit):
        value.gate.join(user)
        return value.value
    return value
