"""Functions on their way to workers, as bytes: by their names if they have some, else by what they are."""

from __future__ import annotations

import os
import sys
from itertools import count
from pickle import HIGHEST_PROTOCOL, dumps
from typing import Any, Final

from streamkit._core.errors import PackingError
from streamkit._core.show import named, shown, told
from streamkit._core.workers import Calls, Work
from streamkit.executors.cloudpickle import by_value

__all__ = ["Packed", "pack_function", "pack_work"]

_EXTRA: Final = "use a function that a module has under its name, or install streamkit[cloudpickle]"
_SESSION: Final = os.urandom(16).hex()
_number = count()


class Packed:
    """Work on its way to workers: with its number, a name of its own anywhere, bytes if it needs them."""

    def __init__(self, work: Work, data: bytes | None = None) -> None:
        self.number: int = next(_number)
        self.key: str = f"{_SESSION}-{self.number}"
        self.work = work
        self.data = data


def pack_work(work: Work, *, far: bool = False) -> Packed:
    """`work` with its bytes; a `PackingError` if it cannot be sent."""
    what = f"the function {named(work.function)}" if isinstance(work, Calls) else shown(work)
    return Packed(work, pack_function(work, what, far=far))


def pack_function(value: Any, what: str, *, far: bool = False) -> bytes:
    """`value`, which has functions in it, as bytes; `what` it is, for the error.

    Workers that are `far` do not import the script that runs here: what it has defined goes along.
    """
    if by_value is not None and (far or _is_typed_in()):
        return _by_value(value, what, None)
    try:
        return dumps(value, HIGHEST_PROTOCOL)
    except Exception as error:  # of a `__reduce__`, too
        return _by_value(value, what, error)


def _by_value(value: Any, what: str, error: Exception | None) -> bytes:
    if by_value is not None:
        try:
            return by_value(value)
        except Exception as worse:
            error = worse
            cure = ""
    else:
        cure = f"; {_EXTRA}"
    words = "" if error is None else told(error)
    raise PackingError(f"{what} cannot be sent to a worker: {words}{cure}") from error


def _is_typed_in() -> bool:
    """Whether the program is typed in as it runs: workers cannot import what it has defined."""
    main = sys.modules.get("__main__")
    return getattr(main, "__spec__", None) is None and not hasattr(main, "__file__")
