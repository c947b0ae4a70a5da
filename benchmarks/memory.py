"""Run so many items through a buffer with a slow consumer, and print the most MiB that this process held."""

import asyncio
import resource
import sys
from pathlib import Path
from typing import Any

import streamkit
from streamkit import Stream, ops


async def main(strategy: Any, count: int) -> None:
    turn = 0
    taken = 0

    def late(items: Any) -> Any:
        """Every so often, the consumer lets the producer run far ahead."""
        nonlocal turn, taken
        turn += 1
        taken += len(items) if isinstance(items, list) else 1
        return asyncio.sleep(0) if turn % 64 == 0 else None

    async def consume(items: Any) -> None:
        waits = late(items)
        if waits is not None:
            await waits

    await (Stream(range(count)) | ops.buffer(strategy) | ops.for_each(consume))
    assert taken == count


def peak() -> float:
    """MiB; on Linux from what the kernel counts since the program began, not since its parent's fork."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    asyncio.run(main(eval(sys.argv[1], vars(streamkit)), int(sys.argv[2])))
    print(peak())
