"""Ready text: what a part of a piece becomes in a loop, worked out once for each form of a step.

To rename a part, settle it and write it as text takes longer than all else that making a loop does but for
Python's own compiling. What comes of it depends on the form of the step (its key) and on how the loop awaits.
Its place in the loop puts two names into it, no more: the index of the step, and the variable of the item. So
the text is kept with marks where these stand, and a loop of a new shape is put together of what others have
left.
"""

from __future__ import annotations

import ast
from copy import deepcopy
from typing import Any, Final, NamedTuple, TypeGuard

from streamkit._engine.compile.bind import Global

__all__ = ["GOT", "ITEM", "MARKS", "SKIP", "Marked", "Ready", "Template", "looked"]

GOT: Final = "got"
"""The variable for what a callback has just returned. A name of a piece would have a number at its end."""

INDEX: Final = "\u16df"
ITEM: Final = "\u16de"
"""Runes, letters that names may have: they stand for the index and the item."""
SKIP: Final = "skip"
"""A line that stands for what leaves out the rest of what a step does with an item."""
_NAME: Final = "\u16c3"
"""Stands for the variable that what a callback has returned is stored as."""
MARKS: Final = frozenset({INDEX, ITEM, _NAME})
"""A step that has one of them in its own text is written anew for each loop; so is one with a lambda, whose
parameters may have the name of a variable of the loop."""


class Marked(int):
    """An index that text has a mark for."""

    def __format__(self, _: str) -> str:
        return INDEX


class Template(NamedTuple):
    """What a part becomes, with marks."""

    origin: ast.AST
    """The part, as it is in the piece."""
    node: ast.AST
    """What stands in its place."""
    lines: tuple[tuple[int, str], ...]
    """What stands before it: how deep, and the text."""
    loops: int
    """How many ``for`` loops are around the innermost of them."""
    passing: tuple[str, ...]
    new_got: bool | None
    """Whether the last call that is looked at is the first of them; None if none is."""
    awaits: bool
    wanted: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, Any], ...]
    globals: tuple[tuple[str, Global], ...]
    texts: dict[str, Any]
    """The text of the node, and others that are made of it, when they are first asked for."""


class Ready:
    """A part as it stands in one place."""

    __slots__ = ("_index", "_item", "_template")

    def __init__(self, template: Template, index: str | None, item: str | None) -> None:
        self._template = template
        self._index = index
        """None where the template is for this place alone, and has no marks."""
        self._item = item

    def put(self, text: str) -> str:
        """`text` with the names of this place for the marks."""
        if self._index is None:
            return text
        text = text.replace(INDEX, self._index)
        return text if self._item is None else text.replace(ITEM, self._item)

    @property
    def text(self) -> str:
        """It, as Python."""
        texts = self._template.texts
        if "text" not in texts:
            texts["text"] = ast.unparse(self._template.node)
        return self.put(texts["text"])

    @property
    def negated(self) -> str:
        """The opposite of a test."""
        texts = self._template.texts
        if "negated" not in texts:
            test: Any = self._template.node
            double = isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
            texts["negated"] = ast.unparse(test.operand if double else ast.UnaryOp(ast.Not(), test))
        return self.put(texts["negated"])

    @property
    def name(self) -> str | None:
        """The variable that it is, if it is no more than that."""
        node = self._template.node
        return self.put(node.id) if isinstance(node, ast.Name) else None

    def stored(self, name: str) -> tuple[str, str] | None:
        """See `looked`."""
        if self._index is None:
            return looked(self._template.node, name)
        texts = self._template.texts
        if "stored" not in texts:
            texts["stored"] = looked(self._template.node, _NAME)
        found = texts["stored"]
        if found is None:
            return None
        test, value = found
        return self.put(test).replace(_NAME, name), self.put(value).replace(_NAME, name)


def looked(node: ast.AST, name: str) -> tuple[str, str] | None:
    """If `node` is what a callback has returned, looked at: the test, stored as `name`, and what else it is.

    None, if it is anything else.
    """
    if not isinstance(node, ast.IfExp) or not _is_got(node.body, ast.Load):
        return None
    node = deepcopy(node)  # other threads may have it, too
    names = [each for each in ast.walk(node) if _is_got(each, (ast.Load, ast.Store))]
    if sum(_is_got(each, ast.Store) for each in names) != 1:
        return None
    for each in names:
        each.id = name
    return ast.unparse(node.test), ast.unparse(node.orelse)


def _is_got(node: ast.AST, context: type | tuple[type, ...]) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and node.id == GOT and isinstance(node.ctx, context)
