"""The arguments with which `streamkit.testing.run` runs a test: what its marks and the command line say."""

from collections.abc import Mapping
from typing import Any

import pytest

from pytest_streamkit import MARK, commanded
from streamkit.testing import run

__all__ = ["options_of", "together", "wrong"]

_DRAWN = frozenset({"schedules", "seed", "faults"})


def together(said: Mapping[str, Any], command: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `run`: what a test says, except where the command line says something else."""
    if "replay" in command:  # a token stands for all that was drawn
        return {**{name: said[name] for name in said if name not in _DRAWN}, "replay": command["replay"]}
    if command:
        return {**{name: said[name] for name in said if name != "replay"}, **command}
    return dict(said)


def wrong(options: Mapping[str, Any]) -> str:
    """What `run` says against these arguments; nothing if they are right."""

    def main() -> Any:  # called when the arguments have been checked
        raise _RightError

    try:
        run(main, **options)
    except _RightError:
        return ""
    except (TypeError, ValueError) as error:
        return str(error)
    raise AssertionError("run has not called main")  # pragma: no cover - it calls main, or raises


class _RightError(Exception):
    """The arguments are right."""


def options_of(test: pytest.Function) -> dict[str, Any]:
    """What the marks of a test say, the closest last, and the command line; if it is wrong, it fails."""
    marks = [mark for node in test.listchain() for mark in node.own_markers if mark.name == MARK]
    said = {name: value for mark in marks for name, value in mark.kwargs.items()}
    options = together(said, commanded(test.config))
    against = [
        f"it takes keyword arguments only, as in schedules=1000, not {mark.args[0]!r}"
        for mark in marks
        if mark.args
    ]
    against += filter(None, [wrong(said), wrong(options)])
    if against:
        pytest.fail(f"{test.nodeid}: the mark {MARK}: {against[0]}", pytrace=False)
    return options
