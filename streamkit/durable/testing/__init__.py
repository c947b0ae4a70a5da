"""The conformance pack of carriers: the contract of `streamkit.durable.Connection`, check by check.

from streamkit.durable.testing import check_carrier
print(check_carrier(lambda: SQLite(path, "inbox")))
"""

from streamkit.durable.testing.pack import CHECKS, CarrierLawError, CarrierReport, check_carrier

__all__ = ["CHECKS", "CarrierLawError", "CarrierReport", "check_carrier"]
