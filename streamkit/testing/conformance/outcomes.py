"""Laws 8 and 10: what comes out, at any pace; the accounts of buffers; arguments that are refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from streamkit._core.show import shown, told
from streamkit.sinks.effects import drain
from streamkit.testing.conformance.exits import consume
from streamkit.testing.conformance.items import plain
from streamkit.testing.conformance.lab import play
from streamkit.testing.conformance.laws import Law, expect
from streamkit.testing.conformance.subject import Case, Subject, iterated

__all__ = ["accounts_add_up", "comes_out_as_expected", "refused", "same_at_any_pace"]


def _sorted(subject: Subject, found: list[Any]) -> list[Any]:
    return found if subject.ordered else sorted(found, key=repr)


def comes_out_as_expected(subject: Subject, case: Case, expected: Sequence[Any], count: int) -> None:
    """It is read to its end: what comes out is what was expected."""
    lab = case.lab(count=count)
    found = play(lambda: consume(subject.built(lab)))
    seen = _sorted(subject, [plain(each) for each in found])
    wanted = _sorted(subject, [*expected])
    expect(Law.ACCOUNTING, seen == wanted, shown(wanted, 200), shown(seen, 200))


def same_at_any_pace(subject: Subject, case: Case) -> None:
    """It is read by a slow consumer, and by a fast one, of a slow source: the same comes out."""

    async def slowly() -> list[Any]:
        out: list[Any] = []
        async with subject.built(case.lab(count=9)).open() as items:
            async for item in items:
                out.append(plain(item))
                await asyncio.sleep(3.0)
        return out

    async def fast() -> list[Any]:
        return [plain(each) for each in await consume(subject.built(case.lab(count=9)))]

    async def of_a_list() -> list[Any]:
        lab = case.lab(count=9)
        lab.style = "plain"
        return [plain(each) for each in await consume(subject.built(lab))]

    wanted = _sorted(subject, play(of_a_list))
    for found in (play(fast), play(slowly)):
        seen = _sorted(subject, found)
        expect(
            Law.ACCOUNTING, seen == wanted, f"{shown(wanted, 200)}, as of a plain iterable", shown(seen, 200)
        )


def accounts_add_up(subject: Subject, case: Case) -> None:
    """It runs as a job, to its end and stopped early: each buffer accounts for what was offered to it."""

    async def main(count: int, seconds: float | None) -> None:
        lab = case.lab(count=count)
        built = subject.built(lab)
        job: Any = built | drain() if iterated(built) else built
        handle = job.start()
        if seconds is None:
            await handle
        else:
            await asyncio.sleep(seconds)
            await handle.stop()
        for stats in handle.buffers():
            summed = stats.delivered + stats.dropped + stats.folded + stats.refused + stats.held
            expect(Law.ACCOUNTING, stats.offered == summed, f"{stats.offered} accounted for", stats)
            expect(Law.ACCOUNTING, stats.held == 0, "nothing held when the run has ended", stats)

    play(partial(main, 4, None))
    play(partial(main, 9, 2.5))


def refused(argument: str, call: Callable[[], object]) -> None:
    """A call with a bad argument raises, and names it."""
    try:
        made = call()
    except (TypeError, ValueError, LookupError) as error:
        text = f"an error that names {argument}"
        named = re.search(rf"(?<!\w){re.escape(argument)}(?!\w)", str(error))  # `n` stands in many a word
        expect(Law.VALIDATION, named is not None, text, told(error))
    except Exception as error:
        text = f"TypeError, ValueError or LookupError for a bad {argument}"
        expect(Law.VALIDATION, False, text, told(error))
    else:
        text = f"an error at the call for a bad {argument}"
        expect(Law.VALIDATION, False, text, f"{shown(made)} was made")
