"""The way to a NATS server: questions with one answer, and pulls, which are answered with several messages.

One client lives at a time, and it does not reconnect by itself, because then it would send again what nobody
waits for any more. When its connection breaks, whatever waits for an answer fails at once; who asks next
makes another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Final, TypeAlias

from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg

__all__ = ["ConsumerGoneError", "Link", "Msg", "away"]

Question: TypeAlias = "tuple[str, bytes, dict[str, str] | None]"
"""A subject, what is sent to it, and its headers."""

_ANSWER: Final = 5.0
"""Seconds after which a server that does not answer is held for dead."""
_AWAY: Final = (
    errors.ConnectionClosedError,
    errors.NoRespondersError,
    errors.NoServersError,
    errors.StaleConnectionError,
    errors.OutboundBufferLimitError,
    OSError,
    EOFError,
    TimeoutError,
)


class ConsumerGoneError(ConnectionError):
    """A group's consumer was deleted, or another server of the cluster leads it now."""

    def __str__(self) -> str:
        return "the consumer is gone, or has moved"


def away(error: Exception) -> bool:
    """Whether the server may answer, if it is asked again."""
    return isinstance(error, _AWAY)


async def _ignored(_: Exception) -> None:
    """Errors of a client are known from the calls that fail."""


async def _closed(client: Client) -> None:
    """Close `client`, and what it leaves open when the server has refused it."""
    await client.close()
    transport: Any = client._transport  # pyright: ignore[reportPrivateUsage] - nobody else can close it
    if transport is not None:
        transport.close()
        with suppress(OSError):
            await transport.wait_closed()


class Link:
    """A client at a time, and what waits for its answers."""

    def __init__(self, url: str, options: Mapping[str, Any], stray: Callable[[Msg], Awaitable[None]]) -> None:
        self._url = url
        self._options = dict(options)
        self._stray = stray
        """Called with each message that came for a pull which is over."""
        self._client: Client | None = None
        self._inbox = ""
        self._connecting = asyncio.Lock()
        self._numbers = count()
        self._waiting: dict[str, asyncio.Future[Msg]] = {}
        self._pulling = asyncio.Lock()
        self._pulled: asyncio.Queue[Msg | None] | None = None
        self._pull = ""

    async def ask(self, questions: Sequence[Question]) -> list[Msg]:
        """The answer of each, in their order."""
        client = await self._connected()
        loop = asyncio.get_running_loop()
        names: list[str] = []
        answers: list[asyncio.Future[Msg]] = []
        try:
            for subject, payload, headers in questions:
                name = f"{self._inbox}.{next(self._numbers)}"
                names.append(name)
                answers.append(loop.create_future())
                self._waiting[name] = answers[-1]
                await client.publish(subject, payload, name, headers)
            async with asyncio.timeout(_ANSWER):
                return [await answer for answer in answers]
        except TimeoutError:
            await self.close()  # whatever comes later is nobody's
            raise
        finally:
            for name, answer in zip(names, answers, strict=True):
                self._waiting.pop(name, None)
                if answer.done() and not answer.cancelled():
                    answer.exception()  # it was seen, if it is one of many

    async def send(self, questions: Sequence[Question]) -> None:
        """Send what nobody answers, in their order."""
        client = await self._connected()
        for subject, payload, headers in questions:
            await client.publish(subject, payload, headers=headers)

    async def pull(self, subject: str, payload: bytes, most: int, seconds: float) -> tuple[list[Msg], str]:
        """Up to `most` messages, and the status that ended them: the server says when there are no more."""
        async with self._pulling:
            client = await self._connected()
            got: list[Msg] = []
            self._pulled = asyncio.Queue()
            self._pull = f"{self._inbox}.p{next(self._numbers)}"
            try:
                await client.publish(subject, payload, self._pull)
                async with asyncio.timeout(seconds + _ANSWER):
                    while len(got) < most:
                        message = await self._pulled.get()
                        if message is None:
                            raise errors.ConnectionClosedError
                        if message.subject == self._pull:
                            return got, (message.headers or {}).get("Status", "")
                        got.append(message)
                return got, ""
            except TimeoutError:
                await self.close()
                raise
            finally:
                queue, self._pulled = self._pulled, None
                while not queue.empty():
                    message = queue.get_nowait()
                    if message is not None and message.subject != self._pull:
                        await self._stray(message)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await _closed(client)

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None or self._client.is_closed:
                self._client = await self._begun()
            return self._client

    async def _begun(self) -> Client:
        client: Any = Client()
        inbox = client.new_inbox()

        async def closed() -> None:
            self._closed(client)

        options: dict[str, Any] = {
            "connect_timeout": _ANSWER,
            "ping_interval": 10,
            **self._options,
            "allow_reconnect": False,
            "max_reconnect_attempts": 1,  # of each of its servers
            "reconnect_time_wait": 0,
            "error_cb": _ignored,
            "closed_cb": closed,
        }
        try:
            async with asyncio.timeout(2 * _ANSWER):
                await client.connect(self._url, **options)
            await client.subscribe(f"{inbox}.*", cb=self._answered)
        except BaseException:
            await _closed(client)
            raise
        self._inbox = inbox
        begun: Client = client
        return begun

    async def _answered(self, message: Msg) -> None:
        """A message for a pull bears the subject of its stream; all else the name that it was asked under."""
        subject = message.subject
        answer = self._waiting.get(subject)
        if answer is not None:
            if not answer.done():
                answer.set_result(message)
        elif self._pulled is not None and (subject == self._pull or not subject.startswith(self._inbox)):
            self._pulled.put_nowait(message)
        elif not subject.startswith(self._inbox):
            await self._stray(message)

    def _closed(self, client: Client) -> None:
        if self._client is client:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(errors.ConnectionClosedError())
            if self._pulled is not None:
                self._pulled.put_nowait(None)
