"""Connectors over HTTP, which aiohttp speaks: the extra ``streamkit[http]``."""
