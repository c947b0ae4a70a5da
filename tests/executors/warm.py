"""Imported by the fork server of these tests: what a pipe imports when it first runs, is there then."""

from streamkit import Stream, ops

assert [*(Stream([1]) | ops.map(str) | ops.filter(bool))]
