"""Checks: what the pieces of a step may say. All else is refused where the step is declared.

Pieces are written into a loop in several forms, so they cannot say what has a meaning for the whole function
around it, or could not be awaited in one of the forms. Each check that fails names the step, the piece, the
line and the construct, and what to write instead.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from streamkit._engine.compile.scopes import COMPREHENSIONS, scoped, unset
from streamkit._engine.compile.syntax import parse

__all__ = [
    "EXPRESSIONS",
    "FORK_SIGNALS",
    "GROUP_SIGNALS",
    "OF_FRAMES",
    "SIGNALS",
    "STATEMENTS",
    "Checks",
    "compiles",
    "signalled",
    "statement_name",
]

SIGNALS = ("emit", "stop")
FORK_SIGNALS = ("pick",)
GROUP_SIGNALS = ("enter", "resume", "run", "end")

_OF_VALUES = ("emit", *FORK_SIGNALS)
_OF_ONE_OR_NONE = ("run",)

STATEMENTS = (ast.Assign, ast.AugAssign, ast.Expr, ast.For, ast.If, ast.Pass, ast.Raise)
"""The statements that can be spliced."""

_FUNCTION = "call a function that does it"
_BELOW = "put the rest below an if"
_INSTEAD: dict[type[ast.stmt], str] = dict.fromkeys((ast.Break, ast.Continue, ast.Return), _BELOW)

EXPRESSIONS = (
    ast.Attribute,
    ast.Await,
    ast.BinOp,
    ast.BoolOp,
    ast.Call,
    ast.Compare,
    ast.Constant,
    ast.Dict,
    ast.DictComp,
    ast.FormattedValue,
    ast.GeneratorExp,
    ast.IfExp,
    ast.JoinedStr,
    ast.Lambda,
    ast.List,
    ast.ListComp,
    ast.Name,
    ast.NamedExpr,
    ast.Set,
    ast.SetComp,
    ast.Slice,
    ast.Starred,
    ast.Subscript,
    ast.Tuple,
    ast.UnaryOp,
)
"""The expressions that mean in a loop what they mean in a function."""

_BARE = ("dir", "vars")
OF_FRAMES = ("eval", "exec", "globals", "locals", "super", *_BARE)
"""Builtins that look at the function which calls them; some only if they are called without an argument."""


def signalled(node: ast.AST, name: str) -> ast.Call | None:
    """The call, if `node` is the statement ``emit(...)`` or ``stop()``, as `name` says."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id=found)) as call) if found == name:
            return call
        case _:
            return None


def statement_name(statement: ast.stmt) -> str | None:
    """``name``, if `statement` is ``name()``: a signal of a step that groups, perhaps."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=[], keywords=[])):
            return name
        case _:
            return None


def _statements(block: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in block:
        yield statement
        for inner in (getattr(statement, "body", []), getattr(statement, "orelse", [])):
            yield from _statements(inner)


class Checks:
    """The checks of one step, over one piece after the other."""

    def __init__(
        self, where: str, callbacks: frozenset[str], signals: tuple[str, ...], frames: frozenset[str]
    ) -> None:
        self.where = where
        self.callbacks = callbacks
        self.signals = signals
        self.frames = frames
        """Names that stand for builtins of `OF_FRAMES`, and nothing else, in this step."""
        self.piece: str
        self.text: str

    def check(self, piece: str, text: str, block: list[ast.stmt]) -> None:
        """Check `block`, which is what `text` says: the piece of this name."""
        self.piece, self.text = piece, text
        for statement in _statements(block):
            if not isinstance(statement, STATEMENTS):
                kind = type(statement).__name__
                self.refuse(
                    statement,
                    f"only assignments, calls, if, for and raise can be spliced, not {kind}: "
                    f"{_INSTEAD.get(type(statement), _FUNCTION)}",
                )
            self._targets(statement)
        self._signals(block)
        for statement in block:
            for node, hidden, around in scoped(statement):
                self._node(node, hidden, around)
        self._written(block)

    def set_before(self, block: list[ast.stmt], names: frozenset[str]) -> None:
        """Check that ``each``, which is `block`, reads none of `names`, that only it assigns to, before."""
        node = unset(block, names)
        if node is not None:
            self.refuse(
                node, f"nothing has assigned to {node.id} before: do so in setup, as in {node.id} = ..."
            )

    def refuse(self, node: Any, why: str) -> NoReturn:
        """Raise a SyntaxError about `node`."""
        line: int = node.lineno
        lines = self.text.splitlines()
        said = lines[line - 1].strip() if line <= len(lines) else self.text.strip()
        raise SyntaxError(f"step {self.where}: {why} ({self.piece}, line {line}: {said})")

    def _node(self, node: ast.AST, hidden: frozenset[str], around: tuple[ast.expr, ...]) -> None:
        if isinstance(node, ast.Name):
            self._name(node, hidden)
        elif isinstance(node, ast.Call):
            self._call(node, hidden, around)
        elif isinstance(node, ast.Await):
            if any(isinstance(each, (ast.GeneratorExp, ast.Lambda)) for each in around):
                self.refuse(node, "await cannot be in a lambda or generator expression: write a for loop")
        elif isinstance(node, COMPREHENSIONS):
            if any(each.is_async for each in node.generators):
                self.refuse(node, "async for cannot be spliced: write a stage")
        elif isinstance(node, ast.expr) and not isinstance(node, EXPRESSIONS):
            self.refuse(node, f"{type(node).__name__} cannot be spliced: emit(x) passes an item on")

    def _name(self, node: ast.Name, hidden: frozenset[str]) -> None:
        if node.id != "item" or "item" in hidden:
            return
        if not isinstance(node.ctx, ast.Load):
            self.refuse(node, "item cannot be assigned to")
        if self.piece != "each":
            self.refuse(node, "item is there in each only")

    def _call(self, node: ast.Call, hidden: frozenset[str], around: tuple[ast.expr, ...]) -> None:
        if not isinstance(node.func, ast.Name) or node.func.id in hidden:
            return
        name = node.func.id
        if name in self.callbacks:
            for each in around:
                if isinstance(each, (ast.GeneratorExp, ast.Lambda)):
                    kind = "lambda" if isinstance(each, ast.Lambda) else "generator expression"
                    self.refuse(
                        node,
                        f"{name} cannot be called in a {kind}, where its result could not be awaited: "
                        "write a for loop or a list comprehension",
                    )
        if name in self.frames and not (name in _BARE and (node.args or node.keywords)):
            self.refuse(node, f"{name}() cannot be spliced: in the loop, variables have other names")

    def _targets(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets=targets):
                pass
            case ast.AugAssign(target=target) | ast.For(target=target):
                targets = [target]
            case _:
                return
        for node in [node for target in targets for node, _, _ in scoped(target)]:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                if node.func.id in self.callbacks:
                    self.refuse(
                        node, f"{node.func.id} cannot be called in what is assigned to: call it before"
                    )
            elif isinstance(node, ast.Await):
                self.refuse(node, "await cannot be in what is assigned to: await it before")

    def _signals(self, block: list[ast.stmt]) -> None:
        statements = list(_statements(block))
        for signal in self.signals:
            calls = [call for statement in statements if (call := signalled(statement, signal))]
            own = {id(call.func) for call in calls}
            for statement in block:
                for node in ast.walk(statement):
                    named = getattr(node, "id", None) or (node.arg if isinstance(node, ast.arg) else None)
                    if named == signal and id(node) not in own:
                        self.refuse(node, f"{signal}(...) must be a statement of its own")
            for call in calls:
                one = len(call.args) == 1 and not call.keywords and not isinstance(call.args[0], ast.Starred)
                if signal in _OF_VALUES:
                    if not one:
                        self.refuse(call, f"{signal}(x) takes one value: write {signal}((a, b)) for a tuple")
                elif (call.args or call.keywords) and not (one and signal in _OF_ONE_OR_NONE):
                    most = "one value at most" if signal in _OF_ONE_OR_NONE else "no argument"
                    self.refuse(call, f"{signal}() takes {most}")

    def _written(self, block: list[ast.stmt]) -> None:
        """Refuse what `ast.unparse` does not write as it was read, or not in one line."""
        for statement in _statements(block):
            if not _is_written_as_read(statement):
                self.refuse(statement, "this cannot be written out again: make it simpler, or a function")


def _is_written_as_read(statement: ast.stmt) -> bool:
    """Whether `ast.unparse` writes what means the same: in one line, if `statement` has no block."""
    text = ast.unparse(statement)
    try:
        again = parse(text).body
    except SyntaxError:  # pragma: no cover - by some versions only, as 3.13 for a "\r" in a format
        return False
    lines = 1 if hasattr(statement, "body") else len(text.splitlines())
    return lines == 1 and [ast.dump(each) for each in again] == [ast.dump(statement)]


def compiles(where: str, parameters: tuple[str, ...], blocks: Mapping[str, list[ast.stmt]]) -> None:
    """Have Python itself check all pieces, as parts of one function."""
    arguments = ast.arguments(
        posonlyargs=[],
        args=[ast.arg(name) for name in parameters],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )
    for piece, block in blocks.items():
        function = parse("async def step(): pass").body[0]
        assert isinstance(function, ast.AsyncFunctionDef)
        function.args, function.body = arguments, [*block, ast.Pass()]
        tree = ast.fix_missing_locations(ast.Module([function], []))
        try:
            compile(tree, f"<step {where}>", "exec")
        except SyntaxError as error:
            raise SyntaxError(f"step {where}: {error.msg} ({piece}, line {error.lineno})") from None
