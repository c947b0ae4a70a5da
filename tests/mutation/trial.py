"""The tests on the mutants: a pytest plugin that runs them once as they are, and then on each mutant.

The first run is watched: it says which tests reach which lines, and how long they take. Then a process is
forked for each mutant, which has all imported and collected, and runs the tests that reach the changed
statement, until one fails: first those that killed another mutant of the function; then the fast ones. A test
counts as slower for each case of its function that comes before, and for how far it is from the module: in
the file of the same name, in the folder that mirrors the module's, or elsewhere. What no test fails for
within `PATIENCE` seconds has survived.
"""

import gc
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from tempfile import TemporaryFile
from typing import IO

import pytest

from tests.mutation.change import Change
from tests.mutation.reach import Reach, reach, reported

__all__ = ["ALIVE", "KILLED", "LATE", "PATIENCE", "UNREACHED", "Trial"]

KILLED, ALIVE, UNREACHED, LATE = "killed", "survived", "no tests", "timeout"
PATIENCE = 3.0
"""Seconds of tests after which a mutant has survived, where nothing else is said."""
LEAST = 0.01
"""Seconds that a test takes at least, where they are put in order."""
SLOWER = 5
"""How many times slower than the original a mutant may be..."""
LONGER = 0.5
"""... and how many seconds more."""
BLOCKED = 40
"""Seconds on the wall after which a test waits for ever, also on a busy machine."""
MISPLACED = 3
"""The exit code where a function could not be changed."""


@dataclass
class Trial:
    """The plugin: tries all changes, and keeps how each ended."""

    changes: Sequence[Change]
    far: Callable[[Change, str], int]
    """How far a test stands from a change: 0, where it is all about that."""
    patience: float = PATIENCE
    jobs: int = 2
    ends: dict[Change, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    """Tests that fail where nothing was changed; none of them is asked."""
    seconds: float = 0.0
    """How long the mutants took, on the wall."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("errors during collection")
        items = {item.nodeid: item for item in session.items}
        gc.collect()
        gc.freeze()
        known = reach(session.items)
        self.failed = known.failed
        gc.collect()
        gc.freeze()  # what is known is much: a test that collects garbage would seem to take for ever
        start = time.monotonic()
        self._all(items, known)
        self.seconds = time.monotonic() - start
        return True

    def _all(self, items: dict[str, pytest.Item], known: Reach) -> None:
        running: dict[int, tuple[Change, IO[bytes]]] = {}
        kills: defaultdict[str, Counter[str]] = defaultdict(Counter)  # by function
        waiting = [*reversed(self.changes)]
        while waiting or running:
            while waiting and len(running) < self.jobs:
                change = waiting.pop()
                tests = self._in_order(change, known, kills[change.mutant.function])
                if not tests:
                    self.ends[change] = UNREACHED
                    self._tell(change)
                    continue
                said = TemporaryFile()  # noqa: SIM115 - closed when the process has ended
                process = os.fork()
                if not process:
                    _try(change, [(items[test], known.seconds[test]) for test in tests], said.fileno())
                running[process] = change, said
            if running:
                process, status = os.wait()
                change, said = running.pop(process)
                last = os.pread(said.fileno(), 10_000, 0).decode()
                said.close()
                code = os.waitstatus_to_exitcode(status)
                if code == MISPLACED:
                    for _, other in running.values():
                        other.close()  # a warning of it would hide the error
                    raise RuntimeError(f"{change.mutant.function} cannot be put into place")
                self.ends[change] = {0: ALIVE, 1: KILLED}.get(code, LATE)
                if code and last:
                    kills[change.mutant.function][last] += 1
                self._tell(change)

    def _in_order(self, change: Change, known: Reach, kills: Counter[str]) -> list[str]:
        case: Counter[str] = Counter()  # how many of a test function came before
        ranks = dict[str, tuple[object, ...]]()
        for test in sorted(known.of(change), key=lambda test: (known.seconds[test], test)):
            name = test.partition("[")[0]
            case[name] += 1
            dear = case[name] + 2 * self.far(change, test)
            ranks[test] = -kills[test], dear * (known.seconds[test] + LEAST), test
        found = sorted(ranks, key=ranks.__getitem__)
        chosen, total = list[str](), 0.0
        for test in found:
            total += known.seconds[test]
            if chosen and total > self.patience:
                break
            chosen.append(test)
        return chosen

    def _tell(self, change: Change) -> None:
        """What survived at once, and now and then how far it is: a run takes long."""
        done = f"  {len(self.ends)} of {len(self.changes)}"
        if self.ends[change] in (ALIVE, UNREACHED):
            print(f"{done}: {self.ends[change]} {change.mutant}", file=sys.__stderr__, flush=True)
        elif len(self.ends) % 50 == 0:
            print(done, file=sys.__stderr__, flush=True)


def _try(change: Change, tests: list[tuple[pytest.Item, float]], said: int) -> None:
    """In a process of its own: ends it with 0 if no test fails; the file `said` has the last one that ran."""
    code = MISPLACED
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        change.apply()
        code = 1
        for item, seconds in tests:
            os.ftruncate(said, 0)
            os.pwrite(said, item.nodeid.encode(), 0)
            signal.setitimer(signal.ITIMER_PROF, SLOWER * seconds + LONGER)
            signal.alarm(int(BLOCKED * (1 + seconds)))
            if any(report.failed for report in reported(item)):
                break
        else:
            code = 0
    finally:  # whatever a changed program lets through: SystemExit, KeyboardInterrupt
        os._exit(code)
