"""Writes the generated parts of docs/ and README.md: ``make pages``."""
