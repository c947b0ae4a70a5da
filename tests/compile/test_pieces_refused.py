"""What a piece may say: every statement and expression of Python means what it means there, or is refused."""

import ast
from typing import Any

import pytest

from streamkit import Keep, Operator, Stream, step
from streamkit._core.catalogue import catalogue
from streamkit._engine.compile.checks import EXPRESSIONS, STATEMENTS
from streamkit._engine.compile.pieces import StepDeclaration, checked
from tests.files import over

SPLICED: dict[str, tuple[str, Any]] = {
    "Assign": ("a = b, *c = item, 1\nemit((a, b, c))", ((2, 1), 2, [1])),
    "Attribute": ("emit(item.real)", 2),
    "AugAssign": ("a = item\na += 1\nemit(a)", 3),
    "Await": ("emit(await later(item))", 2),
    "BinOp": ("emit(item ** 2 - 1)", 3),
    "BoolOp": ("emit(item and 0 or 5)", 5),
    "Call": ("emit(max(*[item], 1, key=abs))", 2),
    "Compare": ("emit(1 < item < 3)", True),
    "Constant": ("emit((item, 'a\\n', b'b', 1.5, 2j, None, ...))", (2, "a\n", b"b", 1.5, 2j, None, ...)),
    "Dict": ("emit({1: item, **{2: 3}})", {1: 2, 2: 3}),
    "DictComp": ("emit({a: item for a in range(item)})", {0: 2, 1: 2}),
    "Expr": ("[].append(item)\nemit(item)", 2),
    "For": ("a = 0\nfor b, c in [(1, item)]:\n    a += c\nelse:\n    a = a, b\nemit(a)", (2, 1)),
    "FormattedValue": ("emit(f'{item!r:>{item}}')", " 2"),
    "GeneratorExp": ("emit(sum(a for a in range(item) if a))", 1),
    "If": ("if item > 2:\n    pass\nelif item:\n    emit(item)\nelse:\n    emit(0)", 2),
    "IfExp": ("emit('a' if item else 'b')", "a"),
    "JoinedStr": ("emit(f'{item}\\n{{}}')", "2\n{}"),
    "Lambda": ("emit((lambda item, *a, b=item, **c: (item, a, b, c))(1, 3, d=4))", (1, (3,), 2, {"d": 4})),
    "List": ("emit([item, *[1]])", [2, 1]),
    "ListComp": ("emit([(a, b) for a in range(item) for b in 'c' if a])", [(1, "c")]),
    "Name": ("emit(item)", 2),
    "NamedExpr": ("emit([(a := item), a])", [2, 2]),
    "Pass": ("pass\nemit(item)", 2),
    "Raise": ("if not item:\n    raise KeyError(item) from None\nemit(item)", 2),
    "Set": ("emit({item, *[1]})", {1, 2}),
    "SetComp": ("emit({a for a in range(item)})", {0, 1}),
    "Slice": ("emit('abcd'[:item:1])", "ab"),
    "Starred": ("a, *b = [item, 1]\nemit(b)", [1]),
    "Subscript": ("a = [0]\na[len(a) - 1] = item\nemit(a[0])", 2),
    "Tuple": ("emit((item, *[1]))", (2, 1)),
    "UnaryOp": ("emit(-item)", -2),
}
"""By its class, a piece with the construct in it, and what it emits for a 2."""

REFUSED = {
    "AnnAssign": "a: int = item",
    "Assert": "assert item",
    "AsyncFor": "async for a in item:\n    pass",
    "AsyncFunctionDef": "async def a():\n    pass",
    "AsyncWith": "async with item:\n    pass",
    "Break": "for a in item:\n    break",
    "ClassDef": "class A:\n    pass",
    "Continue": "for a in item:\n    continue",
    "Delete": "del item",
    "FunctionDef": "def a():\n    pass",
    "Global": "global a",
    "Import": "import os",
    "ImportFrom": "from os import path",
    "Interpolation": "emit(t'{item}')",
    "Match": "match item:\n    case 1:\n        pass",
    "Nonlocal": "nonlocal a",
    "Return": "return item",
    "TemplateStr": "emit(t'')",
    "Try": "try:\n    pass\nfinally:\n    pass",
    "TryStar": "try:\n    pass\nexcept* OSError:\n    pass",
    "TypeAlias": "type A = int",
    "While": "while item:\n    pass",
    "With": "with item:\n    pass",
    "Yield": "a = yield item",
    "YieldFrom": "yield from item",
}
"""By its class, what is refused for it."""


OLD = {"Num", "Str", "Bytes", "NameConstant", "Ellipsis", "AugLoad", "Suite"}
"""Classes that Python has for old programs, and parses nothing into."""


def classes(base: type[ast.AST]) -> set[str]:
    return {each.__name__ for each in base.__subclasses__()} - OLD


async def later(value: Any) -> Any:
    return value


def made(**pieces: str) -> Any:
    def wrong(f: Any = None, p: Any = 3) -> Operator[Any, Any]:
        return Operator(wrong, f=f, p=p)

    return step(**{"each": "pass", **pieces})(wrong)


class TestTable:
    def test_it_has_every_statement_and_expression(self) -> None:
        assert {*SPLICED} == {each.__name__ for each in (*STATEMENTS, *EXPRESSIONS)}
        assert classes(ast.stmt) | classes(ast.expr) <= {*SPLICED, *REFUSED}

    @over(SPLICED)
    def test_what_is_spliced(self, name: str) -> None:
        text, expected = SPLICED[name]
        assert name in {type(node).__name__ for node in ast.walk(ast.parse(text))}
        assert list(Stream([2]) | made(each=text)()) == [expected]

    @over([name for name in REFUSED if hasattr(ast, name)])
    def test_what_is_refused(self, name: str) -> None:
        for piece in ("setup", "each", "finish"):
            with pytest.raises(SyntaxError, match=rf"^step .*wrong: .*\({piece}, line [23]: "):
                made(**{piece: f"a = 1\n{REFUSED[name]}"})


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("emit()", r"emit\(x\) takes one value"),
            ("emit(item, 2)", r"emit\(x\) takes one value: write emit\(\(a, b\)\)"),
            ("emit(*item)", r"emit\(x\) takes one value"),
            ("emit(item, a=1)", r"emit\(x\) takes one value"),
            ("stop(item)", r"stop\(\) takes no argument"),
            ("a = lambda emit: 1", r"emit\(...\) must be a statement of its own"),
            ("emit(sum(f(a) for a in item))", "f cannot be called in a generator expression"),
            ("emit(sorted(item, key=lambda a: f(a)))", "f cannot be called in a lambda"),
            ("emit([lambda: f(a) for a in item])", "f cannot be called in a lambda"),
            ("p[f(item)] = 1", "f cannot be called in what is assigned to"),
            ("for p[f(1)] in item:\n    pass", "f cannot be called in what is assigned to"),
            ("p[await item] = 1", "await cannot be in what is assigned to"),
            ("emit([a async for a in item])", "async for cannot be spliced"),
            ("emit(await a for a in item)", "await cannot be in a lambda or generator expression"),
            ("emit(locals())", r"locals\(\) cannot be spliced"),
            ("emit(eval('item'))", r"eval\(\) cannot be spliced"),
            ("emit(vars())", r"vars\(\) cannot be spliced"),
            ("f = abs\nemit(f(item))", r"a parameter that is called cannot be assigned to \(f\)"),
            ("emit([a for a in item if (a := 1)])", "assignment expression cannot rebind"),
            ("1 = item", "cannot assign to literal"),
            ("emit(item", r"was never closed \(each, line 1: emit\(item\)"),
            ("a, *b, *c = item", "multiple starred expressions"),
        ],
    )
    def test_what_would_mean_something_else(self, text: str, why: str) -> None:
        with pytest.raises(SyntaxError, match=rf"^step .*wrong: .*{why}"):
            made(each=text)

    @pytest.mark.parametrize("piece", ["setup", "finish", "result"])
    def test_the_item_outside_of_each(self, piece: str) -> None:
        with pytest.raises(SyntaxError, match=rf"item is there in each only \({piece}, line 1: "):
            made(**{piece: "print(item)"})

    @pytest.mark.parametrize("name", ["item", "emit", "stop"])
    def test_a_parameter_with_a_name_of_the_pieces(self, name: str) -> None:
        namespace: dict[str, Any] = {"step": step, "Keep": Keep}
        with pytest.raises(SyntaxError, match=f"step odd: a parameter must not have .*: {name}"):
            exec(f"@step(each='pass')\ndef odd({name}):\n    return Keep(odd)\n", namespace)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("emit([item for item in [item, 1]])", [2, 1]),
        ("emit((lambda item, p: item + p)(1, p=p) + p)", 7),
        ("emit(([p for p in 'ab'], p))", (["a", "b"], 3)),
        ("emit([[a for a in [a, 1]] for a in 'x'])", [["x", 1]]),
        ("emit([f(1) for f in [abs]])", [1]),
        ("emit((lambda f: f(-1))(abs))", 1),
        ("emit((lambda a: (lambda a: a + 1)(a=a) + a)(a=1))", 3),
        ("a = item\nemit((lambda a_0, a_0_: a + a_0 - a_0_)(3, 1))", 4),
    ],
)
def test_a_variable_of_a_lambda_or_comprehension_is_its_own(text: str, expected: Any) -> None:
    assert list(Stream([2]) | made(each=text)()) == [expected]


class Echo:
    """Is formatted as what the format says."""

    def __format__(self, spec: str) -> str:
        return spec


@pytest.mark.parametrize("end", ["\\n", "\\r", "\\x1c", "\\u2028"])
def test_the_end_of_a_line_in_a_format_means_itself_or_is_refused(end: str) -> None:
    """Each version of Python writes others of them out as they were read."""
    text = f"emit(f'{{item:<{end}>}}')"
    try:
        formatted = made(each=text)()
    except SyntaxError as error:
        assert "this cannot be written out again: make it simpler" in str(error)
    else:
        assert list(Stream([Echo()]) | formatted) == [eval(f"'<{end}>'")]


OURS = [each for each in catalogue() if isinstance(each, StepDeclaration) and each.own]


@over(OURS, named=lambda each: each.function.__qualname__)
def test_our_own_steps_say_what_those_of_users_may(declaration: StepDeclaration) -> None:
    checked(declaration)
