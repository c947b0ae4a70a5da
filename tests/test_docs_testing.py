"""The way from an empty directory to a replayed schedule, in `docs/testing.md`, works as it is written."""

import ast
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.testing.plugin.installed import loaded

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "testing.md").read_text()
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
TOKEN = re.compile(r"v1:[^'\"\s]+")
TO_INSTALL = ["python -m venv .venv && . .venv/bin/activate", "pip install path/to/streamkit pytest"]
"""What is done already where a test runs."""

Run = Callable[[list[str]], str]


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """What is written to files, with its first line, and what is typed; but no examples with `>>>`."""
    for kind, text in BLOCK.findall(page):
        if not text.startswith(">>>"):
            yield kind, text


def typed(text: str) -> list[tuple[str, list[str]]]:
    """Commands, and the lines that each prints."""
    parts = [part.splitlines() for part in text.split("$ ")[1:]]
    return [(part[0], part[1:]) for part in parts]


def comparable(line: str) -> str:
    """A line without what is different each time."""
    return re.sub(r"\d+(\.\d+)?", "N", TOKEN.sub("TOKEN", line)).strip()


def write(room: Path, text: str) -> None:
    """Do what the first line of a block says: write a file, add to one, or exchange a function."""
    first, _, rest = text.partition("\n")
    how, name = re.fullmatch(r"# (in |more in |)(\w+\.py)", first).groups()  # type: ignore[union-attr]
    path = room / name
    if not how:
        path.write_text(rest)
    elif how == "more in ":
        path.write_text(f"{path.read_text()}\n\n{rest}")
    else:
        path.write_text(exchanged(path.read_text(), rest))
    # Written twice in a second and as long as before: what was compiled of it would be taken for that of now.
    shutil.rmtree(room / "__pycache__", ignore_errors=True)


def exchanged(text: str, function: str) -> str:
    """`text`, with `function` instead of the one of that name."""
    name = re.search(r"def (\w+)", function)[1]  # type: ignore[index]
    (old,) = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.AsyncFunctionDef) and node.name == name
    ]
    begin = min([old.lineno, *(each.lineno for each in old.decorator_list)])
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: begin - 1], function, *lines[old.end_lineno :]])


def follow(page: str, room: Path, run: Run) -> list[str]:
    """Do all that the page says, in order; its commands. Each has to print the lines that are shown."""
    done: list[str] = []
    token = ""
    for kind, text in blocks(page):
        if kind == "python":
            write(room, text)
            continue
        for command, shown in typed(text):
            done.append(command)
            if command in TO_INSTALL:
                continue
            printed = run(shlex.split(TOKEN.sub(lambda _: token, command)))  # noqa: B023 - it is run at once
            token = next(iter(TOKEN.findall(printed)), token)
            left = iter([comparable(line) for line in printed.splitlines()])
            for line in shown:
                assert comparable(line) in left, f"$ {command}\ndid not print: {line}\n\n{printed}"
    return done


def test_as_it_is_written(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer schedules, for it is found by the second one."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(words: list[str]) -> str:
        assert words[:3] == ["python", "-m", "pytest"]
        options = ("-p", "pytest_streamkit", "-W", "ignore:Module already imported")
        return pytester.runpytest_inprocess(*options, *words[3:]).stdout.str()

    done = follow(PAGE.replace("schedules=1000", "schedules=30"), pytester.path, run)
    assert done[:2] == TO_INSTALL
    assert len(done) > 6


@pytest.mark.full
def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    def run(words: list[str]) -> str:
        command = [sys.executable, *words[1:], *loaded()]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout

    follow(PAGE, tmp_path, run)
