"""Changes: some lines of the library replaced while a block runs, as a bug would have them.

The file is compiled anew with the replaced lines, and the code of the functions that differ is put into the
functions that live. So the change holds wherever a function was imported to, and is gone after the block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

__all__ = ["Change", "ChangeError", "changed"]

ROOT = Path(__file__).parent.parent.parent


class ChangeError(Exception):
    """A change that does not fit the file: its lines have been rewritten, or are not those of one place."""


class Change(NamedTuple):
    """`old`, which stands once in `file`, becomes `new`; both have the same number of lines."""

    file: str
    """From the root of the repository on."""
    old: str
    new: str

    def code(self) -> list[tuple[FunctionType, CodeType]]:
        """The functions that it changes, each with its new code.

        Raises:
            ChangeError: `old` is not in the file, or more than once; the numbers of lines differ; nothing
                changes; or what changes is not within a function.
        """
        return _code(self)


@lru_cache
def _code(change: Change) -> list[tuple[FunctionType, CodeType]]:
    file, old, new = change
    path = ROOT / file
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ChangeError(f"{file} must have these lines once, not {text.count(old)} times:\n{old}")
    if old.count("\n") != new.count("\n"):
        raise ChangeError(f"{file}: the lines after these would move, and all code with them:\n{new}")
    module = import_module(file.removesuffix(".py").replace("/", "."))
    filename = str(module.__file__)
    before = compile(text, filename, "exec", dont_inherit=True)
    after = compile(text.replace(old, new), filename, "exec", dont_inherit=True)
    names = [*_differing(before, after, file)]
    if not names:
        raise ChangeError(f"{file}: no function does anything else with these lines:\n{new}")
    return [(_function(module, name, code_before, file), code) for name, code_before, code in names]


def _differing(before: CodeType, after: CodeType, file: str) -> Iterator[tuple[str, CodeType, CodeType]]:
    """Name, old and new code of each function, of the module or of a class in it, that is not the same."""
    for one, other in zip(_inner(before), _inner(after), strict=True):
        if one == other:
            continue
        if "__module__" in one.co_names and "__qualname__" in one.co_names:  # the body of a class
            yield from _differing(one, other, file)
        else:
            yield other.co_qualname, one, other


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _function(module: ModuleType, name: str, before: CodeType, file: str) -> FunctionType:
    """The function that lives under the qualified `name`."""
    found: Any = module
    for part in name.split("."):
        found = vars(found).get(part)
        found = getattr(found, "fget", found)
    if not isinstance(found, FunctionType) or found.__code__.co_code != before.co_code:
        raise ChangeError(f"{file}: {name} is not the function that the file has: {found!r}")
    return found


@contextmanager
def changed(*changes: Change) -> Iterator[None]:
    """Make `changes` for the length of a block.

    Raises:
        ChangeError: one of them does not fit.
    """
    codes = [each for change in changes for each in change.code()]
    with ExitStack() as stack:
        for function, code in codes:
            stack.callback(_setter(function, function.__code__))
            function.__code__ = code
        yield


def _setter(function: FunctionType, code: CodeType) -> Callable[[], None]:
    def back() -> None:
        function.__code__ = code

    return back
