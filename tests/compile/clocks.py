"""A clock that stands still until a test moves it: for what a pace asks of the time."""

__all__ = ["Clock"]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now
