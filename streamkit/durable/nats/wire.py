"""What goes over the wire to JetStream and back: messages, where they are, and what the server says."""

from __future__ import annotations

import json
from typing import Any, Final

from nats import errors

from streamkit.durable.messages import Entry, Message
from streamkit.durable.nats.link import Msg

__all__ = [
    "Place",
    "RefusalError",
    "again_in",
    "answered",
    "consumer_of",
    "headers_of",
    "message_of",
    "nanoseconds",
    "said_by",
    "subject_of",
]

_HEADER: Final = "Streamkit"
"""Of a message with a key, headers or a delay: these, in JSON."""


class RefusalError(Exception):
    """The server has answered, and not done it."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class Place:
    """Where a message is: how it is acknowledged, its number, and when its lease ends by the clock here."""

    __slots__ = ("idle", "made", "number", "part", "reply", "times", "until")

    def __init__(self, reply: str, part: int, number: int, times: int, until: float) -> None:
        self.reply: str = reply
        self.part: int = part
        """Its partition; 0 without a key."""
        self.times: int = times
        """How many times the server has handed it out."""
        self.idle: int = 0
        """How many of these were for nothing."""
        self.made: str = ""
        """When its group was made: one that was forgotten, and begins anew, is another."""
        self.number: int = number
        self.until: float = until

    def __repr__(self) -> str:
        return str(self.number)


def said_by(answer: Msg) -> Any:
    """What the server has answered; `RefusalError`, if that is an error."""
    answered(answer)
    said = json.loads(answer.data)
    if "error" in said:
        error = said["error"]
        raise RefusalError(error.get("err_code", 0), error.get("description", "no reason given"))
    return said


def answered(answer: Msg) -> None:
    """Raise an error, if nobody was there to answer."""
    if answer.headers and answer.headers.get("Status") == "503":
        raise errors.NoRespondersError


def headers_of(entry: Entry) -> dict[str, str]:
    if entry.key is None and not entry.headers and not entry.delay:
        return {}
    return {_HEADER: json.dumps([entry.key, dict(entry.headers), entry.delay])}


def message_of(found: Msg, part: int, until: float, now: float) -> tuple[Message, float]:
    """The message, and for how many seconds it is too early for it."""
    # $JS.ACK.<stream>.<consumer>.<times>.<number>.<any>.<when>.<pending>, perhaps with a domain and an
    # account before the stream, and then a word behind
    words = found.reply.split(".")
    begin = 4 if len(words) == 9 else 6
    header = found.headers.get(_HEADER) if found.headers else None
    said: tuple[str | None, dict[str, str], float] = (None, {}, 0.0) if header is None else json.loads(header)
    key, headers, delay = said
    times = int(words[begin])
    if delay:  # it was handed out once when it was too early
        times = max(1, times - 1)
    place = Place(found.reply, part, int(words[begin + 1]), times, until)
    message = Message(found.data, place, times, key, headers)
    return message, int(words[begin + 3]) / 1e9 + delay - now if delay else 0.0


def subject_of(stream: str, part: int) -> str:
    """What the entries of a partition are sent to; 0 is for those without a key."""
    return f"{stream}.key.{part}" if part else stream


def consumer_of(group: str, part: int) -> str:
    """The name of a group's consumer of a partition; no group has a name with such a sign."""
    return f"{group}={part}" if part else group


def again_in(seconds: float) -> bytes:
    """What says that a message may be handed out after so many seconds."""
    return b'-NAK {"delay": %d}' % nanoseconds(seconds) if seconds > 0 else b"-NAK"


def nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
