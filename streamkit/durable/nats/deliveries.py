"""Messages on their way from a group's consumers and back: pulled, leased, acknowledged, handed back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

from nats import errors

from streamkit.durable.messages import Message
from streamkit.durable.nats.api import Api
from streamkit.durable.nats.counts import Counts
from streamkit.durable.nats.groups import Groups
from streamkit.durable.nats.link import ConsumerGoneError, Question
from streamkit.durable.nats.wire import again_in, answered, consumer_of, message_of, nanoseconds

__all__ = ["Deliveries", "Patiently"]

T = TypeVar("T")


class Patiently(Protocol):
    """Makes a call again, while the server is away."""

    async def __call__(self, call: Callable[[], Awaitable[T]]) -> T: ...


class Deliveries:
    """Those of one connection."""

    def __init__(self, api: Api, groups: Groups, patiently: Patiently) -> None:
        self._api = api
        self._groups = groups
        self._patiently = patiently
        self._counts = Counts(api)

    async def pull(self, group: str, part: int, most: int, lease: float, wait: float) -> list[Message]:
        """Up to `most` of a partition; what has a delay is put off."""
        asked: dict[str, Any] = {"batch": most, "no_wait": True}
        if wait:
            asked = {"batch": most, "expires": nanoseconds(wait)}
        groups, link = self._groups, self._api.link
        until = asyncio.get_running_loop().time() + groups.leases[group]
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{self._api.stream}.{consumer_of(group, part)}"
        found, status = await link.pull(subject, json.dumps(asked).encode(), most, wait)
        if status in {"409", "503"}:  # it was deleted, or has no leader: it is looked for again
            groups.forget()
            if not found:
                raise ConsumerGoneError
        messages: list[Message] = []
        for each in found:
            message, early = message_of(each, part, until, time.time() + groups.ahead)
            message.place.made = groups.made[group]
            if early > 0:
                await link.send([(each.reply, again_in(early), None)])
            else:
                messages.append(message)
        await self._counts.correct(group, messages)
        if messages and lease != groups.leases.get(group):
            await self.lease(group, messages, lease)
        return messages

    async def acknowledge(self, group: str, messages: Sequence[Message]) -> list[Message]:
        """Returns those that are the group's no more."""
        lost = await self.tell(group, [(each, b"+ACK") for each in messages])
        await self._patiently(lambda: self._counts.drop(group, messages))
        return lost

    async def hand_back(self, group: str, messages: Sequence[tuple[Message, float, int]]) -> None:
        """Let others have each after so many seconds, as handed out for so many times."""
        counted = [(message, times) for message, _, times in messages]
        await self._patiently(lambda: self._counts.hand_back(group, counted))
        await self.tell(group, [(message, again_in(delay)) for message, delay, _ in messages])

    async def lease(self, group: str, messages: Sequence[Message], lease: float) -> list[Message]:
        """Lease `messages` from now on: for what the consumer says, or until they may come again.

        Returns those that are the group's no more.
        """
        until = asyncio.get_running_loop().time() + lease
        word = b"+WPI" if lease == self._groups.leases.get(group) else again_in(lease)
        lost = await self.tell(group, [(each, word) for each in messages])
        for message in messages:
            message.place.until = 0.0 if message in lost else until
        return lost

    async def tell(self, group: str, said: Sequence[tuple[Message, bytes]]) -> list[Message]:
        """Say a word of each. A consumer takes them in order: the answer of its last stands for all.

        Returns those that the group had before it was forgotten: one that has begun anew does not know them.
        """
        lost: list[Message] = []

        async def tell() -> None:
            made = self._groups.made.get(group)
            lost[:] = [message for message, _ in said if message.place.made != made]
            mine = [(message, word) for message, word in said if message.place.made == made]
            ends = {*{message.place.part: index for index, (message, _) in enumerate(mine)}.values()}
            questions: list[Question] = [(message.place.reply, word, None) for message, word in mine]
            link = self._api.link
            await link.send([each for index, each in enumerate(questions) if index not in ends])
            try:
                for answer in await link.ask([questions[index] for index in ends]):
                    answered(answer)
            except (errors.NoRespondersError, TimeoutError):
                await self._groups.look(group)
                raise

        if said:
            await self._patiently(tell)
        return lost
