"""Slots: holes in pipes whose contents are changed while items flow, and changes of several at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, SupportsIndex, TypeAlias, TypeVar, overload

from streamkit._core.arguments import Composed, flag, seconds, whole
from streamkit._core.contract import Contract
from streamkit._core.show import shown
from streamkit._engine.face.explain import explain
from streamkit._engine.face.explanation import Explanation
from streamkit._engine.face.job import Handle, Job
from streamkit._engine.face.mistakes import instead
from streamkit._engine.face.stage import stage
from streamkit._engine.face.stream import Keep, Operator, Pipe, Shape, Stream, rebuilt
from streamkit._engine.plan.link import Inlet, Link
from streamkit._engine.plan.source import Source
from streamkit._engine.plan.tracked import refused
from streamkit.live.change import Change, post
from streamkit.live.flow import beside
from streamkit.live.seat import Cell
from streamkit.live.together import opened
from streamkit.live.trial import check_trial
from streamkit.live.woven import in_place

__all__ = ["Filling", "Slot", "slots"]

A = TypeVar("A")
B = TypeVar("B")

Filling: TypeAlias = Operator[A, B] | Keep | Shape
"""What may stand in a slot: an operator, or several that are joined."""


def _followed(arguments: Mapping[str, Any]) -> None:
    """Refuse what cannot stand behind a durable source; a change of the content is checked so, too."""
    refused(arguments["content"].links)


@stage(in_place, name="Slot", pumps=False, pairs=_followed)
def _of_steps(content: Cell, *, with_generation: bool = False) -> Pipe:
    # a `Slot` makes its own links: this only declares their parameters
    return Pipe(
        _of_steps, content=content, with_generation=with_generation
    )  # pragma: no cover - never called


@stage(beside, name="Slot", pairs=_followed, contract=Contract(lookahead="0"))
def _of_stages(content: Cell, *, with_generation: bool = False) -> Pipe:
    return Pipe(_of_stages, content=content, with_generation=with_generation)  # pragma: no cover - the same


class Slot(Operator[A, B]):
    """A hole in a pipe. What stands in it is replaced, inserted and popped while the pipe runs.

    >>> import asyncio
    >>> from streamkit import Suspend, ops, push
    >>> from streamkit.live import Slot
    >>> async def main():
    ...     numbers, emitter = push(Suspend(1), of=int)
    ...     slot = Slot(ops.map(lambda number: number + 1))
    ...     job = (numbers | slot | ops.to_list()).start()
    ...     await emitter.send(0)
    ...     await asyncio.sleep(0.01)  # it is through
    ...     await slot.insert(1, ops.map(lambda number: number * 10))
    ...     await emitter.send(2)
    ...     emitter.close()
    ...     return await job
    >>> asyncio.run(main())
    [1, 30]

    The next item that comes meets the new content. What is inside goes through the old one to its end, before
    the new one gets anything: so nothing is lost, doubled, or overtaken, and the operators around the slot
    notice nothing. Where no item comes, what the old content holds (an unfinished ``batch``) comes out with
    the next one; at once, if a buffer stands before the slot, or the slot has stages.

    All runs of the streams in which it stands are changed together, and it may stand in one pipe twice. What
    begins later has the content that it has then. A pickle of it is another slot with the same content.

    Args:
        content: operators; without any, items pass.
        stages: whether its contents may be stages (``map`` with `concurrency`, ``buffer``, what has a task
            or a clock). Such a slot reads its source in a task of its own. By default, if `content` has one.
        bound: how many items a content may hold at most, by what ``explain()`` says of it.
        name: by which `slots` finds it.

    Raises:
        TypeError: `content` is no operator, or has a sink; another argument has the wrong type.
        ValueError: `content` has a stage, and `stages` is False; or it holds more items than `bound`.
    """

    __slots__ = ("_bound", "_stages", "cell")

    cell: Cell
    """What the pipe has of it."""

    @overload
    def __init__(
        self,
        content: Operator[A, B],
        *,
        stages: bool | None = None,
        bound: int | None = None,
        name: str = "",
    ) -> None: ...
    @overload
    def __init__(
        self: Slot[Any, Any],
        content: Keep | Shape | None = None,
        *,
        stages: bool | None = None,
        bound: int | None = None,
        name: str = "",
    ) -> None: ...
    def __init__(
        self,
        content: Any = None,
        *,
        stages: bool | None = None,
        bound: int | None = None,
        name: str = "",
    ) -> None:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"name must be a string, not {shown(name)}")
        links = _links(content)
        if stages is None:
            stages = any(link.declaration.stage is not None for link in links)
        self._stages = flag("stages", stages)
        self._bound = None if bound is None else whole("bound", bound, least=0)
        self.cell = Cell(links, name, self, apart=stages)
        self._check(links)
        super().__init__(_of_stages if stages else _of_steps, content=self.cell)

    @property
    def name(self) -> str:
        """By which `slots` finds it."""
        return self.cell.name

    @property
    def content(self) -> Operator[A, B] | None:
        """The operators that the next item meets; None if there are none."""
        links = self.cell.links
        return rebuilt(Operator, links) if links else None

    @property
    def generation(self) -> int:
        """How often it was changed. Errors of its operators name the generation that has raised them."""
        return self.cell.content.generation

    @property
    def with_generation(self) -> Operator[A, tuple[int, B]]:
        """The same slot, whose items come out as pairs: the generation that they are of, and the item.

        >>> from streamkit import Stream, ops
        >>> from streamkit.live import Slot
        >>> slot = Slot(ops.map(str.upper))
        >>> list(Stream("ab") | slot.with_generation)
        [(0, 'A'), (0, 'B')]
        """
        return Operator(_of_stages if self._stages else _of_steps, content=self.cell, with_generation=True)

    def __len__(self) -> int:
        return len(self.cell.links)

    def __bool__(self) -> bool:
        return True

    def explain(self, content: Filling[A, B] | None = None) -> Explanation:
        """What is fused in `content`, or in what stands in the slot, and how many items it holds at most."""
        return explain(Source(()), self.cell.links if content is None else _links(content))

    # changes -----------------------------------------------------------------------------------

    async def replace(
        self, content: Filling[A, B] | None, *, deadline: float | None = None, rollback: int = 0
    ) -> Change:
        """Put `content` in the place of all that stands here; without any, items pass.

        It is checked before anything is touched. This then returns at once: await the change that it returns
        to know that the old content is gone. In ``async with edit():``
        nothing happens before the end of that.

        Args:
            content: operators.
            deadline: how many seconds this waits for the old content to be gone. If the consumer asks for no
                item until then, nothing is changed. If the old content has begun to pass on what it holds, it
                goes on with that, and the new one follows.
            rollback: how many items are on trial. If one of them fails, the old content (anew) gets it, and
                all of which nothing has come out yet; its error is that of the change. Until then, they are
                kept. This is for contents of steps; what stands there before may have stages.

        Raises:
            LateChangeError: it was not done by the deadline.
            RuntimeError: the slot runs in another event loop.
            TypeError: `content` is no operator, or has a sink; another argument has the wrong type.
            ValueError: a stage is to come into a slot of steps, or on trial, or more items than its bound; a
                number is negative; or items might see the old content where it stands first, and the new one
                where it stands behind that.
        """
        return await self._change(_links(content), deadline, rollback)

    async def insert(
        self,
        index: SupportsIndex,
        content: Filling[Any, Any],
        *,
        deadline: float | None = None,
        rollback: int = 0,
    ) -> Change:
        """Put `content` before the operator at `index`, as ``list.insert`` does; see `replace`."""
        links = [*self._now()]
        links[(at := whole("index", index)) : at] = _links(content)
        return await self._change(tuple(links), deadline, rollback)

    async def pop(
        self, index: SupportsIndex = -1, *, deadline: float | None = None, rollback: int = 0
    ) -> Change:
        """Take out the operator at `index`, the last by default; see `replace`.

        Raises:
            IndexError: there is none.
        """
        links = [*self._now()]
        try:
            del links[whole("index", index)]
        except IndexError:
            raise IndexError(
                f"index must be that of one of {len(links)} operators, not {shown(index)}"
            ) from None
        return await self._change(tuple(links), deadline, rollback)

    async def _change(self, links: tuple[Link, ...], deadline: float | None, rollback: int) -> Change:
        self._check(links)
        if whole("rollback", rollback, least=0):
            check_trial(links)
        if deadline is not None:
            deadline = seconds("deadline", deadline)
        open_edit = opened()
        if open_edit is not None:
            if deadline is not None or rollback:
                raise ValueError(
                    "deadline and rollback in async with edit(): are of all slots: write edit(rollback=3)"
                )
            open_edit.contents[self.cell] = links
            return open_edit.change
        change = Change(rollback=rollback)
        post({self.cell: links}, change)
        if deadline is not None:
            await change.within(deadline)
        return change

    def _now(self) -> tuple[Link, ...]:
        """What stands here, or will when the edit that is open has ended."""
        open_edit = opened()
        return self.cell.links if open_edit is None else open_edit.links(self.cell)

    def _check(self, links: tuple[Link, ...]) -> None:
        if not self._stages:
            for link in links:
                if link.declaration.stage is not None:
                    raise ValueError(
                        f"{link!r} is a stage, and the contents of this slot are steps: write "
                        "Slot(..., stages=True)"
                    )
        if self._bound is not None and links:
            held = explain(Source(()), links).bound
            if held > self._bound:
                raise ValueError(f"content must hold at most {self._bound} items, and this may hold {held}")

    def __copy__(self) -> Slot[A, B]:
        return self  # it stands for one thing, as a lock does

    def __deepcopy__(self, memo: object) -> Slot[A, B]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (self.content, self._stages, self._bound, self.name)

    def __repr__(self) -> str:
        return repr(self.cell)


def _remade(content: Any, stages: bool, bound: int | None, name: str) -> Slot[Any, Any]:
    return Slot(content, stages=stages, bound=bound, name=name)


def _links(content: Any) -> tuple[Link, ...]:
    if content is None:
        return ()
    if not isinstance(content, Pipe) or content.links[-1].declaration.sink:
        hint = "" if isinstance(content, Pipe) else instead(content)
        raise TypeError(f"content must be operators, and no sink, not {shown(content)}{hint}")
    return content.links


# by name ---------------------------------------------------------------------------------------------------


def slots(of: Stream[Any] | Pipe | Job[Any] | Handle[Any]) -> dict[str, Slot[Any, Any]]:
    """The slots that have a name in a stream, a pipe or a job, and in the streams and pipes inside, by name.

    Of a job that runs, its handle does, too.

    >>> from streamkit import Stream, ops
    >>> from streamkit.live import Slot, slots
    >>> stream = Stream("ab") | Slot(ops.map(str.upper), name="case") | ops.take(1)
    >>> slots(stream)
    {'case': Slot(map(upper), name='case')}

    Raises:
        TypeError: `of` is none of these.
        ValueError: two slots have the same name.
    """
    if not isinstance(of, (Stream, Pipe, Job, Handle)):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"of must be a stream, operators or a job, not {shown(of)}")
    hash(of)  # a job that was used does not warn that it was not
    found: dict[str, Slot[Any, Any]] = {}
    left: list[Any] = [of._links if isinstance(of, (Job, Handle)) else of]  # pyright: ignore[reportPrivateUsage] - both
    while left:
        value = left.pop()
        named = isinstance(value, Cell) and value.name
        if named and found.setdefault(value.name, value.slot) is not value.slot:
            raise ValueError(f"two slots have the name {value.name!r}")
        if isinstance(value, (Inlet, Composed)):
            value = value.links
        if isinstance(value, Link):
            left += value.arguments.values()
        elif isinstance(value, tuple):
            left += value
    return found
