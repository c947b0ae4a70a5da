"""A graph from a file of TOML: what its names stand for, and three lines that run it.

python examples/words.py                 runs words.toml
python examples/words.py --draw          prints its diagram, for Mermaid
python examples/words.py --test          runs the tests that stand in it; an hour there takes no time
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

from streamkit.graph import Graph, Registry, run_tests

FILE = Path(__file__).resolve().with_suffix(".toml")
registry = Registry()


@registry.add("read")
def read(text: str) -> Iterator[str]:
    yield from text.split()


@registry.add("S.reverse")
async def reverse(word: str) -> str:
    await asyncio.sleep(1.0)  # as a service would take its time
    return word[::-1]


@registry.add("S.upper")
def upper(word: str) -> str:
    return word.upper()


@registry.add("print pair")
def show(pair: tuple[str, str]) -> None:
    print(*pair)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Words, each backwards beside itself: a graph from a file.")
    parser.add_argument("file", nargs="?", default=FILE, type=Path, help="the graph (words.toml)")
    parser.add_argument("--draw", action="store_true", help="print the diagram")
    parser.add_argument("--test", action="store_true", help="run the tests in the file")
    given = parser.parse_args(arguments)
    graph = Graph.load(given.file, registry=registry)
    if mistakes := graph.check():
        print(*mistakes, sep="\n")
        return 1
    if given.draw:
        print(graph.diagram())
    elif given.test:
        outcomes = run_tests(graph)
        print(*outcomes, sep="\n")
        return 0 if all(each.ok for each in outcomes) else 1
    else:
        results = graph.job().run()
        print(f"{len(results['seen'])} words seen, at most {graph.explain().bound} items inside at once")
    return 0


if __name__ == "__main__":
    sys.exit(main())
