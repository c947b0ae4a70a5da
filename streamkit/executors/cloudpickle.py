"""Cloudpickle, where it is installed: it pickles lambdas and functions within functions, which pickle cannot.

It is the extra ``streamkit[cloudpickle]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

__all__ = ["by_value"]

by_value: Callable[[Any], bytes] | None
"""Pickles functions by what they are, not by their names; None where cloudpickle is not installed."""

try:
    import cloudpickle  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]
except ImportError:
    by_value = None
else:
    by_value = cast("Any", cloudpickle).dumps
