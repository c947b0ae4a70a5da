"""Floor 1: the words of the library. Imports nothing of streamkit."""
