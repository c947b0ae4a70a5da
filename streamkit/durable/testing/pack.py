"""`check_carrier`: every check, each on a fresh carrier, and what they have found."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from streamkit._core.arguments import callback, seconds
from streamkit._core.calls import answering
from streamkit._core.show import shown, told
from streamkit.durable.messages import Connects
from streamkit.durable.testing import claims, leases
from streamkit.durable.testing.lab import CarrierLab

__all__ = ["CHECKS", "CarrierLawError", "CarrierReport", "check_carrier"]

Check: TypeAlias = Callable[[CarrierLab], Coroutine[Any, Any, None]]

CHECKS: Final[dict[str, Check]] = {each.__name__: each for each in (*claims.CHECKS, *leases.CHECKS)}
"""The checks by their names."""


@dataclass(frozen=True, slots=True)
class CarrierReport:
    """What `check_carrier` has found."""

    name: str
    tested: tuple[str, ...]
    findings: tuple[tuple[str, BaseException], ...]
    """Checks that have failed, each with its error."""
    untested: tuple[str, ...]
    """Those that were left out."""

    @property
    def broken(self) -> tuple[str, ...]:
        """The names of the checks that have failed."""
        return tuple(name for name, _ in self.findings)

    def __str__(self) -> str:
        if not self.findings:
            left = f"; not tested: {', '.join(self.untested)}" if self.untested else ""
            return f"{self.name} keeps to all {len(self.tested)} checks{left}"
        lines = [f"{self.name} breaks {len(self.findings)} of {len(self.tested)} checks:"]
        lines += [
            f"  {name}: {(CHECKS[name].__doc__ or '').strip()}\n    {told(error)}"
            for name, error in self.findings
        ]
        return "\n".join(lines)


class CarrierLawError(AssertionError):
    """A carrier breaks its contract; `report` says how."""

    def __init__(self, report: CarrierReport) -> None:
        super().__init__(str(report))
        self.report = report


@answering
def check_carrier(
    make: Callable[[], Connects],
    *,
    without: Collection[str] = (),
    only: Collection[str] = (),
    lease: float = 0.3,
    patience: float = 5.0,
    run: Callable[[Coroutine[Any, Any, None]], object] = asyncio.run,
) -> CarrierReport:
    """Check a carrier against the contract of `Connection`; each check has a carrier of its own.

    - `make`: makes a carrier that is empty, of another name for each call.
    - `without`: names of checks that are left out, because the carrier cannot do that; the report lists them.
    - `only`: names of those that are done.
    - `lease`: seconds of a lease that is waited out: the shortest that the carrier knows.
    - `patience`: seconds after which what was not handed out counts as lost.
    - `run`: runs a coroutine to its end; ``streamkit.testing.run`` for a carrier that lives by the clock of
      the event loop, so that nobody waits.

    Raises `CarrierLawError`, an `AssertionError`, if a check has failed; `TypeError` and `ValueError` for
    arguments that are not allowed.
    """
    callback("make", make, waits=False)
    callback("run", run, waits=False)
    lease, patience = seconds("lease", lease), seconds("patience", patience)
    for name in (*without, *only):
        if name not in CHECKS:
            raise ValueError(f"without and only must be names of {', '.join(CHECKS)}; not {shown(name)}")
    findings: list[tuple[str, BaseException]] = []
    chosen = [name for name in CHECKS if name not in without and (not only or name in only)]
    words = ""
    for name in chosen:
        carrier = make()
        words = words or type(carrier).__name__
        try:
            run(CHECKS[name](CarrierLab(carrier, lease, patience)))
        except Exception as error:
            findings.append((name, error))
    report = CarrierReport(
        words, tuple(chosen), tuple(findings), tuple(name for name in CHECKS if name not in chosen)
    )
    if findings:
        raise CarrierLawError(report) from findings[0][1]
    return report
