"""Writes docs/api.md: streams, jobs, push sources, strategies, errors and `testing`, from their docstrings.

python -m pages.classes [file]
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

import streamkit
from pages.tables import called
from streamkit import Strategy, testing
from streamkit._core.lazy import listed
from streamkit._core.value import Record
from streamkit._engine.face.methods import Methods

PAGE = Path(__file__).parent.parent / "docs" / "api.md"

INTRODUCTION = """\
# Streams, jobs and sources

Written by `python -m pages.classes` from the docstrings: change those, and run it again. Operators and sinks
stand in [reference.md](reference.md); what an author of operators uses in [operators.md](operators.md).
Arguments after `*` are given by name.
"""

SECTIONS: dict[str, tuple[str, ...]] = {
    "Streams": ("Stream", "Operator", "Sink", "Explanation", "Gap"),
    "Jobs": ("Job", "Handle", "Running", "BufferStats"),
    "Sources": ("push", "Emitter", "Offered", "inbox", "Hub"),
    "Sources that combine others": (
        "merge",
        "concat",
        "zip",
        "merge_sorted",
        "merge_prioritized",
        "interleave",
        "combine_latest",
        "zip_latest",
        "fork_join",
        "race",
    ),
    "Sources of values": ("of", "empty", "fail", "range", "count", "repeat", "iterate"),
    "Sources that are made when they are read": ("defer", "using"),
    "Sources of time": ("interval", "ticks", "cron", "Missed", "timer", "never"),
    "Sources that wait": ("from_awaitable", "from_queue", "from_blocking"),
    "Named outputs": ("Output", "Tagged"),
    "Steering": ("Valve", "OnFull", "RateLimit", "Limit", "Adaptive", "Lasting"),
    "What fails": ("Resume", "Replace", "Return", "Failure", "Retry", "Backoff"),
    "Windows": ("Window", "Tumbling", "Hopping", "Sliding", "Session", "Until"),
    "Strategies": (
        "Suspend",
        "Fail",
        "DropIncoming",
        "DropOldest",
        "DropYoungest",
        "DropAll",
        "KeepLatest",
        "Conflate",
        "Collect",
        "Spill",
        "Unbounded",
    ),
    "For authors of operators": (
        "step",
        "stage",
        "Contract",
        "Behaviour",
        "Keep",
        "Shape",
        "Run",
        "Channel",
        "Lane",
        "Inlet",
        "guarded",
        "OnError",
        "Timer",
    ),
}
"""What of the front door is in the page, in order; errors and `streamkit.testing` follow by themselves."""

MADE_BY_OTHERS = (
    *("Operator", "Sink", "Explanation", "Job", "Handle", "Running", "BufferStats", "Emitter"),
    *("Drawn", "Expectation", "Step"),
)
"""What users get from a call, and do not make."""

HIDDEN = (
    "but",
    "links",
    "native",
    "source",
    "work",
    "Job.send",
    "Job.throw",
    "Job.close",
    "BufferStats.settled",
    "Adaptive.note",
    *(f"Visit.{name}" for name in ("begin", "step", "thrown", "faults")),
    "Drawn.line",
    *(
        f"{kind}.{name}"
        for kind in ("Resume", "Replace", "Return", "Retry")
        for name in ("drops", "instead", "again", "last")
    ),
    *(
        f"{kind}.{name}"
        for kind in ("Tumbling", "Hopping", "Sliding", "Session", "Until")
        for name in ("most", "timed", "in_order")
    ),
)
"""Members that are not for users, of any class or of one."""

GUIDE = PAGE.parent / "operators.md"
OF_ENGINE = ("Run", "Channel", "Lane")
"""Classes of the engine: of their members, authors need those that the guide speaks of."""


def prose(thing: Any) -> Iterator[str]:
    """The docstring of `thing` as Markdown: examples and marbles as code, sections in bold."""
    text = (inspect.getdoc(thing) or "").replace("``", "`")
    for block in text.split("\n\n"):
        lines = block.splitlines()
        if lines and all(line.startswith("    ") or not line for line in lines):
            yield "```text\n" + inspect.cleandoc(block) + "\n```"
        elif lines and lines[0].startswith(">>>"):
            yield "```python\n" + block + "\n\n```"
        elif found := re.match(r"(Args|Raises|Returns):\n", block):
            yield f"**{found[1]}**\n\n" + "\n".join(_entries(lines[1:]))
        else:
            yield block
        yield ""


def _entries(lines: list[str]) -> Iterator[str]:
    """The entries of ``Args:`` or ``Raises:`` as a list."""
    entry = ""
    for line in lines:
        if line.startswith("    ") and not line.startswith("     "):
            if entry:
                yield entry
            name, _, rest = line.strip().partition(": ")
            entry = f"- `{name}`: {rest}"
        else:
            entry += " " + line.strip()
    yield entry


def members(kind: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties of a class, in the order in which they are written."""
    said = re.findall(rf"\b{kind.__name__.lower()}\.(\w+)", GUIDE.read_text())
    owners = [
        each for each in kind.__mro__ if each.__module__.startswith("streamkit") and each is not Methods
    ]
    for owner in owners:
        for name, value in vars(owner).items():
            plain = inspect.isfunction(value) or isinstance(value, property)
            told = inspect.getdoc(value) and (owner is kind or name not in vars(kind))
            if any(
                name in vars(each) for each in kind.__mro__ if not each.__module__.startswith("streamkit")
            ):
                continue  # its base, a class of asyncio, says what it does
            if name.startswith("_") or name in HIDDEN or f"{kind.__name__}.{name}" in HIDDEN:
                continue
            if plain and told and (name in said or kind.__name__ not in OF_ENGINE):
                yield name, value


def fields(kind: type) -> Iterator[str]:
    """The parts of a record or the members of an enum, with what their source says of them."""
    (body,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(body, ast.ClassDef)
    for one, after in pairwise([*body.body, ast.Pass()]):
        match one:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                if not name.startswith("_"):
                    said = _said(after)
                    yield f"- `{name}`" + (f": {said}" if said else "")
            case _:
                pass


def _said(statement: ast.stmt) -> str:
    match statement:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return " ".join(text.split()).replace("``", "`")
        case _:
            return ""


def entry(name: str, thing: Any) -> Iterator[str]:
    """A class with its members, or a function."""
    yield f"### {name}"
    yield ""
    kind: type = thing if isinstance(thing, type) else object
    listed = issubclass(kind, (Record, Enum))
    if not (name in MADE_BY_OTHERS or listed or issubclass(kind, Exception)):
        yield called(name, thing)
        yield ""
    yield from prose(thing)
    if listed:
        yield from fields(kind)
        yield ""
    if kind is not object and not issubclass(kind, (Exception, Strategy)):
        for member, value in members(kind):  # pyright: ignore[reportUnknownArgumentType] - a class of any kind
            shown = f"`{name}.{member}`" if isinstance(value, property) else called(f"{name}.{member}", value)
            yield f"#### {shown}"
            yield ""
            yield from prose(value)


def page() -> str:
    """The whole page."""
    lines = [INTRODUCTION]
    for title, names in SECTIONS.items():
        lines += [f"## {title}", ""]
        for name in names:
            lines += entry(name, getattr(streamkit, name))
    lines += ["## Errors", "", "```text", *_tree(), "```", ""]
    lines += ["## streamkit.testing", ""]
    for name in listed("streamkit.testing"):
        thing = getattr(testing, name)
        if not inspect.ismodule(thing):
            lines += entry(name, thing)
    return "\n".join(lines).rstrip() + "\n"


def _tree() -> list[str]:
    """The tree of errors, out of the docstring of the module that has them."""
    text = inspect.getdoc(sys.modules[streamkit.StreamkitError.__module__]) or ""
    block = next(block for block in text.split("\n\n") if block.lstrip().startswith("StreamkitError"))
    return inspect.cleandoc(block).splitlines()


if __name__ == "__main__":
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    file.write_text(page(), encoding="utf-8", newline="\n")
