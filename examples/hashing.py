"""Files of a directory that are the same, byte by byte: each is hashed, here or by workers.

    python examples/hashing.py DIRECTORY --on threads --workers 8

Where the files are hashed is one argument of one operator. Threads are as good as processes here, because
``hashlib`` lets other threads run while it computes. A file that cannot be read is told, and left out.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from streamkit import Resume, Stream, ops
from streamkit.executors import Processes, Threads

Workers = Threads | Processes
PLACES: dict[str, Callable[[int], Workers | None]] = {
    "here": lambda _: None,
    "threads": Threads,
    "processes": Processes,
}
BLOCK = 1 << 20  # bytes


class Hashed(NamedTuple):
    path: Path
    size: int
    digest: str


def files(directory: Path) -> Iterator[Path]:
    """The files in `directory` and below, in the order of their names."""
    for place, below, names in os.walk(directory):
        below.sort()
        for name in sorted(names):
            path = Path(place, name)
            if path.is_file() and not path.is_symlink():
                yield path


def hashed(path: Path) -> Hashed:
    """The hash of one file, which a worker computes."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    return Hashed(path, size, digest.hexdigest())


def same_files(directory: Path, workers: Workers | None) -> dict[str, list[Hashed]]:
    """Files by their hash, of those hashes that several have."""

    def unread(path: Path, error: Exception) -> None:
        print(f"{path}: {error}", file=sys.stderr)

    found: dict[str, list[Hashed]] = {}
    for each in Stream(files(directory)) | ops.map(
        hashed, on=workers, on_error=Resume(unread, errors=OSError)
    ):
        found.setdefault(each.digest, []).append(each)
    return {digest: alike for digest, alike in found.items() if len(alike) > 1}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Find files that are the same.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--on", choices=PLACES, default="threads", help="where they are hashed")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="how many threads or processes"
    )
    given = parser.parse_args(arguments)
    if not given.directory.is_dir():
        parser.error(f"{given.directory} is no directory")
    for digest, alike in same_files(given.directory, PLACES[given.on](given.workers)).items():
        print(f"{digest[:16]}  {alike[0].size:,} bytes")
        for each in alike:
            print(f"    {each.path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
