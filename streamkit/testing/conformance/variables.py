"""Law 6: a source lives in one task, and sees the context variables of who runs the stream."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from streamkit.testing.conformance.exits import consume
from streamkit.testing.conformance.lab import Feed, Lab, play
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.subject import Case, Subject
from streamkit.testing.conformance.visits import Visit

__all__ = ["sees_variables"]

_VARIABLE: ContextVar[str] = ContextVar("runner", default="nobody")


class _Looking(Lab):
    """A lab that notes what its sources see of a context variable, when they begin and at their clean-up."""

    seen: list[str]

    def __init__(self, style: str, kind: str, **given: Any) -> None:
        super().__init__(style, kind, **given)
        self.seen = []

    def visit(self, source: Feed) -> Visit:
        self.seen.append(_VARIABLE.get())
        return super().visit(source)

    def fail_in_clean_up(self, visit: Visit) -> None:
        self.seen.append(_VARIABLE.get())
        super().fail_in_clean_up(visit)


def sees_variables(subject: Subject, case: Case) -> None:
    """Who runs the stream has set a context variable."""
    lab = _Looking(case.style, case.kind, count=3 if case.most is None else min(3, case.most))

    async def main() -> None:
        built = subject.built(lab)
        _VARIABLE.set("runner")
        await consume(built)

    play(main)
    strange = sorted({*lab.seen} - {"runner"})
    expect(Law.ONE_TASK, not strange, "the variable of who runs the stream, in each source", strange)
    ends = f"{len(lab.seen)} in {len(lab.visits)} visits"
    expect(Law.CLOSE, len(lab.seen) == 2 * len(lab.visits), "a beginning and an end of each source", ends)
