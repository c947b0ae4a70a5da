"""Mutation testing, by mutmut: `make mutants`, with `CHANGED=1`, or with `ONLY='limit contract'`.

For each module of `streamkit/_core` and `streamkit/_engine`, mutmut changes one expression or statement at a
time, and runs the tests that reach it, of those that belong to the module. A mutant that no test fails for is
shown, unless `tests/mutants.toml` says why it does the same as the original. mutmut leaves out what
stands outside functions, and functions with decorators; generated loops have tests of their own.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORK = ROOT / "mutants"
"""Where copies of the project are mutated."""
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
    "streamkit/_engine/buffer": ["tests/operators/test_rate_buffer.py", "tests/stages"],
    "streamkit/_engine/compile": ["tests/operators", "tests/sinks"],
    "streamkit/_engine/plan": ["tests/operators/test_rate_buffer.py", "tests/face"],
    "streamkit/_engine/run": ["tests/stages", "tests/laws/test_close.py"],
}
"""Tests that reach a module, or those of a folder, besides the ones of the folder that mirrors it."""
LEFT_OUT = {
    "test_one_error_of_many_runs_gathers_nothing_of_them": "calls of mutmut's own stand in the traceback",
    "test_an_error_that_was_never_thrown_has_the_traceback_it_has": "the same",
    "test_one_that_was_thrown_has_that_which_it_was_thrown_with": "the same",
    "test_each_note_once_whatever_the_error_takes": "mutmut runs it twice in one process",
    "test_an_operator_outlives_the_reload_of_its_module": "the same",
}
"""Tests that fail where nothing was changed, and why."""
CONFIGURATION = """
[tool.mutmut]
source_paths = ["streamkit"]
only_mutate = ["{module}"]
pytest_add_cli_args_test_selection = [{tests}]
pytest_add_cli_args = ["-p", "no:benchmark", "-p", "no:xdist", "-k", "not ({left_out})"]
also_copy = [{copied}]
timeout_constant = 8.0  # a mutant that tries for ever ends after so many seconds more than its tests take
timeout_multiplier = 4.0  # and so many times that: less, and a busy machine ends those that survive, too
"""


@dataclass(frozen=True)
class Mutant:
    """One that survived: what of a function was changed into what."""

    function: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.function}\n    - {self.before}\n    + {self.after}"


def equivalent() -> set[Mutant]:
    """Those that do the same as the original."""
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())["equivalent"]
    assert all(each["why"] for each in table), "say why"
    return {Mutant(each["function"], each["before"], each["after"]) for each in table}


def modules() -> list[str]:
    found = (path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py")))
    return [str(path.relative_to(ROOT)) for path in found if path.stem != "__init__"]


def changed() -> set[str]:
    """The files that differ from those of main, where this branch began, committed or not."""
    base = _git("merge-base", "main", "HEAD").strip()
    return {*_git("diff", "--name-only", base).splitlines()}


def tests_of(module: str) -> list[str]:
    """Those named after it, or all of its folder, and what `MORE` says."""
    path = Path(module)
    folder = str(path.parent)
    own = sorted(
        str(each.relative_to(ROOT)) for each in (ROOT / FOLDERS[folder]).glob(f"test_{path.stem}*.py")
    )
    return [*(own or [FOLDERS[folder]]), *MORE.get(folder, []), *MORE.get(module, [])]


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def copy(module: str) -> Path:
    """A copy of the project, as it is in the working tree, in which mutmut is to mutate `module`."""
    project = WORK / Path(module).stem
    shutil.rmtree(project, ignore_errors=True)
    files = _git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for each in files:
        if (ROOT / each).is_file():
            (project / each).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / each, project / each)
    tops = {each.split("/")[0] for each in files} - {"streamkit", "pyproject.toml"}
    settings = CONFIGURATION.format(
        module=module,
        tests=_listed(tests_of(module)),
        left_out=" or ".join(LEFT_OUT),
        copied=_listed(sorted(tops)),
    )
    with (project / "pyproject.toml").open("a") as file:
        file.write(settings)
    return project


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _mutmut(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mutmut", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}  # not ours
    return subprocess.run(command, cwd=project, check=False, capture_output=True, text=True, env=environment)


def run(module: str) -> tuple[Counter[str], list[Mutant]]:
    """Mutate a module: how many mutants came to which end, and those that survived.

    Raises:
        RuntimeError: mutmut could not run; the error says what it printed.
    """
    project = copy(module)
    done = _mutmut(project, "run")
    listed = _mutmut(project, "results", "--all", "true").stdout.splitlines()
    ends = dict(line.strip().split(": ", 1) for line in listed if ": " in line)
    if not ends and "any test case for any mutant" in done.stdout:  # as of a module that only has tables
        return Counter(), []
    if done.returncode or "not checked" in ends.values():
        raise RuntimeError(f"mutmut could not run over {module}:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    survived = [name for name, end in ends.items() if end in ("survived", "no tests")]
    return Counter(ends.values()), [_shown(project, name) for name in survived]


def _shown(project: Path, name: str) -> Mutant:
    lines = _mutmut(project, "show", name).stdout.splitlines()
    parts = {sign: [*_changed(lines, sign)] for sign in "-+"}
    function = name.partition("__mutmut_")[0].replace("xǁ", "").replace("ǁ", ".").replace(".x_", ".")
    return Mutant(function, " ".join(parts["-"]), " ".join(parts["+"]))


def _changed(lines: list[str], sign: str) -> Iterator[str]:
    for line in lines:
        if line.startswith(sign) and not line.startswith(3 * sign):
            yield line[1:].strip()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changed", action="store_true", help="only modules that differ from those of main")
    parser.add_argument("only", nargs="*", help="only modules of these names, as limit, or buffer/lane")
    options = parser.parse_args()
    chosen = [
        module
        for module in modules()
        if (not options.only or any(module.endswith(f"/{name}.py") for name in options.only))
        and (not options.changed or module in changed())
    ]
    known, killed, left, broken = equivalent(), 0, 0, list[str]()
    for module in chosen:
        try:
            ends, survived = run(module)
        except RuntimeError as error:
            print(error, flush=True)
            broken.append(module)
            continue
        same = [mutant for mutant in survived if mutant in known]
        alive = [mutant for mutant in survived if mutant not in known]
        killed += ends.total() - len(survived)
        left += len(alive)
        counts = ", ".join(f"{count} {end}" for end, count in sorted(ends.items())) or "no mutants"
        print(f"{module}: {counts}; of these {len(same)} are equivalent", flush=True)
        for mutant in alive:
            print(f"  {mutant}", flush=True)
    share = killed / (killed + left) if killed + left else 1.0
    print(f"{len(chosen)} modules: {share:.1%} of the mutants that differ are killed, {left} are not")
    if broken:
        print(f"mutmut could not run over {', '.join(broken)}")
    return bool(broken) or share < LEAST


if __name__ == "__main__":
    sys.exit(main())
