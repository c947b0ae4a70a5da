"""examples/hashing.py and examples/masters.py: what they find, wherever the work is done."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@contextmanager
def example(name: str) -> Iterator[ModuleType]:
    """The example as a module that processes can import, too."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(EXAMPLES))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[name]
        sys.path.remove(str(EXAMPLES))


@pytest.mark.parametrize("place", ["here", "threads"])
def test_files_that_are_the_same(place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in {"a": "same", "b": "other", "c/d": "same", "c/e": "third"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with example("hashing") as hashing:
        assert hashing.main([str(tmp_path), "--on", place, "--workers", "2"]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.strip() for line in printed[1:]] == [str(tmp_path / "a"), str(tmp_path / "c/d")]
    assert printed[0].endswith("4 bytes")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_text("text")
    with example("hashing") as hashing, pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashing, "files", lambda directory: [directory / "a", directory / "gone"])
        assert hashing.same_files(tmp_path, None) == {}
    assert "No such file" in capsys.readouterr().err


def test_no_task_is_lost_with_a_worker(capsys: pytest.CaptureFixture[str]) -> None:
    with example("masters") as masters:
        assert masters.main(["--tasks", "60", "--kill"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "60 results for 60 tasks"
