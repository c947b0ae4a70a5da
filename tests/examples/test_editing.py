"""examples/editing.py: what a pipeline that is edited while it runs prints, and that it loses nothing."""

from pathlib import Path

import pytest

from tests.examples.test_workers import example


def test_readings_are_cleaned_by_what_stands_in_the_slot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script"
    script.write_text("2 insert 0 clip\n6 insert 1 broken\n9 pop 0\n")
    with example("editing") as editing:
        assert editing.main(["--readings", "12", "--every", "0.001", "--script", str(script)]) == 0
        assert [*editing.parsed(editing.SCRIPT)] == [12, 24, 36, 40, 48]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "   2 insert 0 clip: generation 1, Slot(map(clip), name='cleaning')"
    assert lines[2].startswith("     the change was rolled back: ValueError: ")
    assert lines[2].endswith("; back to Slot(map(clip), name='cleaning')")
    assert lines[3] == "   9 pop 0: generation 4, Slot(name='cleaning')"
    assert lines[4] == "12 readings, the hottest of 42.0 degrees"
