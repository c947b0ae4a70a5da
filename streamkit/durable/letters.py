"""Dead letters: where a reader puts what cannot be worked on, with the reason in its headers.

error       what was wrong, as the last line of a traceback has it
operator    where: ``map(fetch) at work.py:12``; absent where nobody knows
deliveries  how many times it was handed out
group       the group that it was handed out to
carrier     the carrier that it comes from
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from streamkit._core.errors import CarrierError, notes
from streamkit._core.show import told
from streamkit.durable.events import DeadLettered, Event
from streamkit.durable.messages import Connection, Entry, Message

__all__ = ["Dead", "DeadLetters"]


@dataclass(frozen=True, slots=True)
class Dead:
    """A message that cannot be worked on, and why."""

    message: Message
    error: str
    operator: str = ""

    @classmethod
    def of(cls, message: Message, error: BaseException | None) -> Dead:
        """One that was handed out too often: `error` is its last, if this process has seen that."""
        if error is None:
            return cls(message, f"handed out {message.times} times, and never acknowledged")
        return cls(message, told(error), _operator(error))


def _operator(error: BaseException) -> str:
    """The operator that `error` came from, and the line where it stands in the pipe; empty if unknown."""
    for note in notes(error):
        if note.startswith("in "):
            return note.removeprefix("in ")
    return ""


class DeadLetters:
    """The dead letters of one run."""

    def __init__(self, source: object, group: str, tell: Callable[[Event], object]) -> None:
        self.connection: Connection | None = None
        """To where they are written; None if the reader has no dead letters."""
        self._source = source
        self._group = group
        self._tell = tell
        self._total = 0

    async def write(self, letters: Sequence[Dead]) -> None:
        """Store all of them; return when they are stored."""
        if self.connection is None:
            dead = letters[0]
            raise CarrierError(
                f"{self._source!r} has a message that cannot be worked on ({dead.error}; its place is "
                f"{dead.message.place!r}), and there are no dead letters: write reader(dead_letters=...)"
            )
        await self.connection.append([self._entry(each) for each in letters])

    def tell(self, letters: Sequence[Dead]) -> None:
        """Tell of those that are stored, and not in work any more."""
        for each in letters:
            self._total += 1
            message = each.message
            self._tell(
                DeadLettered(self._group, message.key, message.times, each.error, each.operator, self._total)
            )

    def _entry(self, dead: Dead) -> Entry:
        message = dead.message
        headers = {
            **message.headers,
            "error": dead.error,
            "deliveries": str(message.times),
            "group": self._group,
            "carrier": repr(self._source),
        }
        if dead.operator:
            headers["operator"] = dead.operator
        return Entry(message.body, message.key, headers=headers)
