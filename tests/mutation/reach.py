"""Which tests reach which lines of the core and the engine, and how long they take.

To find out takes as long as the tests do, and longer than some hundred mutants. So it is kept in a file: of a
test module that has not changed, nor anything that it may import, it is known already.
"""

import os
import pickle
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from _pytest.warnings import catch_warnings_for_item
from coverage import Coverage

from tests.mutation.change import ROOT, Change
from tests.mutation.kept import forget

__all__ = ["Reach", "reach", "reported"]

KEPT = ROOT / "mutants" / "reach"
MEASURED = [f"{ROOT}/streamkit/_core/*", f"{ROOT}/streamkit/_engine/*"]


@dataclass
class Reach:
    """What tests do where nothing is changed."""

    seconds: dict[str, float] = field(default_factory=dict)
    """Of a test that passes."""
    failed: list[str] = field(default_factory=list)
    lines: dict[str, dict[str, frozenset[int]]] = field(default_factory=dict)
    """Those that a test runs, by file."""

    def of(self, change: Change) -> list[str]:
        """The tests that may note a change."""
        found = [*self._through(change.file, change.lines)]
        if not found and change.arguments is not None:  # a default, which stands in no line that runs
            found = [*self._through(change.file, change.function[1:])]
        return found

    def _through(self, file: str, lines: range) -> Iterator[str]:
        for test, reached in self.lines.items():
            if not reached.get(file, frozenset()).isdisjoint(lines):
                yield test

    def add(self, other: "Reach") -> None:
        self.seconds |= other.seconds
        self.failed += other.failed
        self.lines |= other.lines


def reported(item: pytest.Item) -> list[pytest.TestReport]:
    """Run a test as in a program that has just begun, with what its marks say of warnings."""
    forget()
    with catch_warnings_for_item(item.config, item.ihook, when="runtest", item=item):
        return runtestprotocol(item, log=False, nextitem=None)


def reach(items: Iterable[pytest.Item]) -> Reach:
    """What these tests reach: run now, unless that is known.

    Those of a module run in a process of its own, so that this one stays as it is, and so that tests that
    collect garbage do not go through all that is known.
    """
    found, common = Reach(), _digest(_imported())
    modules: dict[Path, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.path, []).append(item)
    for path, tests in modules.items():
        names = ",".join(test.nodeid for test in tests)
        kept = KEPT / sha256(f"{common} {_digest([path])} {names}".encode()).hexdigest()
        if not kept.exists():
            KEPT.mkdir(parents=True, exist_ok=True)
            _apart(partial(_learn, tests, kept))
        known: Any = pickle.loads(kept.read_bytes())
        found.add(known)
    return found


def _learn(tests: Iterable[pytest.Item], kept: Path) -> None:
    found = pickle.dumps(_watched(tests))
    begun = kept.with_suffix(".begun")  # a file of the name is whole
    begun.write_bytes(found)
    begun.rename(kept)


def _watched(items: Iterable[pytest.Item]) -> Reach:
    found = Reach()
    watch = Coverage(data_file=None, include=MEASURED, config_file=False, messages=False)
    watch.set_option("run:disable_warnings", ["no-data-collected"])  # as where they start an interpreter
    watch.start()
    for item in items:
        watch.switch_context(item.nodeid)
        start = time.process_time()
        reports = reported(item)
        if any(report.failed for report in reports):
            found.failed.append(item.nodeid)
        elif all(report.passed for report in reports):
            found.seconds[item.nodeid] = time.process_time() - start
    watch.stop()
    data = watch.get_data()
    lines: dict[str, dict[str, set[int]]] = {test: {} for test in found.seconds}
    for file in data.measured_files():
        for line, tests in data.contexts_by_lineno(file).items():
            for test in lines.keys() & tests:
                lines[test].setdefault(file, set()).add(line)
    found.lines = {
        test: {file: frozenset(which) for file, which in files.items()} for test, files in lines.items()
    }
    return found


def _imported() -> list[Path]:
    """All that tests may import; not what mutates."""
    tests = (
        path for path in (ROOT / "tests").rglob("*.py") if not path.name.startswith(("test_", "mutants"))
    )
    return [*(ROOT / "streamkit").rglob("*.py"), *(path for path in tests if "mutation" not in path.parts)]


def _digest(paths: Iterable[Path]) -> str:
    found = sha256()
    for path in sorted(paths):
        found.update(f"{path.relative_to(ROOT)} {path.stat().st_size}".encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def _apart(work: Callable[[], object]) -> None:
    """Call something in a process of its own."""
    process = os.fork()
    if not process:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.__stderr__)
        finally:
            os._exit(code)
    if os.waitpid(process, 0)[1]:
        raise RuntimeError("the tests could not be run as they are")
