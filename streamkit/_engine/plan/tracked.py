"""Tracked sources: those that hand out deliveries, and are told what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn, cast

from streamkit._core.arguments import Composed
from streamkit._core.delivery import Ledger
from streamkit._engine.compile.follow import CANNOT, unfollowed
from streamkit._engine.compile.key import Kind, Pairs
from streamkit._engine.plan.link import Inlet, Link, StageDeclaration, shares
from streamkit._engine.plan.source import Opened, Recipe, Source

__all__ = ["Tracked", "Unopened", "comes_of", "opened", "refused", "tracked"]


class Tracked(Recipe):
    """A durable source: each run makes a ledger, whose deliveries are followed to where they leave.

    `most` says how many deliveries may be open: a pipe that holds more would wait for ever.
    """

    __slots__ = ("most",)

    tracked = True

    def __init__(
        self, name: str, arguments: tuple[Any, ...], make: Callable[[], Ledger], most: int, **options: Any
    ) -> None:
        super().__init__(name, arguments, make, **options)
        self.most = most

    @property
    def makes(self) -> bool:
        return False

    @property
    def blocking(self) -> bool:
        return False

    def made(self) -> Source:
        return self

    def open(self, *, blocking: bool = False) -> Opened:
        return Opened(Kind.ASYNC, Unopened(self), pairs=Pairs.TAKES)


class Unopened:
    """Stands for what a tracked source hands out, until its run gives it the ledger (`run.followed`)."""

    __slots__ = ("source",)

    def __init__(self, source: Tracked) -> None:
        self.source = source

    def refuse(self) -> NoReturn:
        """It is read where nobody follows its items."""
        raise TypeError(
            f"{self.source!r} hands out deliveries, and what reads it here {CANNOT}: begin a pipe with it, "
            "and end that in a sink"
        )

    def __aiter__(self) -> NoReturn:
        self.refuse()

    def __anext__(self) -> NoReturn:
        self.refuse()


def tracked(values: Iterable[object], *, beside: bool = False) -> Iterator[Tracked]:
    """The tracked sources in `values`, streams or arguments of operators, however deep inside.

    With those of pipelines that run `beside` a source, if asked for: they follow their items themselves.
    """
    return (source for source, _ in opened(values, beside=beside))


def opened(values: Iterable[object], *, beside: bool = False) -> Iterator[tuple[Tracked, Link | None]]:
    """The same, each with the ``share`` whose run opens it; None, where the run of these values does."""
    left: list[tuple[object, Link | None]] = [(value, None) for value in [*values][::-1]]
    seen: set[tuple[int, int]] = set()  # links that several streams have are gone into once
    while left:
        value, by = left.pop()
        if isinstance(value, tuple):
            left += [(each, by) for each in reversed(cast("tuple[object, ...]", value))]
            continue
        inside: list[tuple[object, Link | None]] = []
        links: Sequence[Link] = value.links if isinstance(value, (Inlet, Composed)) else ()
        for link in reversed(links):
            if link.declaration.stage is not None and (id(link), id(by)) not in seen:
                seen.add((id(link), id(by)))
                inside += [(argument, by) for argument in reversed(link.arguments.values())]
            by = link if shares(link) else by
        if isinstance(value, Inlet) and isinstance(value.source, Tracked):
            yield value.source, by
            left += [(each, by) for each in value.source.beside] if beside else []
        left += inside


def comes_of(links: tuple[Link, ...]) -> tuple[Link, ...]:
    """Those of `links`, behind an untracked source, through which items of a tracked one go."""
    for place, link in enumerate(links):
        if link.declaration.stage is not None and next(tracked(link.arguments.values()), None) is not None:
            return links[place:]
    return ()


def refused(links: Iterable[Link]) -> None:
    """Raise if an operator of `links`, behind a tracked source, cannot say what became of an item."""
    left = [links]
    while left:
        for link in left.pop():
            why = _why(link)
            if why is not None:
                raise TypeError(
                    f"{link!r} at {link.place} {why}: the durable source before it acknowledges an item when "
                    "all that was made of it has left"
                )
            left += link.branches or [pipe.links for pipe in link.arguments.get("branches", ())]
            # those of streams that begin with a tracked source were looked at when they were put together
            others = [each for each in link.arguments.get("sources", ()) if not each.source.tracked]
            left += [found for each in others if (found := comes_of(each.links))]


def _why(link: Link) -> str | None:
    declaration = link.declaration
    if not isinstance(declaration, StageDeclaration):
        return unfollowed(declaration)
    if not declaration.pairs:
        return CANNOT
    others = [value for name, value in link.arguments.items() if name != "sources"]
    if next(tracked(others), None) is not None:
        return "reads another durable source, and cannot say what became of its items"
    why: str | None = declaration.pairs(link.arguments)
    return why
