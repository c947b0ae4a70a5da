"""The formats of files: which reader is for which."""

from __future__ import annotations

import re
from os import PathLike, fspath
from pathlib import PurePath
from typing import Any, Final

from streamkit._core.lazy import from_door
from streamkit._core.show import shown
from streamkit.graph.json_text import read_json
from streamkit.graph.mistakes import Fault, Mistake, Wrong, either
from streamkit.graph.text import MARK, Text, Unreadable
from streamkit.graph.toml_text import read_toml
from streamkit.graph.values import listing, table

__all__ = ["copied", "format_of", "read_text"]

_FORMATS: Final = {".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}
_NO_TEXT: Final = re.compile("[\udc80-\udcff]")
"""What stands in a text for bytes that are none."""
_DEEP: Final = 200
"""Tables and lists within each other."""
_WIDE: Final = 512
"""Bits of a whole number: so many can be reckoned with, and printed in a short time."""


def format_of(path: str | PathLike[str]) -> str:
    """The format of a file, by its suffix.

    Raises:
        ValueError: it is none that graphs are read from.
    """
    suffix = PurePath(fspath(path)).suffix.lower()
    if suffix not in _FORMATS:
        raise ValueError(f"path must end in {either([*_FORMATS])}, not as {shown(fspath(path))}")
    return _FORMATS[suffix]


def copied(value: Any, deep: int = _DEEP) -> Any:
    """`value` in tables and lists of its own; what is inside of them stays the same object.

    Raises:
        Wrong: it nests too deep, as what holds itself does; or it has a number that is too large.
    """
    kind: Any = type(value)  # pyright: ignore[reportUnknownVariableType] - of anything
    if kind is str:
        return value
    if kind is int and value.bit_length() > _WIDE:
        raise Wrong(Fault.UNREADABLE, f"a whole number has {_WIDE} bits at most, not {value.bit_length()}")
    items = listing(value) if kind is list or kind is tuple else None
    pairs = table(value) if items is None else dict[Any, Any](enumerate(items))
    if pairs is None:
        return value
    if not deep:
        raise Wrong(Fault.UNREADABLE, "it is nested too deep")
    made: dict[Any, Any] = {}
    for key, each in pairs.items():
        try:
            made[key] = copied(each, deep - 1)
        except Wrong as wrong:
            raise wrong.below(key) from None
    return made if items is None else [*made.values()] if kind is list else tuple(made.values())


def read_text(text: str, kind: str, file: str = "") -> tuple[Text | None, list[Mistake]]:
    """`text` as data, and the mistakes in it that can be told of it alone; no data, if it is unreadable."""
    reader: Any = {"json": read_json, "toml": read_toml}.get(kind)
    if kind == "yaml":
        try:
            reader = from_door("streamkit.graph", "read_yaml")
        except ImportError as error:
            raise ImportError("to read graphs of YAML, install pyyaml: streamkit[yaml]") from error
    if reader is None:
        raise ValueError(f"format must be json, toml or yaml, not {shown(kind)}")
    try:
        if (wrong := _NO_TEXT.search(text)) is not None:
            begin = text.rfind("\n", 0, wrong.start()) + 1
            line = text.count("\n", 0, begin) + 1
            raise Unreadable("here is a byte that is not UTF-8", line, wrong.start() - begin + 1)
        found, twice = reader(text.removeprefix(MARK).replace("\r\n", "\n"), file)
    except Unreadable as error:
        mistake = Mistake(
            fault=Fault.UNREADABLE,
            path=(),
            message=error.message,
            file=file,
            line=error.line,
            column=error.column,
        )
        return None, [mistake]
    found.written = text
    return found, found.twice() if twice else []
