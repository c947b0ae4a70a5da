"""Signals: what one subscriber is told, and where the errors go that it cannot be told."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from streamkit._core.reactive_streams import Subscriber
from streamkit._core.show import shown

__all__ = ["Signals"]


class Signals:
    """Sends signals to a subscriber, until it is let go."""

    def __init__(self, subscriber: Subscriber[Any], loop: asyncio.AbstractEventLoop | None) -> None:
        self._subscriber: Subscriber[Any] | None = subscriber
        self._loop = loop

    def send(self, name: str, *arguments: Any) -> bool:
        """Send one signal; False if the subscriber raised, which cancels its subscription (rule 2.13)."""
        try:
            getattr(self._subscriber, name)(*arguments)
        except Exception as error:
            self._report(
                f"rule 2.13: {shown(self._subscriber)} raised in {name}; it is taken as cancelled", error
            )
            return False
        return True

    def late(self, error: BaseException) -> None:
        """Report an error of a run whose subscriber has cancelled, and must not be told (rule 1.8)."""
        self._report(
            "a publisher's run failed while it was closed for a subscriber that had cancelled", error
        )

    def release(self) -> None:
        """Let go of the subscriber (rule 3.13)."""
        self._subscriber = None

    def _report(self, message: str, error: BaseException) -> None:
        if self._loop is None:
            logging.getLogger("streamkit").error(message, exc_info=error)
        else:
            self._loop.call_exception_handler({"message": message, "exception": error})
