"""How the processes of these tests start: forked from a server that has imported what they need."""

import multiprocessing
from multiprocessing.context import BaseContext

import pytest

__all__ = ["forkserver"]


@pytest.fixture(scope="session")
def forkserver() -> BaseContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["streamkit.executors.serve", "tests.executors.work", "tests.executors.warm"]
    )
    return context
