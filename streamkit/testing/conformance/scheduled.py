"""The laws in other orders of what is ready: see `streamkit.testing.schedules`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from streamkit.testing.conformance.exits import consume
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.subject import Case, Subject
from streamkit.testing.conformance.visits import Boom
from streamkit.testing.running import run
from streamkit.testing.schedules import Exhaustive, Faults

__all__ = ["Scheduled"]


class Scheduled:
    """The checks that run each pipeline in many orders of what is ready."""

    schedules: int | Exhaustive
    seed: int | None

    def __init__(self, schedules: int | Exhaustive, seed: int | None) -> None:
        self.schedules = schedules
        self.seed = seed

    def read_in_any_order(self, subject: Subject, case: Case) -> None:
        """It is read to its end, and what is ready runs in other orders."""

        async def main() -> None:
            lab = case.lab()
            await consume(subject.built(lab))
            lab.check_finished()

        self._run(main)

    def fails_in_any_order(self, subject: Subject, case: Case) -> None:
        """A source fails, and what is ready runs in other orders."""

        async def main() -> None:
            lab = case.lab(failing=("main",))
            error: BaseException | None = None
            try:
                await consume(subject.built(lab))
            except Boom as caught:
                error = caught
            told = error is lab.raised or (error is None and subject.catches)
            expect(Law.ERRORS, told, f"{lab.raised!r} as itself", repr(error))
            lab.check_finished()

        self._run(main)

    def cancelled_in_any_order(self, subject: Subject, case: Case) -> None:
        """The task that reads it is cancelled at some step, and what is ready runs in other orders."""

        async def main() -> None:
            lab = case.lab(count=3)
            try:
                await consume(subject.built(lab))
            finally:
                lab.check_clean()

        self._run(main, Faults.CANCEL)

    def shut_down_in_any_order(self, subject: Subject, case: Case) -> None:
        """All tasks are cancelled at some step, as a program ends, and what is ready runs in other orders."""

        async def main() -> None:
            lab = case.lab(count=3)
            try:
                await consume(subject.built(lab))
            finally:
                lab.check_clean()

        self._run(main, Faults.SHUTDOWN)

    def _run(self, main: Callable[[], Coroutine[Any, Any, None]], faults: Faults | None = None) -> None:
        run(main, schedules=self.schedules, seed=self.seed, faults=faults)
