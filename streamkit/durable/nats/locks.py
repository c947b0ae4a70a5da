"""Who has a partition: a record of each in a stream of its own, which is replaced only by who knows the last.

A record says whose the partition is, and for how long; its time is the server's. One of nobody is empty. It
ends later than the leases of the messages that its owner has: who takes over is handed out these first.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import uuid4

from streamkit.durable.nats.api import Api, Request, said_or_refused
from streamkit.durable.nats.link import Question
from streamkit.durable.nats.wire import RefusalError

__all__ = ["Lock", "Locks"]

_LONGER: Final = 0.5
"""Seconds by which a partition is leased longer than the messages of it, which are claimed afterwards."""
_OTHER: Final = frozenset({10071, 10164})
"""Somebody has replaced the record meanwhile."""
_NONE: Final = 10037


class Lock(NamedTuple):
    """What a record says."""

    mine: bool
    revision: int
    ends: float
    """By the server's clock."""


class Locks:
    """The records, as one connection reads and writes them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._me = uuid4().hex

    def request(self, group: str, part: int) -> Request:
        """What is asked to read one."""
        return f"STREAM.MSG.GET.{self._api.stream}=locks", {"last_by_subj": self._subject(group, part)}

    def read(self, answer: Any) -> Lock:
        """What the answer to that says."""
        if isinstance(answer, RefusalError):
            if answer.code != _NONE:
                raise answer
            return Lock(False, 0, 0.0)
        message = answer["message"]
        if not message.get("data"):
            return Lock(False, message["seq"], 0.0)
        owner, lease = json.loads(base64.b64decode(message["data"]))
        since = datetime.fromisoformat(message["time"]).timestamp()
        return Lock(owner == self._me, message["seq"], since + lease + _LONGER)

    async def put(self, group: str, known: Mapping[int, int], lease: float) -> dict[int, int]:
        """Have partitions, whose revisions are `known`, for `lease` seconds; the revisions of those it has.

        With no lease, they are nobody's.
        """
        had = await self._put(group, known, lease)
        if rest := [part for part in known if part not in had]:
            # it may have been put, and only the answer is missing
            answers = await self._api.each([self.request(group, part) for part in rest])
            locks = {part: self.read(answer) for part, answer in zip(rest, answers, strict=True)}
            mine = {part: lock.revision for part, lock in locks.items() if lock.mine}
            had.update(await self._put(group, mine, lease))
        return had

    async def _put(self, group: str, known: Mapping[int, int], lease: float) -> dict[int, int]:
        body = json.dumps([self._me, lease]).encode() if lease else b""
        questions: list[Question] = [
            (self._subject(group, part), body, {"Nats-Expected-Last-Subject-Sequence": str(revision)})
            for part, revision in known.items()
        ]
        answers = [said_or_refused(each) for each in await self._api.link.ask(questions)]
        had: dict[int, int] = {}
        for part, answer in zip(known, answers, strict=True):
            if not isinstance(answer, RefusalError):
                had[part] = answer["seq"]
            elif answer.code not in _OTHER:
                raise answer
        return had

    def _subject(self, group: str, part: int) -> str:
        return f"{self._api.stream}.lock.{group}.{part}"
