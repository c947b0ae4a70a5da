"""What the law tests are made with: the lab of `streamkit.testing.conformance`, which users have, too."""

from collections.abc import Generator
from contextlib import contextmanager

from streamkit.testing.conformance.lab import KINDS, Feed, Lab, all_attached, play
from streamkit.testing.conformance.subject import Case, Subject as Sample
from streamkit.testing.conformance.visits import STYLES, Boom, Visit

__all__ = [
    "KINDS",
    "STYLES",
    "Boom",
    "Case",
    "Feed",
    "Lab",
    "Sample",
    "Visit",
    "all_attached",
    "play",
    "trying",
]


@contextmanager
def trying(*what: object) -> Generator[None, None, None]:
    """Let a test that tries several things in turn say which of them failed."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"trying {', '.join(map(str, what))}")
        raise
