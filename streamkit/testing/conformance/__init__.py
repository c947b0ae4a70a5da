"""The conformance pack: all laws, for operators, sources and sinks of your own.

>>> from streamkit import ops
>>> from streamkit.testing import Law, check_operator
>>> print(check_operator(lambda: ops.skip(1), laws=Law.DEMAND))
skip(1) keeps to all 1 laws that were tested, in 8 cases
"""

from streamkit.testing.conformance.laws import Broken, Law
from streamkit.testing.conformance.operators import check_operator, check_sink
from streamkit.testing.conformance.report import Finding, LawError, Report
from streamkit.testing.conformance.source import Again
from streamkit.testing.conformance.sources import check_source

__all__ = [
    "Again",
    "Broken",
    "Finding",
    "Law",
    "LawError",
    "Report",
    "check_operator",
    "check_sink",
    "check_source",
]
