"""Machinery that one operator owns, too large for its family module."""
