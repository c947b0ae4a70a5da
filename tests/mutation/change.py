"""The mutants of a module: mutmut writes them, and each is put into the running program.

mutmut writes a file with a copy of each function for each change of it. We compile that file, and take the
code of a copy as the code of the function itself: nothing is imported again, no call goes through a wrapper,
and a traceback shows what it always shows. So all tests run on a mutant as on the original.
"""

import ast
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from inspect import unwrap
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, FunctionType, ModuleType
from typing import Any

from coverage import Coverage

ROOT = Path(__file__).parent.parent.parent
CLASS = "\u01c1"
"""What stands before and after the name of a class, in the names that mutmut gives."""
Definition = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mutant:
    """What of a function was changed into what."""

    function: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.function}\n    - {self.before}\n    + {self.after}"


@dataclass(frozen=True, eq=False)
class Change:
    """One mutant, that can be put into place."""

    mutant: Mutant
    file: str
    lines: range
    """Those of the statement that is changed: a test that runs none of them cannot note it."""
    function: range
    """Those of the whole function."""
    code: CodeType
    arguments: ast.arguments | None
    """With other defaults than the original."""

    def apply(self) -> None:
        """Change the function in this process, for good.

        Raises:
            LookupError: the module has no such function, which a decorator may have replaced.
        """
        owner, name = self._owner
        found = vars(owner).get(name)
        plain = unwrap(getattr(found, "__func__", found))  # not what answers wrong arguments of it
        if not isinstance(plain, FunctionType):
            raise LookupError(self.mutant.function)
        code = _placed(self.code, plain.__code__)
        if self.arguments is not None:
            stub = _stub(self.arguments, plain.__globals__)
            plain.__defaults__, plain.__kwdefaults__ = stub.__defaults__, stub.__kwdefaults__
        if code.co_freevars == plain.__code__.co_freevars:
            plain.__code__ = code
        else:  # a mutant that has no `super()` any more
            cells = dict(zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=True))
            closure = tuple(cells[free] for free in code.co_freevars)
            made = FunctionType(code, plain.__globals__, name, plain.__defaults__, closure)
            made.__kwdefaults__ = plain.__kwdefaults__
            setattr(owner, name, made if found is plain else type(found)(made))

    @cached_property
    def _owner(self) -> tuple[Any, str]:
        module = _module(Path(self.file))
        path = self.mutant.function.removeprefix(module.__name__ + ".").split(".")
        owner: Any = module
        for each in path[:-1]:
            owner = getattr(owner, each)
        return owner, path[-1]


def changes(file: Path) -> list[Change]:
    """All mutants of a file, in its order."""
    source = file.read_text()
    with _elsewhere():
        from mutmut.mutation.file_mutation import mutate_file_contents

        mutated = mutate_file_contents(str(file), source)
    texts = source.splitlines(), mutated.code.splitlines()
    old, new = _functions(ast.parse(source)), _functions(ast.parse(mutated.code))
    codes = {
        code.co_name: code for code in _inside(compile(mutated.code, str(file), "exec", dont_inherit=True))
    }
    never = {*Coverage(data_file=None).analysis2(str(file))[2]}  # coverage is told that these lines never run
    made = (
        _change(file, name, old[_path(name)], new[(*_path(name)[:-1], name)], codes[name], texts)
        for name in mutated.mutant_names
        if _path(name) in old
    )
    return [change for change in made if change.lines.start not in never]


def _change(
    file: Path,
    name: str,
    old: Definition,
    new: Definition,
    code: CodeType,
    texts: tuple[list[str], list[str]],
) -> Change:
    before = texts[0][old.lineno - 1 : old.end_lineno]
    after = texts[1][new.lineno - 1 : new.end_lineno]
    after[0] = after[0].replace(f"def {name}", f"def {old.name}", 1)
    differing = [at for at, (one, other) in enumerate(zip_longest(before, after)) if one != other]
    assert differing, name
    first = differing[0]
    same = 0  # lines at the end that are alike
    while same < min(len(before), len(after)) - first and before[-1 - same] == after[-1 - same]:
        same += 1
    function = ".".join([_name(file), *_path(name)])
    told = Mutant(
        function,
        " ".join(line.strip() for line in before[first : len(before) - same]),
        " ".join(line.strip() for line in after[first : len(after) - same]),
    )
    other = ast.dump(old.args) != ast.dump(new.args)
    whole = range(old.lineno, (old.end_lineno or old.lineno) + 1)
    return Change(
        told, str(file), _statement(old, old.lineno + first), whole, code, new.args if other else None
    )


def _statement(function: Definition, line: int) -> range:
    """The lines of the smallest statement around a line; of one with a body, its head."""
    found = range(function.lineno, (function.end_lineno or function.lineno) + 1)
    for each in ast.walk(function):
        if isinstance(each, ast.stmt | ast.match_case | ast.excepthandler) and each is not function:
            body = getattr(each, "body", None)
            start = each.pattern.lineno if isinstance(each, ast.match_case) else each.lineno
            end = max(start, body[0].lineno - 1) if body else getattr(each, "end_lineno", None) or start
            if start <= line <= end and end - start < len(found):
                found = range(start, end + 1)
    return found


def _functions(tree: ast.Module) -> dict[tuple[str, ...], Definition]:
    """Those of a module and its classes."""
    found: dict[tuple[str, ...], Definition] = {}
    for each in tree.body:
        if isinstance(each, Definition):
            found[each.name,] = each
        elif isinstance(each, ast.ClassDef):
            found |= {(each.name, item.name): item for item in each.body if isinstance(item, Definition)}
    return found


def _path(name: str) -> tuple[str, ...]:
    """The class, if any, and the function that a mutant belongs to."""
    plain = name.rpartition("__mutmut_")[0]
    return tuple(plain.split(CLASS)[1:]) if CLASS in plain else (plain.removeprefix("x_"),)


def _inside(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _inside(each)


def _placed(code: CodeType, where: CodeType) -> CodeType:
    """The code with the names and lines of what it replaces."""
    old, new, shift = code.co_qualname, where.co_qualname, where.co_firstlineno - code.co_firstlineno

    def moved(each: CodeType) -> CodeType:
        return each.replace(
            co_qualname=each.co_qualname.replace(old, new, 1),
            co_firstlineno=each.co_firstlineno + shift,
            co_consts=tuple(moved(one) if isinstance(one, CodeType) else one for one in each.co_consts),
        )

    return moved(code).replace(co_name=where.co_name)


def _stub(arguments: ast.arguments, names: dict[str, Any]) -> FunctionType:
    """A function with these arguments, to have its defaults."""
    for each in ast.walk(arguments):
        if isinstance(each, ast.arg):
            each.annotation = None
    stub = ast.FunctionDef("stub", arguments, [ast.Pass()], [])
    made: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(ast.Module([stub], [])), "<defaults>", "exec"), names | {}, made)
    return made["stub"]


def _name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def _module(file: Path) -> ModuleType:
    return importlib.import_module(_name(file))


@contextmanager
def _elsewhere() -> Iterator[None]:
    """A folder as mutmut asks for it where it is imported, though it mutates none of it."""
    before = Path.cwd()
    with TemporaryDirectory() as folder:
        (Path(folder) / "src").mkdir()
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)
