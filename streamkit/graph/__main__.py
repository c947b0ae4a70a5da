"""Graphs from the command line: ``python -m streamkit.graph check graph.toml --registry work:registry``.

check   prints every mistake, with its line; or what the graph holds at most
test    runs the tests in the file on virtual time; with ``--fix``, writes what came into it
draw    prints the diagram: ``--form mermaid``, ``dot`` or ``svg``
schema  prints the JSON Schema of the format, for editors; with the names of a registry, if it is given

The registry is an object of a module, which whoever runs this command has named. No graph can name it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module

from streamkit._core.errors import GraphError
from streamkit._core.show import told
from streamkit.graph.registry import Registry
from streamkit.graph.schema import json_schema
from streamkit.graph.trial import fixed, run_tests
from streamkit.graph.whole import Graph

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code: 1 if there are mistakes, or a test has failed."""
    parser = argparse.ArgumentParser(
        prog="python -m streamkit.graph", description="Check, test and draw graphs."
    )
    parser.add_argument("command", choices=["check", "test", "draw", "schema"])
    parser.add_argument("file", nargs="?", help="a graph in TOML, JSON or YAML")
    parser.add_argument("--registry", help="module:name of the registry, as in work.names:registry")
    parser.add_argument("--fix", action="store_true", help="of test: write what came into the file")
    parser.add_argument("--form", default="mermaid", choices=["mermaid", "dot", "svg"], help="of draw")
    given = parser.parse_args(arguments)
    registry = None if given.registry is None else _registry(given.registry)
    if given.command == "schema":
        print(json.dumps(json_schema(registry), indent=1))
        return 0
    if given.file is None or registry is None:
        parser.error(f"{given.command} needs a file, and --registry module:name")
    try:
        return _run(given, registry)
    except (OSError, ValueError, GraphError, ImportError) as error:  # YAML needs an extra
        print(f"{given.file}: {told(error)}", file=sys.stderr)
        return 1


def _run(given: argparse.Namespace, registry: Registry) -> int:
    graph = Graph.load(given.file, registry=registry)
    if mistakes := graph.check():
        print(*mistakes, sep="\n")
        return 1
    if given.command == "draw":
        print(graph.diagram(given.form), end="")
    elif given.command == "check":
        print(graph.explain())
    else:
        return _test(graph, given.file, fix=given.fix)
    return 0


def _test(graph: Graph, file: str, *, fix: bool) -> int:
    outcomes = run_tests(graph)
    well = all(each.ok for each in outcomes)
    print(*outcomes, sep="\n")
    if fix:
        words = fixed(graph, outcomes).encode()  # before the file is opened, which empties it
        with open(file, "wb") as written:
            written.write(words)
        if not well:
            print(f"{file}: what came is in it now")
    return 0 if well else 1


def _registry(name: str) -> Registry:
    module, _, attribute = name.partition(":")
    try:
        found: object = vars(import_module(module)).get(attribute or "registry")
    except (ModuleNotFoundError, ValueError) as error:
        raise SystemExit(f"{name}: {error}") from None
    if not isinstance(found, Registry):
        raise SystemExit(f"{name} is no registry: write module:name of a streamkit.graph.Registry")
    return found


if __name__ == "__main__":
    sys.exit(main())
