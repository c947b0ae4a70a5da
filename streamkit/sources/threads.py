"""Sources that are read in a thread of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from streamkit._core.arguments import Composed, discard, is_said, makes_coroutine, whole
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit._stages.threaded import ThreadSource

__all__ = ["from_blocking"]

T = TypeVar("T")


def _readable(value: object) -> bool:
    if isinstance(value, Composed):
        return False
    makes = callable(value) and not is_said(makes_coroutine, value)
    return makes or hasattr(type(value), "__getitem__") or isinstance(value, Iterable)


@answering
def from_blocking(iterable: Iterable[T] | Callable[[], Iterable[T]], *, lookahead: int = 1) -> Stream[T]:
    """The items of an iterable that blocks, read in a thread of its own.

        iterable       --a--b-----c--|
        from_blocking  --a--b-----c--|

    >>> import streamkit
    >>> list(streamkit.from_blocking(["a", "b"]))
    ['a', 'b']

    Emits when: the iterable has given an item.
    Waits when: it has not; the event loop goes on. The thread waits when `lookahead` items are held.
    Completes when: the iterable ends, and held items were passed on.
    Closes when: it ends, or the consumer leaves: the thread closes the iterator, and the stream waits for it.
        A step under way cannot be interrupted, and ends first. Held items are dropped, and counted.

    ``from_blocking(lambda: open(path))`` reads the lines of a file, and closes it at the end of each run.

    A ``timeout`` behind it, too, waits for a step under way before it fails, or goes on with its `fallback`.
    Where a step may block for long, let a thread of your own send into ``push``: it is not waited for.

    The thread is begun at the first pull. It sees the context variables there, and does all that is done with
    the iterator: ``iter``, ``next`` and ``close``. Each run has another, so a one-shot iterator can be run
    once. Closed are generators, and whatever a callable has made. A lock that the iterable holds between two
    items is held as long as the consumer takes.

    Args:
        iterable: what is read; or a callable that makes it for each run, called in the thread.
        lookahead: items that are read ahead. More of them cost fewer switches between the threads.

    Raises:
        TypeError: `iterable` is neither, or `lookahead` is not a whole number; when run: what the callable
            has made is no iterable.
        ValueError: `lookahead` is less than 1.
        SourceConsumedError: (when run) `iterable` is a one-shot iterator that was run before.
    """
    if not _readable(iterable):
        discard(iterable)
        raise TypeError(f"iterable must be an iterable, or a callable that makes one, not {shown(iterable)}")
    return Stream(ThreadSource(iterable, whole("lookahead", lookahead, least=1)))
