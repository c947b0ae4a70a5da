"""Runs checks: finds the smallest case of each law that is broken, and says what the others have found."""

from __future__ import annotations

import gc
from asyncio import CancelledError
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from streamkit._core.show import shown, told
from streamkit.testing.conformance.checks import Check
from streamkit.testing.conformance.lab import KINDS
from streamkit.testing.conformance.laws import Broken, Law, Spins
from streamkit.testing.conformance.overheard import forget, overheard
from streamkit.testing.conformance.pacing import clock
from streamkit.testing.conformance.report import Finding, LawError, Report
from streamkit.testing.conformance.source import SourceSubject
from streamkit.testing.conformance.subject import Case, Subject
from streamkit.testing.leaks import LeakError, frozen
from streamkit.testing.waits import DeadlockError

__all__ = ["Trial", "attempt", "judged", "parsed", "raised", "token"]

_HANGING = {Law.CLOSE, Law.FAIRNESS}
"""What breaks these might not end where time is real."""
_NO_END = "it does not end, so what else it does was not tried"
_SMALL = 4
"""Items up to which a smaller case is looked for."""


def attempt(law: Law, run: Callable[[], None], *, keep: bool = False) -> Broken | None:
    """Run a check of `law`, and say what it has found broken; `keep` what its traceback shows."""
    with overheard() as heard, clock(0.0):
        found = _run(law, run)
        if not keep:
            forget(found)
    said = heard.verdict()
    if said is None or (found is not None and said.law is not Law.AWAITABLES):
        return found
    said.__cause__ = found
    return said


def _run(law: Law, run: Callable[[], None]) -> Broken | None:
    try:
        run()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        return judged(law, error)
    return None


def judged(law: Law, error: BaseException) -> Broken:
    """Which law an error breaks that came out of a check of `law`."""
    found = _verdict(law, error)
    notes = [note for note in getattr(error, "__notes__", ()) if "replay=" in note]
    found.seen = "\n".join([found.seen, *notes])
    return found


def _verdict(law: Law, error: BaseException) -> Broken:
    if isinstance(error, Broken):
        return error
    if isinstance(error, LeakError):
        cause = error.__cause__
        seen = "; ".join(error.leaks) + ("" if cause is None else f"; and {told(cause)}")
        found = Broken(Law.CLOSE, "nothing left behind", seen)
    elif isinstance(error, DeadlockError):
        found = Broken(law, "an end", f"it hangs: {error}")
    elif isinstance(error, CancelledError):
        text = "no cancellation but the consumer's own"
        found = Broken(Law.CANCELLATION, text, "the task that reads it is cancelled")
    elif "ignored GeneratorExit" in str(error):
        found = Broken(Law.CLOSE, "an end when it is closed", told(error))
    elif isinstance(error, AssertionError):
        found = Broken(law, "an end", told(error) or "an assertion fails")
    else:
        found = Broken(
            Law.ERRORS, "no error but those of the source, a callback and the consumer", told(error)
        )
    found.__cause__ = error
    return found


@dataclass
class Trial:
    """The checks of one subject, run for some laws."""

    subject: Subject | SourceSubject
    checks: Sequence[Check]
    laws: tuple[Law, ...]
    every: int = 1

    def report(self, reasons: dict[Law, str]) -> Report:
        """Run all checks; `reasons` says why laws are not tested that no check is about."""
        with frozen():
            report = self._report(reasons)
            if report.findings:  # what a broken run has left tells of it in here, and not at any time later
                with overheard():
                    gc.collect()
        return report

    def _report(self, reasons: dict[Law, str]) -> Report:
        findings: dict[Law, Finding] = {}
        tested: set[Law] = set()
        why = dict(reasons)
        runs = 0
        spins: list[Broken] = []
        skipped: list[str] = []
        left = 0
        for check in sorted(self.checks, key=lambda check: check.real):
            wanted = [law for law in check.finds if law in self.laws]
            if not wanted:
                continue
            if reason := check.applies(self.subject):
                why.setdefault(check.finds[0], reason)
                continue
            if spins:
                why[check.finds[0]] = _NO_END
                left += 1
                continue
            if check.real and (self.subject.waits or findings.keys() & _HANGING):
                skipped.append(check.words)
                continue
            tested.add(check.finds[0])
            for case in check.cases(self.subject, self.every):
                runs += 1
                broken = self.tried(check, case)
                if broken is None or broken.law not in self.laws:
                    continue
                spins += [broken] if isinstance(broken, Spins) else []
                if broken.law in findings:
                    findings[broken.law] = _too(findings[broken.law], check)
                else:
                    findings[broken.law] = self.smallest(check, case, broken)
                break
        if left:
            skipped.append(f"{left} other checks: it does not end, as law {Law.FAIRNESS.number} says.")
        ordered = [law for law in self.laws if law in findings]
        return Report(
            name=self.subject.name,
            tested=tuple(law for law in self.laws if law in tested or law in findings),
            findings=tuple(findings[law] for law in ordered),
            untested={
                law: why.get(law, "") for law in self.laws if law not in tested and law not in findings
            },
            skipped=tuple(skipped),
            runs=runs,
        )

    def tried(self, check: Check, case: Case, *, keep: bool = False) -> Broken | None:
        """What one case of a check has found."""
        return attempt(check.finds[0], lambda: check.run(self.subject, case), keep=keep)

    def smallest(self, check: Check, case: Case, broken: Broken) -> Finding:
        """The same law broken by the same check, with fewer items and a simpler source."""
        of_source = isinstance(self.subject, SourceSubject)
        for smaller in () if of_source else self._smaller(check, case):
            found = self.tried(check, smaller)
            if found is not None and found.law is broken.law:
                case, broken = smaller, found
                break
        at = case.noted[0] if case.noted else None
        if at is not None:
            case = replace(case, at=at, noted=[])
        return Finding(
            law=broken.law,
            check=check.words,
            expected=broken.expected,
            seen=broken.seen,
            case=_words(case) if of_source else str(case),
            again=token(check, case),
            error=broken,
        )

    def _smaller(self, check: Check, case: Case) -> Iterator[Case]:
        simpler = ("plain", "ready", "turn", "clock")
        styles = [style for style in simpler if style in check.styles]
        kinds = [
            kind for kind in ("sync", case.kind) if kind in (*(check.kinds or self.subject.kinds), "sync")
        ]
        for most in [case.most] if check.whole else range(_SMALL):
            for style in styles:
                for kind in dict.fromkeys(kinds if check.kinds is None else [case.kind]):
                    yield replace(case, style=style, kind=kind, most=most, every=1, first=1, noted=[])

    def again(self, text: str) -> Report:
        """Run the one case that a report has named."""
        check, case = parsed(text, self.checks)
        broken = self.tried(check, case, keep=True)
        finding = None
        if broken is not None:
            finding = Finding(
                broken.law, check.words, broken.expected, broken.seen, str(case), text, error=broken
            )
        return Report(
            name=self.subject.name,
            tested=check.finds
            if finding is None or finding.law in check.finds
            else (*check.finds, finding.law),
            findings=() if finding is None else (finding,),
            untested={},
            runs=1,
        )


def _words(case: Case) -> str:
    return "the only one of this check" if case.at is None else f"at step {case.at}"


def _too(finding: Finding, check: Check) -> Finding:
    return replace(finding, others=(*finding.others, check.name))


def token(check: Check, case: Case) -> str:
    """A case as one word, which `parsed` reads."""
    parts = [check.name, case.style, case.kind, "" if case.most is None else str(case.most)]
    return "/".join(parts if case.at is None else [*parts, str(case.at)])


def parsed(text: str, checks: Sequence[Check]) -> tuple[Check, Case]:
    """The check and the case that `text` names."""
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - users may pass anything
        raise TypeError(f"case must be a text that a report has named, not {shown(text)}")
    parts = text.split("/")
    found = [check for check in checks if check.name == parts[0]]
    if found and 4 <= len(parts) <= 5:
        check = found[0]
        style, kind, *numbers = parts[1:]
        with suppress(ValueError):
            most, at = ([int(each) if each else None for each in numbers] + [None])[:2]
            if style in check.styles and kind in KINDS:
                return check, Case(style, kind, most, at)
    names = ", ".join(check.name for check in checks)
    raise ValueError(f"case must be one that a report has named, of one of {names}; not {text!r}")


def raised(report: Report) -> Report:
    """`report`, or `LawError` if it says that a law is broken."""
    if report.findings:
        raise LawError(report) from report.findings[0].error
    return report
