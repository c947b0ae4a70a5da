"""Drops seen from outside: a stream whose strategies tell of each item that they drop."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from operator import is_
from typing import Any, TypeAlias, TypeVar

from streamkit._core.show import shown
from streamkit._core.strategy import Lossy
from streamkit._engine.face.stream import Pipe, SourceLike, Stream
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration

__all__ = ["Drops", "Tell", "as_stream", "drops_argument", "told_of_drops"]

T = TypeVar("T")

Tell: TypeAlias = Callable[[Any, str], object]
"""Called with an item that was dropped, and why, as an ``on_drop`` is."""


class Drops:
    """An ``on_drop`` for strategies whose drops `expect` and `check_marbles` cannot see.

    Those are the strategies of a ``push`` and of a ``Hub``, before a ``share``, and in a stream that a
    callback returns. Give it to the strategy, and to the check as ``drops=``.

    >>> import streamkit
    >>> from streamkit import KeepLatest
    >>> from streamkit.testing import Drops, expect, run
    >>> async def main() -> None:
    ...     drops = Drops()
    ...     stream, emitter = streamkit.push(KeepLatest(on_drop=drops))
    ...     async with expect(stream, drops=drops) as e:
    ...         emitter.offer(1)
    ...         emitter.offer(2)
    ...         await e.dropped(1)
    ...         await e.next(2)
    ...         await e.leave()
    >>> run(main)
    """

    def __init__(self) -> None:
        self._dropped: list[tuple[Any, str]] = []
        self._told: list[Tell] = []

    def __call__(self, item: Any, reason: str) -> None:
        """`item` was dropped."""
        self._dropped.append((item, reason))
        for tell in tuple(self._told):
            tell(item, reason)

    @contextmanager
    def telling(self, tell: Tell) -> Generator[None, None, None]:
        """Tell `tell` of what is dropped meanwhile, and was dropped before."""
        for item, reason in tuple(self._dropped):
            tell(item, reason)
        self._told.append(tell)
        try:
            yield
        finally:
            self._told.remove(tell)


def drops_argument(drops: object) -> Drops:
    """The argument ``drops=``; one that nobody tells of anything, if it is None."""
    if drops is None:
        return Drops()
    if isinstance(drops, Drops):
        return drops
    raise TypeError(f"drops must be streamkit.testing.Drops(), not {shown(drops)}")


def as_stream(name: str, source: SourceLike[T]) -> Stream[T]:
    """`source` as a stream, for an argument of that name."""
    try:
        return Stream(source)
    except TypeError as error:
        said = str(error)
        if not said.startswith("source must be"):
            raise
        raise TypeError(f"{name}{said.removeprefix('source')}") from error


def told_of_drops(stream: Stream[Any], tell: Tell) -> Stream[Any]:
    """`stream`, which also tells `tell` of what its operators drop, those of its branches and inputs too.

    Each ``on_drop`` that stands in it is called as before. The buffers of ``push`` and of a ``Hub`` exist
    already, what a callback returns is made later, and what is before a ``share`` belongs to all of its
    readers: those tell nothing (but a `Drops`).

    >>> from streamkit import DropOldest, Stream, ops
    >>> stream = Stream("abcd") | ops.buffer(DropOldest(2)) | ops.take(1)
    >>> list(told_of_drops(stream, lambda item, reason: print(item, reason)))
    a full
    b full
    d closed
    ['c']
    """
    return Stream(stream.source, _links(stream.links, tell))


def _links(links: tuple[Link, ...], tell: Tell) -> tuple[Link, ...]:
    """`links` that tell, but for those before a ``share``: with others there, it is not the same run."""
    shared = [place for place, link in enumerate(links) if _shares(link)]
    first = shared[-1] if shared else 0
    return (*links[:first], *[_link(link, tell) for link in links[first:]])


def _shares(link: Link) -> bool:
    return isinstance(link.declaration, StageDeclaration) and link.declaration.shares


def _link(link: Link, tell: Tell) -> Link:
    arguments = {name: _argument(name, value, tell) for name, value in link.arguments.items()}
    if all(arguments[name] is value for name, value in link.arguments.items()):
        return link
    return link.but(arguments)


def _argument(name: str, value: Any, tell: Tell) -> Any:
    """`value`, an argument of that name, in which every strategy and every ``on_drop`` tells of drops."""
    given: Any = value  # pyright would narrow `value` to classes of unknown parameters
    if isinstance(value, Lossy):
        return given.but(on_drop=_both(given.on_drop, tell))
    if name == "on_drop" and (value is None or callable(value)):
        return _both(value, tell)
    if isinstance(value, Inlet):
        return Stream[Any](given.source, _links(given.links, tell))
    if isinstance(value, Pipe):
        rebuild, (kind, links) = value.__reduce__()
        return rebuild(kind, _links(links, tell))
    if type(value) is tuple:
        new = tuple([_argument(name, each, tell) for each in given])
        return given if all(map(is_, given, new)) else new
    return value


def _both(theirs: Tell | None, tell: Tell) -> Tell:
    """Tells the user's ``on_drop`` first: what that raises fails the stream as it would without us."""
    if theirs is None:
        return tell

    def told(item: Any, reason: str) -> object:
        answer = theirs(item, reason)
        tell(item, reason)
        return answer

    return told
