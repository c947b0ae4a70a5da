"""What a flow does, by a model without an event loop: slow, and plain.

Time goes from one instant to the next at which something is due. In each, every job and every flow is looked
at again and again, until nothing changes any more. Nothing is remembered that can be looked up.
"""

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from streamkit._core.backoff import waits
from streamkit.flow import Action, Child, Flow, Restart, Scope, State
from tests.flow.trees import END, Event, Seen, script_of

__all__ = ["simulated"]


class Course:
    """One life of a flow."""

    def __init__(self, inside: list["Node"]) -> None:
        self.inside = inside
        """The children, in the order in which they start."""
        self.rising: list[tuple[set[str], float]] = []
        """Names of children that are started again together, and not before when."""
        self.counted: list[float] = []
        self.failure: str | None = None
        self.closing = False
        """Whether it ends all of its children."""


class Node:
    """A child, through all of its lives."""

    def __init__(self, child: Child, flow: "Node | None", path: str) -> None:
        self.child, self.flow, self.path = child, flow, path
        self.state = State.WAITING
        self.live = self.cut = False
        self.restarts = 0
        self.begun = 0.0
        self.waits = waits(child.backoff)
        self.course = Course([])
        """Of a flow."""
        self.due = math.inf
        """When a job ends, or has closed."""

    @property
    def name(self) -> str:
        return self.child.name

    @property
    def tree(self) -> Flow | None:
        return self.child.make if isinstance(self.child.make, Flow) else None


class Model:
    def __init__(self, seed: int, flow: Flow) -> None:
        self.seed = seed
        self.now = 0.0
        self.lives: Counter[str] = Counter()
        self.events: list[Event] = []
        self.root = Node(Child(flow.name, flow), None, flow.name)
        self.outcome: str | None = None

    def note(self, path: str, what: str, *more: Any) -> None:
        self.events.append(Event(self.now, path, what, more))

    def run(self) -> Seen:
        self.begin(self.root)
        while self.root.live:
            self.now = min(self.dues(self.root), default=math.inf)
            if self.now >= END:
                break
            while self.changed(self.root):
                pass
        states = {each.path: (each.state, each.restarts) for each in self.below(self.root)}
        return Seen(self.events, states if self.root.live else {}, self.outcome)

    def below(self, node: Node) -> Iterator[Node]:
        for each in node.course.inside if node.live else ():
            yield each
            yield from self.below(each)

    def dues(self, node: Node) -> Iterator[float]:
        if node.live and node.tree is None:
            yield node.due
        if node.live:
            for names, at in node.course.rising:
                if not any(each.live and each.name in names for each in node.course.inside):
                    yield at
            for each in node.course.inside:
                yield from self.dues(each)

    # what begins and ends ----------------------------------------------------------------------

    def begin(self, node: Node) -> None:
        node.live, node.cut, node.state, node.begun = True, False, State.RUNNING, self.now
        if node.tree is None:
            node.due = self.now + script_of(self.seed, node.path, self.lives[node.path]).seconds
            self.lives[node.path] += 1
            self.note(node.path, "begins")
            return
        node.course = Course([Node(each, node, f"{node.path}/{each.name}") for each in node.tree.children])
        for each in node.course.inside:
            self.begin(each)

    def cancel(self, node: Node) -> bool:
        """Whether it was not cancelled before."""
        if node.cut:
            return False
        node.cut, node.state = True, State.STOPPING
        if node.tree is None:
            self.note(node.path, "closes")
            node.due = self.now + script_of(self.seed, node.path, self.lives[node.path] - 1).closing
        else:
            self.close(node)
        return True

    def close(self, flow: Node) -> None:
        flow.course.closing, flow.course.rising = True, []
        for each in flow.course.inside:
            if each.state is State.WAITING:
                each.state = State.STOPPED

    def changed(self, node: Node) -> bool:
        """Do something that is due in it, or inside; whether there was something."""
        if not node.live:
            return False
        if node.tree is None:
            if node.due > self.now:
                return False
            script = script_of(self.seed, node.path, self.lives[node.path] - 1)
            if not node.cut:
                self.note(node.path, "ends")
            self.ended(node, script.closing_error if node.cut else script.error)
            return True
        if any(self.changed(each) for each in node.course.inside):
            return True
        live = [each for each in node.course.inside if each.live]
        if node.course.closing and live:
            return self.cancel(live[-1])
        for falling in [*node.course.rising]:
            names, at = falling
            fallen = [each for each in node.course.inside if each.name in names]
            running = [each for each in fallen if each.live]
            if running:
                if self.cancel(running[-1]):
                    return True
            elif self.now >= at:
                node.course.rising.remove(falling)
                for each in fallen:
                    each.restarts += 1
                    self.begin(each)
                return True
        if not live and not node.course.rising:
            self.ended(node, None if node.cut else node.course.failure)
            return True
        return False

    def ended(self, node: Node, error: str | None) -> None:
        node.live = False
        flow, rule = node.flow, node.child.restart
        if flow is None:
            self.outcome = error
            return
        if flow.course.closing:
            node.state = State.FAILED if error else State.STOPPED if node.cut else State.DONE
            self.fault(node, Action.STOP, error)
            return
        for names, _ in flow.course.rising:
            if node.name in names:
                if rule is Restart.TEMPORARY:
                    names.remove(node.name)
                    node.state = State.FAILED if error else State.STOPPED
                    self.fault(node, Action.LEAVE, error)
                else:
                    node.state = State.WAITING
                    self.fault(node, Action.JOIN, error)
                return
        if rule is Restart.TEMPORARY or (rule is Restart.TRANSIENT and error is None):
            node.state = State.FAILED if error else State.DONE
            self.fault(node, Action.LEAVE, error)
            return
        self.fallen(node, flow, error)

    def fallen(self, node: Node, flow: Node, error: str | None) -> None:
        assert flow.tree is not None
        names = self.with_it(node, flow)
        meeting = [(others, at) for others, at in flow.course.rising if others & names]
        wait = None
        if meeting:
            flow.course.rising = [each for each in flow.course.rising if each not in meeting]
            union = names.union(*[others for others, _ in meeting])
            flow.course.rising.append((union, max(at for _, at in meeting)))
        else:
            allowed = flow.tree.intensity
            flow.course.counted.append(self.now)
            if len([at for at in flow.course.counted if at > self.now - allowed.seconds]) > allowed.restarts:
                node.state = State.FAILED
                flow.course.failure = error or f"{node.path} has ended too often"
                self.fault(node, Action.ESCALATE, flow.course.failure)
                self.close(flow)
                return
            lasting = node.child.reset_after
            if lasting is not None and self.now - node.begun >= lasting:
                node.waits = waits(node.child.backoff)
            wait = next(node.waits)
            flow.course.rising.append((names, self.now + wait))
        for each in flow.course.inside:
            if each.name in names and not each.live:
                each.state = State.WAITING
        self.fault(node, Action.JOIN if meeting else Action.RESTART, error, wait)

    def with_it(self, node: Node, flow: Node) -> set[str]:
        """The names of those that are started again together with `node`."""
        assert flow.tree is not None
        if flow.tree.scope is Scope.ONE:
            return {node.name}
        reached = {node.name}
        if flow.tree.scope is Scope.ALL:
            reached = {each.name for each in flow.course.inside}
        elif any(each.child.after for each in flow.course.inside):
            for _ in flow.course.inside:
                reached |= {each.name for each in flow.course.inside if reached & {*each.child.after}}
        else:
            reached = {each.name for each in flow.course.inside[flow.course.inside.index(node) :]}
        never = {
            each.name
            for each in flow.course.inside
            if each.child.restart is Restart.TEMPORARY and not each.live
        }
        return reached - never | {node.name}

    def fault(self, node: Node, action: Action, error: str | None, wait: float | None = None) -> None:
        if error is not None:
            self.note(node.path, "fault", action, error, node.restarts, wait)


def simulated(seed: int, flow: Flow) -> Seen:
    """What is to be seen of `flow`, whose jobs are those of that number."""
    return Model(seed, flow).run()
