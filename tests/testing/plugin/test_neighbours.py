"""Other plugins for async tests: a test with our mark is ours, and the others stay theirs."""

import importlib
import textwrap
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.testing.plugin.conftest import Room


@pytest.fixture(scope="module", autouse=True)
def imported() -> None:
    """The pytest inside forgets what it imports, and `import trio` takes longer than a test."""
    for module in ("trio", "pytest_trio.plugin", "pytest_asyncio.plugin"):
        importlib.import_module(module)


HOUR = textwrap.dedent("""
    @pytest.mark.streamkit
    async def test_ours():
        await asyncio.sleep(3600.0)
        assert asyncio.get_running_loop().time() == 3600.0

""")
THEIRS = {
    "asyncio strict": """
        @pytest.mark.asyncio
        async def test_theirs():
            assert "Virtual" not in type(asyncio.get_running_loop()).__name__
        """,
    "asyncio auto": """
        @pytest.fixture
        async def loop():
            return asyncio.get_running_loop()

        async def test_theirs(loop):
            assert asyncio.get_running_loop() is loop and "Virtual" not in type(loop).__name__
        """,
    "anyio": """
        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_theirs():
            assert "Virtual" not in type(asyncio.get_running_loop()).__name__
        """,
    "anyio auto": """
        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        async def test_theirs():
            assert "Virtual" not in type(asyncio.get_running_loop()).__name__
        """,
    "trio": """
        import trio

        @pytest.mark.trio
        async def test_theirs(autojump_clock):
            await trio.sleep(0)
        """,
    "trio mode": """
        import trio

        async def test_theirs(autojump_clock):
            await trio.sleep(0)
        """,
}
ORDERS = [("streamkit", name) for name in THEIRS] + [(name, "streamkit") for name in THEIRS]


@pytest.mark.parametrize("plugins", ORDERS, ids=" then ".join)
def test_each_runs_its_own(room: "Room", plugins: tuple[str, str]) -> None:
    theirs = THEIRS[plugins[0] if plugins[1] == "streamkit" else plugins[1]]
    result = room(HOUR + textwrap.dedent(theirs), "-v", plugins=plugins)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::test_ours PASSED*"])  # no parameter of a neighbour in its name


@pytest.mark.parametrize("name", ["asyncio", "anyio", "trio"])
def test_our_mark_wins_over_that_of_a_whole_module(room: "Room", name: str) -> None:
    plugin = "asyncio strict" if name == "asyncio" else name
    for marks in (f"[pytest.mark.{name}]", f"[pytest.mark.streamkit, pytest.mark.{name}]"):
        result = room(f"pytestmark = {marks}\n{HOUR}", "-v", plugins=("streamkit", plugin))
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines(["*::test_ours PASSED*"])


@pytest.mark.full
@pytest.mark.parametrize(
    "plugins", [*permutations(("streamkit", "asyncio auto", "anyio", "trio"))], ids=", ".join
)
def test_all_at_once(room: "Room", plugins: tuple[str, ...]) -> None:
    theirs = textwrap.dedent(THEIRS["asyncio auto"])
    room(HOUR + theirs, plugins=plugins).assert_outcomes(passed=2)
