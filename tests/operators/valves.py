"""How a valve is aborted, and with which error."""

import asyncio
from collections.abc import Callable
from typing import Any

from streamkit import Valve

STOP = ValueError("aborted")


def aborting(valve: Valve) -> Callable[[], None]:
    return lambda: valve.abort(STOP)


async def later(item: Any) -> Any:
    await asyncio.sleep(0)
    return item
