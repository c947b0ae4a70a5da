"""The catalogue: what it lists, what a declaration is found by, and advice for errors of an operator."""

import copy
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from streamkit import Keep, Operator, Stream, ops, stage, step
from streamkit._core.catalogue import (
    Declaration,
    _declarations,
    advice,
    advise,
    catalogue,
    declared,
    parameters_of,
    register,
)
from streamkit._core.contract import Contract

OTHER = b"a token of another process"


@step(each="emit(item + number)")
def added(number: int) -> Operator[Any, Any]:
    """It stands at the top of this module, where other processes find it."""
    return Operator(added, number=number)


async def _staged(run: Any, source: Any) -> Any:
    async for item in run.open(source):
        yield item


@stage(_staged)
def staged() -> Operator[Any, Any]:
    return Operator(staged)


def local() -> Any:
    @step(each="emit(item)")
    def inner() -> Operator[Any, Any]:
        return Operator(inner)

    return inner


@pytest.fixture
def module() -> Iterator[ModuleType]:
    """A module that can be imported, in which a test declares."""
    made = ModuleType("a_module_of_a_test")
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]
    for key in [key for key in _declarations if key[0] == made.__name__]:
        del _declarations[key]  # tests that walk the catalogue run operators, which these are not


def put(module: ModuleType, name: str, **form: Any) -> Declaration:
    """Declare a function called `name`, as if it stood in `module`."""

    def function() -> None: ...

    function.__name__ = function.__qualname__ = name
    function.__module__ = module.__name__
    made = Declaration(name, function, Contract(), **form)
    register(made)
    setattr(module, name, function)
    return made


def elsewhere(declaration: Declaration) -> Any:
    """Read a pickle of `declaration` as another process does, which has a token of its own for it."""
    recall, (module, name, token, fingerprint) = declaration.__reduce__()
    assert token != OTHER
    return recall(module, name, OTHER, fingerprint)


class TestWalk:
    def test_has_every_operator_and_sink_of_the_library(self) -> None:
        some = (ops.map, ops.take, ops.batch, ops.scan, ops.to_list, ops.for_each)
        assert {declared(each) for each in some} <= {*catalogue()}

    def test_has_what_users_have_declared_so_far(self, module: ModuleType) -> None:
        walk = catalogue()
        late = put(module, "late")
        assert late not in [*walk]
        assert late in [*catalogue()]

    def test_a_later_declaration_of_a_name_replaces_the_earlier(self, module: ModuleType) -> None:
        first, second, other = put(module, "one"), put(module, "one"), put(module, "other")
        found = [each for each in catalogue() if each in (first, second, other)]
        assert found == [second, other]


class TestDeclared:
    def test_is_what_the_decorator_has_made(self) -> None:
        assert declared(added).function is added
        assert (declared(added).name, declared(added).parameters, declared(added).sink) == (
            "added",
            ("number",),
            False,
        )
        assert (repr(declared(added)), repr(declared(staged))) == ("<step added>", "<stage staged>")
        assert declared(ops.to_list).sink

    def test_what_is_no_operator_is_answered(self) -> None:
        with pytest.raises(TypeError) as caught:
            declared(len)
        assert str(caught.value) == (
            "<built-in function len> is no operator: decorate it with step(...) or stage(...)"
        )
        assert caught.value.__suppress_context__

    def test_a_function_that_was_forgotten_is_told(self) -> None:
        forgotten: Any = Keep
        with pytest.raises(TypeError) as caught:
            forgotten(size=3)
        assert str(caught.value) == (
            "the function that makes an operator comes first: write Keep(function, size=size)"
        )

    def test_a_new_one_has_what_it_was_made_of(self, module: ModuleType) -> None:
        contract = Contract(holds="size")

        def function(size: int) -> None: ...

        made = Declaration("own", function, contract, parameters=("size",), sink=True)
        assert (made.name, made.function, made.contract) == ("own", function, contract)
        assert (made.parameters, made.sink, made.taken) == (("size",), True, {"size"})
        plain = put(module, "plain")
        assert (plain.parameters, plain.sink, plain.taken) == ((), False, set())
        assert (plain.variable, plain.late, plain.callbacks) == ((), set(), set())


def test_parameters_are_those_that_a_call_may_name_and_what_takes_several() -> None:
    def function(first: int, /, second: int, *others: int, third: int, **rest: int) -> None:
        local = first + second
        print(local, others, third, rest)

    def plain(one: int, two: int = 2) -> None:
        three = one + two
        print(three)

    assert {*parameters_of(function)} == {"first", "second", "third", "others"}
    assert parameters_of(plain) == ("one", "two")
    assert parameters_of(lambda: None) == ()


class TestCopies:
    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
    def test_are_the_same(self, copied: Any) -> None:
        assert copied(declared(added)) is declared(added)
        assert copied([declared(added)])[0] is declared(added)

    def test_here_each_is_found_by_its_token(self, module: ModuleType) -> None:
        first, second = put(module, "one"), put(module, "one")
        for each in (first, second, declared(local()), declared(added), declared(ops.map)):
            recall, found = each.__reduce__()
            assert recall(*found) is each


class TestElsewhere:
    """What another process makes of a pickle: it has the same modules, but no token of ours."""

    def test_one_at_the_top_of_a_module_is_found(self) -> None:
        assert elsewhere(declared(added)) is declared(added)
        assert elsewhere(declared(ops.map)) is declared(ops.map)

    def test_one_that_stands_in_a_class_is_found(self, module: ModuleType) -> None:
        made = put(module, "Home.own")
        assert elsewhere(made) is made

    def test_one_that_its_name_does_not_mean_is_refused(self, module: ModuleType) -> None:
        first = put(module, "one")
        put(module, "one")
        for each in (first, declared(local())):
            with pytest.raises(LookupError) as caught:
                elsewhere(each)
            function = each.function
            assert str(caught.value) == (
                f"operator {function.__qualname__} of {function.__module__} was pickled in another process, "
                "or is gone, and its module does not have it by this name: declare it at the top of the "
                "module, and give it parameters"
            )

    def test_a_module_that_was_not_loaded_yet_is_imported(self, tmp_path: Any, monkeypatch: Any) -> None:
        monkeypatch.syspath_prepend(str(tmp_path))
        code = "from streamkit import Operator, step\n@step(each='emit(item)')\n"
        code += "def own(): return Operator(own)\n"
        (tmp_path / "not_loaded_yet.py").write_text(code)

        @step(each="emit(item)")
        def own() -> Operator[Any, Any]:
            return Operator(own)

        recall, _ = declared(added).__reduce__()
        found = recall("not_loaded_yet", "own", OTHER, declared(own).fingerprint)
        assert found is declared(sys.modules["not_loaded_yet"].own)
        assert list(Stream([1]) | found.function()) == [1]

    def test_one_that_is_declared_by_another_module_name_is_found_as_an_attribute(
        self, module: ModuleType
    ) -> None:
        """As the main module of a process has it that multiprocessing has spawned."""
        module.added = added  # type: ignore[attr-defined]
        recall, (_, name, _, fingerprint) = declared(added).__reduce__()
        assert recall(module.__name__, name, OTHER, fingerprint) is declared(added)

    @pytest.mark.parametrize("value", [None, 5, len])
    def test_one_that_is_gone_is_told(self, module: ModuleType, value: Any) -> None:
        recall, (_, _, _, fingerprint) = declared(added).__reduce__()
        if value is not None:
            module.gone = value  # type: ignore[attr-defined]
        with pytest.raises(LookupError) as caught:
            recall(module.__name__, "gone", OTHER, fingerprint)
        assert str(caught.value) == "module a_module_of_a_test declares no operator named gone"
        assert caught.value.__suppress_context__

    @pytest.mark.parametrize("form", [{"parameters": ("size",)}, {"sink": True}], ids=repr)
    def test_another_of_its_name_is_not_taken_for_it(self, module: ModuleType, form: dict[str, Any]) -> None:
        recall, (_, name, _, fingerprint) = put(module, "own").__reduce__()
        put(module, "own", **form)
        with pytest.raises(LookupError) as caught:
            recall(module.__name__, name, OTHER, fingerprint)
        assert str(caught.value) == (
            "module a_module_of_a_test declares another operator named own here than where this was pickled"
        )


class TestAdvice:
    def test_is_what_an_operator_says_of_an_error_of_its_own(self) -> None:
        own, other = local(), local()
        advise(own, lambda error: f"write less than {error}")
        assert advice(declared(own), ValueError("9")) == "write less than 9"
        assert advice(declared(other), ValueError("9")) == ""

    def test_of_what_is_no_operator_is_refused(self) -> None:
        with pytest.raises(TypeError, match="is no operator"):
            advise(len, str)
