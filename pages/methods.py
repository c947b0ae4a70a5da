"""Writes `streamkit/_engine/face/methods.pyi`: every operator and sink as a method of `Stream`, for checkers.

    python -m pages.methods

A method has the parameters and overloads of its operator. What comes out is read from the operator's return
type: `Keep`, `Operator[A, B]` and `Sink[A, R]` say it themselves, a `Shape` by its ``__call__``.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from streamkit import ops
from streamkit._core.lazy import listed
from streamkit._engine.face import methods

PAGE = Path(methods.__file__).with_suffix(".pyi")
RECEIVER = "Item"
HEAD = '''"""Every operator and sink as a method, for type checkers and editors.

Written by `python -m pages.methods` from the operators: change those, and run it again.
"""

# pyright: reportPrivateUsage=false
'''


class Names:
    """What the signatures use: where each name is imported from, and the type variables."""

    def __init__(self) -> None:
        self.imports: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        self.add(["Generic", "TypeVar", "Any"], "typing")
        self.variables[RECEIVER] = f'{RECEIVER} = TypeVar("{RECEIVER}")'

    def add(self, names: list[str], module: str) -> None:
        for name in names:
            first = self.imports.setdefault(name, module)
            if first != module and getattr(sys.modules[first], name) != getattr(sys.modules[module], name):
                raise ValueError(f"{name} of {first} is another one in {module}")

    def use(self, tree: ast.AST, module: str) -> None:
        """Note the names in `tree`, of `module`. Type variables that only share a name get others."""
        found, variables = _bindings(module)
        renamed: dict[str, ast.expr] = {}
        for name in sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}):
            if name in variables:
                call = variables[name].partition(" = ")[2]
                renamed[name] = _expression(self._variable(name, call))
                self.use(_expression(call), module)
            elif name in found:
                self.add([name], _home(found[name], name))
        _Renamed(renamed).visit(tree)

    def _variable(self, name: str, call: str) -> str:
        """The name of the type variable that `call` makes, which is `name` if no other has that."""
        for each in (name, *(f"{name}{number}" for number in range(2, 9))):
            written = f"{each} = {call.replace(repr(name), repr(each))}"
            if self.variables.setdefault(each, written) == written:
                return each
        raise ValueError(f"too many type variables have the name {name}")

    def lines(self) -> Iterator[str]:
        homes: dict[str, list[str]] = {}
        for name, module in self.imports.items():
            homes.setdefault(module, []).append(name)
        for module, names in sorted(homes.items()):
            yield f"from {module} import {', '.join(sorted(names))}"
        yield from self.variables.values()


def _home(module: str, name: str) -> str:
    """The module that defines a name which `module` may only have imported."""
    while module.startswith("streamkit.") and (home := _bindings(module)[0].get(name, module)) != module:
        module = home
    return module


@cache
def _tree(module: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[module]))


@cache
def _bindings(module: str) -> tuple[dict[str, str], dict[str, str]]:
    """The imports and own names of a module, and its type variables with their definitions."""
    imports: dict[str, str] = {}
    variables: dict[str, str] = {}
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.ImportFrom) and node.module:
            imports |= {each.asname or each.name: node.module for each in node.names}
    for node in _tree(module).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            imports[node.name] = module
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            imports[name] = module
            if isinstance(node.value, ast.Call) and ast.unparse(node.value.func).startswith("TypeVar"):
                variables[name] = ast.unparse(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            imports[node.target.id] = module
    return imports, variables


def _forms(function: Any) -> list[ast.FunctionDef]:
    """The overloads of a function; its implementation, if it has none."""
    found = [
        node
        for node in _tree(function.__module__).body
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__
    ]
    overloads = [node for node in found if "overload" in map(ast.unparse, node.decorator_list)]
    return overloads or found


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: dict[str, ast.expr]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.names.get(node.id, node)


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _parts(node: ast.expr) -> tuple[str, list[ast.expr]]:
    """A type and its arguments."""
    if isinstance(node, ast.Subscript):
        inner = node.slice
        return ast.unparse(node.value), inner.elts if isinstance(inner, ast.Tuple) else [inner]
    return ast.unparse(node), []


def _flow(returns: ast.expr, names: Names, module: str) -> tuple[ast.expr, ast.expr]:
    """The items that an operator takes, and the type of what comes out of a stream of them."""
    kind, given = _parts(returns)
    if kind == "Keep":
        return _expression(RECEIVER), _expression(f"Stream[{RECEIVER}]")
    if kind in ("Operator", "Sink"):
        return given[0], _expression(f"{'Stream' if kind == 'Operator' else 'Job'}[{ast.unparse(given[1])}]")
    if kind == "Callable":
        assert isinstance(given[0], ast.List)
        return _parts(given[0].elts[0])[1][0], given[1]
    if kind == "Any":
        return _expression(RECEIVER), returns
    return _flow_of_shape(kind, given, names, module)


def _flow_of_shape(kind: str, given: list[ast.expr], names: Names, module: str) -> tuple[ast.expr, ast.expr]:
    home = getattr(sys.modules[module], kind).__module__
    tree = next(node for node in _tree(home).body if isinstance(node, ast.ClassDef) and node.name == kind)
    call = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "__call__")
    generic = [_parts(base)[1] for base in tree.bases if _parts(base)[0] == "Generic"]
    own = [ast.unparse(each) for each in (generic[0] if generic else [])]
    rename = _Renamed({"A": _expression(RECEIVER), **dict(zip(own, given, strict=True))})
    stream = call.args.args[1].annotation
    assert stream is not None
    assert call.returns is not None
    names.use(call.returns, home)
    names.use(stream, home)
    taken = _parts(rename.visit(deepcopy(stream)))[1][0]
    return taken, rename.visit(deepcopy(call.returns))


def _method(function: Any, form: ast.FunctionDef, names: Names) -> ast.FunctionDef:
    method = deepcopy(form)
    assert method.returns is not None
    method.decorator_list = []
    taken, method.returns = _flow(method.returns, names, function.__module__)
    arguments = method.args
    receiver = ast.arg("self", _expression(f"Methods[{ast.unparse(taken)}]"))
    (arguments.posonlyargs or arguments.args).insert(0, receiver)
    arguments.defaults = [_shown(each) for each in arguments.defaults]
    arguments.kw_defaults = [each and _shown(each) for each in arguments.kw_defaults]
    names.use(arguments, function.__module__)
    names.use(method.returns, function.__module__)
    method.body = [ast.Expr(ast.Constant(...))]
    return method


def _shown(default: ast.expr) -> ast.expr:
    return default if isinstance(default, ast.Constant) else ast.Constant(...)


def _written(name: str, names: Names) -> Iterator[str]:
    function = getattr(ops, name)
    forms = _forms(function)
    for place, form in enumerate(forms):
        method = _method(function, form, names)
        if len(forms) > 1:
            yield "    @overload"
            names.add(["overload"], "typing")
        head = ast.unparse(method).removesuffix("\n    ...")
        if place:
            yield f"    {head} ..."
        else:
            yield f"    {head}"
            yield from _docstring(function)


def _docstring(function: Any) -> Iterator[str]:
    lines = (inspect.getdoc(function) or "").replace("\\", "\\\\").splitlines()
    for place, line in enumerate(lines):
        yield f"        {'' if place else chr(34) * 3}{line}".rstrip()
    yield f"        {chr(34) * 3}"


def page() -> str:
    """The stub."""
    names = Names()
    names.add(["Stream"], "streamkit._engine.face.stream")
    names.add(["Job"], "streamkit._engine.face.job")
    body = [line for name in sorted(listed(ops.__name__)) for line in _written(name, names)]
    names.variables["T_co"] = 'T_co = TypeVar("T_co", covariant=True)'
    used = list(names.lines())
    start = ["", "class Methods(Generic[T_co]):", "    __slots__ = ()"]
    return "\n".join([HEAD, *used, *start, *body, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
