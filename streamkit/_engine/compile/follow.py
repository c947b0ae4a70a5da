"""Following: which delivery of a durable source an item stands for, beside it in the loop.

A loop that takes pairs of a delivery and an item has the delivery of this turn in its hand, in a variable,
and settles it at the end of the turn: all that was made of the item has left then. What leaves the loop takes
the delivery along: the last that is made of an item takes the place of the hand, all else is one place more.

A step that makes an item of several (``keeps=``) has their deliveries in a list, beside what it keeps of the
items themselves. What it emits stands for all of them; those that it keeps no longer go with that. A sink
whose result has something of the items keeps all of theirs, until the loop returns it.

What an error or a cancellation leaves behind in the hand or in such a list stays open: see `delivery`.
"""

from __future__ import annotations

import ast
import math
from functools import lru_cache
from typing import Any

from streamkit._core.catalogue import Declaration
from streamkit._core.delivery import NO_DELIVERY, Delivery, settled, together, trimmed
from streamkit._engine.compile.key import Pairs
from streamkit._engine.compile.lasting import emits, lasts, returns
from streamkit._engine.compile.layout import Layout
from streamkit._engine.compile.lines import Lines, Site
from streamkit._engine.compile.names import Names
from streamkit._engine.compile.pieces import Parsed, parsed

__all__ = ["CANNOT", "Follower", "unfollowed"]

CANNOT = "cannot say what became of an item"
"""Why an operator is refused that nobody has taught to."""
_NOTHING = "NO_DELIVERY"


class Follower:
    """Writes what becomes of the deliveries in a loop; where that has none, it writes nothing."""

    def __init__(
        self, layout: Layout, lines: Lines, names: Names, pairs: Pairs | None, *, hands: bool
    ) -> None:
        self._layout = layout
        self._add = lines.add
        self._names = names
        self._pairs = pairs
        self._hands = hands
        """Whether what leaves the loop takes its delivery along: a user's ``async for`` does not."""
        self.on = pairs is not None
        self._kept: dict[int, ast.expr | None] = {}
        """By the index of a step that keeps deliveries: how many of the newest stay; None for a sink."""
        self._begun: dict[str, int] = {}
        """By the variable of a delivery that is in hand: how deep its turn is indented."""
        self._moved: dict[str, bool] = {}
        """Those that are in hand no more, as all has left: always (True), or on one way through the turn."""
        if self.on:
            names.constants |= _USED
            self._look()
            layout.holding = frozenset(self._kept)

    def _look(self) -> None:
        """Find which steps keep deliveries."""
        layout = self._layout
        for index, pieces in enumerate(layout.parsed):
            declaration = layout.steps[index].declaration
            why = unfollowed(declaration)
            if why is not None:
                raise TypeError(f"{declaration.name} {why}")
            inner = index in layout.emitting or index in layout.inside
            if returns(pieces, counts=inner) and index not in layout.forks:
                self._kept[index] = None
            elif pieces.keeps is not None and not _at_once(pieces):
                self._kept[index] = pieces.keeps

    def _keep(self, *, sinks: bool) -> list[int]:
        """The `sinks` that keep deliveries until the loop returns; or the steps that wait with some."""
        layout = self._layout
        return [
            index
            for index, stay in self._kept.items()
            if (stay is None) is sinks and index not in layout.emitting and index not in layout.inside
        ]

    @property
    def hands(self) -> dict[int, str]:
        """By the index of a step: the variable of the delivery that it has in hand."""
        found: dict[int, str] = {}
        for index in range(len(self._layout.steps)) if self.on else ():
            before = self._layout.before([index]).intersection(
                [each for each, stay in self._kept.items() if stay is not None]
            )
            found[index] = f"token_{max(before)}_" if before else "token"
        return found

    # one turn of the loop --------------------------------------------------------------------

    def turn(self, site: Site) -> Site:
        """The spot where an item of the source has come."""
        if not self.on:
            return site
        takes = self._pairs is Pairs.TAKES
        if takes:
            self._add(site.depth, "token, item = item")
            self._in_hand("token", site.depth)
        return site.at(ends_turn=False, token="token", tail=takes)

    def ended(self, site: Site) -> None:
        """The turn is over: what it had in hand is settled. A sink that keeps all may get no more."""
        if self._pairs is Pairs.TAKES:
            self._settle(site.depth, "token")
            for index in self._keep(sinks=True):
                lists = [*map(_kept, [index, *self._keep(sinks=False)])]
                many = " + ".join(f"len({each})" for each in lists)
                self._add(site.depth, f"if {many} >= {_count(index)}:")
                counted = f"{_open(index)}.counted({', '.join(lists)})"
                self._add(site.depth + 1, f"{_count(index)} = {counted}", index)

    def made(self, depth: int, *, last: bool = False) -> Site:
        """A spot where there is no item: in a setup; or at the end, behind which nothing comes (`last`)."""
        return Site(None, depth, token=_NOTHING, tail=last and self.on)

    def ends(self, site: Site, statement: ast.stmt, rest: list[ast.stmt]) -> bool:
        """Whether nothing more is made of the item behind `statement`, in the `rest` of its piece."""
        return site.tail and (_stops(statement) or not emits(rest))

    # steps that keep several ------------------------------------------------------------------

    def begin(self, index: int, depth: int) -> None:
        """The setup of the step at `index`."""
        if index in self._kept:
            self._add(depth, f"{_kept(index)} = []")
        if index in self._keep(sinks=True):
            name = self._layout.steps[index].declaration.name
            self._add(depth, f"{_open(index)} = Open({name!r}, most_of(pace))")
            self._add(depth, f"{_count(index)} = {_open(index)}.most")

    def enter(self, index: int, site: Site) -> Site:
        """An item has come to the step at `index`, which may keep its delivery."""
        if index not in self._kept:
            return site
        if site.token != _NOTHING and not site.tail:
            self._add(site.depth, f"{site.token}.count += 1")
        self._add(site.depth, f"{_kept(index)}.append({site.token})")
        counting = [
            each for each in self._keep(sinks=True) if each == index or index in self._keep(sinks=False)
        ]
        if counting and site.token != _NOTHING:
            self._add(site.depth, f"if {site.token}.several:")
            self._add(site.depth + 1, " = ".join([*map(_count, counting), "0"]))
        if site.tail:
            self._moves(site)
        return site.at(ends_turn=False)

    def left(self, index: int, site: Site) -> None:
        """The turn of the step at `index` is over: what it has left out is settled."""
        stay = self._kept.get(index)
        if stay is not None and not _exactly(self._layout.parsed[index]):
            many = self._staying(stay, index, site)
            self._add(site.depth, f"if len({_kept(index)}) > {many}:")
            self._add(site.depth + 1, f"trimmed({_kept(index)}, {many})")

    def emitted(self, index: int, site: Site, *, made: bool) -> Site:
        """The spot where what the step at `index` emits goes on; `made`, if no item has come there."""
        stay = self._kept.get(index)
        if stay is None:
            return site
        # at the end, what is emitted last takes all along
        many = "0" if made and site.tail else self._staying(stay, index, site)
        return self._gathered(index, many, site)

    def result(self, index: int, site: Site) -> Site:
        """The spot where the result of the sink at `index` goes on."""
        return self._gathered(index, "0", site) if index in self._kept else site

    def _staying(self, stay: ast.expr, index: int, site: Site) -> str:
        return self._names.ready(stay, index, None, site.depth).text

    def _gathered(self, index: int, many: str, site: Site) -> Site:
        token = f"token_{index}_"
        self._in_hand(token, site.depth)
        self._add(site.depth, f"{token} = together({_kept(index)}, {many})")
        # no step after it may `continue` past the line of `done`
        return site.at(token=token, tail=True, ends_turn=False)

    def done(self, index: int, site: Site) -> None:
        """What the step at `index` has emitted is through."""
        token = f"token_{index}_"
        if site.token == token:
            self._settle(site.depth, token)

    def lets_go(self, index: int) -> bool:
        """Whether the step at `index` may have kept something until its end, which it lets go of there."""
        return self._kept.get(index) is not None

    def finished(self, index: int, depth: int) -> None:
        """The step at `index` has come to its end: what it has kept until then is let go of."""
        if self.lets_go(index):
            self._add(depth, f"settled({_kept(index)})")

    def returned(self, result: str, depth: int) -> str:
        """The sinks have come to their end, and the loop returns `result`."""
        if not self._keep(sinks=True):
            return result
        self._add(depth, f"result = {result}")
        for index in self._keep(sinks=True):
            self._add(depth, f"settled({_kept(index)})")
        return "result"

    # leaving -----------------------------------------------------------------------------------

    def handed(self, site: Site, last: str) -> tuple[str, str]:
        """What leaves the loop at `site`, and the text that hands it over, made of `last`."""
        item = site.item
        assert item is not None
        if not self.on or not self._hands:
            return item, last
        if site.token != _NOTHING and not site.tail:
            self._add(site.depth, f"{site.token}.count += 1")
        self._add(site.depth, f"pair = ({site.token}, {item})")
        if site.tail:
            self._moves(site)
        self._names.passes("pair")
        rests = f"{{item}} = {item} = None" if site.free else "{item} = None"
        return "pair", last.replace("{item} = None", rests)

    def stopped(self, site: Site) -> None:
        """The stream ends by itself at `site`: it needs no more of what this turn has in hand."""
        if self.on and site.tail and site.token != _NOTHING:
            self._settle(site.depth, site.token)
            self._moves(site)

    def _in_hand(self, token: str, depth: int) -> None:
        """A turn begins with a delivery in this variable."""
        self._names.passes(token)
        self._begun[token] = depth
        self._moved.pop(token, None)

    def _moves(self, site: Site) -> None:
        """What leaves at `site`, or stays with a step, takes the place of the hand."""
        token = site.token
        if token == _NOTHING:
            return
        if site.depth == self._begun[token]:
            self._moved[token] = True  # on each way through the turn
        elif token not in self._moved:
            self._moved[token] = False
        if not self._moved[token]:
            self._add(site.depth, f"{token} = None")

    def _settle(self, depth: int, token: str) -> None:
        """A turn is over, and what it has in hand is settled, where that is in hand still."""
        moved = self._moved.get(token)
        if moved:
            return
        if moved is not None:
            self._add(depth, f"if {token} is not None:")
            depth += 1
        self._add(depth, f"{token}.count -= 1")
        self._add(depth, f"if not {token}.count:")
        self._add(depth + 1, f"{token}.ledger.closed({token})")


def most_of(pace: Any) -> float:
    """How many deliveries may be open at once in the run of a loop with this `pace`."""
    ledgers = None if pace.book is None else pace.book.ledgers
    return math.inf if ledgers is None else sum(source.most for source in ledgers)


class Open:
    """What was handed out and is open, as a sink named `name` keeps it: at most so many can be.

    To look at each as it comes would take as long as to collect it. One that stands for several may be the
    last that comes; of others, there is time until the sink has so many.
    """

    def __init__(self, name: str, most: float) -> None:
        self.name = name
        self.most = most
        self._found: set[Delivery] = set()
        self._seen = 0

    def counted(self, kept: list[Delivery], *waiting: list[Delivery]) -> float:
        """Count what is `kept`, which has grown, and what steps have that wait for more.

        Returns how many these must be together until more can be known.

        Raises:
            RuntimeError: no more can come.
        """
        for each in kept[self._seen :]:
            self._found.update(each.handed)
        self._seen = len(kept)
        beside = {one for held in waiting for each in held for one in each.handed}
        left = self.most - len(self._found) - len(beside - self._found)
        if left <= 0:
            raise overfull(self.name, self.most)
        return self._seen + sum(map(len, waiting)) + left


def overfull(name: str, most: float) -> RuntimeError:
    """What is raised where a sink would wait for ever."""
    return RuntimeError(
        f"{name}() keeps the deliveries of all items until the job returns, and {most} is all that its "
        f"source hands out before one is acknowledged: put take({most - 1}) behind the source, "
        "or hand out more, with a larger prefetch"
    )


_USED: dict[str, Any] = {
    _NOTHING: NO_DELIVERY,
    **{each.__name__: each for each in (settled, together, trimmed, most_of, Open)},
}
"""What the lines of deliveries use by name."""


def _count(index: int) -> str:
    return f"count_{index}_"


def _open(index: int) -> str:
    return f"open_{index}_"


def _kept(index: int) -> str:
    # no name of a piece ends like this: those end in the index of their step
    return f"kept_{index}_"


def _at_once(pieces: Parsed) -> bool:
    """Whether a step keeps nothing beyond its turn, and emits in each: what that stands for is its own."""
    match pieces.keeps:
        case ast.Constant(value=0):
            return any(_emission(statement) for statement in pieces.each)
        case _:
            return False


def _stops(statement: ast.stmt) -> bool:
    """Whether `statement` either ends the stream or does nothing: only then is reached what follows."""
    match statement:
        case ast.If(body=[*_, ast.Expr(ast.Call(ast.Name(id="stop"), [], []))], orelse=[]):
            return True
        case _:
            return False


def _exactly(pieces: Parsed) -> bool:
    """Whether a step leaves nothing out but by emitting it, as ``batch`` does: it appends each item."""
    match pieces.setup, pieces.each, pieces.keeps:
        case (
            [ast.Assign(targets=[ast.Name(id=made)], value=ast.List(elts=[]))],
            [
                ast.Expr(ast.Call(ast.Attribute(ast.Name(id=held), "append"), [ast.Name(id="item")], [])),
                ast.If(body=[*_, last], orelse=[]),
            ],
            ast.Call(ast.Name(id="len"), [ast.Name(id=kept)], []),
        ):
            return made == held == kept and _emission(last)
        case _:
            return False


def _emission(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="emit"))):
            return True
        case _:
            return False


@lru_cache(maxsize=512)
def unfollowed(declaration: Declaration) -> str | None:
    """Why the step of this declaration cannot say what became of an item; None if it can."""
    return _why(declaration)


def _why(declaration: Declaration) -> str | None:
    if declaration.rescues:
        return CANNOT
    pieces = parsed(declaration)
    if declaration.sink or pieces.keeps is not None or not lasts(pieces):
        return None
    return "makes something of earlier items, too, and does not say of how many (keeps= of the step)"
