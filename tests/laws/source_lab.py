"""What the laws of sources are made with: ways to write each, and what comes of it."""

from streamkit.testing.conformance.source import Again, SourceSubject as SourceSample, read

__all__ = ["Again", "SourceSample", "read"]
