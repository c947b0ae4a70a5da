"""What README and docs/operators.md show passes mypy and pyright, both in strict mode."""

import ast
import doctest
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/operators.md"]
BIN = Path(sys.executable).parent


def examples(text: str) -> str:
    """The examples of a page as one module; what they only show, it prints, as no statement is idle then."""
    lines: list[str] = []
    for example in doctest.DocTestParser().get_examples(text):
        shown = isinstance(ast.parse(example.source).body[-1], ast.Expr)
        lines.append(f"print(\n{example.source})\n" if shown else example.source)
    return "".join(lines)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of modules: the program that README begins with, and the examples of each page."""
    room = tmp_path_factory.mktemp("pages")
    readme = (ROOT / "README.md").read_text()
    (room / "program.py").write_text(readme.split("```python\n")[1].split("```")[0])
    for page in PAGES:
        (room / f"{Path(page).stem.lower()}.py").write_text(examples((ROOT / page).read_text()))
    config = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)]}
    (room / "pyrightconfig.json").write_text(json.dumps(config))
    return room


@pytest.mark.full
@pytest.mark.parametrize(
    "command",
    [
        ["mypy", "--strict", "--python-version=3.11", f"--cache-dir={ROOT / '.mypy_cache'}", "."],
        ["pyright", f"--pythonpath={sys.executable}"],
    ],
    ids=lambda command: command[0],
)
def test_what_the_pages_show_is_typed(command: list[str], room: Path) -> None:
    path = os.environ | {"MYPYPATH": str(ROOT)}
    full = [str(BIN / command[0]), *command[1:]]
    done = subprocess.run(full, cwd=room, env=path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
