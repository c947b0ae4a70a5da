"""Mutation testing: `make mutants`, with `CHANGED=1`, `ONLY='limit buffer/lane'`, or `SAMPLE=20`.

In each module of `streamkit/_core` and `streamkit/_engine`, one expression or statement at a time is changed,
as mutmut does it, and those tests run that reach it and belong to the folder. A mutant that no test fails for
is shown, unless `tests/mutants.toml` says why it does the same as the original. mutmut leaves out what stands
outside functions, and functions with decorators; we, those that coverage is told never run. Generated loops
have tests of their own.

A whole run takes hours. `SAMPLE=20` draws twenty mutants of each module, others for each `SEED`. `AGAIN=1`
tries only those that survived the last run; with `PATIENCE=30`, for that many seconds each, where many tests
reach a line.
"""

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple
from io import StringIO
from pathlib import Path

import pytest

from tests.mutation.change import ROOT, Change, Mutant, changes
from tests.mutation.known import Known
from tests.mutation.trial import ALIVE, KILLED, LATE, PATIENCE, UNREACHED, Trial

LAST = ROOT / "mutants" / "alive.json"
"""Those that survived the last run."""
LEAST = 0.95
"""How many of the mutants must be killed, of those that are not equivalent."""
FOLDERS = {
    "streamkit/_core": "tests/core",
    "streamkit/_engine/buffer": "tests/buffer",
    "streamkit/_engine/compile": "tests/compile",
    "streamkit/_engine/plan": "tests/plan",
    "streamkit/_engine/run": "tests/run",
    "streamkit/_engine/face": "tests/face",
}
"""What is mutated, and where its tests are."""
MORE = {
    "streamkit/_core/limit.py": [
        "tests/operators/test_transform_limit.py",
        "tests/operators/test_nest_limit.py",
    ],
    "streamkit/_core/guarded.py": ["tests/core/test_on_error.py"],
    "streamkit/_core/attempts.py": [
        "tests/operators/test_restart_retry.py",
        "tests/operators/test_transform_on_error.py",
    ],
    "streamkit/_core/value.py": ["tests/core/test_catalogue_copies.py", "tests/core/test_strategy.py"],
    "streamkit/_engine/buffer": ["tests/run", "tests/stages", "tests/operators/test_rate_buffer.py"],
    "streamkit/_engine/buffer/book.py": [
        "tests/flow/test_handle_drain.py::test_the_report_counts_calls_and_what_steps_keep"
    ],
    "streamkit/_engine/buffer/channel.py": ["tests/operators/test_batch_within.py"],
    "streamkit/_engine/buffer/rota.py": ["tests/compile/test_opcodes_turns.py"],
    "streamkit/_engine/buffer/rounds.py": ["tests/sources/test_threads.py"],
    "streamkit/_engine/buffer/target.py": ["tests/operators/test_nest.py"],
    "streamkit/_engine/buffer/threads.py": ["tests/sources/test_threads.py"],
    "streamkit/_engine/compile": [
        "tests/face",
        "tests/laws/test_breathing.py",
        "tests/laws/test_errors.py",
        "tests/laws/test_letting_go.py",
        "tests/laws/test_scopes.py",
        "tests/laws/test_scopes_of_callbacks.py",
        "tests/laws/test_scopes_of_ready.py",
        "tests/live/test_woven.py",
        "tests/operators/test_transform.py",
        "tests/operators/test_transform_key.py",
        "tests/operators/test_transform_on_error.py",
        "tests/operators/test_nest.py",
        "tests/operators/test_nest_in_turn_left.py",
        "tests/operators/test_group_by_items.py",
        "tests/operators/test_recover_on_close.py",
        "tests/operators/test_route.py",
        "tests/run/test_drives_turns.py",
        "tests/sinks/test_collect.py",
    ],
    "streamkit/_engine/compile/splice.py": ["tests/operators/test_aggregate.py"],
    "streamkit/_engine/compile/key.py": ["tests/plan/test_link_building.py"],
    "streamkit/_engine/compile/loop.py": [
        "tests/flow/test_handle_drain.py::test_the_report_counts_calls_and_what_steps_keep",
        "tests/run/test_start_cut.py",
    ],
    "streamkit/_engine/compile/follow.py": ["tests/plan/test_tracked.py", "tests/run/test_followed.py"],
    "streamkit/_engine/compile/lasting.py": ["tests/plan/test_tracked.py"],
    "streamkit/_engine/plan": [
        "tests/face",
        "tests/operators/test_combine.py",
        "tests/operators/test_nest.py",
        "tests/operators/test_rate_buffer.py",
        "tests/testing/test_drops_told.py",
    ],
    "streamkit/_engine/face": ["tests/run/test_blocking_words.py", "tests/rx/test_piping.py"],
    "streamkit/_engine/face/outside.py": ["tests/runner/test_background.py"],
    "streamkit/_engine/face/stream.py": [
        "tests/laws/test_depth.py::test_a_pipe_is_built_in_linear_time",
        "tests/plan/test_link_building.py",
    ],
    "streamkit/_engine/run": [
        "tests/stages",
        "tests/face/test_mistakes_of_authors.py",
        "tests/operators/test_recover_on_close.py",
        "tests/laws/test_close.py",
        "tests/buffer/test_book.py",
        "tests/plan/test_source.py",
        "tests/compile/test_pace_turns.py",
    ],
    "streamkit/_engine/run/apart.py": ["tests/laws/test_depth.py"],
    "streamkit/_engine/run/blocking.py": ["tests/plan/test_source.py"],
    "streamkit/_engine/run/direct.py": ["tests/live/test_woven.py"],
    "streamkit/_engine/run/leave.py": [
        "tests/flow/test_handle_drain.py::test_the_report_counts_calls_and_what_steps_keep",
        "tests/operators/test_nest_in_turn_left.py",
        "tests/operators/test_restart_retry.py",
        "tests/operators/test_transform.py",
    ],
    "streamkit/_engine/run/paired.py": ["tests/plan/test_tracked.py"],
    "streamkit/_engine/run/run.py": ["tests/buffer/test_kinds.py"],
    "streamkit/_engine/run/start.py": [
        "tests/compile/test_nests.py",
        "tests/compile/test_opcodes_start.py",
        "tests/flow/test_handle_drain.py::test_the_report_counts_calls_and_what_steps_keep",
        "tests/live/test_trial.py",
        "tests/live/test_woven.py",
        "tests/operators/test_nest_in_turn.py",
        "tests/operators/test_nest_in_turn_left.py",
        "tests/operators/test_throttle_pace.py",
        "tests/plan/test_drops.py",
    ],
}
"""Tests that reach a module, or those of a folder, besides the ones of the folder that mirrors it."""


def modules() -> list[str]:
    found = (path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py")))
    return [str(path.relative_to(ROOT)) for path in found if path.stem != "__init__"]


def changed() -> set[str]:
    """The files that differ from those of main, where this branch began, committed or not."""
    base = _git("merge-base", "main", "HEAD").strip()
    return {*_git("diff", "--name-only", base).splitlines()}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def tests_of(chosen: Iterable[str]) -> list[str]:
    """The folders that mirror those of the modules, and what `MORE` says of both."""
    folders = dict.fromkeys(str(Path(module).parent) for module in chosen)
    more = [test for each in (*folders, *chosen) for test in MORE.get(each, ())]
    return [*dict.fromkeys([*(FOLDERS[folder] for folder in folders), *more])]


def drawn(module: str, options: argparse.Namespace) -> list[Change]:
    """The mutants of a module that are asked for, in the order of the file."""
    found = changes(ROOT / module)
    if options.again:
        last = {Mutant(*each) for each in json.loads(LAST.read_text())}
        found = [change for change in found if change.mutant in last]
    if options.sample is None or options.sample >= len(found):
        return found
    chosen = random.Random(f"{module} {options.seed}").sample(range(len(found)), options.sample)
    return [found[at] for at in sorted(chosen)]


def run(chosen: list[str], options: argparse.Namespace) -> dict[str, list[tuple[Mutant, str]]]:
    """Mutate modules: by module, how each mutant ended. Those that survived are kept for `again`.

    Raises:
        RuntimeError: pytest could not run; the error says what it printed.
    """
    os.environ["CI"] = "1"  # hypothesis tries the same examples each time
    by_module = {module: drawn(module, options) for module in chosen}
    trial = Trial(
        [each for found in by_module.values() for each in found], far=_far, patience=options.patience
    )
    quiet = ["-p", "no:benchmark", "-p", "no:xdist", "-p", "no:cacheprovider", "--apart", "-q"]
    with contextlib.redirect_stdout(StringIO()) as printed:
        code = pytest.main([*tests_of(chosen), *quiet], plugins=[trial])
    if code or len(trial.ends) < len(trial.changes):
        raise RuntimeError(f"pytest could not run:\n{printed.getvalue()[-3000:]}")
    for test in trial.failed:
        print(f"left out, for it fails where nothing is changed: {test}")
    print(f"{len(trial.changes)} mutants in {trial.seconds:.0f} seconds", flush=True)
    alive = [astuple(each.mutant) for each, end in trial.ends.items() if end in (ALIVE, UNREACHED)]
    LAST.write_text(json.dumps(alive))
    return {
        module: [(each.mutant, trial.ends[each]) for each in found] for module, found in by_module.items()
    }


def _far(change: Change, test: str) -> int:
    """How far a test is from a change: 0 in a file named after the module, 1 in its folder, 2 elsewhere."""
    file = Path(change.file)
    folder = FOLDERS[str(file.relative_to(ROOT).parent)] + "/"
    if not test.startswith(folder):
        return 2
    return int(not test.removeprefix(folder).startswith(f"test_{file.stem}"))


def shown(module: str, found: list[tuple[Mutant, str]], known: Known) -> tuple[int, int]:
    """Print what became of the mutants of a module: how many were killed, and how many are alive."""
    ends = Counter(end for _, end in found)
    survived = [mutant for mutant, end in found if end in (ALIVE, UNREACHED)]
    alive = [mutant for mutant in survived if mutant not in known]
    counts = ", ".join(f"{count} {end}" for end, count in sorted(ends.items())) or "no mutants"
    print(f"{module}: {counts}; of these {len(survived) - len(alive)} are equivalent", flush=True)
    for mutant in alive:
        print(f"  {mutant}", flush=True)
    return ends[KILLED] + ends[LATE], len(alive)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changed", action="store_true", help="only modules that differ from those of main")
    parser.add_argument("--again", action="store_true", help="only mutants that survived the last run")
    parser.add_argument("--sample", type=int, help="so many mutants of each module, drawn by the seed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--patience", type=float, default=PATIENCE, help="seconds of tests for each mutant")
    parser.add_argument(
        "only", nargs="*", help="only modules of these names, as limit, or buffer/lane, or run/*"
    )
    options = parser.parse_args()
    chosen = [
        module
        for module in modules()
        if (not options.only or any(Path(module).with_suffix("").match(name) for name in options.only))
        and (not options.changed or module in changed())
    ]
    known, killed, left = Known(Path(__file__).with_suffix(".toml")), 0, 0
    if options.sample is not None:
        print(f"{options.sample} mutants of each module, seed {options.seed}", flush=True)
    for module, found in run(chosen, options).items():
        counts = shown(module, found, known)
        killed, left = killed + counts[0], left + counts[1]
    share = killed / (killed + left) if killed + left else 1.0
    print(f"{len(chosen)} modules: {share:.1%} of the mutants that differ are killed, {left} are not")
    return share < LEAST


if __name__ == "__main__":
    sys.exit(main())
