"""Programs for processes that are killed: a reader that notes each item which it has worked on.

python -m tests.durable.readers FILE NOTES BATCH [LEASE]
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

from streamkit import ops
from streamkit.durable import SQLite

ROOT = Path(__file__).resolve().parents[2]


async def read(path: str, notes: str, batch: int, lease: float) -> None:
    """Write each item to `notes` in a call of its own: what was worked on is there when it is killed."""
    file = os.open(notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(body: bytes) -> None:
        os.write(file, body + b"\n")
        time.sleep(0.0002)  # as if it was some work, so that there is a time to be killed in

    reader = SQLite(path, "q").reader(group="g", batch=batch, lease=lease)
    await (reader | ops.for_each(note))


def started(path: Path, notes: Path, batch: int, lease: float = 1.0) -> subprocess.Popen[bytes]:
    """A process that reads until it is killed."""
    command = [sys.executable, "-m", "tests.durable.readers", str(path), str(notes), str(batch), str(lease)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment)


if __name__ == "__main__":
    asyncio.run(read(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
