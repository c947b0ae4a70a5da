"""What is loaded when: little by the import, the rest by the first use, all of it by the catalogue."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest

import streamkit
from streamkit import ops
from streamkit._core import lazy
from streamkit._core.lazy import from_door, listed
from streamkit._core.value import Value

ROOT = Path(__file__).parent.parent.parent
DOORS = [streamkit, ops]


def fresh(code: str) -> str:
    """What `code` prints in a new process."""
    command = [sys.executable, "-W", "error", "-c", dedent(code)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def name_of(module: Any) -> str:
    return str(module.__name__)


def home(module: Any) -> dict[str, str]:
    """Where each name of a door comes from, as its imports say, which type checkers read."""
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
    @pytest.mark.parametrize("module", DOORS, ids=name_of)
    def test_type_checkers_see_what_there_is_at_run_time(self, module: Any) -> None:
        for name, source in home(module).items():
            found = getattr(module, name)
            expected = (
                sys.modules[f"streamkit.{name}"] if source == "streamkit" else vars(sys.modules[source])[name]
            )
            assert found is expected, name

    @pytest.mark.parametrize("module", DOORS, ids=name_of)
    def test_all_lists_all_but_the_neighbours(self, module: Any) -> None:
        apart = {name for name, source in home(module).items() if source == "streamkit"} - {"ops"}
        assert listed(module.__name__) == sorted({*home(module)} - apart)
        assert {*listed(module.__name__)} <= {*dir(module)}

    def test_all_hides_no_builtin_but_those_that_are_the_point(self) -> None:
        assert {*listed("streamkit")} - {*vars(streamkit)["__all__"]} == {"range", "zip"}
        assert listed("streamkit.ops") == vars(ops)["__all__"]
        shadowed = fresh("""
            import builtins
            from streamkit import *
            print([name for name in vars(builtins) if name in globals() and name[0] != "_"])
        """)
        assert shadowed == "[]"

    @pytest.mark.parametrize("module", [streamkit], ids=name_of)
    def test_a_lazy_name_is_no_module_of_the_package_by_chance(self, module: Any) -> None:
        # such a module would stand in for it, once someone has imported that
        modules = {path.stem for path in Path(module.__file__).parent.iterdir()}
        assert {name for name, source in home(module).items() if source != "streamkit"} & modules == set()

    @pytest.mark.parametrize("module", ["streamkit", "streamkit.ops"])
    def test_are_all_in_dir_before_they_are_loaded(self, module: str) -> None:
        code = f"import sys, {module}; m = sys.modules[{module!r}]; print(set(m.__all__) - set(dir(m)))"
        assert fresh(code) == "set()"

    def test_in_dir_are_there_though_an_extra_is_not_installed(self) -> None:
        code = """
            import inspect, pydoc, sys, streamkit as m
            sys.modules["aiostream"] = None
            print({*dir(m)} <= {name for name, _ in inspect.getmembers(m)}, bool(pydoc.render_doc(m)))
        """
        assert fresh(code) == "True True"

    def test_carriers_with_a_server_are_completed_where_their_package_is_there(self) -> None:
        code = """
            import inspect, pydoc, sys, types, streamkit.durable as m
            sys.modules.update(msgpack=types.ModuleType("msgpack"), redis=None)
            names = dir(m)
            print({"MsgPack", "Redis", "lazily", "TYPE_CHECKING"} & {*names}, inspect.getmembers(m) and True)
            print(bool(pydoc.render_doc(m)))
        """
        assert fresh(code).splitlines() == ["{'MsgPack'} True", "True"]

    @pytest.mark.parametrize("module", DOORS, ids=name_of)
    def test_what_there_is_not_is_an_attribute_error(self, module: Any) -> None:
        with pytest.raises(AttributeError, match="has no attribute 'mapp'") as caught:
            _ = module.mapp
        assert (caught.value.name, caught.value.obj) == ("mapp", module)

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("from streamkit import map", "cannot import name 'map' from 'streamkit': write ops.map(...)"),
            (
                "from streamkit import SQLite",
                "name 'SQLite' from 'streamkit': write streamkit.durable.SQLite",
            ),
            ("from streamkit import poll", "name 'poll' from 'streamkit': write streamkit.connect.poll(...)"),
            ("from streamkit import chunks", "chunks is batch here, as in ops.batch(size)"),
            ("from streamkit.ops import push as p, take", "from 'streamkit.ops': write streamkit.push(...)"),
            (
                "from streamkit import nonsense",
                f"cannot import name 'nonsense' from 'streamkit' ({streamkit.__file__})",
            ),
        ],
    )
    def test_an_import_of_what_there_is_not_says_what_to_write(self, line: str, words: str) -> None:
        with pytest.raises(ImportError, match=re.escape(words)) as caught:
            exec(line)
        assert (caught.value.name, caught.value.path) == (
            line.split()[1],
            sys.modules[line.split()[1]].__file__,
        )
        with pytest.raises(AttributeError):
            getattr(streamkit, "chunks")  # noqa: B009 - for type checkers

    def test_a_door_has_what_its_imports_say(self, monkeypatch: pytest.MonkeyPatch) -> None:
        head = """
            from typing import TYPE_CHECKING
            from streamkit._core.lazy import lazily
            __getattr__, __dir__, __all__ = lazily(extras=frozenset({"Record", "Absent"}), **HOW)
            if TYPE_CHECKING:
                from os import sep as sep
        """
        many = [f"    from streamkit._core.value import Value as v{number}" for number in range(300)]
        tail = """
                from streamkit import ops as ops
                from streamkit import _stages as _stages
                from streamkit.sources.combine import zip as zip
                from streamkit._core.value import Record as Record
                from streamkit._core.gone import Absent as Absent
        """
        source = "\n".join([dedent(head).rstrip(), *many, dedent(tail).replace("\n", "\n    ").strip("\n")])
        monkeypatch.delattr(streamkit, "_stages", raising=False)
        doors = vars(lazy)["_doors"]
        for how, names in ({"shadows": True}, ["Value", "ops", "zip"]), ({}, ["Value", "ops"]):
            door: Any = ModuleType("a_door")
            door.__file__, door.HOW = "/a/door.py", how
            monkeypatch.setitem(sys.modules, "a_door", door)
            exec(compile(source, "/a/door.py", "exec"), vars(door))
            assert (door.__all__, listed("a_door")) == (names, ["Value", "ops", "zip"])
            public = ["HOW", "Record", "Value", "ops", "zip"]
            assert [name for name in door.__dir__() if name[0] != "_"] == public
            for name in "sep", "SQLite":
                with pytest.raises(
                    AttributeError, match=f"^module 'a_door' has no attribute '{name}'"
                ) as caught:
                    getattr(door, name)
                assert (caught.value.name, caught.value.obj) == (name, door)
            assert str(caught.value).endswith("write streamkit.durable.SQLite")
            with pytest.raises(
                ImportError, match=r"^cannot import name 'SQLite' from 'a_door': w.*"
            ) as failed:
                exec("from a_door import SQLite")
            assert (failed.value.name, failed.value.path) == ("a_door", "/a/door.py")
            assert vars(door).keys().isdisjoint({"Value", "ops", "zip"})
            with monkeypatch.context() as alone:
                alone.setattr(lazy, "_doors", [each for each in doors if each[0] is door])
                doors[:] = [each for each in doors if each[0] is not door]
                lazy.load()
            assert (vars(door)["Value"], vars(door)["ops"], from_door("a_door", "ops")) == (Value, ops, ops)
            assert door._stages is sys.modules["streamkit._stages"]

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
            sys.modules.pop("__future__", None)  # there already, where coverage is measured
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
        assert {*loaded} & {*home(ops).values()} == set()

    def test_leaves_every_name_of_the_front_door_for_its_first_use(self) -> None:
        loaded = fresh("import sys, streamkit; print(*sys.modules)").split()
        ours = {name for name in loaded if name.startswith("streamkit")}
        assert ours == {"streamkit", "streamkit._core", "streamkit._core.lazy"}

    def test_of_a_family_leaves_the_others(self) -> None:
        loaded = fresh("""
            import sys
            from streamkit import ops
            ops.filter
            print(*sys.modules)
        """).split()
        assert {*loaded} & {*home(ops).values()} == {"streamkit.operators.choose"}
        assert "streamkit._engine.run.run" not in loaded  # which only stages need

    def test_needs_no_package_though_type_checkers_read_one(self) -> None:
        known = fresh("""
            import sys
            sys.modules["typing_extensions"] = sys.modules["reactivex"] = None
            from streamkit._core.catalogue import catalogue
            print(len({each.name for each in catalogue()}) > 20)
        """)
        assert known == "True"


class TestCatalogue:
    def test_knows_every_operator_though_none_was_used(self) -> None:
        known = fresh("""
            from streamkit._core.catalogue import catalogue
            print(*sorted({each.name for each in catalogue()}))
        """)
        declared = {name for name in ops.__all__ if hasattr(getattr(ops, name), "__streamkit__")}
        assert {"to_list", "map", "valve"} < declared <= {*known.split()}
