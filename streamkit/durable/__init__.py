"""Durable hops: carriers that keep items between processes, and acknowledgement that follows the items."""

from streamkit.durable.carrier import Carrier, Connection, Depth, Entry, Message

__all__ = ["Carrier", "Connection", "Depth", "Entry", "Message"]
