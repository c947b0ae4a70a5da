"""Attempts: how often something has failed, how long to wait for the next, and which was the last."""

from __future__ import annotations

from collections import deque
from typing import Final

from streamkit._core.arguments import whole
from streamkit._core.backoff import Backoff, waits
from streamkit._core.errors import noted
from streamkit._core.show import told

__all__ = ["Attempts", "attempts_argument"]

_TOLD: Final = 3
"""Errors of earlier attempts of which the last one tells."""


def attempts_argument(value: int | None) -> int | None:
    """Return the argument ``attempts`` if it is None or a whole number of at least 1."""
    return None if value is None else whole("attempts", value, least=1)


class Attempts:
    """Counts the attempts of one thing that have failed, up to `most`, or without end."""

    __slots__ = ("_earlier", "_most", "_waits", "failed")

    def __init__(self, most: int | None, backoff: float | Backoff) -> None:
        self._most = most
        self._waits = waits(backoff)
        self._earlier: deque[str] = deque(maxlen=_TOLD)
        """What the last of them failed with, in words: the errors would keep alive what their frames hold."""
        self.failed = 0

    def wait(self, error: BaseException) -> float | None:
        """Count an attempt that has failed with `error`.

        Return the seconds to wait before the next. None if this was the last: its error tells of the others.
        """
        self.failed += 1
        if self.failed == self._most:
            self._tell(error)
            return None
        self._earlier.append(told(error))
        return next(self._waits)

    def _tell(self, error: BaseException) -> None:
        if self._earlier:
            others = self.failed - 1 - len(self._earlier)
            many = f"{others} other{'s' * (others > 1)}"
            before = ", ".join([*([many] if others else []), *self._earlier])
            noted(error, f"this was attempt {self.failed} of {self._most}, after {before}")
