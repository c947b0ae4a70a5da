"""A module that a registry allows: only what is defined here may be named."""

import os
from functools import lru_cache, partial, wraps
from os import path, system
from subprocess import Popen, run
from typing import Any

__all__ = ["Popen", "Thing", "double", "run"]

CALLED: list[str] = []


def double(number: int) -> int:
    return 2 * number


class Thing:
    """Can be named; what it has cannot."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def method(self, number: int) -> int:
        CALLED.append("method")
        return number


def _private(number: int) -> int:
    CALLED.append("private")
    return number


thing = Thing()
spawns = partial(run, "true")
cached = lru_cache(double)
wrapped = wraps(double)(lru_cache(run))
alias: Any = system
inner = path
shell = os


class Other(dict[str, Any]):
    """Of another module, as it says itself."""


Other.__module__ = "collections"


def __getattr__(name: str) -> Any:
    CALLED.append(name)
    return system
