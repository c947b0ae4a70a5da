"""Probes: both ends of a pipe in the hands of a test, which offers each item and asks for each.

>>> from streamkit import Stream, Suspend, ops
>>> from streamkit.testing import SinkProbe, SourceProbe, run
>>> async def main() -> None:
...     source = SourceProbe[str]()
...     async with SinkProbe(Stream(source) | ops.buffer(Suspend(1)) | ops.map(str.upper)) as sink:
...         sink.request(1)
...         await source.send("a")
...         print(await sink.next())
...         await source.send("b")                  # the buffer asks for one ahead
...         print(source.demand, source.waiting, sink.waiting)
...         await sink.cancel()
...     print(source.closed, sink.items)
>>> run(main)
A
2 False False
True ['A']
"""

from streamkit.testing.probes.bell import ProbeError
from streamkit.testing.probes.sink import SinkProbe
from streamkit.testing.probes.source import SourceProbe

__all__ = ["ProbeError", "SinkProbe", "SourceProbe"]
