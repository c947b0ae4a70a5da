"""Steps between streams that follow each other: they stand on one stack, too, and run in turn.

In ``a | concat(b) | map(f) | concat(c)``, what `a` and `b` give goes through ``map(f)``, and what `c` gives
does not. Such steps are a `Block`: a loop like any other, which reads a `Hatch`. A loop that needs an item
would resume the loop that it reads, and that the next, as deep as streams are nested. Instead it stands still
in its hatch. `Through` goes on with the next loop then, and hands the item over when that has come: an item
costs one turn for each block that it goes through, and the stack of Python does not grow.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Generator
from types import coroutine
from typing import Any, Final, Protocol, cast

from streamkit._core.markers import EMPTY
from streamkit._engine.compile.key import Kind
from streamkit._engine.compile.loop import SMALL
from streamkit._engine.compile.pace import Pace
from streamkit._engine.compile.pieces import parsed
from streamkit._engine.plan.link import Link, flattened
from streamkit._engine.plan.source import Opened
from streamkit._engine.run.ending import STEPPING
from streamkit._engine.run.run import Run

__all__ = ["Block", "Through", "fuses"]

Steps = Generator[Any, Any, Any]
"""What is awaited, step by step."""

_NEEDS = object()
"""What a loop asks for in its hatch: the next item."""
_LEAVES = object()
"""What it is given instead of one that is to end.

A GeneratorExit that is thrown into its pull reaches only the last of several loops on Python 3.11: that
drops the pull that it awaits, and the loop of that with it, which stands still for ever.
"""


_UNSEEN: Final = 8
"""Items that a loop takes before it looks whether others have looked at the clock meanwhile."""

_LARGE: Final = 16
"""Steps that become one block, at most: how long it takes to compile them grows with their number."""


class _Asks:
    """What a loop asks for in its hatch, where a cancellation has come that may be for the source."""

    __slots__ = ("error",)

    def __init__(self, error: CancelledError) -> None:
        self.error = error


class Hatch:
    """What the loop of a block reads: what comes out of the streams and blocks above it."""

    __slots__ = ("failure", "over")

    def __init__(self) -> None:
        self.over = False
        """Nothing more will come."""
        self.failure: BaseException | None = None
        """The error that it has ended with."""

    def __aiter__(self) -> Hatch:
        return self

    @coroutine
    def __anext__(self) -> Steps:
        if self.over:
            raise self.end()
        item = yield _NEEDS
        if item is _LEAVES:
            raise GeneratorExit
        return item

    @coroutine
    def athrow(self, error: CancelledError) -> Steps:
        """Hand `error` to the stream that is read now; return what comes to this hatch next."""
        if self.over:  # pragma: no cover - a loop asks so between two items, and at its end there are none
            raise error
        try:
            item = yield _Asks(error)
        finally:
            del error
        if item is _LEAVES:
            raise GeneratorExit
        return item

    def end(self) -> BaseException:
        """What the loop is told of the end."""
        failure, self.failure = self.failure, None
        return StopAsyncIteration() if failure is None else failure


class _Turn(Pace):
    """The pace of one of many loops that run in turn: it need not let others run if the rest does.

    Only where it goes through much by itself, as ``flatten`` may, nobody else looks at the clock.
    """

    __slots__ = ("_out", "_seen")

    def __init__(self, out: Through, hatch: Hatch) -> None:
        super().__init__()
        self._out = out
        self._seen = 0
        self.size = _UNSEEN
        self.source = hatch

    def due(self) -> bool:
        seen, self._seen = self._seen, self._out.left
        return seen == self._seen and super().due()


class Block:
    """Steps between streams that follow each other, as one loop; in the end, the last of these streams."""

    __slots__ = ("_loop", "hatch", "height", "holds", "links", "step")

    def __init__(
        self,
        run: Run,
        links: tuple[Link, ...],
        height: int,
        out: Through,
        leave: Callable[[Block], Awaitable[None]],
    ) -> None:
        self.links = links
        self.height = height
        """How many entries stand below it."""
        self.holds = any(link.declaration.hears for link in flattened(links))
        """Whether it does something after an error: passes on what it holds, or makes an item of it."""
        self.hatch = Hatch()
        self.step: Any = None
        """The pull that stands still in the hatch."""
        opened = Opened(Kind.ASYNC, self.hatch, lambda: leave(self))
        self._loop = run.steps(opened, links, _Turn(out, self.hatch))

    def pull(self) -> Any:
        """Begin to ask it for an item."""
        self.step = self._loop.__anext__()
        return self.step

    def ended(self, failure: BaseException | None) -> None:
        """What it reads has ended, or failed: it is read as a stream from now on."""
        self.hatch.over = True
        self.hatch.failure = failure

    def __aiter__(self) -> Block:
        return self

    @coroutine
    def __anext__(self) -> Steps:
        step, self.step = self.step, None
        pull = self._loop.__anext__() if step is None else _resumed(step, step.throw, self.hatch.end())
        return (yield from cast("Steps", pull))

    async def aclose(self) -> None:
        """Let go of the loop, which stands still: what it reads has been left before."""
        self.hatch.over = True
        step, self.step = self.step, None
        if step is not None:
            try:
                await _resumed(step, step.send, _LEAVES)
            except (GeneratorExit, StopAsyncIteration):
                return
        await self._loop.aclose()


def fuses(first: Block, second: Block) -> bool:
    """Whether two blocks of which the second reads the first can run as one, though the second has begun.

    Their steps keep nothing from one item to the next, and no stream will follow between them. Only blocks of
    the same size fuse, so that few loops are made however many there are.
    """
    return (
        first.height == second.height
        and len(first.links) == len(second.links) <= _LARGE // 2
        and all(_stateless(link) for link in (*first.links, *second.links))
    )


def _stateless(link: Link) -> bool:
    declaration = link.declaration
    if declaration.forks or declaration.groups or declaration.closes:
        return False
    pieces = parsed(declaration)
    return not (pieces.setup or pieces.finish or pieces.early)


@coroutine
def _resumed(step: Any, go_on: Callable[[Any], Any], answer: Any) -> Steps:
    """Give a pull that stands still an `answer`, and go on with it to its end."""
    try:
        while True:
            asked = go_on(answer)
            del answer
            go_on, answer = yield from _relayed(step, asked)
    except StopIteration as end:
        return end.value
    finally:
        answer = None


def _relayed(step: Any, asked: Any) -> Steps:
    """Have the event loop do what a pull has `asked` for; return how the pull goes on."""
    try:
        answer = yield asked
    except GeneratorExit:
        step.close()
        raise
    except BaseException as error:
        return step.throw, error
    return step.send, answer


STEPPING[_relayed.__code__] = lambda names: names["step"]


class Streams(Protocol):
    """What is read through blocks."""

    @property
    def current(self) -> Any:
        """The stream that is read now."""

    def left(self, place: int) -> None:
        """The block at `place` has ended, by itself, and with it all that it reads."""


class Through:
    """What comes out of the current stream and all `blocks`, of which the last reads it."""

    __slots__ = ("_blocks", "_pace", "_place", "_streams", "left", "thrown")

    def __init__(self, streams: Streams, blocks: list[Block]) -> None:
        self._streams = streams
        self._blocks = blocks
        self._place = 0
        """How many of them stand still: the first ones."""
        self._pace = Pace()
        """When to let others run; and steps of the current stream that were taken in advance."""
        self.left = 1
        """How many turns there are before the next look at the clock."""
        self.thrown: CancelledError | None = None
        """A cancellation to be handed to the current stream."""

    def reads(self, current: Any) -> Through:
        """Read on from a new stream."""
        place = min(self._place, len(self._blocks))
        while place and self._blocks[place - 1].step is None:  # a new one has taken the place of others
            place -= 1
        self._place = place
        self._pace.handed = []
        self._pace.source = None if isinstance(current, Block) else current
        return self

    def __aiter__(self) -> Through:
        return self

    @coroutine
    def __anext__(self) -> Steps:
        if self.thrown is not None:
            error, self.thrown = self.thrown, None
            try:
                yield from self._pace.rescue(error).__await__()
            finally:
                del error
        blocks, item = self._blocks, EMPTY
        while True:
            if self._place == len(blocks):
                handed = self._pace.handed
                pull: Steps = handed.pop(0).__await__() if handed else self._streams.current.__anext__()
                item = yield from pull
            else:
                block = blocks[self._place]
                go_on = block.pull().send if item is EMPTY else block.step.send
                answer, item = None if item is EMPTY else item, EMPTY
                try:
                    while (asked := go_on(answer)) is not _NEEDS:
                        go_on, answer = yield from self._answered(block.step, asked)
                except StopIteration as end:
                    block.step = answer = None
                    item = end.value
                except BaseException:
                    answer = None
                    self._streams.left(self._place)
                    raise
                else:
                    answer = None
                    self._place += 1
                    self.left -= 1
                    if not self.left:
                        self.left = min(self._pace.size, SMALL)
                        if self._pace.due():
                            yield from self._pace.breathe().__await__()
                    continue
            if not self._place:
                return item
            self._place -= 1

    def _answered(self, step: Any, asked: Any) -> Steps:
        """Do what the loop of a block has `asked` for; return how it goes on."""
        if not isinstance(asked, _Asks):
            return (yield from _relayed(step, asked))
        try:
            yield from self._pace.rescue(asked.error).__await__()
        except BaseException as error:
            return step.throw, error
        return _again, None


def _again(_: Any) -> Any:
    return _NEEDS
