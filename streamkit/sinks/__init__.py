"""Sinks, a module per family: they consume a stream into a result."""
