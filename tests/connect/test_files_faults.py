"""A log that is tailed, through the twelve faults: those of a network become those of a file."""

import itertools
import os
from pathlib import Path

from streamkit import Gap, connect, ops
from streamkit.testing import ConnectorFault, check_connector


class Log:
    """A file of numbers. It is rotated, cut, moved away, or written in pieces, as the fault says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names = itertools.count()
        self._away = self._pieces = False

    async def start(self) -> None:
        self.path.touch()

    async def stop(self) -> None:
        """Nothing has it open."""

    async def send(self, number: int) -> None:
        at = self._aside if self._away else self.path
        with at.open("a") as file:
            for piece in str(number) if self._pieces else [str(number)]:
                file.write(piece)
                file.flush()
            file.write("\n")

    def strike(self, fault: ConnectorFault | None) -> bool:
        """Do to the file what the fault does to a server; None ends it."""
        if self._away:
            os.replace(self._aside, self.path)
        self._away, self._pieces = False, fault in (ConnectorFault.DRIP, ConnectorFault.CUT)
        match fault:
            case ConnectorFault.ROTATION:
                self._rename()
                self.path.touch()
            case ConnectorFault.LOST_SESSION | ConnectorFault.RESET:
                self.path.write_text("")
            case ConnectorFault.REFUSED | ConnectorFault.HANGS | ConnectorFault.HALF_OPEN:
                self._rename()
                self._away = True
            case ConnectorFault.CLOCK_CHANGE | ConnectorFault.CLOCK_JUMP:
                return False
            case _:
                pass
        return True

    def _rename(self) -> None:
        self._aside = self.path.with_name(f"log.{next(self._names)}")
        self.path.rename(self._aside)


def number(line: str | Gap) -> int | Gap:
    return line if isinstance(line, Gap) else int(line)


def test_a_tail_comes_through_the_faults(tmp_path: Path) -> None:
    names = itertools.count()
    report = check_connector(
        lambda log: connect.tail(log.path) | ops.map(number), lambda: Log(tmp_path / f"log {next(names)}")
    )
    gaps = {each.fault: len(each.gaps) for each in report.outcomes if each.gaps}
    assert gaps == {ConnectorFault.LOST_SESSION: 1, ConnectorFault.RESET: 1}
