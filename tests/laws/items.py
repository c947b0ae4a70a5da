"""Items of the law tests, and how to find them in what an operator made of them."""

from streamkit.testing.conformance.items import Item, items_in, plain

__all__ = ["Item", "items_in", "plain"]
