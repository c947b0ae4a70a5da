"""The formats of files: which reader is for which."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import PurePath
from typing import Any, Final

from streamkit._core.lazy import from_door
from streamkit._core.show import shown
from streamkit.graph.json_text import read_json
from streamkit.graph.mistakes import Fault, Mistake, either
from streamkit.graph.text import Text, Unreadable
from streamkit.graph.toml_text import read_toml

__all__ = ["format_of", "read_text"]

_FORMATS: Final = {".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}


def format_of(path: str | PathLike[str]) -> str:
    """The format of a file, by its suffix.

    Raises:
        ValueError: it is none that graphs are read from.
    """
    suffix = PurePath(fspath(path)).suffix.lower()
    if suffix not in _FORMATS:
        raise ValueError(f"path must end in {either([*_FORMATS])}, not as {shown(fspath(path))}")
    return _FORMATS[suffix]


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
        found, twice = reader(text, file)
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
    return found, found.twice() if twice else []
