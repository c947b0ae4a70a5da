"""What happens while a stream runs: starting, pumping, leaving, and the ways to read it."""
