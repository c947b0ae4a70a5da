"""What README, docs and CONTRIBUTING say of the repository is there: paths, links, names of operators."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages import families, names
from streamkit import ops

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / ".github" / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s#\"]+)(?:#[^)\s]*)?\)")  # `Output[int]("a")` is none
PATH = re.compile(r"`([\w.-]*/[\w./-]*)`")
FILE = re.compile(r"`([\w-]+\.(?:py|md|toml|svg))`")


def missing(page: Path) -> Iterator[str]:
    """The links and the paths in backticks that lead nowhere."""
    text = page.read_text(encoding="utf-8")
    for link in LINK.findall(text):
        if "://" not in link and not (page.parent / link).exists():
            yield f"]({link})"
    for path in PATH.findall(text):
        if not (ROOT / path).exists():
            yield f"`{path}`"
    for file in FILE.findall(text):  # named without its directory
        if not any(ROOT.glob(f"[!.]*/**/{file}")) and not (ROOT / file).exists():
            yield f"`{file}`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_exist(page: Path) -> None:
    assert [*missing(page)] == [], f"{page.relative_to(ROOT)} names paths that do not exist"


def test_a_path_that_does_not_exist_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[a](no.md#part) [b](https://example.org) `docs/` `streamkit/no.py` `no.py` `a / b`")
    assert [*missing(page)] == ["](no.md)", "`streamkit/no.py`", "`no.py`"]


def test_the_names_in_the_readme_are_not_stale() -> None:
    assert names.PAGE.read_text(encoding="utf-8") == names.page(), "README.md is stale; run: make pages"


def test_every_operator_has_a_kind() -> None:
    sources = {name for family in families.sources().values() for name in family}
    assert {name for kind in names.rows().values() for name in kind} == {*vars(ops)["__all__"]} | sources
