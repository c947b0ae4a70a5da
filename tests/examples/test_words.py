"""examples/words.py: the graph of its file, run, drawn and tested; and a file with a mistake."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from streamkit.graph import Graph
from streamkit.testing import run

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def words() -> ModuleType:
    spec = importlib.util.spec_from_file_location("words", EXAMPLES / "words.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_it_prints(words: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    graph = Graph.load(EXAMPLES / "words.toml", registry=words.registry)
    results = run(graph.job)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["stressed desserts", "was saw"]
    assert len(lines) == 7
    assert {"desserts", "DESSERTS", "saw", "I"} <= results["seen"]
    assert words.main(["--test"]) == 0
    assert words.main(["--draw"]) == 0
    assert "flowchart TD" in capsys.readouterr().out


def test_a_file_with_mistakes(words: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "words.toml"
    path.write_text((EXAMPLES / "words.toml").read_text().replace('"S.upper"', '"S.uper"'))
    assert words.main([str(path)]) == 1
    expected = f"{path}:16:1: nodes.upper.map: unknown name: the registry has no 'S.uper'; write S.upper\n"
    assert capsys.readouterr().out == expected
