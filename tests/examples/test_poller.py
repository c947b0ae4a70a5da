"""examples/poller.py, on loopback: what is new comes to all clients, whatever the server does."""

import asyncio
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp import web
from websockets.asyncio.client import connect as dial

from tests.connect.peers import Site

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def example() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("poller", EXAMPLES / "poller.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["poller"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["poller"]


def test_what_is_new_comes_to_all_clients(example: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    prices, failing = [1], 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal failing
        if failing:
            failing -= 1
            return web.Response(status=500) if failing % 2 else web.Response(text="<html>")
        return web.json_response(prices)

    async def main() -> list[Any]:
        nonlocal failing
        listening: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        async with Site(answer, port=0) as site:
            job = example.poller(site.url, 0.01, "127.0.0.1", 0, lambda each: listening.set_result(each[0]))
            running = job.start()
            host, port, *_ = await listening
            url = f"ws://{host}:{port}"
            async with dial(url) as early:
                first = json.loads(await early.recv())
                failing = 4
                prices.append(2)
                second = json.loads(await early.recv())
                async with dial(url) as late:
                    third = json.loads(await late.recv())
                await running.stop()
                await early.wait_closed()
                assert early.close_code == 1001
        return [each["data"] for each in (first, second, third)]

    assert asyncio.run(main()) == [[1], [1, 2], [1, 2]]
    assert "is left out: Expecting value" in capsys.readouterr().err


def test_it_says_when_requests_fail_again_and_again(
    example: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    example.warn(ConnectionRefusedError("nobody is there"), 5)
    assert capsys.readouterr().err == (
        "5 requests in a row have failed, the last with nobody is there; going on\n"
    )
    with pytest.raises(SystemExit):
        example.main(["--every", "x", "http://127.0.0.1/"])
