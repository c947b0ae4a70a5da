"""docs/backpressure.md: its pictures are what a run draws now, legible anywhere; its tables are true."""

import re
import subprocess
import sys
from collections.abc import Iterator
from operator import add
from pathlib import Path
from xml.etree import ElementTree

import pytest

import streamkit
from streamkit import Strategy, Stream, ops

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "backpressure.md").read_text()
FUSED = re.findall(r"^\| `(.+?)` \| `(.+?)` \| (?:`(.+?)`|both) \|", PAGE, flags=re.MULTILINE)
COMMITTED = sorted((DOCS / "pictures").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


def ids(path: Path) -> str:
    return path.stem


def strategies() -> Iterator[str]:
    for name in streamkit.__all__:
        found = getattr(streamkit, name)
        if isinstance(found, type) and issubclass(found, Strategy) and found is not Strategy:
            yield name


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script draws now."""
    directory = tmp_path_factory.mktemp("pictures")
    script = [sys.executable, "-W", "error", "-m", "pages.pictures", str(directory)]
    done = subprocess.run(script, cwd=DOCS.parent, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return directory


def test_the_committed_pictures_are_those_that_are_drawn(drawn: Path) -> None:
    assert [path.name for path in COMMITTED] == sorted(path.name for path in drawn.iterdir())


@pytest.mark.parametrize("path", COMMITTED, ids=ids)
def test_a_committed_picture_is_what_is_drawn_now(path: Path, drawn: Path) -> None:
    assert path.read_bytes() == (drawn / path.name).read_bytes(), "stale; run: make pages"


def test_every_strategy_has_a_picture() -> None:
    assert {path.stem for path in COMMITTED} == {*strategies(), "Gap"}


@pytest.mark.parametrize("path", COMMITTED, ids=ids)
def test_every_picture_stands_in_the_page(path: Path) -> None:
    assert f"](pictures/{path.name})" in PAGE


@pytest.mark.parametrize("path", COMMITTED, ids=ids)
def test_a_picture_is_small_titled_and_has_text_to_select(path: Path) -> None:
    assert path.stat().st_size < 8 * 1024
    root = ElementTree.parse(path).getroot()
    title = root.find(f"{SVG}title")
    assert title is not None
    assert (title.text or "").startswith(("DropOldest(3, gaps=True)", path.stem))
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"producer", "consumer", "a"} <= set(words)


@pytest.mark.parametrize("path", COMMITTED, ids=ids)
def test_nothing_is_drawn_outside_of_the_picture(path: Path) -> None:
    root = ElementTree.parse(path).getroot()
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for mark in root.iter():
        right = float(mark.get("x", 0)) + float(mark.get("width", 0))
        if mark.tag == f"{SVG}text" and "e" not in mark.get("class", "").split():
            right += 6.0 * len(mark.text or "") / (2 if "c" in mark.get("class", "").split() else 1)
        bottom = float(mark.get("y", 0)) + float(mark.get("height", 0))
        assert right <= width, ElementTree.tostring(mark)
        assert bottom <= height, ElementTree.tostring(mark)


@pytest.mark.parametrize("path", COMMITTED, ids=ids)
def test_a_picture_has_colours_for_light_and_for_dark(path: Path) -> None:
    style = path.read_text().split("<style>")[1].split("</style>")[0]
    light, dark = style.split("@media(prefers-color-scheme:dark){")
    coloured = re.compile(r"([^{}]+)\{[^{}]*#[0-9a-f]{3}")
    of_light, of_dark = ({kind.strip() for kind in coloured.findall(style)} for style in (light, dark))
    assert of_light == of_dark


@pytest.mark.parametrize("path", COMMITTED, ids=ids)
def test_the_accounting_in_a_picture_adds_up(path: Path) -> None:
    found = re.search(r"<desc>offered (\d+) = (.*)</desc>", path.read_text())
    assert found is not None
    assert int(found[1]) == sum(map(int, re.findall(r"\d+", found[2])))


def written(strategy: str) -> Strategy:
    return eval(strategy, {**vars(streamkit), "add": add})


def test_the_table_of_fused_buffers_was_found() -> None:
    assert {first.partition("(")[0] for first, _, _ in FUSED} == {*strategies()}


@pytest.mark.parametrize(("first", "then", "runs_as"), FUSED)
def test_buffers_fuse_as_the_table_says(first: str, then: str, runs_as: str) -> None:
    buffers = [ops.buffer(written(strategy)) for strategy in (first, then)]
    shown = (Stream([]) | buffers[0] | buffers[1]).explain().parts[1:]
    expected = [ops.buffer(written(runs_as))] if runs_as else buffers
    assert [part.text for part in shown] == [repr(each) for each in expected]


def test_the_first_table_says_of_every_strategy_what_it_loses() -> None:
    row = re.compile(r"^\| [^|]+ \| \[`(\w+)\(.*?\)`\]\(#(\w+)\) \| [^|]+ \| ([^|]+) \|", re.MULTILINE)
    said = {name: loses for name, _, loses in row.findall(PAGE)}
    assert {*said} == {*strategies()}
    for name, loses in said.items():
        kind = getattr(streamkit, name)
        assert loses.startswith(kind.loses) or kind.folds, name
    assert {link for _, link, _ in row.findall(PAGE)} == {title.lower() for title in strategies()}
    assert {*re.findall(r"^### (\w+)$", PAGE, re.MULTILINE)} >= {*strategies()}
