"""JetStream's own subjects: requests in JSON, one at a time or many at once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from streamkit.durable.nats.link import Link, Question
from streamkit.durable.nats.wire import RefusalError, said_by

__all__ = ["Api", "Request"]

_PREFIX: Final = "$JS.API."

Request = tuple[str, "dict[str, Any] | None"]
"""What is asked for, and with what."""


class Api:
    """Requests about one stream."""

    def __init__(self, link: Link, stream: str) -> None:
        self.link = link
        self.stream = stream
        self.about: Question = question(f"STREAM.INFO.{stream}", None)
        """What asks how the stream is."""

    async def ask(self, name: str, asked: dict[str, Any] | None = None) -> Any:
        """The answer; `RefusalError`, if that is an error."""
        [answer] = await self.each([(name, asked)])
        if isinstance(answer, RefusalError):
            raise answer
        return answer

    async def each(self, requests: Sequence[Request]) -> list[Any]:
        """The answer of each, or its `RefusalError`."""
        answers = await self.link.ask([question(name, asked) for name, asked in requests])
        return [said_or_refused(each) for each in answers]

    async def config(self) -> dict[str, Any]:
        """What the stream is set to."""
        found: dict[str, Any] = (await self.ask(f"STREAM.INFO.{self.stream}"))["config"]
        return found

    async def update(self, config: dict[str, Any]) -> None:
        await self.ask(f"STREAM.UPDATE.{self.stream}", config)

    async def consumers(self) -> set[str]:
        """The names of all of the stream's consumers."""
        names: set[str] = set()
        while True:
            page = await self.ask(f"CONSUMER.NAMES.{self.stream}", {"offset": len(names)})
            more: list[str] = page.get("consumers") or []
            names.update(more)
            if not more or len(names) >= page["total"]:
                return names


def question(name: str, asked: dict[str, Any] | None) -> Question:
    return f"{_PREFIX}{name}", b"" if asked is None else json.dumps(asked).encode(), None


def said_or_refused(answer: Any) -> Any:
    try:
        return said_by(answer)
    except RefusalError as error:
        return error
