"""The groups of a stream, and its partitions: each group has a consumer of each, whose ack wait is the lease.

Entries without a key have the subject of the stream. Those with a key have that of their partition, to which
the stream listens from the first of them on. By then each group must be a consumer of it, because the server
deletes what nobody waits for: so the retention is `limits` until all of them are, and then `interest`.
"""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any, Final

from streamkit._core.errors import CarrierError
from streamkit.durable.nats.api import Api
from streamkit.durable.nats.counts import NO_STREAM
from streamkit.durable.nats.wire import RefusalError, consumer_of, nanoseconds, subject_of

__all__ = ["NO_CONSUMER", "Groups", "partitions_of"]

NO_CONSUMER: Final = 10014
_PARTITIONS: Final = "streamkit_partitions"
_LOOK: Final = 1.0
"""Seconds from one look whether there are partitions now, to the next."""


def partitions_of(config: dict[str, Any]) -> int:
    """In how many partitions the entries with keys are; 0 before the first of them was stored."""
    return int(_metadata(config).get(_PARTITIONS, 0))


def _metadata(config: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] | None = config.get("metadata")
    return found or {}


class Groups:
    """What one connection knows of them."""

    def __init__(self, api: Api, carrier: object) -> None:
        self.leases: dict[str, float] = {}
        """Of each group that this run reads: the seconds of its consumers."""
        self.made: dict[str, str] = {}
        """When each of them was made; empty, if it is not there."""
        self.ahead: float = 0.0
        """Seconds by which the server's clock is ahead of ours."""
        self.parts: int = 0
        """How many partitions there are, as far as it is known here."""
        self._api = api
        self._carrier = carrier
        self._look_at = 0.0

    async def join(self, group: str, lease: float) -> None:
        """See to it that `group` has consumers. Who makes it says how long a lease is that nobody names."""
        if group in self.leases:
            if not self.parts and (now := asyncio.get_running_loop().time()) >= self._look_at:
                self._look_at = now + _LOOK
                if partitions_of(await self._api.config()):
                    await self.share()
            return
        name = f"{self._api.stream}.{group}"
        try:
            found = await self._api.ask(f"CONSUMER.INFO.{name}")
        except RefusalError as error:
            if error.code != NO_CONSUMER:
                raise
            found = await self._made(group, 0, nanoseconds(lease))
        config = found["config"]
        if config.get("ack_policy") != "explicit" or "deliver_subject" in config:
            raise CarrierError(
                f"{self._carrier!r}: the consumer {group!r} does not pull, or not acknowledge each"
            )
        if config.get("filter_subject") != self._api.stream:
            await self._made(group, 0, config["ack_wait"])
        await self.share()
        self.leases[group] = config["ack_wait"] / 1e9
        self.made[group] = found["created"]
        self.ahead = datetime.fromisoformat(found["ts"]).timestamp() - time.time()

    async def look(self, group: str) -> None:
        """See whether `group` is there still, and the one that it was."""
        try:
            found = await self._api.ask(f"CONSUMER.INFO.{self._api.stream}.{group}")
        except RefusalError as error:
            if error.code not in {NO_CONSUMER, NO_STREAM}:
                raise
            found = {"created": ""}
        self.made[group] = found["created"]

    async def share(self) -> None:
        """Make each group a consumer of each partition; from then on, what all have done is deleted."""
        config = await self._api.config()
        parts = partitions_of(config)
        if parts:
            names = await self._api.consumers()
            for group in sorted(each for each in names if "=" not in each):
                missing = [part for part in range(1, parts + 1) if consumer_of(group, part) not in names]
                if missing:
                    found = await self._api.ask(f"CONSUMER.INFO.{self._api.stream}.{group}")
                    for part in missing:
                        await self._made(group, part, found["config"]["ack_wait"])
            groups = bool(names)
        else:
            groups = True  # the one that joins
        if groups and config["retention"] == "limits":
            await self._api.update({**config, "retention": "interest"})
        self.parts = parts

    async def divide(self, partitions: int) -> None:
        """See to it that there are partitions, before the first entry with a key is stored."""
        if not self.parts:
            config = await self._api.config()
            if not partitions_of(config):
                name = self._api.stream
                locks = {"name": f"{name}=locks", "subjects": [f"{name}.lock.>"], "max_msgs_per_subject": 1}
                await self._api.ask(f"STREAM.CREATE.{name}=locks", {**locks, "storage": "file"})
                subjects = {*config["subjects"], f"{name}.key.*"}
                metadata = {**_metadata(config), _PARTITIONS: str(partitions)}
                changed: dict[str, Any] = {
                    "subjects": sorted(subjects),
                    "metadata": metadata,
                    "retention": "limits",
                }
                await self._api.update({**config, **changed})
            await self.share()
        if self.parts != partitions:
            raise CarrierError(
                f"{self._carrier!r}: it was made with partitions={self.parts}, which decide on the order of "
                f"keys; nothing with a key can be stored with partitions={partitions}"
            )

    async def remove(self, group: str) -> bool:
        """Delete its consumers, and what is noted of its messages; whether there was such a group."""
        name = self._api.stream
        names = await self._api.consumers()
        mine = {each for each in names if each.partition("=")[0] == group}
        config = await self._api.config()
        if mine and mine == names:  # with the last of them, all would be deleted
            await self._api.update({**config, "retention": "limits"})
        # without the first, nobody makes the others again
        await self._api.each([(f"CONSUMER.DELETE.{name}.{each}", None) for each in sorted(mine)])
        notes = [(f"{name}=locks", "lock"), (f"{name}=counts", "count")]
        await self._api.each(
            [(f"STREAM.PURGE.{stream}", {"filter": f"{name}.{kind}.{group}.>"}) for stream, kind in notes]
        )
        self.leases.pop(group, None)
        return bool(mine)

    def forget(self) -> None:
        """What is known may be wrong: look again."""
        self.leases.clear()
        self.parts = 0

    async def _made(self, group: str, part: int, wait: int) -> Any:
        name, consumer = self._api.stream, consumer_of(group, part)
        config = {
            "durable_name": consumer,
            "ack_policy": "explicit",
            "ack_wait": wait,
            "deliver_policy": "all",
            "filter_subject": subject_of(name, part),
            "max_ack_pending": -1,
            "max_deliver": -1,
        }
        asked = {"stream_name": name, "config": config}
        return await self._api.ask(f"CONSUMER.DURABLE.CREATE.{name}.{consumer}", asked)
