"""What is loaded when: little by the import, the rest by the first use, all of it by the catalogue."""

import ast
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import streamkit
from streamkit import _engine, interop, ops

ROOT = Path(__file__).parent.parent.parent
LAZY = [streamkit, ops, _engine, interop]
NOT_FOR_STEPS = [
    "streamkit._core.spill",
    "streamkit._core.strategy",
    "streamkit._engine.blocking",
    "streamkit._engine.channel",
    "streamkit._engine.explain",
    "streamkit._engine.iteration",
    "streamkit._engine.lane",
    "streamkit._engine.pool",
    "streamkit._engine.run",
]
"""What pipelines of steps can do without, when they are awaited."""


def fresh(code: str) -> str:
    """What `code` prints in a new process."""
    command = [sys.executable, "-W", "error", "-c", dedent(code)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def name_of(module: Any) -> str:
    return str(module.__name__)


def table(module: Any) -> dict[str, str]:
    """Where each lazy name comes from, at run time."""
    (call,) = [
        node
        for node in ast.walk(ast.parse(Path(module.__file__).read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "lazily"
    ]
    homes = eval(ast.unparse(call.args[1]), {"__name__": module.__name__})
    return {name: home for home, names in homes.items() for name in names}


def checked(module: Any) -> dict[str, str]:
    """Where the imports say that it comes from, which type checkers read."""
    (block,) = [
        node for node in ast.parse(Path(module.__file__).read_text()).body if isinstance(node, ast.If)
    ]
    return {
        alias.name: str(node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


class TestNames:
    @pytest.mark.parametrize("module", [streamkit, ops, _engine], ids=name_of)
    def test_type_checkers_see_what_there_is_at_run_time(self, module: Any) -> None:
        untyped = {"aiostream", "reactive_streams", "rx"}
        assert {name: home for name, home in table(module).items() if name not in untyped} == checked(module)

    @pytest.mark.parametrize("module", LAZY, ids=name_of)
    def test_a_lazy_name_is_no_module_of_the_package_by_chance(self, module: Any) -> None:
        # such a module would stand in for it, once someone has imported that
        modules = {path.stem for path in Path(module.__file__).parent.iterdir()}
        assert {name for name, home in table(module).items() if home != module.__name__} & modules == set()

    @pytest.mark.parametrize("module", ["streamkit", "streamkit.operators", "streamkit._engine"])
    def test_are_all_in_dir_before_they_are_loaded(self, module: str) -> None:
        code = f"import sys, {module}; m = sys.modules[{module!r}]; print(set(m.__all__) - set(dir(m)))"
        assert fresh(code) == "set()"

    @pytest.mark.parametrize("module", ["streamkit", "streamkit.interop"])
    def test_in_dir_are_there_though_an_extra_is_not_installed(self, module: str) -> None:
        code = f"""
            import inspect, pydoc, sys, {module}
            sys.modules["aiostream"] = None
            m = sys.modules[{module!r}]
            print({{*dir(m)}} <= {{name for name, _ in inspect.getmembers(m)}}, bool(pydoc.render_doc(m)))
        """
        assert fresh(code) == "True True"

    @pytest.mark.parametrize("module", LAZY, ids=name_of)
    def test_what_there_is_not_is_an_attribute_error(self, module: Any) -> None:
        with pytest.raises(AttributeError, match="has no attribute 'mapp'") as caught:
            _ = module.mapp
        assert (caught.value.name, caught.value.obj) == ("mapp", module)

    def test_are_found_once(self) -> None:
        assert ops.map is ops.map is vars(ops)["map"]

    def test_are_the_same_for_threads_that_are_first_at_the_same_time(self) -> None:
        found = fresh("""
            from concurrent.futures import ThreadPoolExecutor
            from threading import Barrier
            from streamkit import ops
            barrier = Barrier(8)
            def first(_):
                barrier.wait()
                return [getattr(ops, name) for name in ops.__all__]
            with ThreadPoolExecutor(8) as threads:
                found = list(threads.map(first, range(8)))
            print(all(each == found[0] for each in found), len(found[0]) == len(ops.__all__))
        """)
        assert found == "True True"


class TestImport:
    def test_adds_nothing_of_the_standard_library_to_asyncio(self) -> None:
        added = fresh("""
            import asyncio, sys
            before = set(sys.modules)
            import streamkit
            print(*sorted(name for name in set(sys.modules) - before if not name.startswith("streamkit")))
        """)
        assert added == "__future__"

    def test_leaves_operators_for_their_first_use(self) -> None:
        loaded = fresh("""
            import sys, streamkit
            print(*sys.modules)
        """).split()
        assert {*loaded} & {*table(ops).values()} == set()

    def test_a_pipeline_of_steps_needs_nothing_of_what_stages_do(self) -> None:
        assert all(path_of(name).exists() for name in NOT_FOR_STEPS)
        loaded = fresh("""
            import asyncio, sys
            from streamkit import Stream, ops
            async def main():
                return await (Stream(range(3)) | ops.map(str) | ops.filter(bool) | ops.to_list())
            assert asyncio.run(main()) == ["0", "1", "2"]
            print(*sys.modules)
        """)
        assert set(NOT_FOR_STEPS) & set(loaded.split()) == set()


class TestCatalogue:
    def test_knows_every_operator_though_none_was_used(self) -> None:
        known = fresh("""
            from streamkit._core.catalogue import catalogue
            print(*sorted({each.name for each in catalogue()}))
        """)
        declared = {name for name in ops.__all__ if hasattr(getattr(ops, name), "__streamkit__")}
        assert {"to_list", "map", "valve"} < declared <= {*known.split()}


def path_of(module: str) -> Path:
    return ROOT.joinpath(*module.split(".")).with_suffix(".py")
