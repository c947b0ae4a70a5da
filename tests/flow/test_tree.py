"""Flows as they are written: order, names, and wrong arguments."""

from collections.abc import Callable
from typing import Any

import pytest

from streamkit import Stream, ops
from streamkit.flow import Child, Flow, Intensity, Restart, Scope


def make() -> Any:
    return Stream([1]) | ops.drain()


async def coroutine() -> Any:
    """No function that makes a job."""


def child(name: str, *after: str) -> Child:
    return Child(name, make, after=after)


@pytest.mark.parametrize(
    ("children", "order"),
    [
        ([child("a"), child("b"), child("c")], "abc"),
        ([child("a", "c"), child("b"), child("c")], "bca"),
        ([child("a", "b", "c"), child("b", "c"), child("c")], "cba"),
    ],
)
def test_children_stand_behind_those_that_they_are_after(children: list[Child], order: str) -> None:
    assert "".join(each.name for each in Flow(*children).children) == order


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: Child("a/b", make), ValueError, "name must be a text without '/', and not empty, not 'a/b'"),
    (lambda: Child("", make), ValueError, "name must be a text without '/', and not empty, not ''"),
    (lambda: Child(1, make), TypeError, "name must be a text, not 1"),  # type: ignore[arg-type]
    (lambda: Child("a", make()), TypeError, "make must be a function that makes the job: write lambda: job"),
    (lambda: Child("a", coroutine), TypeError, "make must be a plain function, not the coroutine function"),  # type: ignore[arg-type]
    (lambda: Child("a", 1), TypeError, "make must be a callable, not 1"),  # type: ignore[arg-type]
    (lambda: Child("a", make, restart="always"), TypeError, "restart must be a Restart"),  # type: ignore[arg-type]
    (lambda: Child("a", make, after="b"), TypeError, r"after must be names, as in after=\['b'\]"),
    (lambda: Child("a", make, after=["a"]), ValueError, "a cannot be after itself"),
    (lambda: Child("a", make, backoff=-1.0), ValueError, "backoff must be a Backoff, or"),
    (
        lambda: Child("a", make, reset_after=0.0),
        ValueError,
        "reset_after must be a finite number of seconds above 0",
    ),
    (lambda: Flow(make), TypeError, r"children must be Child\(name, make\), not"),  # type: ignore[arg-type]
    (lambda: Flow(child("a"), child("a")), ValueError, "two children have the name 'a'"),
    (lambda: Flow(child("a", "b")), ValueError, "'a' is after 'b', which is no child: a"),
    (lambda: Flow(child("a", "b"), child("b", "a"), child("c")), ValueError, "no circle, as a and b do"),
    (lambda: Flow(scope="all"), TypeError, "scope must be a Scope"),  # type: ignore[arg-type]
    (lambda: Flow(intensity=3), TypeError, r"intensity must be Intensity\(restarts, seconds=...\), not 3"),  # type: ignore[arg-type]
    (lambda: Flow(on_error=1), TypeError, "on_error must be a callable, not 1"),  # type: ignore[arg-type]
    (lambda: Intensity(-1, seconds=1.0), ValueError, "restarts must be a whole number of at least 0, not -1"),
    (lambda: Intensity(1, seconds=0.0), ValueError, "seconds must be a finite number of seconds above 0"),
    (
        lambda: Flow().run(deadline=-1.0),
        ValueError,
        "deadline must be a finite number of seconds of at least 0",
    ),
    (lambda: Flow().start(), RuntimeError, r"write flow.run\(\)"),
]


def test_what_is_wrong_is_said_where_it_is_written() -> None:
    for call, kind, words in WRONG:
        with pytest.raises(kind, match=words):
            call()


def test_flows_are_values() -> None:
    one, other = [Flow(child("a"), scope=Scope.ALL, intensity=Intensity(1, seconds=2.0)) for _ in range(2)]
    assert one == other != Flow(child("a"))
    assert hash(one) == hash(other)
    assert {rule.name for rule in Restart} == {"PERMANENT", "TRANSIENT", "TEMPORARY"}
