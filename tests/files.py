"""Tests that go over files: one test for all of them, which tells every file that is not as it should be."""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path

__all__ = ["over"]


def over(files: Iterable[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Decorate a test of one file: it runs for each of `files`, and fails with what all of them say."""

    def decorate(test: Callable[[Path], None]) -> Callable[[], None]:
        @wraps(test)
        def each() -> None:
            told: list[str] = []
            for path in files:
                try:
                    test(path)
                except AssertionError as error:
                    told.append(f"{path}: {error}")
            assert not told, "\n".join(told)

        del each.__wrapped__  # type: ignore[attr-defined]  # pytest would ask for a fixture named path
        return each

    return decorate
