"""Samples of the family `rate`."""

from asyncio import sleep

from streamkit import (
    Collect,
    Conflate,
    DropAll,
    DropIncoming,
    DropOldest,
    DropYoungest,
    Fail,
    KeepLatest,
    Spill,
    Suspend,
    Unbounded,
    ops,
)
from tests.laws.lab import Sample
from tests.samples.callbacks import fold

__all__ = ["OPERATORS"]


async def slowly(_: object) -> None:
    await sleep(1e-4)


OPERATORS = [
    Sample("buffer-suspend", lambda lab: ops.buffer(Suspend(2))),
    Sample("buffer-suspend-one", lambda lab: ops.buffer(Suspend(1))),
    Sample("buffer-fail", lambda lab: ops.buffer(Fail(100))),
    Sample("buffer-drop-incoming", lambda lab: ops.buffer(DropIncoming(2, on_drop=lab.drop))),
    Sample("buffer-drop-oldest", lambda lab: ops.buffer(DropOldest(2, on_drop=lab.drop))),
    Sample("buffer-keep-latest", lambda lab: ops.buffer(KeepLatest(on_drop=lab.drop))),
    Sample("buffer-drop-youngest", lambda lab: ops.buffer(DropYoungest(2, on_drop=lab.drop))),
    Sample("buffer-drop-all", lambda lab: ops.buffer(DropAll(2, on_drop=lab.drop))),
    Sample("buffer-gaps", lambda lab: ops.buffer(DropOldest(2, on_drop=lab.drop, gaps=True))),
    Sample("buffer-conflate", lambda lab: ops.buffer(Conflate(fold(lab))), timed=True),
    Sample("buffer-collect", lambda lab: ops.buffer(Collect(3)), needs=3, timed=True),
    Sample("buffer-spill", lambda lab: ops.buffer(Spill(2))),
    Sample("buffer-unbounded", lambda lab: ops.buffer(Unbounded())),
    Sample("conflate", lambda lab: ops.conflate(fold(lab)), timed=True),
    Sample("extrapolate", lambda lab: ops.extrapolate(lambda item: [])),
    Sample(
        "extrapolate-slow",
        lambda lab: ops.tap(slowly) | ops.extrapolate(lab.callback(lambda item: [])),
        calls=True,
    ),
]
