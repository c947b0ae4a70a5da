"""The format of server-sent events, as the HTML standard has it: bytes in, events out."""

from __future__ import annotations

import codecs
from collections import deque
from typing import Final

from streamkit._core.value import Value

__all__ = ["EventParser", "ServerEvent"]

_DIGITS: Final = 12
"""Of a number of milliseconds at most: more are centuries."""


class ServerEvent(Value):
    """An event that a server has sent."""

    event: str
    """Its name; ``"message"`` if the server gives it none."""
    data: str
    """What it says; several lines, if it has several."""
    id: str
    """The last identifier that the server has sent, with this event or before it; ``""`` if none."""

    def __init__(self, event: str, data: str, id: str = "") -> None:
        self._made_of(event=event, data=data, id=id)


class EventParser:
    """Takes in what comes of one response; what is ready stands in `ready`."""

    def __init__(self, last_id: str, largest: int) -> None:
        self.ready: deque[ServerEvent] = deque()
        self.retry: float | None = None
        """Seconds after which the server wants to be asked again, if it has said so."""
        self._largest = largest
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._id = last_id
        self._parts: list[str] = []
        """Of the line that has not ended."""
        self._after_return = False
        self._event = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        """Take `chunk` in.

        Raises:
            ValueError: an event is larger than it may be.
        """
        text = self._decoder.decode(chunk)
        if not text:
            return
        if self._after_return and text[0] == "\n":
            text = text[1:]
        self._after_return = text.endswith("\r")
        *lines, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for end in lines:
            self._part(end)
            line, self._parts = "".join(self._parts), []
            self._size -= len(line)
            self._line(line)
        self._part(rest)

    def _part(self, part: str) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._largest:
            raise ValueError(f"a server has sent an event of more than {self._largest} characters")

    def _line(self, line: str) -> None:
        if not line:
            self._dispatch()
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(line)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = float(value[:_DIGITS]) / 1000

    def _dispatch(self) -> None:
        event, data = self._event or "message", self._data
        self._event, self._data, self._size = "", [], 0
        if data:
            self.ready.append(ServerEvent(event, "\n".join(data), self._id))
