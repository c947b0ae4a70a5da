"""What a stream is before it runs: a source, and links in order."""
