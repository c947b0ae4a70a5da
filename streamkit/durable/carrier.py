"""The contract of what keeps items between two processes: a `Carrier`, which users name and pass around."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, NoReturn

from streamkit._core.arguments import seconds, whole
from streamkit._core.calls import answering
from streamkit._core.value import Value
from streamkit._engine.face.stream import Sink, Stream
from streamkit.durable.events import Event
from streamkit.durable.messages import Codec, Connection, Depth, Entry, Message
from streamkit.durable.reader import group_argument, opened_reader
from streamkit.durable.writer import writing

__all__ = ["Carrier", "Connection", "Depth", "Entry", "Message"]

_LOOK: Final = 10.0
"""The lease, in seconds, of what is only looked at: it ends by itself if the process dies meanwhile."""


class Carrier(Value):
    """Keeps items between processes that come and go. It is a value, and opens nothing before it is used.

    A carrier of your own says how to `connect`, and sets its parts in ``__init__`` with ``_made_of``, `codec`
    among them. ``streamkit.durable.testing.check_carrier`` checks it against the contract of `Connection`.
    """

    codec: Codec | None = None
    """How items become bytes; without one, they are bytes."""

    @abstractmethod
    def connect(self) -> AbstractAsyncContextManager[Connection]:
        """A connection, for one run."""
        raise NotImplementedError(f"{type(self).__name__} must say how to connect()")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(
            f"{type(self).__name__} cannot be changed: make another; one of your own sets its parts in "
            f"__init__, with self._made_of({name}={name})"
        )

    def __or__(self, other: object) -> NoReturn:
        raise TypeError(f"a carrier is no stream: write {self!r}.reader(group=...) | ...")

    def __ror__(self, other: object) -> NoReturn:
        raise TypeError(f"a carrier is no sink: write | {self!r}.writer()")

    @answering
    def writer(
        self,
        *,
        batch: int = 100,
        key: Callable[[Any], str | None] | None = None,
        delay: float | Callable[[Any], float] = 0.0,
    ) -> Sink[Any, int]:
        """A sink that stores the items, and returns how many they were when all are stored.

        While a batch is stored, the next is collected of what comes meanwhile: an item that comes alone is
        stored at once. What is stored survives the death of this process.

        Args:
            batch: how many items are stored at once, at most; when as many wait, the source does.
            key: called with each item; items of one key are handed out in order, where the carrier has
                partitions. None is no key.
            delay: seconds before an item may be handed out; or a function that says it of each.

        Raises:
            TypeError: an argument has the wrong type; (when run) an item is not bytes, and there is no codec.
            ValueError: `batch` is less than 1, or `delay` less than 0.
            CarrierError: (when run) the batch was not stored. Those before it are.
        """
        return writing(self, batch=batch, key=key, delay=delay)

    @answering
    def reader(
        self,
        *,
        group: str,
        batch: int = 100,
        lease: float = 30.0,
        max_deliveries: int | None = None,
        dead_letters: Carrier | None = None,
        prefetch: int | None = None,
        messages: bool = False,
        on_event: Callable[[Event], object] | None = None,
    ) -> Stream[Any]:
        """A stream of what is stored, now and later: it waits for more, and never completes by itself.

        Each group is handed out everything; the readers of one group, in any number of processes, share it.
        An item is acknowledged when everything made of it has left through the sink of the pipe, and handed
        out again if that fails, or if this process dies. So an item may come twice, and none is lost.

        Args:
            group: who reads. A group exists from its first claim on, and is handed out all that is there.
            batch: how many messages are claimed at once, at most.
            lease: seconds after which others are handed out what this process has, if it has died. While it
                lives, leases are renewed, so work may take longer.
            max_deliveries: how often a message is handed out, before it goes to the dead letters; 5, if there
                are some and nothing else is said; without them, there is no limit.
            dead_letters: another carrier, for messages that fail or kill their process over and over, and
                those that do not decode. Why, is in their headers.
            prefetch: how many messages may be open at once: claimed and not acknowledged. It must be as
                many as the pipe may hold. By default, four times `batch`.
            messages: give the messages themselves, undecoded and with their headers: for dead letters.
            on_event: called with each `LeaseLost`, `DeadLettered` and `Trimmed`; by default, they are logged.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: a number is out of range, or `max_deliveries` is given without `dead_letters`.
            CarrierError: (when run) the carrier cannot be used; or a message does not decode, and there are
                no dead letters.
        """
        return opened_reader(
            self,
            group=group,
            batch=batch,
            lease=lease,
            max_deliveries=max_deliveries,
            dead_letters=dead_letters,
            prefetch=prefetch,
            messages=messages,
            on_event=on_event,
        )

    async def depth(self, group: str) -> Depth:
        """How many entries wait for `group`, and how many it has in work."""
        group_argument(group)
        async with self.connect() as connection:
            return await connection.depth(group)

    async def peek(self, group: str, most: int = 100, *, wait: float = 1.0) -> Sequence[Message]:
        """Messages that `group` would be handed out next, undecoded. They stay, and are not counted.

        For a look at dead letters: what a reader has read is gone. What others have in work is left out. The
        group exists from then on, and what nobody reads for it is kept.

        Args:
            group: who is to read them afterwards.
            most: how many, at most.
            wait: seconds to wait for the first of them. With Kafka, a group takes some to let a reader in.

        Raises:
            TypeError: an argument has the wrong type.
            ValueError: `group` is empty, `most` is less than 1, or `wait` is less than 0.
            CarrierError: the carrier cannot be used.
        """
        group, most = group_argument(group), whole("most", most, least=1)
        wait = seconds("wait", wait, positive=False)
        found: list[Message] = []
        async with self.connect() as connection:
            try:
                while len(found) < most and (
                    more := await connection.claim(group, most - len(found), _LOOK, 0.0 if found else wait)
                ):
                    found += more
            finally:
                await connection.hand_back(group, found, counted=False)
        return found

    async def forget(self, group: str) -> bool:
        """Forget a group that nobody reads any more; whether there was one of that name.

        Entries stay until every group has acknowledged them, and a group exists from its first claim on. So
        one that is read no more keeps all that comes. What only it has not acknowledged is deleted with it,
        where the carrier deletes what is acknowledged; when the last group is forgotten, entries stay.

        End its readers first: what they have in work counts as lost, and one that goes on begins the group
        anew, with all that is there.

        Raises:
            TypeError: `group` is no text.
            ValueError: `group` is empty, or no Unicode.
            CarrierError: the carrier cannot be used; with Kafka, also if the group has readers.
        """
        group_argument(group)
        async with self.connect() as connection:
            return await connection.forget(group)

    async def purge(self) -> int:
        """Delete all entries, for every group; returns how many there were."""
        async with self.connect() as connection:
            return await connection.purge()
