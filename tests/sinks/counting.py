"""A source that counts what is done with it."""

from collections.abc import Iterator

__all__ = ["Counted"]


class Counted:
    """A source that counts what was pulled and how often it was closed."""

    def __init__(self, count: int = 100) -> None:
        self.count = count
        self.pulled = self.closed = 0

    def __call__(self) -> Iterator[int]:
        try:
            for number in range(self.count):
                self.pulled += 1
                yield number
        finally:
            self.closed += 1
