"""Words for wrong calls, to the letter: defaults, long values, underscores, and what docstrings say."""

from enum import Enum
from typing import Any

import pytest

from streamkit._core.miscalls import miscalled


class Colour(Enum):
    RED = 1


def paint(wall: str, count: int = 1, *, colour: Colour = Colour.RED) -> None:
    """Paint a wall.

    Args:
        wall: the `wall` that ``paint`` is put on; a second
            line says no more.
        count: how often.
        colour: of the paint.
    """


def bare(wall: str) -> None: ...


def twice(wall: str) -> None:
    """Paint.

    Args:
        wall: what is painted. More.

    Args:
        wall: another one.
    """


HEAD = "paint(wall, count=1, *, colour=Colour.RED)"


@pytest.mark.parametrize(
    ("function", "arguments", "named", "words"),
    [
        (paint, (), {"nonsense": 1}, f"{HEAD} takes no nonsense"),
        (paint, ("a",), {"limit_": 3}, f"{HEAD} takes no limit_: write count=3"),
        (paint, ("a",), {"_Limit": 3}, f"{HEAD} takes no _Limit: write count=3"),
        (paint, ("a",), {"limitX": 3}, f"{HEAD} takes no limitX"),
        (
            paint,
            ("a", 2),
            {"count": 3, "wall": "b"},
            f"{HEAD} was given wall and count twice, by position and by name",
        ),
        (paint, ("a",), {"limit": "x" * 50}, f"{HEAD} takes no limit: write count='xxxxxxxxxxxxxxxx..."),
        (paint, ("a",), {"color": 7}, f"{HEAD} takes no color: write colour=7"),
        (paint, (), {}, f"{HEAD} needs wall (the wall that paint is put on)"),
        (bare, (), {}, "bare(wall) needs wall"),
        (twice, (), {}, "twice(wall) needs wall (what is painted)"),
    ],
)
def test_what_is_said(function: Any, arguments: tuple[Any, ...], named: dict[str, Any], words: str) -> None:
    assert miscalled(function, arguments, named) == words
