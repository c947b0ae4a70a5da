"""Connectors, put through faults: a network in memory, what goes wrong in it, and what is asked meanwhile."""

from streamkit.testing.connector.checks import ConnectorError, ConnectorReport, check_connector
from streamkit.testing.connector.faults import ConnectorFault
from streamkit.testing.connector.network import NetworkLoop, on_network
from streamkit.testing.connector.trial import ConnectorOutcome, Peer

__all__ = [
    "ConnectorError",
    "ConnectorFault",
    "ConnectorOutcome",
    "ConnectorReport",
    "NetworkLoop",
    "Peer",
    "check_connector",
    "on_network",
]
