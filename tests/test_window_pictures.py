"""docs/windows.md: its pictures are what a run draws now, and are legible anywhere."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "windows.md").read_text()
COMMITTED = sorted((DOCS / "pictures" / "windows").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"

every_picture = pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the script draws now."""
    directory = tmp_path_factory.mktemp("windows")
    script = [sys.executable, "-W", "error", "-m", "pages.windows", str(directory)]
    done = subprocess.run(script, cwd=DOCS.parent, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return directory


def test_the_committed_pictures_are_those_that_are_drawn(drawn: Path) -> None:
    assert [path.name for path in COMMITTED] == sorted(path.name for path in drawn.iterdir())


@every_picture
def test_a_committed_picture_is_what_is_drawn_now(path: Path, drawn: Path) -> None:
    assert path.read_bytes() == (drawn / path.name).read_bytes(), "stale; run: make pages"


@every_picture
def test_it_stands_in_the_page(path: Path) -> None:
    assert f"](pictures/windows/{path.name})" in PAGE


@every_picture
def test_it_is_small_and_titled_and_nothing_is_outside_of_it(path: Path) -> None:
    assert path.stat().st_size < 8 * 1024
    root = ElementTree.parse(path).getroot()
    assert root.find(f"{SVG}title") is not None
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for mark in root.iter():
        right = float(mark.get("x", 0)) + float(mark.get("width", 0))
        if mark.tag == f"{SVG}text":
            right += 6.0 * len(mark.text or "") / (2 if "c" in mark.get("class", "").split() else 1)
        assert right <= width, ElementTree.tostring(mark)
        assert float(mark.get("y", 0)) + float(mark.get("height", 0)) <= height, ElementTree.tostring(mark)


def test_what_they_show_is_what_the_page_says() -> None:
    event = (DOCS / "pictures" / "windows" / "event.svg").read_text()
    assert re.findall(r">(\w+): passed on (with \w|at the end)<", event) == [
        ("abd", "with e"),
        ("ce", "with g"),
        ("g", "at the end"),
    ]
    assert event.count('class="lost"') == 1
