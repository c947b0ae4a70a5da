"""Writes the generated pages and pictures of docs/: ``make pages``."""
