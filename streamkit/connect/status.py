"""What a server says by its status and its headers: that it will not answer now, and when to ask again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from streamkit._core.errors import StreamkitError

__all__ = ["HeartbeatLostError", "StatusError", "date_header", "public", "retry_after"]


class StatusError(StreamkitError, ConnectionError):
    """A server has answered with a status that is none of success."""

    status: int
    """The status, such as 503."""
    url: str
    """What was asked for."""
    retry_after: float
    """Seconds after which the server wants to be asked again; 0.0 where it did not say."""

    def __init__(self, status: int, url: str, retry_after: float = 0.0) -> None:
        super().__init__(status, url, retry_after)
        self.status, self.url, self.retry_after = status, url, retry_after

    def __str__(self) -> str:
        asked = f", asked to wait {self.retry_after:g} s" if self.retry_after else ""
        return f"status {self.status} of {self.url}{asked}"


class HeartbeatLostError(StreamkitError, TimeoutError):
    """A connection said nothing for longer than its heartbeat allows: it is dead, though nobody closed it."""


def date_header(value: str | None) -> datetime | None:
    """The date of a header such as ``Date``, in UTC; None if there is none that can be read."""
    if value is None:
        return None
    try:
        found = parsedate_to_datetime(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def retry_after(headers: Mapping[str, str], now: float) -> float:
    """The seconds that ``Retry-After`` asks for, in either form; 0.0 where it does not, or in no known form.

    A date is measured by the ``Date`` of the same answer: so a clock here that is wrong changes nothing.
    `now`, in seconds since the year 1970, is for servers that do not say what time they have.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:12])  # a wait of that many digits ends at the limit anyway
    until = date_header(value or None)
    if until is None:
        return 0.0
    sent = date_header(headers.get("Date"))
    return max(0.0, until.timestamp() - (now if sent is None else sent.timestamp()))


def public(url: str) -> str:
    """`url` as it may be shown: a user, a password or a key in it is nobody's business."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}{'?...' if parts.query else ''}"
