"""How often a message was handed out for nothing: the server counts that, too, and cannot take it back.

What was handed out and not begun leaves a record of how many such times there were, in a stream beside that
of the entries; who is handed it out again looks there. So only what comes again costs a look.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Final

from streamkit.durable.messages import Message
from streamkit.durable.nats.api import Api
from streamkit.durable.nats.link import Question
from streamkit.durable.nats.wire import Place, RefusalError

__all__ = ["NO_STREAM", "Counts"]

NO_STREAM: Final = 10059
_NONE: Final = 10037
_WEEK: Final = 7 * 24 * 3600 * 10**9
"""Nanoseconds after which a record is gone that nobody has taken away: its message was deleted by others."""


class Counts:
    """The records, as one connection reads and writes them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._stream = f"{api.stream}=counts"
        self._made = False

    async def correct(self, group: str, messages: Sequence[Message]) -> None:
        """Take away from the times of `messages` what was for nothing."""
        again = [each for each in messages if each.place.times > 1]
        if not again:
            return
        requests = [
            (f"STREAM.MSG.GET.{self._stream}", {"last_by_subj": self._subject(group, each)}) for each in again
        ]
        for message, answer in zip(again, await self._api.each(requests), strict=True):
            if not isinstance(answer, RefusalError):
                place: Place = message.place
                told = int(base64.b64decode(answer["message"]["data"]))
                place.idle = min(told, place.times - 1)  # it may be of a stream that was deleted
                message.times = place.times - place.idle
            elif answer.code not in {_NONE, NO_STREAM}:
                raise answer

    async def hand_back(self, group: str, messages: Iterable[tuple[Message, int]]) -> None:
        """Each is to come again, as handed out for so many times."""
        questions: list[Question] = []
        for message, times in messages:
            idle = message.place.times + 1 - times
            if idle != message.place.idle:
                questions.append((self._subject(group, message), b"%d" % idle, None))
        if not questions:
            return
        if not self._made:
            config = {"name": self._stream, "subjects": [f"{self._api.stream}.count.>"], "storage": "file"}
            asked = {**config, "max_msgs_per_subject": 1, "max_age": _WEEK}
            await self._api.ask(f"STREAM.CREATE.{self._stream}", asked)
            self._made = True
        await self._api.link.send(questions[:-1])
        await self._api.link.ask(questions[-1:])  # the server takes them in order

    async def drop(self, group: str, messages: Iterable[Message]) -> None:
        """They are acknowledged: nobody looks for them again."""
        asked = [{"filter": self._subject(group, each)} for each in messages if each.place.idle]
        if asked:
            await self._api.each([(f"STREAM.PURGE.{self._stream}", each) for each in asked])

    def _subject(self, group: str, message: Message) -> str:
        return f"{self._api.stream}.count.{group}.{message.place.number}"
