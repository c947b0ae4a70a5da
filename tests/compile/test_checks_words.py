"""What is said of a piece that cannot be spliced, word for word: the step, why, what to write, and where."""

from typing import Any

import pytest

from streamkit import Operator, Stream, step


def declared(pieces: dict[str, str]) -> Any:
    def mine(f: Any = None, p: Any = 3) -> Operator[Any, Any]:
        return Operator(mine, f=f, p=p)

    mine.__qualname__ = "mine"
    return step(**{"each": "pass", **pieces})(mine)  # type: ignore[arg-type]


ONLY = "only assignments, calls, if, for and raise can be spliced, not"
FUNCTION = "call a function that does it"
BELOW = "put the rest below an if"
ONE = "emit(x) takes one value: write emit((a, b)) for a tuple"
AWAITED = "where its result could not be awaited: write a for loop or a list comprehension"

OF_EACH = {
    "a = 1\nassert item": f"{ONLY} Assert: {FUNCTION} (each, line 2: assert item)",
    "if item:\n    return": f"{ONLY} Return: {BELOW} (each, line 2: return)",
    "for a in item:\n    break": f"{ONLY} Break: {BELOW} (each, line 2: break)",
    "if item:\n    pass\nelse:\n    del p": f"{ONLY} Delete: {FUNCTION} (each, line 4: del p)",
    "a = yield": "Yield cannot be spliced: emit(x) passes an item on (each, line 1: a = yield)",
    "emit()": f"{ONE} (each, line 1: emit())",
    "emit(*item)": f"{ONE} (each, line 1: emit(*item))",
    "emit(item, a=1)": f"{ONE} (each, line 1: emit(item, a=1))",
    "stop(1)": "stop() takes no argument (each, line 1: stop(1))",
    "stop(a=1)": "stop() takes no argument (each, line 1: stop(a=1))",
    "a = emit": "emit(...) must be a statement of its own (each, line 1: a = emit)",
    "a = stop()": "stop(...) must be a statement of its own (each, line 1: a = stop())",
    "p = 1\na = lambda stop: 1": "stop(...) must be a statement of its own "
    "(each, line 2: a = lambda stop: 1)",
    "emit(sum(f(a) for a in item))": f"f cannot be called in a generator expression, {AWAITED} "
    "(each, line 1: emit(sum(f(a) for a in item)))",
    "emit(max(p, key=lambda a: f(a)))": f"f cannot be called in a lambda, {AWAITED} "
    "(each, line 1: emit(max(p, key=lambda a: f(a))))",
    "p[f(item)] = 1": "f cannot be called in what is assigned to: call it before "
    "(each, line 1: p[f(item)] = 1)",
    "p[f(1)] += 1": "f cannot be called in what is assigned to: call it before (each, line 1: p[f(1)] += 1)",
    "p[await item] = 1": "await cannot be in what is assigned to: await it before "
    "(each, line 1: p[await item] = 1)",
    "emit([a async for a in item])": "async for cannot be spliced: write a stage "
    "(each, line 1: emit([a async for a in item]))",
    "emit(lambda: await p)": "await cannot be in a lambda or generator expression: write a for loop "
    "(each, line 1: emit(lambda: await p))",
    "emit(locals())": "locals() cannot be spliced: in the loop, variables have other names "
    "(each, line 1: emit(locals()))",
    "emit(dir())": "dir() cannot be spliced: in the loop, variables have other names "
    "(each, line 1: emit(dir()))",
    "item = 1": "item cannot be assigned to (each, line 1: item = 1)",
    "emit(a)\na = item": "nothing has assigned to a before: do so in setup, as in a = ... "
    "(each, line 1: emit(a))",
    "f = abs\nemit(f(p))": "a parameter that is called cannot be assigned to (f): use another name",
    "1 = item": "cannot assign to literal here. Maybe you meant '==' instead of '='? "
    "(each, line 1: 1 = item)",
    "emit([a for a in p if (a := 1)])": "assignment expression cannot rebind "
    "comprehension iteration variable "
    "'a' (each, line 1)",
}
TAKEN = [
    "a = item\nemit(a)\nif a:\n    stop()",
    "emit(vars(item))",
    "emit(dir(item))",
    "locals = p\nemit(locals(item))",
    "emit([(item, 1) for item in p])",
    "emit([f(a) for a in p])",
    "emit([await a for a in p])",
    "p[p[0]] = item",
    "emit((lambda locals: locals())(f))",
]
OF_OTHERS = [
    ({"setup": "print(item)"}, "item is there in each only (setup, line 1: print(item))"),
    ({"finish": "a = 1\nemit(\n    item)"}, "item is there in each only (finish, line 3: item))"),
    ({"result": "item"}, "item is there in each only (result, line 1: item)"),
    ({"result": "f(("}, "'(' was never closed (result, line 1: f(()"),
    ({"setup": "a = 1\nwith p:\n    pass"}, f"{ONLY} With: {FUNCTION} (setup, line 2: with p:)"),
]


@pytest.mark.parametrize("text", OF_EACH)
def test_a_line_of_each_that_is_refused(text: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        declared({"each": text})
    assert caught.value.msg == f"step mine: {OF_EACH[text]}"


@pytest.mark.parametrize(("pieces", "words"), OF_OTHERS, ids=str)
def test_a_line_of_another_piece_that_is_refused(pieces: dict[str, str], words: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        declared(pieces)
    assert caught.value.msg == f"step mine: {words}"


@pytest.mark.parametrize(
    "text",
    [
        "a += 1",
        "emit(a and item)",
        "emit(item if a else 1)",
        "emit(a < item < 1)",
        "emit(item < a < 1)",
        "emit([b for b in a])",
        "emit((lambda b=a: b)())",
        "if a:\n    pass",
        "for b in a:\n    pass",
        "b = item\nemit((b, a))",
        "a = a or item",
        "p[a] = item",
    ],
)
def test_a_variable_that_is_read_before_anything_is_assigned_to_it(text: str) -> None:
    with pytest.raises(SyntaxError, match=r"^step mine: nothing has assigned to a before: do so in setup"):
        declared({"each": f"{text}\na = 1"})
    declared({"setup": "a = 2", "each": f"{text}\na = 1"})


@pytest.mark.parametrize(
    "text",
    [
        "emit(item and a)",
        "emit(a if item else 1)",
        "emit(1 < item < 2 < a)",
        "emit([a for b in item])",
        "emit(lambda: a)",
        "if item:\n    emit(a)",
        "for b in item:\n    emit(a)",
        "emit(((a := item), a))",
        "if item:\n    a = item\nemit(a)",
    ],
)
def test_one_that_may_have_been_assigned_to_at_an_earlier_item_is_taken(text: str) -> None:
    declared({"each": f"{text}\na = 1"})


def test_what_is_alike_and_means_what_it_says_is_taken() -> None:
    for text in TAKEN:
        declared({"each": text})


def test_a_parameter_or_what_is_used_may_have_the_name_of_a_builtin_that_is_refused() -> None:
    def mine(eval: Any) -> Operator[Any, Any]:
        return Operator(mine, eval=eval)

    for uses in ({}, {"locals": str}):
        made = step(each="emit(eval(locals(item)))" if uses else "emit(eval(item))", uses=uses)(mine)
        assert list(Stream([-1]) | made(len if uses else abs)) == ([2] if uses else [1])
