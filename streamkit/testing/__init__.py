"""Tools for tests of streams: virtual time, many schedules, faults, probes, marbles, and the laws.

>>> import asyncio
>>> from streamkit.testing import run
>>> async def main() -> float:
...     await asyncio.sleep(3600.0)
...     return asyncio.get_running_loop().time()
>>> run(main)
3600.0
"""

from typing import TYPE_CHECKING

from streamkit._core.lazy import lazily

if TYPE_CHECKING:
    from streamkit.testing.clock import VirtualLoop as VirtualLoop
    from streamkit.testing.conformance import (
        Again as Again,
        Law as Law,
        LawError as LawError,
        Report as Report,
        check_operator as check_operator,
        check_sink as check_sink,
        check_source as check_source,
    )
    from streamkit.testing.connector import (
        ConnectorError as ConnectorError,
        ConnectorFault as ConnectorFault,
        ConnectorOutcome as ConnectorOutcome,
        ConnectorReport as ConnectorReport,
        Peer as Peer,
        check_connector as check_connector,
        on_network as on_network,
    )
    from streamkit.testing.consumers import Consumed as Consumed, Leave as Leave, consume as consume
    from streamkit.testing.drops import Drops as Drops
    from streamkit.testing.expectations import Expectation as Expectation, expect as expect
    from streamkit.testing.leaks import LeakError as LeakError
    from streamkit.testing.marbles import (
        Drawn as Drawn,
        DrawnError as DrawnError,
        check_marbles as check_marbles,
        draw_marbles as draw_marbles,
        drawn as drawn,
    )
    from streamkit.testing.probes import (
        ProbeError as ProbeError,
        SinkProbe as SinkProbe,
        SourceProbe as SourceProbe,
    )
    from streamkit.testing.running import run as run
    from streamkit.testing.schedules import (
        Exhaustive as Exhaustive,
        Faults as Faults,
        ScheduleError as ScheduleError,
    )
    from streamkit.testing.sources import AfterEnd as AfterEnd, FaultySource as FaultySource
    from streamkit.testing.steps import Step as Step
    from streamkit.testing.visits import Visit as Visit
    from streamkit.testing.waits import DeadlockError as DeadlockError, LivelockError as LivelockError
else:
    __getattr__, __dir__, __all__ = lazily()
