"""Paging over HTTP: page by page, as they are asked for."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from streamkit import Backoff, connect, ops
from streamkit.connect import PagesExceededError, Reconnect, Reply, StatusError
from streamkit.testing import on_network
from tests.connect.peers import Site


def following(reply: Reply) -> str | None:
    found: str | None = reply.json()["next"]
    return found


async def later(reply: Reply) -> str | None:
    await asyncio.sleep(0.1)
    return following(reply)


def book(*links: str | None) -> Any:
    """Answers the pages one after the other, each with the link to the next."""
    left = [*links]

    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"path": str(request.rel_url), "next": left.pop(0)})

    return answer


@pytest.mark.parametrize("follow", [following, later])
def test_pages_follow_each_other_until_there_is_none(follow: Any) -> None:
    async def main() -> list[str]:
        async with Site(book("/a?page=2", "?page=3", "c", None)) as site:
            pages = connect.pages(site.url, follow)
            return await (pages | ops.map(lambda reply: reply.json()["path"]) | ops.to_list())

    assert on_network(main) == ["/", "/a?page=2", "/a?page=3", "/c"]


def test_a_page_is_asked_for_when_the_consumer_wants_it() -> None:
    async def main() -> None:
        async with (
            Site(book("/1", "/2", "/3", None)) as site,
            connect.pages(site.url, following).open() as pages,
        ):
            for wanted in (1, 2):
                await anext(pages)
                await asyncio.sleep(10.0)
                assert len(site.requests) == wanted

    on_network(main)


def test_a_page_that_fails_is_asked_for_again_and_none_is_left_out() -> None:
    statuses = [200, 503, 503, 200, 404, 404, 404]

    async def main() -> list[str]:
        async def answer(request: web.Request) -> web.Response:
            return web.json_response({"next": "/next"}, status=statuses.pop(0))

        found: list[str] = []
        async with Site(answer) as site:
            rules = Reconnect(Backoff(1.0, jitter=0.0), threshold=3)
            with pytest.raises(StatusError, match="404"):
                await (
                    connect.pages(site.url, following, reconnect=rules)
                    | ops.for_each(lambda r: found.append(r.url))
                )
            assert [when for when, _ in site.requests] == [0.0, 0.0, 1.0, 3.0, 3.0, 4.0, 6.0]
        return found

    assert on_network(main) == ["http://127.0.0.1:8080/", "http://127.0.0.1:8080/next"]


def test_a_circle_has_an_end_and_what_is_no_link_is_told() -> None:
    async def main() -> None:
        async with Site(book(*["/"] * 9)) as site:
            with pytest.raises(PagesExceededError, match="more than 3 pages"):
                await (connect.pages(site.url, following, limit=3) | ops.drain())
            assert len(site.requests) == 3

            wrong: dict[Any, tuple[type[Exception], str]] = {
                5: (TypeError, "5"),
                "": (ValueError, "an empty text"),
                "file:///etc/passwd": (ValueError, "file:///etc/passwd"),
            }
            for found, (kind, words) in wrong.items():
                with pytest.raises(kind, match=f"must return the URL of a page or None, not {words}"):
                    await (connect.pages(site.url, lambda _, found=found: found) | ops.drain())
            assert len(site.requests) == 6, "each is asked once"

    on_network(main)


def test_headers_do_not_go_to_another_host() -> None:
    async def main() -> None:
        async with Site(book("http://127.0.0.1:8081/x", "http://127.0.0.1:8080/y", None)) as site:
            other = Site(book("http://127.0.0.1:8080/y"), port=8081)
            async with other:
                await (connect.pages(site.url, following, headers={"Authorization": "key"}) | ops.drain())
            sent = ["Authorization" in headers for _, headers in (*site.requests, *other.requests)]
            assert sent == [True, True, True, False]

    on_network(main)


def test_wrong_arguments_are_told_at_the_call() -> None:
    url: Any = "http://x/"
    for more in ({"limit": 0}, {"next": 3}, {"timeout": 0.0}):
        with pytest.raises((TypeError, ValueError), match=f"{next(iter(more))} must be"):
            connect.pages(url, **{"next": following, **more})


def test_a_user_in_the_url_and_the_headers_go_to_the_next_page_of_the_same_host() -> None:
    async def main() -> None:
        async with Site(book("/2", None)) as site:
            url = site.url.replace("//", "//user:word@")
            await (connect.pages(url, following, headers={"X-Key": "k"}) | ops.drain())
            first, second = [(each.get("Authorization"), each.get("X-Key")) for _, each in site.requests]
            assert first == second == ("Basic dXNlcjp3b3Jk", "k")

    on_network(main)


def test_a_page_that_is_not_modified_though_nobody_asked_for_that_is_a_failure() -> None:
    async def unchanged(_request: web.Request) -> web.Response:
        return web.Response(status=304)

    async def main() -> None:
        async with Site(unchanged) as site:
            await (connect.pages(site.url, following, reconnect=Reconnect(threshold=1)) | ops.drain())

    with pytest.raises(StatusError, match="status 304"):
        on_network(main)
