"""Places in files, as messages show them: as short as can be clicked."""

import os

import pytest

from streamkit._core.places import placed


def test_a_place_below_the_working_directory_is_shown_from_there() -> None:
    assert placed(os.path.join(os.getcwd(), "pipe.py"), 3) == "pipe.py:3"
    assert placed("/elsewhere/pipe.py", 3) == "/elsewhere/pipe.py:3"


def test_where_the_working_directory_was_deleted_a_place_is_shown_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone() -> str:
        raise FileNotFoundError

    path = os.path.join(os.getcwd(), "pipe.py")
    monkeypatch.setattr("streamkit._core.places.os.getcwd", gone)
    assert placed(path, 3) == f"{path}:3"
