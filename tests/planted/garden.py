"""All plants: those in streamkit, and those in programs as users write them."""

from __future__ import annotations

from tests.planted.library import ending, mapping, waiting
from tests.planted.plant import PLANTS
from tests.planted.programs import ending as endings, handing, known, sharing

__all__ = ["PLANTS"]

BEDS = (waiting, ending, mapping, sharing, handing, endings, known)
"""The modules that declare them."""
