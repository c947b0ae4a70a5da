"""A program whose Ray is killed while it works: `python -m tests.engines.away raylet`, or `gcs_server`."""

import asyncio
import os
import signal
import subprocess
import sys

from streamkit import Stream, ops
from streamkit.executors import Ray
from tests.engines.work import naps


def of_this_program(name: str) -> int:
    """The process of Ray's with that name, which this program has started."""
    found = subprocess.run(["ps", "-eo", "pid,ppid,comm"], capture_output=True, text=True, check=True).stdout
    for line in found.splitlines()[1:]:
        pid, parent, command = line.split(None, 2)
        if int(parent) == os.getpid() and command.strip() == name:
            return int(pid)
    raise LookupError(name)


async def main() -> None:
    async with Ray(2) as pool:
        working = asyncio.ensure_future(Stream(range(1_000_000)) | ops.for_each(naps, on=pool))
        await asyncio.sleep(0.5)
        os.kill(of_this_program(sys.argv[1]), signal.SIGKILL)
        print("killed", flush=True)
        await working


if __name__ == "__main__":
    asyncio.run(main())
