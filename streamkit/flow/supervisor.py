"""Supervisors: each runs the children of one flow, and starts them again by its rules.

What happens is a call, made in the thread of the event loop: a life has ended, or somebody steers a child. It
changes what is known, and wakes the task of the flow. That task does what has become due: it ends and starts
children, one by one where there is an order, and waits until the next thing is due.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextvars import Context, copy_context
from enum import Enum
from typing import NamedTuple

from streamkit._core.errors import RestartsExceededError, attach, noted
from streamkit.flow.faults import Action, Tell, tell
from streamkit.flow.lives import FlowLife, JobLife, Life, is_mistake
from streamkit.flow.posts import Post
from streamkit.flow.recovery import Recovery, Window, falling
from streamkit.flow.report import Left, State
from streamkit.flow.rules import Restart
from streamkit.flow.tree import Child, Tree, in_order

__all__ = ["Supervisor"]


class _Way(Enum):
    """How a flow ends."""

    CANCEL = "each child is cancelled, in reverse order, and has closed everything before the next is"
    DRAIN = "each child finishes what is inside, in order: what is upstream first; cancelled at the deadline"


class _Main(NamedTuple):
    """What a flow runs in."""

    task: asyncio.Task[None]
    context: Context
    """That of each life of its children, also where somebody else has started one."""


class Supervisor:
    """One run of a flow."""

    def __init__(self, tree: Tree, path: str, hook: Tell | None, *, paused: bool = False) -> None:
        self.posts: dict[str, Post] = {}
        """The children, in the order in which they are started."""
        self._tree = tree
        self._path = path
        self._hook = hook if tree.on_error is None else tree.on_error
        self._window = Window(tree.intensity)
        self._recoveries: list[Recovery] = []
        self._way: _Way | None = None
        self._until = self._next_at = math.inf
        """When a drain is over, at which all is cancelled, and when the next child is told at the latest."""
        self._failure: BaseException | None = None
        self._woken = asyncio.Event()
        self._main: _Main | None = None
        for child in tree.children:
            self.posts[child.name] = Post(child, path)
            self.posts[child.name].paused = paused

    async def main(self) -> None:
        """Run the children to their ends. If this is cancelled, they are, and are waited for."""
        cancelled: tuple[object, ...] | None = None
        if self._way is None:
            task = asyncio.current_task()
            assert task is not None
            self._main = _Main(task, copy_context())
            for post in self.posts.values():
                self._start(post)
        while (due := self._turn()) is not None:
            try:
                await self._sleep(due)
            except asyncio.CancelledError as error:
                cancelled = error.args
                self._end(_Way.CANCEL)
        if cancelled is not None:
            raise asyncio.CancelledError(*cancelled)
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # its traceback has this frame

    async def _sleep(self, due: float) -> None:
        timer = None
        if due < math.inf:
            timer = asyncio.get_running_loop().call_at(due, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            if timer is not None:
                timer.cancel()

    # what has become due -----------------------------------------------------------------------

    def _turn(self) -> float | None:
        """Do what is due; return when the next thing is, or None when all is over."""
        self._woken.clear()
        if self._way is not None:
            return self._close()
        due = min([self._recovered(each) for each in [*self._recoveries]], default=math.inf)
        over = not self._recoveries and not any(post.live or post.held for post in self.posts.values())
        return None if over else due

    def _recovered(self, recovery: Recovery) -> float:
        """Stop the next child that falls with others, or start all of them again; return when that is due."""
        posts = [post for name, post in self.posts.items() if name in recovery.names]
        if not posts:  # all were stopped by hand meanwhile
            self._recoveries.remove(recovery)
            return math.inf
        live = [post for post in posts if post.live]
        if live:
            live[-1].cancel()
            return math.inf
        if asyncio.get_running_loop().time() < recovery.at:
            return recovery.at
        self._recoveries.remove(recovery)
        for post in posts:
            post.restarts += 1
            self._begin(post)
        return math.inf

    def _close(self) -> float | None:
        """End the next child that is to be ended."""
        live = [post for post in self.posts.values() if post.live]
        if not live:
            return None
        now = asyncio.get_running_loop().time()
        if self._way is _Way.CANCEL and now < self._until:
            live[-1].cancel()
            return self._until
        if now >= self._until:
            for post in reversed(live):
                post.drain(self._until)
            return math.inf
        untold = [post for post in live if not post.told]
        while untold and (len(untold) == len(live) or now >= self._next_at):
            # One that does not end holds up the others for its share of the time only.
            self._next_at = now + (self._until - now) / len(untold)
            untold.pop(0).drain(self._until)
        return self._next_at if untold else math.inf

    def _begin(self, post: Post) -> None:
        of = post.child.make
        life: Life
        if isinstance(of, Tree):
            life = FlowLife(Supervisor(of, post.path, self._hook, paused=post.paused), post.path)
        else:
            life = JobLife(of, post.path, paused=post.paused)
        post.begin(life)
        life.then(lambda: self._ended(post, life))

    # what happens ------------------------------------------------------------------------------

    def _ended(self, post: Post, life: Life) -> None:
        self._woken.set()
        error = life.error()
        if self._way is not None or post.held or self._is_cancelled(error):
            self._stopped(post, error)
        elif recovery := next((each for each in self._recoveries if post.name in each.names), None):
            self._joined(post, error, recovery)
        else:
            self._fallen(post, error)

    def _is_cancelled(self, error: BaseException | None) -> bool:
        """Whether the program ends, which cancels all tasks at once, in any order."""
        cancelled = isinstance(error, asyncio.CancelledError)
        return cancelled and self._main is not None and self._main.task.cancelling() > 0

    def _stopped(self, post: Post, error: BaseException | None) -> None:
        """It has ended when it was meant to."""
        if error is not None and not self._is_cancelled(error):
            post.enter(State.FAILED)
            if self._failure is not None:
                attach(self._failure, error)
        else:
            post.enter(State.STOPPED if post.told or post.cut or error is not None else State.DONE)
            error = None
        for recovery in self._recoveries:
            recovery.names.discard(post.name)
        if post.removed:
            self.posts.pop(post.name, None)
        if error is not None:
            post.fallen = post.fault(error, Action.STOP)
            tell(self._hook, post.fallen)

    def _joined(self, post: Post, error: BaseException | None, recovery: Recovery) -> None:
        """It has ended because of another, or together with one."""
        again = post.child.restart is not Restart.TEMPORARY
        if error is not None and is_mistake(error):
            self._escalate(post, error)
            return
        if not again:
            recovery.names.discard(post.name)
        post.enter(State.WAITING if again else State.STOPPED if error is None else State.FAILED)
        if error is not None:
            tell(self._hook, post.fault(error, Action.JOIN if again else Action.LEAVE))

    def _fallen(self, post: Post, error: BaseException | None) -> None:
        """It has ended by itself."""
        if error is not None and is_mistake(error):
            self._escalate(post, error)
        elif not post.again(error):
            post.enter(State.DONE if error is None else State.FAILED)
            if error is not None:
                tell(self._hook, post.fault(error, Action.LEAVE))
        else:
            self._recover(post, error)

    def _recover(self, post: Post, error: BaseException | None) -> None:
        """Start it again, and with it what its scope says; or fail."""
        names = falling(post, self.posts, self._tree.scope)
        related = [each for each in self._recoveries if each.names & names]
        wait = None
        if related:  # until they are started again, what falls with them is one cascade, and counts once
            related[0].names |= names
            related[0].meets(related[1:])
            self._recoveries = [each for each in self._recoveries if each not in related[1:]]
        elif self._window.count(post.name, error):
            wait = post.wait()
            self._recoveries.append(Recovery(names, asyncio.get_running_loop().time() + wait))
        else:
            if error is None:
                error = RestartsExceededError(f"{post.path} has ended too often")
            self._escalate(post, error)
            return
        for name in names:
            if not self.posts[name].live:
                self.posts[name].enter(State.WAITING)
        if error is not None:
            tell(self._hook, post.fault(error, Action.JOIN if wait is None else Action.RESTART, wait))

    def _escalate(self, post: Post, error: BaseException) -> None:
        """The flow fails with `error`."""
        post.enter(State.FAILED)
        self._failure = error
        if not is_mistake(error):
            noted(error, f"{post.path} is not started again: {self._window.words}")
        self._end(_Way.CANCEL)
        tell(self._hook, post.fault(error, Action.ESCALATE))

    def _end(self, way: _Way) -> None:
        """End all children, in that way; a cancelled flow drains no more."""
        if self._way is not _Way.CANCEL:
            self._way = way
        self._recoveries.clear()
        for post in self.posts.values():
            if post.state is State.WAITING:
                post.enter(State.STOPPED)
        self._woken.set()

    def over(self) -> None:
        """Its task has ended, perhaps before it has begun: nothing waits any longer, or is started."""
        self._end(_Way.CANCEL)

    # how it is steered -------------------------------------------------------------------------

    def drain(self, until: float) -> None:
        """Let the children end, in order, and cancel at that time those that have not."""
        self._until = min(self._until, until)
        self._next_at = min(self._next_at, self._until)
        self._end(_Way.DRAIN)
        self.pause(False)  # else what is upstream could wait for ever for one that is held, and not yet told
        for post in self.posts.values():
            if post.told:
                post.drain(self._until)

    def pause(self, paused: bool) -> None:
        """Hold all children, or let them go on."""
        for post in self.posts.values():
            post.pause(paused)

    def left(self) -> Iterator[Left]:
        """What those held that were cancelled at the end of their time."""
        for post in self.posts.values():
            if post.life is not None:
                yield from post.life.left()

    def add(self, child: Child, *, paused: bool) -> Post:
        """Start one more child."""
        self._require_running(child.name)
        names = {*self.posts, child.name}  # those that others are after may have been removed
        others = [each.child.but(after=names.intersection(each.child.after)) for each in self.posts.values()]
        children = in_order([*others, child])
        post = Post(child, self._path)
        post.paused = paused
        self.posts = {each.name: self.posts.get(each.name, post) for each in children}
        self._start(post)
        self._woken.set()
        return post

    def start(self, post: Post) -> None:
        """Start one that has ended, or waits."""
        self._require_running(post.name)
        for recovery in self._recoveries:
            if post.name in recovery.names:
                recovery.at = -math.inf
        waiting = not post.held and post.state is State.WAITING
        post.held = False
        if not waiting:
            self._start(post)
        self._woken.set()

    def _start(self, post: Post) -> None:
        """Start one by hand, or at first; before the flow has begun, it does that itself."""
        if self._main is not None and not post.live and not post.held:
            self._main.context.copy().run(self._begin, post)

    def stop(self, post: Post, until: float, *, remove: bool) -> None:
        """Let one end until then; no rule starts it again."""
        post.held = post.held or post.live or post.state is State.WAITING
        post.removed = post.removed or remove
        for recovery in self._recoveries:
            if not (post.live and post.cut):  # others wait until that has closed
                recovery.names.discard(post.name)
        if post.live:
            post.drain(until)
        else:
            if post.state is State.WAITING:
                post.enter(State.STOPPED)
            if post.removed:
                self.posts.pop(post.name, None)
        self._woken.set()

    def _require_running(self, name: str) -> None:
        if self._way is not None or (self._main is not None and self._main.task.done()):
            raise RuntimeError(f"{name} cannot be started: the flow {self._path} is ending")
