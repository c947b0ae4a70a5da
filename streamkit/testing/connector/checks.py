"""`check_connector`: a connector, put through twelve faults on virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from streamkit._core.arguments import callback, flag, seconds, whole
from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit.testing.connector.faults import ConnectorFault
from streamkit.testing.connector.network import on_network
from streamkit.testing.connector.trial import ConnectorOutcome, Terms, Trial
from streamkit.testing.leaks import LeakError
from streamkit.testing.waits import DeadlockError

__all__ = ["ConnectorError", "ConnectorReport", "check_connector"]


@dataclass(frozen=True)
class ConnectorReport:
    """What came of each fault; `print` shows it as a table."""

    outcomes: tuple[ConnectorOutcome, ...]

    @property
    def broken(self) -> tuple[ConnectorFault, ...]:
        """The faults that the connector does not come through."""
        return tuple(each.fault for each in self.outcomes if each.problems)

    def __str__(self) -> str:
        rows = [f"{'fault':<13}{'again after':>12}{'items':>7}{'gaps':>6}{'dials':>7}"]
        for each in self.outcomes:
            after = "never" if each.recovered is None else f"{each.recovered:.1f} s"
            rows.append(f"{each.fault.name:<13}{after:>12}{each.items:>7}{len(each.gaps):>6}{each.dials:>7}")
            rows += [f"    {problem}" for problem in each.problems]
        return "\n".join(rows)


class ConnectorError(AssertionError):
    """A connector does not come through a fault; `report` says which, and its text is what this prints."""

    report: ConnectorReport
    """What came of each fault."""

    def __init__(self, report: ConnectorReport) -> None:
        self.report = report
        super().__init__(f"faults that it does not come through: {len(report.broken)}\n{report}")


@answering
def check_connector(
    connector: Callable[[Any], Stream[Any]],
    peer: Callable[[], Any],
    *,
    faults: Iterable[ConnectorFault] = ConnectorFault,
    samples: bool = False,
    repeats: bool = False,
    lasts: float = 30.0,
    within: float = 180.0,
    dials: int = 40,
    closing: float = 15.0,
    threads: bool = False,
) -> ConnectorReport:
    """Put a connector through the twelve faults, on virtual time, and raise if it does not come through.

    For each fault, numbers are sent by a peer, one a second. The fault strikes after some have come, and ends
    after `lasts` seconds. Then numbers must come again; what is missing must be told of by a `Gap`; nobody
    may be asked more often than `dials`, or sooner than a server has asked for; nothing may be left when the
    consumer leaves, also while the fault lasts.

    >>> import asyncio
    >>> from streamkit import Gap, Stream
    >>> from streamkit.testing import ConnectorFault, check_connector
    >>> class Lines:  # the peer: a server that writes each number in a line
    ...     def __init__(self) -> None:
    ...         self.writers = set()
    ...     async def start(self) -> None:
    ...         self.server = await asyncio.start_server(self.serve, "127.0.0.1", 8080)
    ...     async def serve(self, reader, writer) -> None:
    ...         self.writers.add(writer)
    ...     async def stop(self) -> None:
    ...         self.server.close()
    ...         for writer in self.writers:
    ...             writer.close()
    ...     async def send(self, number: int) -> None:
    ...         for writer in self.writers:
    ...             writer.write(b"%d\\n" % number)
    >>> async def read():  # the connector
    ...     seen = False
    ...     while True:
    ...         reader, writer = await asyncio.open_connection("127.0.0.1", 8080)
    ...         try:
    ...             if seen:
    ...                 yield Gap(None, "it was lost")
    ...             while line := await reader.readline():
    ...                 seen = True
    ...                 yield int(line)
    ...         finally:
    ...             writer.close()
    ...         await asyncio.sleep(5.0)
    >>> faults = [ConnectorFault.CLOCK_CHANGE, ConnectorFault.REFUSED]
    >>> try:
    ...     check_connector(lambda peer: Stream(read), Lines, faults=faults)
    ... except AssertionError as error:
    ...     print(error)
    faults that it does not come through: 1
    fault         again after  items  gaps  dials
    CLOCK_CHANGE        0.0 s     32     0      0
    REFUSED             never      2     0      1
        it failed: ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 8080)

    The libraries that a connector uses run as they are, on a network in memory: whatever connects and serves
    by the event loop does, without TLS. The report that is returned is printed as such a table.

    Args:
        connector: called with a peer; returns the stream of the numbers that the peer sends, and of gaps.
        peer: makes a `Peer`: an object with ``start()``, ``stop()`` and ``send(number)``, all of them async.
        faults: those that are tried; all, if not given.
        samples: whether it reads a state, as what polls does: then numbers may be missing without a gap.
        repeats: whether a number may come twice without a gap.
        lasts: seconds that a fault takes.
        within: seconds within which numbers must come again when it is over.
        dials: how often it may try to connect meanwhile.
        closing: seconds within which it must have ended when its consumer leaves.
        threads: whether the connector has threads, or waits for the world outside; then time passes, too, in
            which nothing happens.

    Raises:
        ConnectorError: it does not come through one of them.
        TypeError: an argument has the wrong type.
        ValueError: a number is not finite, or too small.
    """
    callback("connector", connector, waits=False)
    callback("peer", peer, waits=False)
    chosen = tuple(_fault(each) for each in faults)
    terms = Terms(
        samples=flag("samples", samples),
        repeats=flag("repeats", repeats),
        lasts=seconds("lasts", lasts),
        within=seconds("within", within),
        dials=whole("dials", dials, least=1),
        closing=seconds("closing", closing),
    )
    flag("threads", threads)
    report = ConnectorReport(tuple(_tried(connector, peer, fault, terms, threads) for fault in chosen))
    if report.broken:
        raise ConnectorError(report)
    return report


def _fault(value: object) -> ConnectorFault:
    if not isinstance(value, ConnectorFault):
        raise TypeError(f"faults must be of ConnectorFault, not {shown(value)}")
    return value


def _tried(
    connector: Callable[[Any], Stream[Any]],
    peer: Callable[[], Any],
    fault: ConnectorFault,
    terms: Terms,
    threads: bool,
) -> ConnectorOutcome:
    through, left = (Trial(connector, peer, fault, terms) for _ in range(2))
    for trial, play in ((through, through.through), (left, left.left)):
        try:
            on_network(play, threads=threads)
        except (LeakError, DeadlockError) as error:
            trial.outcome.problems.append(str(error))
    found = through.outcome
    found.problems += [
        f"left while it lasts: {each}" for each in left.outcome.problems if each not in found.problems
    ]
    return found
