"""A room: a directory with a suite of tests, run by a pytest inside this one, with the plugins named."""

from collections.abc import Callable

import pytest

import streamkit.testing

for name in dir(streamkit.testing):
    # Of what a pytest inside this one loads, its end forgets the modules: the door's own would be made twice.
    getattr(streamkit.testing, name)

Room = Callable[..., pytest.RunResult]

ASYNCIO = ("pytest_asyncio.plugin", "--override-ini=asyncio_default_fixture_loop_scope=function")
PLUGINS = {
    "streamkit": ("pytest_streamkit",),
    "asyncio strict": (*ASYNCIO, "--asyncio-mode=strict"),
    "asyncio auto": (*ASYNCIO, "--asyncio-mode=auto"),
    "anyio": ("anyio.pytest_plugin",),
    "anyio auto": ("anyio.pytest_plugin", "--override-ini=anyio_mode=auto"),
    "hypothesis": ("_hypothesis_pytestplugin",),
    "xdist": ("xdist.plugin",),
    "trio": ("pytest_trio.plugin",),
    "trio mode": ("pytest_trio.plugin", "--override-ini=trio_mode=true"),
}
"""Modules of plugins, by what the tests call them, and the options that go along."""


@pytest.fixture
def room(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Room:
    """Run the tests in `suite`; `plugins` are loaded in this order, and no others."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run(suite: str, *options: str, plugins: tuple[str, ...] = ("streamkit",)) -> pytest.RunResult:
        pytester.makepyfile(test_it=f"import asyncio\nimport time\n\nimport pytest\n\n{suite}")
        loaded = [word for name in plugins for word in ("-p", *PLUGINS[name])]
        # Plugins that the pytest around has loaded, too, are imported already.
        warnings = ("-W", "error", "-W", "ignore:Module already imported")
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *warnings, *loaded, *options)

    return run


def lines(result: pytest.RunResult) -> str:
    """What was printed, as one text."""
    return "\n".join((*result.outlines, *result.errlines))
