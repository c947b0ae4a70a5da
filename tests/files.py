"""Tests that go over files or the like: one test for all, which tells each that is not as it should be.

So are the entries of a table looked at: as cases of their own, they would take far longer.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import pytest

__all__ = ["over"]


def over(things: Iterable[Any], named: Callable[[Any], str] = str) -> Callable[[Callable[..., None]], Any]:
    """Decorate a test of one thing: it runs for each of `things`, and fails with what all of them say."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def each(*instance: Any) -> None:
            """A method has an instance."""
            told: list[str] = []
            for thing in things:
                try:
                    test(*instance, thing)
                except (AssertionError, pytest.fail.Exception) as error:
                    told.append(f"{named(thing)}: {error}")
                except Exception as error:
                    error.add_note(f"of {named(thing)}")
                    raise
            assert not told, "\n".join(told)

        del each.__wrapped__  # type: ignore[attr-defined]  # pytest would ask for a fixture with that name
        return each

    return decorate
