"""Recoveries: children that fell by one fault, and are started again together; and how many there may be."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from streamkit.flow.posts import Post
from streamkit.flow.rules import Intensity, Restart, Scope

__all__ = ["Recovery", "Window", "falling"]


class Recovery:
    """Children that fell by one fault, or are stopped because of it, and then are started again."""

    def __init__(self, names: set[str], at: float) -> None:
        self.names: set[str] = names
        self.at: float = at
        """The time before which they are not started."""

    def meets(self, others: Iterable[Recovery]) -> None:
        """These have one child or more in common with it: from now on, they are one."""
        for other in others:
            self.names |= other.names
            self.at = max(self.at, other.at)


class Window:
    """How often a flow has started children again lately."""

    def __init__(self, allowed: Intensity) -> None:
        self._allowed = allowed
        self._counted: deque[tuple[float, BaseException | None, set[str]]] = deque()
        """When, after which error, and which children have failed with that."""

    def count(self, name: str, error: BaseException | None) -> bool:
        """Count one more, which that child needs; whether it is allowed.

        An error that went on to another child, such as that of a stream which both read, counts once.
        """
        now = asyncio.get_running_loop().time()
        while self._counted and self._counted[0][0] <= now - self._allowed.seconds:
            self._counted.popleft()
        first = None if error is None else _first(error)
        for _, other, names in self._counted:
            if first is not None and first is other and name not in names:
                names.add(name)
                return True
        self._counted.append((now, first, {name}))
        return len(self._counted) <= self._allowed.restarts

    @property
    def words(self) -> str:
        """What is allowed."""
        return f"{self._allowed.restarts} restarts within {self._allowed.seconds:g} s are allowed"


def falling(post: Post, posts: dict[str, Post], scope: Scope) -> set[str]:
    """The names of `post`, and of those that are stopped and started again with it."""
    found = {post.name}
    for name in _downstream(post, posts, scope):
        each = posts[name]
        if not each.held and (each.live or each.child.restart is not Restart.TEMPORARY):
            found.add(name)
    return found


def _downstream(post: Post, posts: dict[str, Post], scope: Scope) -> set[str]:
    order = [*posts]
    if scope is Scope.ONE:
        return set()
    if scope is Scope.ALL:
        return {*order}
    if not any(each.child.after for each in posts.values()):
        return {*order[order.index(post.name) :]}
    found = {post.name}
    for name, each in posts.items():  # those that it is after stand before it
        if found.intersection(each.child.after):
            found.add(name)
    return found


def _first(error: BaseException) -> BaseException:
    """What `error` came of, as far as it says so."""
    seen = {id(error)}
    while (cause := error.__cause__) is not None and id(cause) not in seen:
        seen.add(id(cause))
        error = cause
    return error
