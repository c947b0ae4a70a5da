"""Connectors over websockets, which the library websockets speaks: the extra ``streamkit[websockets]``."""
