"""SQLite as a carrier: a file, and no server.

carrier     `SQLite`, which users name
connection  what one run has of the file, and waiting
worker      the thread that alone touches it
database    the file: opened, locked, full or corrupt, kept flat
schema      its tables, and their versions
entries     what is stored is appended, acknowledged, counted, purged; groups are forgotten
claims      messages are claimed, renewed and handed back
runs        rows of what a group was handed out: cut, put and looked at
"""

from streamkit.durable.sqlite.carrier import SQLite

__all__ = ["SQLite"]
