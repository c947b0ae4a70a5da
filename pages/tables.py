"""Writes docs/reference.md: what every operator and source does, and what it holds, as it is declared.

    python -m pages.tables [file]

The words come from the operators' docstrings, the numbers from their contracts. Nothing is kept by hand.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from enum import Enum, EnumType
from itertools import product
from pathlib import Path
from typing import Any

from pages.families import families, sources
from streamkit import Behaviour, Contract, ops
from streamkit._core.catalogue import Declaration
from streamkit._core.markers import ABSENT

PAGE = Path(__file__).parent.parent / "docs" / "reference.md"
CONDITIONS = ("Emits", "Waits", "Completes", "Closes")

INTRODUCTION = """\
# Operators, sinks and sources

Written by `python -m pages.tables` from the docstrings and the contracts in the code: change those, and run
it again.

The first table of each family says what an operator does, and when. The second says what its arguments
are: those after `*` are given by name; `...` stands for a default that is no value. The third says what it
holds, in items that it receives. *Holds* is what it keeps between two pulls, besides the one in its hand;
*lookahead*, what it takes from its source before anyone asks. Words in `this type` are arguments;
`strategies` are those of the buffers with which branches begin. *Unbounded* stands where there is no limit.
*Kind* sums it up:

| kind | it |
| --- | --- |
| pass-through | keeps nothing and reads nothing ahead |
| bounded | keeps or reads ahead items, to a limit |
| unbounded | may keep any number of items |
| lossy | may lose items |

Where an operator has two forms, each has its line: a *step* is a part of one loop, a *stage* has tasks, a
buffer or a clock. [backpressure.md](backpressure.md) says what each strategy does.

Operators and sinks are functions of `streamkit.ops`; sources, at the end of the page, of `streamkit` itself.
"""

# -- formulas -------------------------------------------------------------------------------------

ATTRIBUTES = {
    "limit": "the limit of {}",
    "loses": "what {} loses",
    "overflows": "{} can be full",
    "waits": "{} waits",
}
"""How what a strategy says of itself is read."""
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.Eq: "is",
    ast.NotEq: "is not",
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
}


def readable(formula: str) -> str:
    """A formula of a contract in words.

    >>> readable("strategy.limit if strategy.waits else unbounded")
    'the limit of `strategy` if `strategy` waits, otherwise unbounded'
    """
    return _said(ast.parse(formula, mode="eval").body)


def _said(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(words)):
            return words
        case ast.Name(id="unbounded"):
            return "unbounded"
        case ast.Attribute(value=ast.Name() as owner, attr=name) if name in ATTRIBUTES:
            return ATTRIBUTES[name].format(_code(owner))
        case ast.IfExp():
            return _either(node)
        case ast.BoolOp(op=ast.Or(), values=[*values, ast.Constant(value=str(words))]):
            return f"{' or '.join(map(_said, values))}; if there is none, {words}"
        case ast.BoolOp(op=ast.Or()) | ast.BoolOp(op=ast.And()):
            joint = " or " if isinstance(node.op, ast.Or) else " and "
            return joint.join(map(_said, node.values))
        case ast.Compare(left=left, ops=[found], comparators=[ast.Name(id="ABSENT")]):
            return f"{_said(left)} is {'not ' if isinstance(found, ast.Is) else ''}given"
        case ast.Compare(left=left, ops=[found], comparators=[right]):
            return f"{_said(left)} {COMPARISONS[type(found)]} {_said(right)}"
        case ast.BinOp(op=ast.Add(), left=left, right=right) if not _plain(node):
            return f"{_said(left)}, plus {_said(right)}"
        case ast.Call(func=ast.Name(id="sum"), args=[ast.GeneratorExp() as terms]):
            return f"the sum, {_each(terms)}, of ({_said(terms.elt)})"
        case ast.Call(func=ast.Attribute(attr="join"), args=[ast.GeneratorExp() as terms]):
            return f"{_said(terms.elt)} {_each(terms)}"
        case ast.Constant():
            return ast.unparse(node)
        case _:
            return _code(node)


def _plain(node: ast.expr) -> bool:
    """Whether it reads best as it is written."""
    return not any(isinstance(inner, (ast.IfExp, ast.GeneratorExp)) for inner in ast.walk(node))


def _code(node: ast.expr) -> str:
    text = re.sub(
        r"(?<!\w)_(?=\w)", "", ast.unparse(node)
    )  # `_strategies` is what the form calls `strategies`
    return f"`{text}`"


def _either(node: ast.expr) -> str:
    """``a if b, c if d, otherwise e``."""
    cases: list[str] = []
    while isinstance(node, ast.IfExp):
        cases.append(f"{_said(node.body)} if {_said(node.test)}")
        node = node.orelse
    return ", ".join([*cases, f"otherwise {_said(node)}"])


def _each(terms: ast.GeneratorExp) -> str:
    (loop,) = terms.generators
    where = "".join(f" where {_said(test)}" for test in loop.ifs)
    return f"for each {_said(loop.target)} of {_said(loop.iter)}{where}"


# -- kinds ----------------------------------------------------------------------------------------

NOTHING, SOME, ANY = range(3)
"""What a number can come to: none, a finite one, one without a limit."""


def kinds(contract: Contract) -> list[Behaviour]:
    """What the contract can come to, over all arguments; with given ones, `Contract.behaviour` says it."""
    found: set[Behaviour] = set()
    losses = _losses(ast.parse(contract.loses, mode="eval").body)
    if True in losses:
        found.add(Behaviour.LOSSY)
    if False in losses:
        formulas = [contract.holds, contract.lookahead]
        if contract.mixed:
            formulas = [
                f"({one}) + ({other})" for one, other in zip(formulas, contract.of_others, strict=True)
            ]
        for holds, ahead, keys in product(*map(_sizes, [*formulas, contract.keys])):
            if ANY in (holds, keys):
                found.add(Behaviour.UNBOUNDED)
            else:
                found.add(Behaviour.BOUNDED if holds or ahead or keys else Behaviour.PASS_THROUGH)
    return sorted(found, key=[*Behaviour].index)


def _losses(node: ast.expr) -> set[bool]:
    """Whether something is lost: True, False, or either."""
    match node:
        case ast.Constant(value=words):
            return {words != "nothing"}
        case ast.IfExp(body=body, orelse=other):
            return _losses(body) | _losses(other)
        case _:
            return {True, False}


def _sizes(formula: str) -> set[int]:
    return _size(ast.parse(formula, mode="eval").body)


def _size(node: ast.expr) -> set[int]:
    match node:
        case ast.Constant(value=0):
            return {NOTHING}
        case ast.Name(id="unbounded"):
            return {ANY}
        case ast.IfExp(body=body, orelse=other):
            return _size(body) | _size(other)
        case ast.BinOp(op=ast.Add(), left=left, right=right):
            return {max(pair) for pair in product(_size(left), _size(right))}
        case ast.Call(func=ast.Name(id="sum"), args=[ast.GeneratorExp(elt=each)]):
            return {NOTHING} | _size(each)
        case _:
            return {SOME}


# -- docstrings -----------------------------------------------------------------------------------


def sections(function: Callable[..., Any]) -> dict[str, str]:
    """The summary line of a docstring, and when the operator emits, waits, completes and closes."""
    text = inspect.getdoc(function) or ""
    found = {"": _line(text.partition("\n\n")[0])}
    for word in CONDITIONS:
        if match := re.search(rf"^{word} when: (.*(?:\n    .*)*)", text, re.MULTILINE):
            found[word] = _line(match[1])
    return found


def arguments(function: Callable[..., Any]) -> dict[str, str]:
    """What the docstring says of each argument.

    >>> arguments(ops.take)
    {'count': 'how many items to pass on, at most'}
    """
    text = inspect.getdoc(function) or ""
    found = re.search(r"^Args:\n((?:    .*\n?)*)", text, re.MULTILINE)
    told = re.findall(r"^    (\w+): (.*(?:\n     .*)*)", found[1] if found else "", re.MULTILINE)
    return {name: _line(words) for name, words in told}


def _line(text: str) -> str:
    return " ".join(text.split()).replace("``", "`").removesuffix(".")


def made_of(name: str) -> str:
    """What an operator without a declaration is short for: the code at the end of its first line."""
    summary = sections(getattr(ops, name))[""]
    if (code := re.search(r"`[^`]+\)`$", summary)) is None:
        raise LookupError(
            f"{name} is not declared, and does not end its first line with what it is short for"
        )
    return code[0]


def called(name: str, function: Callable[..., Any]) -> str:
    """How `function` is called as `name`: arguments, defaults, and from where on they must be named.

    >>> called("map", ops.map)
    '`map(function, *, concurrency=1, ordered=True, lookahead=0)`'
    """
    found = inspect.signature(function)
    shown = [
        each.replace(annotation=each.empty, default=_default(each.default))
        for each in found.parameters.values()
        if not each.name.startswith("_") and each.name != "self"
    ]
    text = str(found.replace(parameters=shown, return_annotation=found.empty))
    return f"`{name}{text}`"


class _Shown:
    """A default as a reader would write it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _default(value: Any) -> Any:
    if value is ABSENT:
        return _Shown("...")
    if isinstance(value, EnumType):
        return _Shown(value.__name__)
    return _Shown(str(value)) if isinstance(value, Enum) else value


# -- the page -------------------------------------------------------------------------------------


def table(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    """A table without the columns that are empty in every row."""
    used = [place for place in range(len(head)) if any(row[place] for row in rows)]
    for row in [head, ["---"] * len(head), *rows]:
        yield "| " + " | ".join(row[place].replace("|", "\\|") for place in used) + " |"


def conditions(functions: dict[str, Callable[..., Any]], kind: str = "operator") -> Iterator[str]:
    """What each operator does, and when."""
    head = [kind, "what it does", *(f"{word.lower()} when" for word in CONDITIONS)]
    rows: list[list[str]] = []
    for name, function in functions.items():
        found = sections(function)
        rows.append([called(name, function), *(found.get(word, "") for word in ("", *CONDITIONS))])
    return table(head, rows)


def explained(functions: dict[str, Callable[..., Any]], kind: str = "operator") -> Iterator[str]:
    """What each argument of each operator is; nothing, if none takes any."""
    rows = [
        [f"`{name}`", f"`{argument}`", words]
        for name, function in functions.items()
        for argument, words in arguments(function).items()
    ]
    return table([kind, "argument", "what it is"], rows) if rows else iter(())


def _holds(contract: Contract) -> str:
    if contract.keys != "0":
        keys = "any number of keys" if contract.keys == "unbounded" else f"{readable(contract.keys)} keys"
        return f"{readable(contract.holds)}, and {keys}"
    if contract.times == "1":
        return readable(contract.holds)
    pipes = f"{readable(contract.times)} times what the pipe holds"
    return pipes if contract.holds == "0" else f"{readable(contract.holds)}, plus {pipes}"


def contracts(names: dict[str, list[Declaration]]) -> Iterator[str]:
    """What each form of each operator holds."""
    head = ["operator", "holds", "lookahead", "order", "loses", "keeps as its result", "kind"]
    rows: list[list[str]] = []
    for name, forms in names.items():
        for form in sorted(forms, key=lambda form: form.stage is not None):
            which = (
                "" if len(forms) == 1 else f" ({'sink' if form.sink else 'stage' if form.stage else 'step'})"
            )
            row = [f"`{name}`{which}", *_contract(form.contract)]
            if row not in rows:
                rows.append(row)
        if not forms:
            rows.append([f"`{name}`", f"as {made_of(name)}", *[""] * 5])
    return table(head, rows)


def _contract(contract: Contract) -> list[str]:
    source = " per source" if contract.per_source else ""
    kind = " or ".join(", ".join(kinds(contract)).rsplit(", ", 1))
    order = {"True": "kept", "ordered": "kept if `ordered`"}.get(contract.ordered)
    others = ["", ""]
    if contract.mixed:
        others = [
            f" of the first source, {readable(formula)} of each other" for formula in contract.of_others
        ]
    return [
        _holds(contract) + source * (contract.holds != "0") + others[0],
        readable(contract.lookahead) + source * (contract.lookahead != "0") + others[1],
        (order or readable(contract.ordered)) + ", at the end only" * contract.at_end,
        readable(contract.loses),
        contract.result,
        kind,
    ]


def _titled(module: str) -> str:
    _, package, family = module.rsplit(".", 2)
    return family if package == "operators" else f"{package}: {family}"


def page() -> str:
    """The whole page."""
    lines = [INTRODUCTION]
    for module, names in families().items():
        functions = {name: getattr(ops, name) for name in names}
        lines += [*_headed(module), *conditions(functions), ""]
        if rows := [*explained(functions)]:
            lines += [*rows, ""]
        lines += [*contracts(names), ""]
    for module, functions in sources().items():
        lines += [*_headed(module), *conditions(functions, "source"), ""]
        if rows := [*explained(functions, "source")]:
            lines += [*rows, ""]
    return "\n".join(lines)


def _headed(module: str) -> list[str]:
    about = _line((sys.modules[module].__doc__ or "").partition("\n\n")[0])
    return [f"## {_titled(module)}", "", f"{about}.", ""]


if __name__ == "__main__":
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE
    file.write_text(page(), encoding="utf-8", newline="\n")
