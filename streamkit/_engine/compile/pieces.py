"""Pieces: a step as text, what it uses by name, and what is found in it once it is parsed.

`StepDeclaration` is what the catalogue knows of a step. `parsed` turns its pieces into syntax trees, and
notes what the weaver must know of them: which names they assign, which they call, whether they stop. What a
piece may say is in `checks`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from keyword import iskeyword
from textwrap import dedent
from typing import Any, TypeAlias

from streamkit._core.catalogue import Declaration
from streamkit._core.contract import Contract
from streamkit._core.show import shown
from streamkit._core.value import Record
from streamkit._engine.compile.checks import (
    FORK_SIGNALS,
    GROUP_SIGNALS,
    OF_FRAMES,
    SIGNALS,
    Checks,
    compiles,
    signalled,
)
from streamkit._engine.compile.passing import lazy, passing
from streamkit._engine.compile.ready import MARKS
from streamkit._engine.compile.scopes import Flow, assigned, scoped
from streamkit._engine.compile.syntax import parse

__all__ = [
    "ERROR",
    "GIVEN",
    "Parsed",
    "Pieces",
    "StepDeclaration",
    "Uses",
    "absence",
    "checked",
    "parsed",
    "used",
]

Uses: TypeAlias = Mapping[str, Any] | Iterable[Callable[..., Any] | Mapping[str, Any]]
"""What the pieces of a step use by name: functions and classes, or mappings of names to values."""
GIVEN = ".given"
"""How the name ends, in syntax trees, that stands for the argument of a parameter that is assigned to."""

ERROR = "error"
"""What the piece ``failed`` calls the error that it is told of."""

_OWN = "streamkit."
"""How the names of our own modules begin: their names are fixed, and the tests check their pieces."""


class Pieces(Record):
    """A step as text: what it does at the start, with each item, at the end, and (a sink) what it returns.

    And the names of the parameters, if there are such, that are called when its loop is left (`closes`), and
    for the stream of each item (`nests`); and an expression for how many of the newest items it `keeps`
    something of.
    """

    setup: str = ""
    each: str = ""
    finish: str = ""
    failed: str = ""
    result: str = ""
    closes: str = ""
    nests: str = ""
    keeps: str = ""


class StepDeclaration(Declaration):
    """An operator that is a few lines of one loop."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        contract: Contract,
        *,
        pieces: Pieces,
        parameters: tuple[str, ...],
        uses: Uses = (),
        forks: bool = False,
        groups: bool = False,
    ) -> None:
        super().__init__(name, function, contract, parameters=parameters, sink=bool(pieces.result))
        self.pieces = pieces
        self.uses: Mapping[str, Any] = used(name, uses)
        """Values by the names that the pieces have for them."""
        self.forks = forks
        self.groups = groups
        taken = {*parameters, "item", *self.signals}
        if clashes := ", ".join(sorted(taken & self.uses.keys())):
            raise ValueError(f"step {name}: uses= must not have names that the step has already: {clashes}")
        for word, value in (("closes", pieces.closes), ("nests", pieces.nests)):
            if value and value not in parameters:
                raise NameError(f"step {name}: {word}= must name a parameter, not {shown(value)}")

    @property
    def own(self) -> bool:
        """Whether it is one of ours, and not of a user's."""
        return (self.function.__module__ or "").startswith(_OWN)

    @property
    def signals(self) -> tuple[str, ...]:
        """The words that are statements of the step, and stand for nothing else in it."""
        return SIGNALS + (GROUP_SIGNALS if self.groups else FORK_SIGNALS if self.forks else ())

    @cached_property
    def fingerprint(self) -> tuple[Any, ...]:
        if self.own:
            return super().fingerprint  # another version of ours may say it otherwise
        pieces = self.pieces
        texts = (pieces.setup, pieces.each, pieces.finish, pieces.failed, pieces.result, pieces.keeps)
        return (*super().fingerprint, *texts)

    @cached_property
    def parsed(self) -> Parsed:
        found = _parse(self.pieces, self.function.__qualname__, self.parameters)
        if clashes := ", ".join(sorted(found.assigned & self.uses.keys())):
            raise ValueError(
                f"step {self.name}: uses= must not have names that a piece assigns to: {clashes}"
            )
        return found

    @cached_property
    def needed(self) -> frozenset[str]:
        found = self.parsed
        parts: list[ast.AST] = [*found.setup, *found.each, *found.finish, *found.failed]
        parts += [each for each in (found.result, found.keeps) if each is not None]
        names = {"branches"} if self.forks else {"pipe"} if self.groups else {self.closes, self.nests}
        for node, hidden, _ in (each for part in parts for each in scoped(part)):
            if isinstance(node, ast.Name) and node.id not in hidden:
                names.add(node.id)
        return frozenset(names.intersection(self.parameters))

    @property
    def closes(self) -> str:
        return self.pieces.closes

    @property
    def nests(self) -> str:
        return self.pieces.nests

    @property
    def catches(self) -> bool:
        return bool(self.pieces.failed)

    @cached_property
    def callbacks(self) -> frozenset[str]:
        return self.parsed.called & {*self.parameters}

    @cached_property
    def late(self) -> frozenset[str]:
        found = self.parsed
        last = [ast.Expr(each) for each in (found.result, found.keeps) if each is not None]
        return _called([*found.setup, *found.finish, *last]) & self.callbacks

    @cached_property
    def variable(self) -> tuple[str, ...]:
        # a parameter that is compared with ABSENT decides too: each of the two cases is compiled apart
        decisive = self.callbacks | self.parsed.compared | {self.nests}
        return tuple([name for name in self.parameters if name in decisive])


class Parsed(Record):
    """The pieces of a step as syntax trees, and what was found in them."""

    setup: list[ast.stmt]
    each: list[ast.stmt]
    finish: list[ast.stmt]
    failed: list[ast.stmt]
    result: ast.expr | None
    keeps: ast.expr | None
    assigned: frozenset[str]
    called: frozenset[str]
    compared: frozenset[str]
    """The names that are assigned to; `called`, those that are called, and `compared`, with ABSENT."""
    settled: frozenset[str]
    """Names that `setup` assigns to in any case, and which no expression assigns to."""
    early: frozenset[str]
    """Variables that may be read before this item, or the setup, has assigned to them."""
    given: int
    """How many statements in `setup` give a parameter's argument to a variable: pieces assign to it."""
    stops: bool
    """Whether it may end the stream before the source does."""
    passing: frozenset[str]
    """Variables of ``each`` that hold something for one turn of the loop only (`passing.py`)."""
    lazy: frozenset[str]
    """Names that ``each`` has in what may run later."""
    marked: bool
    """Whether marks can stand for names in its text (`ready.py`)."""
    passes_each: bool
    """Whether it emits once for each item, and never else: behind no condition, and not at the end."""
    loops: bool
    """Whether ``each`` goes through something."""
    collects: bool
    """Whether all it does is to append each item to a list of its own, which cannot fail."""


def parsed(declaration: Declaration) -> Parsed:
    """The pieces of `declaration`, a step, parsed once."""
    assert isinstance(declaration, StepDeclaration)
    return declaration.parsed


def checked(declaration: StepDeclaration) -> None:
    """Refuse pieces of `declaration` that say what cannot be spliced."""
    found, where = declaration.parsed, declaration.function.__qualname__
    words = {"item", *declaration.signals, *([ERROR] if declaration.catches else [])}
    if clashes := ", ".join(sorted(words.intersection(declaration.parameters))):
        raise SyntaxError(f"step {where}: a parameter must not have a name that pieces use: {clashes}")
    if changed := ", ".join(sorted(declaration.callbacks & found.assigned)):
        raise SyntaxError(
            f"step {where}: a parameter that is called cannot be assigned to ({changed}): use another name"
        )
    known = {*declaration.uses} | {*declaration.parameters} | found.assigned
    scope = declaration.function.__globals__
    frames = frozenset(name for name in OF_FRAMES if name not in known and name not in scope)
    _check(declaration.pieces, where, declaration.parameters, declaration.signals, frames)


@lru_cache(maxsize=1024)
def _check(
    pieces: Pieces, where: str, parameters: tuple[str, ...], signals: tuple[str, ...], frames: frozenset[str]
) -> None:
    """Check pieces, once for all that a factory makes of them; `frames` are builtins that they may mean."""
    found = _parse(pieces, where, parameters)
    checks = Checks(where, found.called & {*parameters}, signals, frames)
    result = found.result
    blocks: dict[str, list[ast.stmt]] = {
        "setup": found.setup[found.given :],
        "each": found.each,
        "finish": found.finish,
        "failed": found.failed,
        "result": [] if result is None else [ast.copy_location(ast.Expr(result), result)],
        "keeps": [] if found.keeps is None else [ast.copy_location(ast.Expr(found.keeps), found.keeps)],
    }
    blocks = {piece: block for piece, block in blocks.items() if block}
    for piece, block in blocks.items():
        checks.check(piece, _plain(getattr(pieces, piece)), block)
        if piece == "each":
            checks.set_before(block, found.assigned - assigned(found.setup))
    compiles(where, parameters, blocks)


def used(step: str, uses: Any) -> dict[str, Any]:
    """What ``uses=`` of `step` means: values by their names in the pieces. It is checked to be `Uses`."""
    if callable(uses) or isinstance(uses, str) or not hasattr(uses, "__iter__"):
        name = getattr(uses, "__name__", None)
        hint = f": write uses=({name},)" if name else ""
        raise TypeError(
            f"step {step}: uses= must be several functions and classes, or a mapping, not {shown(uses)}{hint}"
        )
    pairs: list[tuple[Any, Any]] = []
    for each in [uses] if hasattr(uses, "items") else uses:
        if callable(each):
            pairs.append((getattr(each, "__name__", None), each))
        else:
            pairs += each.items() if hasattr(each, "items") else [(None, each)]
    names: dict[str, Any] = {}
    for name, value in pairs:
        if name is None or name == "<lambda>":
            raise TypeError(
                f"step {step}: uses= must be functions and classes, not {shown(value)}, which has no name of "
                "its own: write uses={'name': ...}"
            )
        if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
            raise TypeError(f"step {step}: uses= must have names that Python code can say, not {shown(name)}")
        if name in names and names[name] is not value:
            raise ValueError(f"step {step}: uses= must not have two values of one name: {name}")
        names[name] = value
    return names


@lru_cache(maxsize=1024)
def _parse(pieces: Pieces, where: str, parameters: tuple[str, ...]) -> Parsed:
    setup, each, finish, failed = (
        _read(where, piece, getattr(pieces, piece)) for piece in ("setup", "each", "finish", "failed")
    )
    [result] = _read(where, "result", pieces.result, "eval") or [None]
    [keeps] = _read(where, "keeps", pieces.keeps, "eval") or [None]
    parts: list[Any] = [*setup, *each, *finish, *failed, *([] if result is None else [result])]
    said = [*parts, *([] if keeps is None else [keeps])]
    found = assigned(parts) | {ERROR for _ in failed}
    names = [name for name in parameters if name in found]
    given = [parse(f"{name} = {name}").body[0] for name in names]
    for statement, name in zip(given, names, strict=True):
        assert isinstance(statement, ast.Assign)
        statement.value = ast.Name(name + GIVEN, ast.Load())
    nodes = [(node, hidden) for part in parts for node, hidden, _ in scoped(part)]
    flow = Flow(found)
    known = flow.after(setup, frozenset(names))
    flow.after(each, known)
    flow.after([*finish, *([] if result is None else [ast.Expr(result)])], known)
    flow.after(failed, known | {ERROR})
    return Parsed(
        setup=[*given, *setup],
        each=each,
        finish=finish,
        failed=failed,
        result=result,
        keeps=keeps,
        given=len(given),
        assigned=found,
        called=_called(said),
        settled=frozenset(
            target.id
            for statement in [*given, *setup]
            if isinstance(statement, ast.Assign)
            for target in statement.targets
            if isinstance(target, ast.Name)
        )
        - {n.target.id for n, _ in nodes if isinstance(n, ast.NamedExpr)},
        early=frozenset(flow.early),
        compared=frozenset(absent for n, _ in nodes if (absent := absence(n)) and absent not in found),
        stops=any(signalled(n, "stop") for n, _ in nodes),
        passing=passing([*given, *setup], each, finish, result),
        lazy=lazy(each),
        marked=not any(_unmarked(n) for n, _ in nodes) and not MARKS & {*str(pieces.__dict__)},
        passes_each=any(signalled(part, "emit") for part in each)
        and sum(any(signalled(node, word) for word in SIGNALS) for node, _ in nodes) == 1,
        loops=any(isinstance(node, ast.For) for part in each for node in ast.walk(part)),
        collects=_collects(setup, each),
    )


def _unmarked(node: ast.AST) -> bool:
    """Whether no marks can stand in the text of `node`: it has one by itself, if only as an escape."""
    if isinstance(node, ast.Constant):
        return not MARKS.isdisjoint(node.value) if isinstance(node.value, str) else False
    return isinstance(node, ast.Lambda)


def _called(parts: Iterable[ast.AST]) -> frozenset[str]:
    """The names that are called in `parts`."""
    return frozenset(
        n.func.id
        for part in parts
        for n, hidden, _ in scoped(part)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id not in hidden
    )


def _read(where: str, piece: str, text: str, mode: str = "exec") -> list[Any]:
    """The statements in `text`, or (mode "eval") the expression that it is."""
    text = _plain(text)
    if mode == "eval" and not text:
        return []
    try:
        tree: Any = parse(text, f"<step {where}>", mode)
    except SyntaxError as error:
        lines = text.splitlines()
        said = "".join(lines[(error.lineno or 1) - 1 :][:1]).strip() or text
        raise SyntaxError(f"step {where}: {error.msg} ({piece}, line {error.lineno}: {said})") from None
    return tree.body if isinstance(tree, ast.Module) else [tree.body]


def _plain(text: str) -> str:
    return dedent(text).strip("\n").rstrip()


def _collects(setup: list[ast.stmt], each: list[ast.stmt]) -> bool:
    match setup, each:
        case (
            [ast.Assign(targets=[ast.Name(id=made)], value=ast.List(elts=[]))],
            [ast.Expr(ast.Call(ast.Attribute(ast.Name(id=name), "append"), [ast.Name(id="item")], []))],
        ):
            return name == made
        case _:
            return False


def absence(node: ast.AST) -> str | None:
    """The name in ``name is ABSENT``, if that is what `node` is."""
    match node:
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Is()], comparators=[ast.Name(id="ABSENT")]):
            return name
        case _:
            return None
