"""A project that does not use the plugin: nothing that pytest does for it is different, byte for byte."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.testing.plugin.installed import loaded

SUITE = {
    "pytest.ini": """
        [pytest]
        asyncio_mode = auto
        asyncio_default_fixture_loop_scope = function
        addopts = --strict-markers -p no:cacheprovider -p no:hypothesispytest -p no:benchmark -p no:trio
        markers = slow
        """,
    "conftest.py": """
        import pytest

        @pytest.fixture
        async def connection():
            yield "connection"

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture(scope="module", params=["a", "b"])
        def letter(request):
            return request.param
        """,
    "test_async.py": """
        import asyncio

        import pytest

        async def test_auto(connection, letter):
            await asyncio.sleep(0)
            assert connection == "connection"

        @pytest.mark.anyio
        async def test_backends(anyio_backend_name):
            assert anyio_backend_name == "asyncio"

        class TestClass:
            async def test_fails(self, connection):
                print("captured")
                assert connection == "none"
        """,
    "test_plain.py": """
        import time
        import unittest

        import pytest

        @pytest.mark.slow
        @pytest.mark.parametrize("number", [1, 2, pytest.param(3, marks=pytest.mark.xfail)])
        def test_parameters(number, letter):
            assert number != 3

        @pytest.fixture
        def broken(letter):
            raise KeyError(letter)

        def test_error(broken): ...

        @pytest.mark.skip(reason="not today")
        def test_skipped(): ...

        def test_returns():
            return time.sleep is __import__("time").sleep

        class TestCase(unittest.IsolatedAsyncioTestCase):
            async def test_case(self):
                with self.subTest():
                    self.assertEqual(1, 1)
        """,
}
TIMES = re.compile(
    r'\b\d+\.\d+s( \([\d:]+\))?|time="[^"]*"|timestamp="[^"]*"|hostname="[^"]*"|0x[0-9a-f]+|(?<==)=+'
)
"""What differs from run to run, and the rule around it, which fills the line."""
NAMES = re.compile(r"^plugins: .*\n", re.MULTILINE)
"""The header says which plugins there are, as `--help`, `--markers` and `--fixtures` say what they offer."""


def outcome(room: Path, *options: str) -> tuple[int, str, str]:
    """How it ended, what was printed, and the file for other tools."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))
    }
    report = room / "report.xml"
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "--junitxml", str(report), "-ra", "-v", *options],
        cwd=room,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return ended.returncode, NAMES.sub("", TIMES.sub("", ended.stdout)), TIMES.sub("", report.read_text())


@pytest.fixture
def room(tmp_path: Path) -> Path:
    for name, text in SUITE.items():
        (tmp_path / name).write_text(textwrap.dedent(text).lstrip())
    return tmp_path


def test_a_foreign_suite_is_the_same_with_and_without_it(room: Path) -> None:
    given = outcome(room, "-p", "no:xdist", *loaded())
    assert given == outcome(room, "-p", "no:xdist", "-p", "no:streamkit")
    code, printed, _ = given
    assert code == pytest.ExitCode.TESTS_FAILED
    for ending in ("1 failed", "9 passed", "1 skipped", "2 xfailed", "1 warning", "2 errors"):
        assert ending in printed.splitlines()[-1]


@pytest.mark.full
@pytest.mark.parametrize(
    "options", [("-q", "--collect-only"), ("-k", "auto or number"), ("-x", "--tb=native")], ids=" ".join
)
def test_with_other_options_too(room: Path, options: tuple[str, ...]) -> None:
    assert outcome(room, *options, *loaded()) == outcome(room, *options, "-p", "no:streamkit")


@pytest.mark.full
def test_on_two_workers(room: Path) -> None:
    """They end in any order, so what is compared is each test, with all that it printed."""
    cases: list[list[str]] = []
    for options in (loaded(), ("-p", "no:streamkit")):
        code, _, xml = outcome(room, "-n", "2", *options)
        assert code == pytest.ExitCode.TESTS_FAILED
        cases.append(sorted(re.findall(r"<testcase.*?(?:/>|</testcase>)", xml, re.DOTALL)))
    assert cases[0] == cases[1]
    assert len(cases[0]) > 10


def test_loading_it_imports_nothing_but_itself(tmp_path: Path) -> None:
    """It is loaded wherever streamkit is installed: no streamkit, no asyncio."""
    code = (
        "import sys, pytest; before = set(sys.modules); import pytest_streamkit; "
        "print(sorted(set(sys.modules) - before), 'asyncio' in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "['pytest_streamkit'] False\n"
