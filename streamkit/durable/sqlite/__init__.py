"""SQLite as a carrier: a file, and no server.

carrier     `SQLite`, which users name
connection  what one run has: a thread, which alone touches the file, and waiting
database    the file: opened, locked, full or corrupt, kept flat
schema      its tables, and their versions
entries     what is stored is appended, acknowledged, counted and purged
claims      messages are claimed, renewed and handed back
"""

from streamkit.durable.sqlite.carrier import SQLite

__all__ = ["SQLite"]
