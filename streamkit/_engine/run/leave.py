"""A running segment: closes its source on every exit, and names the operator that an error came from."""

from __future__ import annotations

import asyncio
import re
from asyncio import CancelledError
from collections.abc import Callable, Collection, Iterator, Sequence, Sized
from types import CodeType, TracebackType
from typing import Any, Final, Literal

from streamkit._core.awaiting import is_awaitable, pending
from streamkit._core.catalogue import advice
from streamkit._core.errors import UNCAUGHT, attach, noted, raise_first, replaces_cancellation
from streamkit._engine.buffer.target import Abandoned
from streamkit._engine.compile.lines import OUT, SOURCE, Owner
from streamkit._engine.compile.loop import NAMED, Loop
from streamkit._engine.compile.pace import Pace
from streamkit._engine.compile.pieces import parsed
from streamkit._engine.compile.scopes import assigned
from streamkit._engine.plan.link import Link
from streamkit._engine.plan.source import Opened

__all__ = [
    "Segment",
    "blame",
    "but_exits",
    "combine",
    "is_of_clean_up",
    "is_raised_by",
    "left",
    "tell",
    "unreached",
]


_FRAMES: Final = "cr_frame", "ag_frame", "gi_frame"
"""Where coroutines and generators have their frame."""


def blame(error: BaseException, link: Link) -> BaseException:
    """Note on `error` that a callback of `link` raised it; return the error to raise.

    A ``StopIteration`` or ``StopAsyncIteration`` would look like the end of the stream to its consumer, so a
    ``RuntimeError`` takes its place, as in Python's generators (PEP 479).
    """
    if isinstance(error, (StopIteration, StopAsyncIteration)):
        replaced = RuntimeError(f"{link!r} raised {type(error).__name__}")
        replaced.__cause__ = error
        error = replaced
    if isinstance(error, Exception):
        if not link.written[0].startswith(NAMED):  # a source of ours has put it into a pipe of its own
            noted(error, f"in {link!r} at {link.place}")
        if words := advice(link.declaration, error):
            noted(error, words)
        if variable := _unset(error):
            name, _ = variable
            noted(error, f"nothing had assigned to {name} before: do so in setup, as in {name} = ...")
    return error


def _unset(error: BaseException) -> tuple[str, int] | None:
    """The variable that a piece has read before any had assigned to it, and the index of its step."""
    last = error.__traceback__ if isinstance(error, UnboundLocalError) else None
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    if last is None or not last.tb_frame.f_code.co_filename.startswith(NAMED):
        return None
    found = re.search(r"'(\w+)_(\d+)'", str(error))
    return None if found is None else (found[1], int(found[2]))


def is_raised_by(error: BaseException, code: CodeType, others: Collection[CodeType] = ()) -> bool:
    """Whether the function of `code` raised `error`, itself or in a call.

    Not if the call entered a loop, the clean-up of one, or a function of `others`.
    """
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code is not code:
        traceback = traceback.tb_next
    if traceback is None:
        return False
    while traceback is not None:
        passed = traceback.tb_frame.f_code
        if passed is Segment.leave.__code__ or passed in others or passed.co_filename.startswith(NAMED):
            return False
        traceback = traceback.tb_next
    return True


def is_of_clean_up(error: BaseException) -> bool:
    """Whether a source raised `error` when a loop closed it."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code is not Segment.leave.__code__:
        traceback = traceback.tb_next
    return traceback is not None


def unreached(cancelled: BaseException) -> list[BaseException]:
    """The errors of sources that `cancelled`, a cancellation, has overtaken: nobody was told of them."""
    return getattr(cancelled, "__streamkit_unreached__", [])


def but_exits(error: BaseException) -> BaseException | None:
    """`error`, which closing a source raised, without what only says that it was closed; None if that is all.

    A source that yields inside a ``TaskGroup`` raises a group with the ``GeneratorExit`` that ended it.
    """
    if not isinstance(error, BaseExceptionGroup):
        return error
    group: BaseExceptionGroup[BaseException] = error  # pyright: ignore[reportUnknownVariableType] - of any errors
    exits, rest = group.split(GeneratorExit)
    return error if exits is None else rest  # pyright: ignore[reportUnknownVariableType] - of any errors


def _stranded(items: Any) -> bool:
    """Whether nobody can close `items`: their event loop was closed while a pull of them was pending."""
    return asyncio._get_running_loop() is None and getattr(items, "ag_running", False)


class Segment:
    """One execution of a loop: what it reads, and the links that its lines were made from."""

    __slots__ = ("_links", "_loop", "_opened", "_pace", "first", "unroot")

    def __init__(self, loop: Loop, links: Sequence[Link], opened: Opened, pace: Pace) -> None:
        self._loop = loop
        self._links = links
        self._pace = pace
        self._opened: Opened | None = opened
        self.first: BaseException | None = None
        """The error behind which steps pass on what they hold; it is raised when they have done so."""
        self.unroot: Callable[[], object] | None = None
        """Called when all is closed: lets go of what was kept for as long as the loop may be dropped."""

    @property
    def halt(self) -> Callable[[], None] | None:
        """What ends the intake of the stage that it reads; None, if it reads none."""
        return None if self._opened is None else self._opened.halt

    @property
    def slots(self) -> Any:
        """What may have the loop left for another, if it has slots and is in push form: see `direct`."""
        return None

    async def leave(self, error: BaseException | None = None) -> None:
        """Close the source, once. Raise an error of closing, or attach it to `error`."""
        opened, self._opened = self._opened, None
        if opened is None:
            return
        blamed = None if error is None else self._blamed(error, opened)
        first, self.first = self.first, None
        if first is not None and isinstance(blamed, Exception):
            if blamed is not first and error is not None and replaces_cancellation(error):
                attach(blamed, first)
            elif blamed is not first:
                attach(first, blamed)
                blamed = first
        try:
            several = self._loop.closes or self._pace.nested
            closing = self._close_all(opened) if several else opened.release()
            if closing is not None:
                await closing
        except BaseException as error_of_closing:
            late = but_exits(error_of_closing)
            if late is not None and not _stranded(opened.items):
                combine(blamed, late)
        finally:
            if blamed is not None and opened.unreached is not None:
                tell(blamed, opened.unreached())
            if self.unroot is not None:
                self.unroot()
        if blamed is not error and blamed is not None:
            raise blamed

    async def _close_all(self, opened: Opened) -> None:
        """Close the source, and then call what its steps have to call; raise the first error of these.

        The streams that its steps go through come before it, and of these the innermost.
        """
        late = await self.close_nested()
        try:
            if (closing := opened.release()) is not None:
                await closing
        except BaseException as error:
            late.append(error)
        for link in self._links:
            if not link.declaration.closes:
                continue
            try:
                made = link.arguments[link.declaration.closes]()
                if is_awaitable(made):
                    await pending(made)
            except BaseException as error:
                late.append(blame(error, link))
        raise_first(sorted(late, key=lambda error: not isinstance(error, CancelledError)))

    async def close_nested(self) -> list[BaseException]:
        """Close the streams that steps go through, which have not ended; return the errors of that."""
        late: list[BaseException] = []
        nested = self._pace.nested
        while nested:
            index = max(nested)
            items = nested.pop(index)
            try:
                await items.aclose()
            except BaseException as error:
                if (rest := but_exits(error)) is not None and not _stranded(items):
                    late.append(blame(rest, self._links[index]))
        return late

    def hand_over(self) -> None:
        """Another loop reads the source from now on, and closes it."""
        self._opened = None

    def leave_now(self, error: BaseException | None = None) -> None:
        """`leave` for a plain generator: its source closes without waiting, so one step runs it all."""
        try:
            self.leave(error).send(None)
        except StopIteration:
            return

    async def again(self, error: Exception) -> Any:
        """What is read after `error`, which has left the loop over the first source; None if it is a step's.

        If nothing is read after it, it comes out of what this returns.
        """
        opened, owner = self._opened, self._line(error)
        if opened is None or owner == OUT or (owner is not None and owner >= len(opened.follows.links)):
            return None
        blamed = self._blamed(error, opened)
        combine(blamed, *await self.close_nested())
        return self._goes_on(opened, await opened.follows.again(blamed))

    async def rest(self) -> Any:
        """What is read when the first source has ended."""
        opened = self._opened
        assert opened is not None
        return self._goes_on(opened, await opened.follows.ended())

    def _goes_on(self, opened: Opened, items: Any) -> Any:
        opened.items = None  # a list may hold much
        opened.halt = None  # what follows is read in place
        self._pace.handed.clear()
        self._pace.source = items
        return items

    @property
    def holds(self) -> bool:
        """Whether its steps pass on what they hold after an error."""
        return self._loop.holds

    def in_hand(self, made: Any) -> Iterator[tuple[Link, int]]:
        """The operators of the loop, which was `made`, with how many items they have in hand, or hold back.

        What it has handed over, its reader or a buffer has, though it may wait for room there.
        """
        frame: Any = next((each for name in _FRAMES if (each := getattr(made, name, None)) is not None), None)
        if frame is None:
            return
        line: int = frame.f_lineno
        owner = self._loop.owners[line - 1]
        busy = [*self._loop.through(line)]
        if isinstance(owner, int):  # the line in which it hands over an item is of no step
            busy.append(owner)
        for index in busy:
            yield self._links[index].blamed or self._links[index], 1
        for index, link in enumerate(self._links):
            if link.declaration.contract.regroups:
                kept = [
                    frame.f_locals.get(f"{name}_{index}") for name in assigned(parsed(link.declaration).setup)
                ]
                yield link, sum(len(each) for each in kept if isinstance(each, Sized))

    def failed(self, error: BaseException) -> int | Literal["out"]:
        """Keep `error`, to be raised when what steps hold was passed on; the index of the step it came from.

        Or SOURCE, or OUT. Errors after the first are attached to it. One that stands for a cancellation
        is raised at once: nothing more is passed on then.
        """
        if replaces_cancellation(error):
            raise error
        owner = self._line(error)
        assert self._opened is not None
        error = self._blamed(error, self._opened)
        if self.first is None:
            self.first = error
        else:
            attach(self.first, error)
        return SOURCE if owner is None else owner

    def caught(self) -> Exception | None:
        """The error that was kept, for a step that makes something of it: nobody raises it then.

        None, if it is one of the program, which no operator takes. Its traceback lets go of the loop: they
        would keep each other, and the items on the way.
        """
        error = self.first
        if not isinstance(error, Exception) or isinstance(error, UNCAUGHT):
            return None
        self.first = None
        trace = error.__traceback__
        if trace is not None and trace.tb_frame.f_code is self._loop.code:
            error.with_traceback(trace.tb_next)
        return error

    def _blamed(self, error: BaseException, opened: Opened) -> BaseException:
        if error is self.first or isinstance(error, (GeneratorExit, CancelledError)):
            return error
        if self._loop.hands:
            self._in_hand(error)
        owner = self._owner(error)
        if owner is not None:
            return blame(error, owner.blamed or owner)
        return error if opened.blame is None else opened.blame(error)

    def _owner(self, error: BaseException) -> Link | None:
        owner = self._line(error)
        return None if owner is None else self._pace.out if owner == OUT else self._links[owner]

    def _in_hand(self, error: BaseException) -> None:
        """Mark the delivery that a step had in hand when it raised `error`: that is to blame, no other."""
        owner, traceback = self._line(error), self._raised(error)
        if traceback is not None and isinstance(owner, int):
            token = traceback.tb_frame.f_locals.get(self._loop.hands[owner])
            if token is not None:
                token.mark()

    def _raised(self, error: BaseException) -> TracebackType | None:
        """Where the loop stands in the traceback of `error`."""
        traceback = error.__traceback__
        while traceback is not None and traceback.tb_frame.f_code is not self._loop.code:
            traceback = traceback.tb_next
        return traceback

    def _line(self, error: BaseException) -> Owner:
        """Whose line of the loop raised `error`."""
        traceback = self._raised(error)
        if traceback is None:
            return None
        # it may be read in a line that belongs to what comes after
        variable = _unset(error) if traceback.tb_next is None else None
        return variable[1] if variable else self._loop.owners[traceback.tb_lineno - 1]


async def left(opened: Opened, error: Exception) -> Exception:
    """Close `opened`, which has failed with `error`; return that, with a note of the stage that raised it."""
    blamed = error if opened.blame is None else opened.blame(error)
    try:
        if (closing := opened.release()) is not None:
            await closing
    except BaseException as error_of_closing:
        late = but_exits(error_of_closing)
        if late is not None:
            combine(blamed, late)
    finally:
        if opened.unreached is not None:
            tell(blamed, opened.unreached())
    assert isinstance(blamed, Exception)
    return blamed


def combine(error: BaseException | None, *late: BaseException) -> None:
    """Raise the first of `late`, of the clean-up after `error`; or attach them to `error`, which then stands.

    A cancellation comes first, and the others are attached to what is raised.
    """
    ordered = sorted(late, key=lambda each: not isinstance(each, CancelledError))
    if error is None or isinstance(error, GeneratorExit):
        raise_first(ordered)
    elif ordered and isinstance(ordered[0], CancelledError) and not isinstance(error, CancelledError):
        if not isinstance(error, Abandoned):  # which nobody need be told
            attach(ordered[0], error)
            tell(ordered[0], [error])
        raise_first(ordered)
    else:
        for each in ordered:
            attach(error, each)


def tell(error: BaseException, others: list[BaseException]) -> None:
    """Attach `others`, which nobody was told of, to `error`; what only ends a task takes them to its run."""
    if isinstance(error, (CancelledError, Abandoned)):
        error.__streamkit_unreached__ = [*unreached(error), *others]  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
    elif not isinstance(error, GeneratorExit):
        for other in others:
            attach(error, other)
