"""What checks come to: which laws were tested, which are broken and how, which were not tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from textwrap import wrap

from streamkit.testing.conformance.laws import Law

__all__ = ["Finding", "LawError", "Report"]

_WIDTH = 100


@dataclass(frozen=True)
class Finding:
    """One law that is broken, in the smallest case that was found."""

    law: Law
    check: str
    """What was tried."""
    expected: str
    seen: str
    case: str
    """With which sources and callbacks, in words."""
    again: str
    """What `case=` takes to run this case alone."""
    others: tuple[str, ...] = ()
    """Other checks that found the same law broken."""
    error: BaseException | None = field(default=None, compare=False)
    """What was raised."""

    def __str__(self) -> str:
        rows = [
            ("tried", self.check),
            ("case", self.case),
            ("expected", self.expected),
            ("seen", self.seen),
            ("again", f"case={self.again!r}"),
        ]
        if self.others:
            rows.append(("also", ", ".join(self.others)))
        return "\n".join([_paragraph(str(self.law), ""), *(_row(name, text) for name, text in rows)])


def _row(name: str, text: str) -> str:
    return _paragraph(text or "nothing", f"  {name + ':':<10}")


def _paragraph(text: str, head: str) -> str:
    lines = [
        each
        for line in text.splitlines()
        for each in wrap(line, _WIDTH - len(head), break_long_words=False, break_on_hyphens=False) or [""]
    ]
    return head + f"\n{' ' * len(head)}".join(lines)


@dataclass(frozen=True)
class Report:
    """What was tested of one operator, source or sink, and what came of it; `print` shows it."""

    name: str
    """What was checked."""
    tested: tuple[Law, ...]
    """The laws that were tested."""
    findings: tuple[Finding, ...]
    """The laws that are broken, in their order."""
    untested: Mapping[Law, str]
    """The laws that were not tested, and why."""
    skipped: tuple[str, ...] = ()
    """What was not tried: it takes place in real time, where what waits or hangs would hold up the check."""
    runs: int = 0
    """How many cases were run."""

    @property
    def broken(self) -> tuple[Law, ...]:
        """The laws that are broken."""
        return tuple(finding.law for finding in self.findings)

    def __str__(self) -> str:
        kept = f"{self.name} keeps to all {len(self.tested)} laws that were tested"
        head = f"{self.name} breaks {len(self.findings)} of the {len(self.tested)} laws that were tested"
        parts = [f"{head if self.findings else kept}, in {self.runs} cases"]
        parts += [str(finding) for finding in self.findings]
        if self.untested:
            rows = [_paragraph(f"{law.title}: {why}", "  ") for law, why in self.untested.items()]
            parts.append("\n".join(["Not tested:", *rows]))
        if self.skipped:
            rows = [_paragraph(each, "  ") for each in self.skipped]
            parts.append("\n".join(["Not tried, as it would wait, or not end:", *rows]))
        return "\n\n".join(parts)


class LawError(AssertionError):
    """Something breaks a law; `report` says which, and its text is what this prints.

    The error of the first case is its ``__cause__``.
    """

    report: Report
    """What was tested, and what came of it."""

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__(str(report))
