"""Every example in docstrings, README and docs runs, each as a test of its own."""

import ast
import doctest
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import streamkit

ROOT = Path(__file__).parent.parent
ENGINES = "streamkit.executors.dask", "streamkit.executors.ray"
"""Modules whose packages are not here; `make test-engines` has them."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def docstrings() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for found in pkgutil.walk_packages(streamkit.__path__, "streamkit."):
        if found.name.startswith(ENGINES):
            continue
        module = importlib.import_module(found.name)
        yield from (test for test in finder.find(module, found.name) if test.examples)


def pages() -> Iterator[doctest.DocTest]:
    parser = doctest.DocTestParser()
    for page in PAGES:
        test = parser.get_doctest(page.read_text(), {}, page.name, str(page), 0)
        if test.examples:
            yield test


EXAMPLES = [pytest.param(test, id=test.name) for test in (*docstrings(), *pages())]


@pytest.mark.parametrize("test", EXAMPLES)
def test_example(test: doctest.DocTest) -> None:
    test.globs.setdefault("__name__", "__main__")
    report: list[str] = []
    failed, _ = doctest.DocTestRunner().run(test, out=report.append)
    assert not failed, "".join(report)


def test_no_example_counts_the_lines_of_the_library() -> None:
    ours = {path.name for path in (ROOT / "streamkit").rglob("*.py")}
    shown = [
        (test.name, example.lineno, found[0])
        for test in (*docstrings(), *pages())
        for example in test.examples
        for found in re.finditer(r"([\w/]+\.py):\d+", example.want)
        if found[1] in ours
    ]
    assert not shown, "any change above that line would fail it: write '...' for the number"


def test_the_first_example_of_the_readme() -> None:
    code = (ROOT / "README.md").read_text().split("```python\n")[1].split("```")[0]
    printed: list[str] = []
    exec(compile(code, "README.md", "exec"), {"print": lambda value: printed.append(str(value))})
    assert printed[0] == "[100, 100, 100, 34]"
    assert printed[1].endswith("bound: 308 items inside at most, 208 items read ahead")


def defined(text: str) -> dict[str, str]:
    """What each function in `text` is, with its decorators."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: ast.unparse(node) for node in ast.parse(text).body if isinstance(node, functions)}


def test_the_operators_of_users_in_the_tests_are_those_of_the_docs() -> None:
    (page,) = [test for test in pages() if test.name == "operators.md"]
    shown = {name: text for each in page.examples for name, text in defined(each.source).items()}
    tested = defined((ROOT / "tests" / "own.py").read_text())
    assert tested == {name: shown.get(name) for name in tested}
