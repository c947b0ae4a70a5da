"""Runs the tests of a graph on virtual time, and writes what came into its file.

A test of an hour takes no time, and gives the same each time.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from math import isfinite
from typing import Any, Final

from streamkit import ops
from streamkit._core.markers import ABSENT
from streamkit._core.show import shown, told
from streamkit._core.value import Record
from streamkit._engine.face.job import Job
from streamkit._engine.face.stream import Pipe, Stream
from streamkit.graph.build import Assembly
from streamkit.graph.cases import Case, Moment
from streamkit.graph.mistakes import Path
from streamkit.graph.parts import Part
from streamkit.graph.text import Text
from streamkit.graph.vocabulary import Role
from streamkit.graph.whole import Graph
from streamkit.testing import run

__all__ = ["Outcome", "fixed", "run_tests"]

_CLOSE: Final = 6
"""Digits of a second that count."""
_WIDE: Final = 100
_SPECIAL: Final = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Letters that may not stand in a text of YAML or TOML by themselves, or end a line there."""


class Outcome(Record):
    """What came of one test."""

    name: str
    path: Path
    actual: Mapping[str, list[Any]]
    """By the names of nodes, what came, in the form in which it was expected."""
    expected: Mapping[str, list[Any]]
    error: str = ""
    """What the graph failed with."""
    expected_error: str = ""

    @property
    def ok(self) -> bool:
        """Whether all came as it was expected."""
        return self.actual == self.expected and self.error == self.expected_error

    def __str__(self) -> str:
        lines = [f"{self.name}: {'ok' if self.ok else 'failed'}"]
        for name, items in self.actual.items():
            if items != self.expected[name]:
                lines.append(f"  {name} expected {shown(self.expected[name], 400)}")
                lines.append(f"  {name} got      {shown(items, 400)}")
        if self.error != self.expected_error:
            lines.append(f"  it should have {_ending(self.expected_error)}, and has {_ending(self.error)}")
        return "\n".join(lines)


def _ending(error: str) -> str:
    return f"failed with {error}" if error else "ended"


def run_tests(graph: Graph) -> tuple[Outcome, ...]:
    """Run the tests that stand in a graph, each by itself, on virtual time.

    Raises:
        GraphError: the graph has mistakes, or its tests have.
    """
    return tuple([_run(graph, case) for case in graph.cases])


class _Notes:
    """Notes what leaves nodes, and when."""

    def __init__(self) -> None:
        self.began = 0.0
        self.came: dict[str, list[Moment]] = {}

    def note(self, name: str, item: Any) -> None:
        at = round(asyncio.get_running_loop().time() - self.began, _CLOSE)
        self.came[name].append(Moment(item=_plain(item), at=at))


def _run(graph: Graph, case: Case) -> Outcome:
    notes, parts = _Notes(), dict(graph.parts(ABSENT if case.context is None else case.context))
    for name, part in parts.items():
        parts[name] = _changed(name, part, graph, case, notes)
    notes.came.update({name: [] for name in case.expect})
    job = Assembly(graph.wiring, parts).job()
    error = run(partial(_ended, job, case, notes))
    timed = any(each.at is not None for items in case.sources.values() for each in items)
    actual, expected = dict[str, list[Any]](), dict[str, list[Any]]()
    for name, items in case.expect.items():
        at = any(each.at is not None for each in items) or (timed and not items)
        actual[name] = [_said(each, at) for each in notes.came[name]]
        expected[name] = [_said(each, each.at is not None) for each in items]
    return Outcome(
        name=case.name,
        path=case.path,
        actual=actual,
        expected=expected,
        error=error,
        expected_error=case.error,
    )


async def _ended(job: Job[Any], case: Case, notes: _Notes) -> str:
    """Run to the end, or until the test stops it; return the error in words."""
    notes.began = asyncio.get_running_loop().time()
    handle = job.start()
    waits = asyncio.ensure_future(_awaited(handle))
    done, _ = await asyncio.wait([waits], timeout=case.seconds)
    if not done:
        await handle.stop()
        waits.cancel()
        await asyncio.wait([waits])
        return ""
    failed = waits.exception()
    return "" if failed is None else told(failed)


async def _awaited(handle: Any) -> Any:
    return await handle


def _changed(name: str, part: Part, graph: Graph, case: Case, notes: _Notes) -> Part:
    """`part`, with what a test has in the place of a source or sink, and with notes of what leaves it."""
    note: Pipe = ops.tap(partial(notes.note, name))
    watched = name in case.expect
    if graph.nodes[name].kind.role is Role.SINK:
        drain: Any = ops.drain()
        return part.but(pipe=note | drain if watched else drain, places=(), named={})
    if name in case.sources:
        part = part.but(source=_given(case.sources[name]))
    if not watched:
        return part
    if part.source is not None:
        return part.but(source=part.source | note)
    return part.but(after=note)


def _given(items: Sequence[Moment]) -> Stream[Any]:
    """The source that a test says."""
    if all(each.at is None for each in items):
        return Stream([each.item for each in items])

    async def given() -> AsyncIterator[Any]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for each in items:
            if each.at is not None:
                await asyncio.sleep(max(0.0, began + each.at - loop.time()))
            if each.error:
                raise RuntimeError(each.error)
            yield each.item

    return Stream(given)


def _plain(item: Any) -> Any:
    """An item as data; what is none, by how it is shown."""
    if item is None or isinstance(item, (bool, int, float, str)):
        return item
    if isinstance(item, (list, tuple)):
        return [_plain(each) for each in _each(item)]
    if isinstance(item, dict):
        return {str(key): _plain(each) for key, each in _items(item)}
    return shown(item, 200)


def _each(value: Any) -> list[Any]:
    return [*value]


def _items(value: Any) -> list[tuple[Any, Any]]:
    return [*value.items()]


def _said(moment: Moment, timed: bool) -> Any:
    item = _plain(moment.item)
    return {"at": round(moment.at or 0.0, _CLOSE), "item": item} if timed else item


# what came, written into the file ------------------------------------------------------------


def fixed(graph: Graph, outcomes: Sequence[Outcome]) -> str:
    """The text of the file, with what came in the place of what was expected.

    Raises:
        ValueError: the graph did not come from a text, or what came cannot be written in its format.
    """
    text = graph.text
    if text is None:
        raise ValueError("graph must come from a file, or a text, not from a dict")
    changes: list[tuple[int, int, str]] = []
    for outcome in outcomes:
        for name, items in outcome.actual.items():
            if items != outcome.expected[name]:
                begin, end = text.span((*outcome.path, "expect", name))
                words = _written(items, text)
                head = text.text[:begin].rstrip()
                if text.kind == "yaml" and head.endswith(":"):  # a list may stand below its key
                    begin, words = len(head), f" {words}"
                changes.append((begin, end, words))
    return text.replaced(changes)


def _written(items: list[Any], text: Text) -> str:
    write: Callable[[Any], str] = partial(_data, kind=text.kind)
    parts = [write(each) for each in items]
    short = f"[{', '.join(parts)}]"
    if len(short) <= _WIDE or text.kind == "yaml":  # whose lines say by their indents what belongs to what
        return short
    return "[\n" + "".join(f"  {part},\n" for part in parts[:-1]) + f"  {parts[-1]}\n]"


def _data(value: Any, kind: str) -> str:
    """`value`, which is plain, in the words of a format."""
    if value is None and kind == "toml":
        raise ValueError("items must be writable in TOML, which has no null: keep this graph in JSON or YAML")
    if isinstance(value, float) and not isfinite(value):
        if kind == "json":
            raise ValueError(f"items must be writable in JSON, which has no {value}: keep this graph in TOML")
        return str(value) if kind == "toml" else str(value).replace("inf", ".inf").replace("nan", ".nan")
    if isinstance(value, str):
        return _SPECIAL.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(value, ensure_ascii=False))
    if isinstance(value, list):
        return f"[{', '.join([_data(each, kind) for each in _each(value)])}]"
    if not isinstance(value, dict):
        return json.dumps(value)
    pairs = [(_data(key, kind), _data(each, kind)) for key, each in _items(value)]
    if kind != "toml":
        return f"{{{', '.join([f'{key}: {each}' for key, each in pairs])}}}"
    return f"{{ {', '.join([f'{_bare(key)} = {each}' for key, each in pairs])} }}"


def _bare(key: str) -> str:
    """A key of TOML, without quotes where it can be."""
    word = key[1:-1]
    return word if word.isascii() and word.replace("_", "a").replace("-", "a").isalnum() else key
