"""Where items wait between tasks: lanes and channels, what they count, and other threads at their door."""
