"""Sources that read answers which lead from one to the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from streamkit._core.arguments import callback, whole
from streamkit._core.calls import answering
from streamkit._core.errors import StreamkitError
from streamkit._core.show import named, shown
from streamkit._engine.face.stream import Stream
from streamkit._engine.plan.source import Recipe
from streamkit.connect.aiohttp.session import FAILURES, Reply, Rules, answer, opened, rules
from streamkit.connect.reconnect import Course, Reconnect, settled
from streamkit.connect.status import public
from streamkit.sources.defer import using

if TYPE_CHECKING:
    from aiohttp import ClientSession

__all__ = ["PagesExceededError", "pages"]

_LARGEST: Final = 64 * 1024 * 1024


class PagesExceededError(StreamkitError, LookupError):
    """There are more pages than ``pages`` was told to read; `next` may lead in a circle."""


async def _fetched(session: Any, url: str, headers: Mapping[str, str], course: Course, rules: Rules) -> Reply:
    """What `url` answers, after as many failures as there may be."""
    while True:
        try:
            reply = await answer(session, url, headers, rules)
        except FAILURES as error:
            wait = await course.failed(error)
        else:
            course.succeeded()
            return reply
        await asyncio.sleep(wait)


async def _reading(
    url: str, following: Callable[[Reply], Any], limit: int, rules: Rules, session: Any
) -> AsyncIterator[Reply]:
    course, home, user = Course(rules.reconnect), _origin(url), urlsplit(url).netloc.rpartition("@")[0]
    for _ in range(limit):
        # headers may have a key of the user, which no answer can have sent elsewhere
        headers: Mapping[str, str] = rules.headers if _origin(url) == home else {}
        reply = await _fetched(session, url, headers, course, rules)
        yield reply
        found = await settled(following(reply))
        if found is None:
            return
        must = f"{named(following)} must return the URL of a page or None, not"
        if not isinstance(found, str):
            raise TypeError(f"{must} {shown(found)}")
        url = urljoin(reply.url, found)
        if not found or _origin(url)[0] not in {"http", "https"}:  # an empty one is the same page, for ever
            raise ValueError(f"{must} {public(url) if found else 'an empty text'}")
        if user and _origin(url) == home:  # aiohttp has taken it out of the reply's URL
            url = urlsplit(url)._replace(netloc=f"{user}@{home[1]}").geturl()
        del reply
    raise PagesExceededError(f"there are more than {limit} pages, and the next is {public(url)}")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.rpartition("@")[2]


@answering
def pages(
    url: str,
    next: Callable[[Reply], str | Awaitable[str | None] | None],
    *,
    limit: int = 1000,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30.0,
    largest: int = _LARGEST,
    reconnect: Reconnect | None = None,
    session: ClientSession | None = None,
) -> Stream[Reply]:
    """The pages of an answer that comes in several, as each says where the next is.

        pages(url, next)  a--b--c--|

    >>> from streamkit import connect, ops
    >>> orders = (
    ...     connect.pages("https://example.org/orders", lambda reply: reply.json()["next"])
    ...     | ops.map(lambda reply: reply.json()["orders"])
    ...     | ops.flatten()
    ... )

    Emits when: a page has come. The next is asked for when the consumer asks for it.
    Waits when: a page has not come, or the consumer does; nothing is read ahead.
    Completes when: `next` has returned None.
    Closes when: it ends, or the consumer leaves: a request under way is cancelled.

    It needs ``streamkit[http]``. A page that fails is asked for again, as `reconnect` says: none is left out.
    Pages of another host get no `headers`: an answer could lead them there. Redirects are aiohttp's: one to
    another host takes them along, but for ``Authorization``.

    Args:
        url: of the first page.
        next: called with a page; returns the URL of the next, which may be relative, or None after the last.
        limit: pages at most: one that leads to itself would have no end.
        headers: sent with each request.
        timeout: seconds for one request, with its body.
        largest: bytes of a body at most; a larger one is a failure.
        reconnect: how many failures are taken, and how long to wait after one.
        session: that of the user, which stays open; otherwise each run has one.

    Raises:
        ImportError: aiohttp is not installed.
        TypeError: an argument has the wrong type; when run: what `next` returns is no URL.
        ValueError: `url` is no URL of HTTP, or a number is out of range; (when run) `next` has returned none.
        PagesExceededError: (when run) there is another page after so many.
        StatusError, OSError, aiohttp.ClientError: (when run) the last of too many failures in a row.
    """
    request = rules("pages", url, headers, timeout, largest, session, reconnect)
    callback("next", next)
    reading = partial(_reading, url, next, whole("limit", limit, least=1), request)

    def make() -> Stream[Any]:
        return using(partial(opened, session), reading)

    return Stream(Recipe("pages", (public(url), next), make))
