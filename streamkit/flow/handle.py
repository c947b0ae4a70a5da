"""Handles of flows that run: how they fare, and how they and their children are steered and stopped."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Generator, Iterator
from typing import Any, Final

from streamkit._core.arguments import seconds
from streamkit._core.show import shown
from streamkit.flow.lives import FlowLife, Life
from streamkit.flow.posts import Post
from streamkit.flow.report import Report, State, Status
from streamkit.flow.supervisor import Supervisor
from streamkit.flow.tree import Child, Tree

__all__ = ["FlowHandle", "Member"]

_GRACE: Final = 0.04
"""Seconds that a stop waits for clean-up after its deadline, so that it is less than 0.05 s late."""


class Member:
    """A child of a flow that runs, found by its path: ``handle["inner/apple"]``."""

    def __init__(self, root: Post, path: str) -> None:
        self._root = root
        self._path = path

    @property
    def status(self) -> Status:
        """How it fares.

        Raises:
            LookupError: it was removed, or an inner flow that it is in does not run.
        """
        return _status(self._found[1])

    async def start(self) -> None:
        """Start it, if it does not run: at once where it waits, and also where `stop` has ended it.

        One that is being stopped is waited for.

        Raises:
            LookupError: it was removed, or an inner flow that it is in does not run.
            RuntimeError: the flow is ending.
        """
        supervisor, post = self._found
        while post.life is not None and post.live and post.told:
            await asyncio.wait([post.life.task])
            supervisor, post = self._found  # it may have been removed
        supervisor.start(post)

    async def stop(self, deadline: float | None = None) -> Report:
        """End it, and say what was left.

        Its sources end, what is inside is finished, and at the deadline it is cancelled. No rule starts it
        again; `start` does. So it keeps its flow from ending, which one that was removed does not.

        Args:
            deadline: seconds; None for no limit.

        Raises:
            LookupError: it was removed, or an inner flow that it is in does not run.
            ValueError: `deadline` is below 0, or not finite.
        """
        return await self._stop(deadline, remove=False)

    async def remove(self, deadline: float | None = None) -> Report:
        """End it, as `stop` does, and forget it."""
        return await self._stop(deadline, remove=True)

    async def _stop(self, deadline: float | None, *, remove: bool) -> Report:
        begun = asyncio.get_running_loop().time()
        supervisor, post = self._found
        supervisor.stop(post, _until(deadline), remove=remove)
        await _gone(post.life)
        return _report(post, begun)

    def pause(self) -> None:
        """Hold it where it next waits, and when it is started again."""
        self._found[1].pause(True)

    def resume(self) -> None:
        """Let it go on."""
        self._found[1].pause(False)

    @property
    def _found(self) -> tuple[Supervisor, Post]:
        post, inner = self._root, _inner(self._root)
        for name in self._path.split("/"):
            if inner is None:
                raise LookupError(f"{post.path} does not run, so there is no {self._path}")
            found = inner.posts.get(name)
            if found is None:
                raise LookupError(f"{post.path} has no child {name!r}: {', '.join(inner.posts)}")
            supervisor, post = inner, found
            inner = _inner(post)
        return supervisor, post  # pyright: ignore[reportPossiblyUnboundVariable] - a split text has a part

    def __repr__(self) -> str:
        return f"<Member {self._root.path}/{self._path}>"


class FlowHandle:
    """A flow that runs: await it to its end, see how it fares, steer its children, and stop it.

    >>> import asyncio
    >>> import streamkit
    >>> from streamkit import ops
    >>> from streamkit.flow import Child, Flow
    >>> flow = Flow(Child("ticks", lambda: streamkit.interval(0.01) | ops.drain()))
    >>> async def main():
    ...     handle = flow.start()
    ...     await asyncio.sleep(0.05)
    ...     handle["ticks"].pause()
    ...     print(handle["ticks"].status.state.name)
    ...     handle["ticks"].resume()
    ...     report = await handle.stop(deadline=5.0)
    ...     return report.ended, report.ok
    >>> asyncio.run(main())
    PAUSED
    (('flow/ticks',), True)

    Its methods are called in the thread of its event loop.
    """

    def __init__(self, tree: Tree) -> None:
        self._post = Post(Child(tree.name, tree), "")
        self._life = FlowLife(Supervisor(tree, tree.name, None), tree.name)
        self._told_at = math.inf
        self._post.begin(self._life)
        self._life.then(self._ended)

    def __await__(self) -> Generator[Any, None, None]:
        return self._life.task.__await__()

    @property
    def done(self) -> bool:
        """Whether it has ended and closed everything."""
        return self._life.task.done()

    def status(self) -> Status:
        """How the flow and its children fare now."""
        self._life.settle()
        return _status(self._post)

    def __getitem__(self, path: str) -> Member:
        """A child, by its name, or by the names of flows inside and its own with ``/`` between them.

        Raises:
            LookupError: there is none, or an inner flow that it is in does not run.
        """
        member = Member(self._post, path)
        _ = member.status
        return member

    def add(self, child: Child, *, to: str | None = None) -> Member:
        """Start one more child, in this flow, or in the one inside of it that is found by the path `to`.

        If an inner flow is started again, it has the children again that it was written with.

        Raises:
            LookupError: there is no such flow, or it does not run.
            RuntimeError: the flow is ending.
            TypeError: `child` is no `Child`.
            ValueError: there is a child of that name, or none that it is after.
        """
        if not isinstance(child, Child):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
            raise TypeError(f"child must be Child(name, make), not {shown(child)}")
        post = self._post if to is None else Member(self._post, to)._found[1]  # pyright: ignore[reportPrivateUsage] - of this module
        inner = _inner(post)
        if inner is None:
            raise LookupError(f"{post.path} is no flow that runs")
        inner.add(child, paused=post.paused)
        return Member(self._post, child.name if to is None else f"{to}/{child.name}")

    async def remove(self, path: str, deadline: float | None = None) -> Report:
        """End a child, as its `Member.stop` does, and forget it."""
        return await self[path].remove(deadline)

    async def stop(self, deadline: float | None = None) -> Report:
        """End the flow, and say what was left; return at the deadline at the latest, or a moment later.

        Children take in no more, one after the other, in the order in which they were started: each finishes
        what is inside before those that are after it, and read that, are told. One that takes long holds up
        the next for its share of the time only. At the deadline all that is left is cancelled. What then
        still closes something is named in the report; awaiting the flow waits for it.

        Called again, it can only shorten the time.

        Args:
            deadline: seconds, 0 to cancel at once; None for no limit.

        Raises:
            ValueError: `deadline` is below 0, or not finite.
        """
        self.end(deadline)
        await _gone(self._life)
        return self.report()

    def end(self, deadline: float | None = None) -> None:
        """Begin what `stop` does, and return at once."""
        until = _until(deadline)
        if not self._life.told:
            self._told_at = asyncio.get_running_loop().time()
        self._post.drain(until)

    def report(self) -> Report:
        """How it has come to its end, as far as it has."""
        self._life.settle()
        return _report(self._post, self._told_at)

    def _ended(self) -> None:
        error = self._life.error()
        stopped = self._life.told or isinstance(error, asyncio.CancelledError)
        failed = error is not None and not isinstance(error, asyncio.CancelledError)
        self._post.error = error if failed else None
        self._post.enter(State.FAILED if failed else State.STOPPED if stopped else State.DONE)

    def __repr__(self) -> str:
        return f"<FlowHandle {self._post.state.value} {self._post.path}>"


def _until(deadline: float | None) -> float:
    if deadline is None:
        return math.inf
    return asyncio.get_running_loop().time() + seconds("deadline", deadline, positive=False)


async def _gone(life: Life | None) -> None:
    """Wait until `life` is over, or its time is."""
    if life is not None and not life.task.done():
        left = life.until - asyncio.get_running_loop().time() + _GRACE
        await asyncio.wait([life.task], timeout=None if left == math.inf else max(left, 0.0))
    if life is not None:
        life.settle()


def _inner(post: Post) -> Supervisor | None:
    """What runs the children of `post`, if that is a flow and runs."""
    life = post.life
    return life.inner if isinstance(life, FlowLife) and isinstance(life.inner, Supervisor) else None


def _status(post: Post) -> Status:
    inner = _inner(post)
    return Status(
        path=post.path,
        state=post.state,
        since=post.since,
        restarts=post.restarts,
        error=post.error,
        children=() if inner is None else tuple([_status(each) for each in inner.posts.values()]),
    )


def _posts(post: Post) -> Iterator[Post]:
    """`post`, and all inside of it."""
    yield post
    inner = _inner(post)
    for each in () if inner is None else inner.posts.values():
        yield from _posts(each)


def _report(post: Post, begun: float) -> Report:
    """How `post`, which was told to end when it was `begun`, has done so."""
    posts = [*_posts(post)]
    jobs = [each for each in posts if not isinstance(each.child.make, Tree)]
    closing = [each for each in jobs if each.live]
    return Report(
        ended=tuple([each.path for each in jobs if not each.live and not each.cut]),
        cancelled=tuple([each.path for each in jobs if not each.live and each.cut]),
        closing=tuple([each.path for each in closing]),
        left=() if post.life is None else tuple(post.life.left()),
        faults=tuple([each.fallen for each in posts if each.fallen is not None]),
        seconds=max((asyncio.get_running_loop().time() if post.live else post.since) - begun, 0.0),
    )
