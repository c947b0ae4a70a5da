"""Backoff: how long to wait before something is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from random import Random
from typing import Final

from streamkit._core.arguments import number, seconds, whole
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._core.value import Value

__all__ = ["Backoff", "backoff_argument", "waits"]

_MOST: Final = 60.0


class Backoff(Value):
    """Seconds to wait before each further attempt: `first`, then `factor` times as long each time.

    With `jitter`, a part of each wait is random, so that many who have failed at the same time do not all
    come back at the same time.

    >>> from streamkit import Backoff
    >>> waits = iter(Backoff(0.5, most=3.0, jitter=0.0))
    >>> [next(waits) for _ in range(5)]
    [0.5, 1.0, 2.0, 3.0, 3.0]

    Each ``iter(backoff)`` begins anew, and never ends.

    Args:
        first: seconds before the second attempt.
        factor: how many times as long each wait is as the one before it.
        most: seconds that a wait takes at most.
        jitter: how much of a wait is random: 1.0 for any time between none and the whole wait ("full
            jitter"), 0.5 for any time between half of it and all of it, 0.0 for the whole wait.
        seed: makes the same random waits each time, as tests need them.

    Raises:
        TypeError: an argument is no number.
        ValueError: `first` is not above 0, `factor` is below 1, `most` is less than `first`, or `jitter` is
            not between 0 and 1; or one of them is not finite.
    """

    first: float
    factor: float
    most: float
    jitter: float
    seed: int | None

    @answering
    def __init__(
        self,
        first: float,
        *,
        factor: float = 2.0,
        most: float = _MOST,
        jitter: float = 1.0,
        seed: int | None = None,
    ) -> None:
        first = seconds("first", first)
        factor = number("factor", factor, least=1)
        most = seconds("most", most)
        if most < first:
            raise ValueError(f"most must be at least first, which is {shown(first)}, not {shown(most)}")
        part = number("jitter", jitter, least=0)
        if part > 1:
            raise ValueError(f"jitter must be a number from 0 to 1, not {shown(jitter)}")
        if seed is not None:
            seed = whole("seed", seed)
        self._made_of(first=first, factor=factor, most=most, jitter=part, seed=seed)

    def __iter__(self) -> Iterator[float]:
        """The seconds of each wait, for as long as they are asked for."""
        random = Random(self.seed) if self.jitter else None
        wait = self.first
        while True:
            yield wait if random is None else wait - self.jitter * wait * random.random()
            wait = min(wait * self.factor, self.most)


def backoff_argument(value: float | Backoff) -> float | Backoff:
    """Return the argument ``backoff`` if it is a `Backoff`, or seconds: as a finite float of at least 0."""
    if isinstance(value, Backoff):
        return value
    try:
        return seconds("backoff", value, positive=False)
    except (TypeError, ValueError) as error:
        allowed = "a Backoff, or a finite number of seconds of at least 0"
        raise type(error)(f"backoff must be {allowed}, not {shown(value)}") from None


def waits(backoff: float | Backoff) -> Iterator[float]:
    """The seconds of each wait of a `backoff_argument`."""
    return iter(backoff) if isinstance(backoff, Backoff) else repeat(backoff)
