"""Copies and pickles of operators: the same operator comes back, or an error says why not."""

import copy
import importlib
import multiprocessing
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from streamkit import Operator, Stream, ops, stage, step

ROOT = Path(__file__).parent.parent.parent


def times(number: int) -> Any:
    @step(each=f"emit(item * {number})")
    def timed() -> Operator[Any, Any]:
        return Operator(timed)

    return timed


def staged(number: int) -> Any:
    async def running(run: Any, source: Any) -> Any:
        async for item in run.open(source):
            yield item * number

    @stage(running)
    def timed() -> Operator[Any, Any]:
        return Operator(timed)

    return timed


@step(each="emit(item + 1)")
def replaced() -> Operator[Any, Any]:
    return Operator(replaced)


FIRST = replaced()


@step(each="emit(item + 2)")
def replaced() -> Operator[Any, Any]:  # type: ignore[no-redef]
    return Operator(replaced)


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
}


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_declaration_is_one_thing_and_has_no_copies(copied: Any) -> None:
    for operator in (times(2)(), staged(2)()):
        declaration = operator.links[0].declaration
        assert copied(declaration) is declaration
        assert repr(declaration) in ("<step timed>", "<stage timed>")


@pytest.mark.parametrize("copied", COPIES.values(), ids=list(COPIES))
class TestHere:
    def test_operators_of_one_factory_stay_apart(self, copied: Any) -> None:
        made = [times(number) for number in (2, 3, 5)]
        for number, each in zip((2, 3, 5), made, strict=True):
            assert list(Stream([1]) | copied(each() | each())) == [number * number]
            assert copied(each()) == each()

    def test_stages_of_one_factory_stay_apart(self, copied: Any) -> None:
        made = [staged(number) for number in (2, 3, 5)]
        for number, each in zip((2, 3, 5), made, strict=True):
            assert (Stream([1]) | copied(each()) | ops.to_list()).run() == [number]

    def test_two_of_one_name_stay_apart(self, copied: Any) -> None:
        assert list(Stream([1]) | copied(FIRST)) == [2]
        assert list(Stream([1]) | copied(replaced())) == [3]

    def test_an_operator_outlives_the_reload_of_its_module(
        self, copied: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.syspath_prepend(str(tmp_path))
        name = f"reloaded_{id(copied)}"
        code = "from streamkit import Operator, step\n@step(each='emit(item + {})')\n"
        code += "def own(): return Operator(own)\n"
        file = tmp_path / f"{name}.py"
        file.write_text(code.format(1))
        module = importlib.import_module(name)
        before = module.own()
        file.write_text(code.format("1000"))  # of another size, so that no cached bytecode is taken for it
        importlib.reload(module)
        assert list(Stream([1]) | copied(before)) == [2]
        assert list(Stream([1]) | copied(module.own())) == [1001]


def pickled_elsewhere(code: str) -> bytes:
    """What a new process pickles as ``made``."""
    code = f"from tests.core import test_catalogue_copies as here\nimport pickle, sys\n{dedent(code)}\n"
    code += "sys.stdout.buffer.write(pickle.dumps(made))"
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout


class TestElsewhere:
    def test_one_at_the_top_of_a_module_is_found_by_its_name(self) -> None:
        assert list(Stream([1]) | pickle.loads(pickled_elsewhere("made = here.replaced()"))) == [3]

    @pytest.mark.parametrize("made", ["times(2)()", "FIRST"])
    def test_one_that_its_name_does_not_mean_is_refused(self, made: str) -> None:
        data = pickled_elsewhere(f"made = here.{made}")
        times(3)  # there is one of that name
        with pytest.raises(LookupError, match="declare it at the top of the module, and give it parameters"):
            pickle.loads(data)

    def test_another_of_that_name_is_not_taken_for_it(self) -> None:
        code = """
            from streamkit import Operator, step
            def own(): return Operator(own)
            own.__module__, own.__qualname__ = here.__name__, "replaced"
            made = step(each="emit(item * 100)")(own)()
        """
        data = pickled_elsewhere(code)
        with pytest.raises(LookupError, match="declares another operator named replaced"):
            pickle.loads(data)

    def test_one_that_is_gone_is_not_found(self) -> None:
        with pytest.raises(LookupError, match="no operator named nowhere"):
            pickle.loads(
                pickled_elsewhere(
                    """
                from streamkit import Operator, step
                def own(): return Operator(own)
                own.__module__, own.__qualname__ = here.__name__, "nowhere"
                made = step(each="pass")(own)()
                """
                )
            )

    def test_a_process_that_was_forked_has_what_was_there(self) -> None:
        made = times(7)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply(run_of, (made(),)) == [7]


def run_of(operator: Any) -> list[Any]:
    return list(Stream([1]) | operator)
