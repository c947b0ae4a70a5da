"""What a run says to nobody: warnings, errors of threads and of finalisers, and what asyncio logs."""

from __future__ import annotations

import gc
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Generator
from contextlib import contextmanager

from streamkit._core.show import told
from streamkit.testing.conformance.laws import Broken, Law

__all__ = ["Overheard", "forget", "overheard"]

_NEVER_AWAITED = "was never awaited"


class Overheard(logging.Handler):
    """Collects what a run says to nobody; `verdict` says which law that breaks."""

    errors: list[str]
    """Of threads, of finalisers, and of asyncio's log."""
    warned: list[warnings.WarningMessage]

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors = []
        self.warned = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note an error that asyncio logs."""
        error = record.exc_info[1] if record.exc_info else None
        self.errors.append(
            record.getMessage().splitlines()[0] + ("" if error is None else f": {told(error)}")
        )

    def of_a_thread(self, what: threading.ExceptHookArgs) -> None:
        """Note an error that ends a thread."""
        name = "a thread" if what.thread is None else f"thread {what.thread.name!r}"
        error = what.exc_value
        self.errors.append(f"{name} ends with {what.exc_type.__name__ if error is None else told(error)}")

    def unraisable(self, what: sys.UnraisableHookArgs) -> None:
        """Note an error that Python cannot raise, as that of a finaliser."""
        words = what.exc_type.__name__ if what.exc_value is None else told(what.exc_value)
        self.errors.append(f"{what.err_msg or 'an error of a finaliser'}: {words}")

    def verdict(self) -> Broken | None:
        """The law that is broken by what was overheard; other warnings are passed on."""
        forgotten: list[str] = []
        for each in self.warned:
            if _NEVER_AWAITED in str(each.message):
                forgotten.append(str(each.message))
            else:
                warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
        if forgotten:
            return Broken(Law.AWAITABLES, "what callbacks return, awaited", forgotten[0])
        if self.errors:
            return Broken(Law.CLOSE, "an end without errors that nobody hears of", self.errors[0])
        return None


@contextmanager
def overheard() -> Generator[Overheard, None, None]:
    """Collect what is said to nobody in here."""
    collected = Overheard()
    log = logging.getLogger("asyncio")
    propagates, of_threads, of_finalisers = log.propagate, threading.excepthook, sys.unraisablehook
    log.addHandler(collected)
    log.propagate = False
    threading.excepthook, sys.unraisablehook = collected.of_a_thread, collected.unraisable
    try:
        with warnings.catch_warnings(record=True) as collected.warned:
            warnings.simplefilter("always")
            yield collected
    finally:
        threading.excepthook, sys.unraisablehook = of_threads, of_finalisers
        log.propagate = propagates
        log.removeHandler(collected)


def forget(error: BaseException | None) -> None:
    """Let go of what the frames of an error hold: generators of a broken run that would end at some time."""
    if error is None:
        return
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            traceback.clear_frames(each.__traceback__)
            left += [each.__cause__, each.__context__]
    gc.collect()  # under `frozen` it goes only through what the checks have made
