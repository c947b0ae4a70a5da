"""Ticks by a cron expression, which cronsim reads: the extra ``streamkit[cron]``."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from streamkit._core.calls import answering
from streamkit._core.show import shown
from streamkit._engine.face.stream import Stream
from streamkit._stages.timetable import date_of, instant, planned
from streamkit.sources.timing import Missed, missed_option

if TYPE_CHECKING:
    import cronsim as _cronsim
else:
    try:
        import cronsim as _cronsim
    except ImportError:  # an extra
        _cronsim = None

__all__ = ["cron"]

_ANY = datetime(2026, 1, 1, tzinfo=UTC)


class _Cron:
    """When an expression is due, by the clocks of a time zone."""

    def __init__(self, expression: str, zone: tzinfo) -> None:
        self._expression = expression
        self._zone = zone

    def after(self, when: Fraction) -> Fraction | None:
        """The first tick after `when`; None if there is none within fifty years."""
        begin = date_of(when).astimezone(self._zone)
        # From inside an hour that is shown twice, the first that cronsim finds may be in its first showing.
        found = (instant(date) for date in _cronsim.CronSim(self._expression, begin))
        return next((each for each in found if each > when), None)


@answering
def cron(
    expression: str,
    *,
    timezone: tzinfo | str = UTC,
    start: datetime | None = None,
    end: datetime | None = None,
    missed: Missed = Missed.SKIP,
) -> Stream[datetime]:
    """The date and time, in a time zone, whenever a cron expression says so.

        cron("*/15 9-17 * * MON-FRI")  ----9:00----9:15----9:30-

    >>> import streamkit
    >>> from datetime import UTC, datetime
    >>> from streamkit import ops
    >>> mornings = streamkit.cron(
    ...     "30 7 * * MON-FRI", timezone="Europe/Berlin", start=datetime(2026, 3, 27, tzinfo=UTC)
    ... )
    >>> [str(tick) for tick in mornings | ops.take(2)]
    ['2026-03-27 07:30:00+01:00', '2026-03-30 07:30:00+02:00']

    Emits when: a tick is due; one that is past already, from `start` on, at once.
    Waits when: no tick is due, or the consumer does; nothing is held for it.
    Completes when: the next tick would not be before `end`, or there is none within fifty years.
    Closes when: the consumer leaves.

    It needs ``streamkit[cron]``. The five fields are those of Debian's cron: minute, hour, day of the month,
    month and day of the week; with six, the first is the second. Days may be ``L`` (the last), ``LW`` (the
    last weekday), ``5#3`` (the third Friday) or ``5L`` (the last). An item is when its tick was due, in
    `timezone`.

    A fixed time that the clocks leave out, where summer time begins, comes at the first minute after the gap;
    one that they show twice, where it ends, comes once, at the first. An expression whose minute or hour
    begins with ``*``, or that has seconds, comes as often as the clocks show its time: not at all, or twice.
    A clock on the wall that is set is dealt with as in ``ticks``.

    Args:
        expression: when, as in a crontab.
        timezone: whose clocks are meant: a ``tzinfo``, or a name such as ``"Europe/Berlin"``.
        start: the first tick is the first from then on. If that is past, the ticks since then are replayed
            without a wait, whatever `missed` says, and live ones follow.
        end: no tick comes then, or later.
        missed: what becomes of ticks that were due while the consumer was busy.

    Raises:
        ImportError: cronsim is not installed.
        TypeError: an argument has the wrong type.
        ValueError: `expression` is none, `timezone` names no time zone, `start` or `end` has none, or
            `missed` is ``DELAY``, which would leave the clock.
    """
    zone = _zone(timezone)
    options: dict[str, Any] = {"timezone": None if timezone is UTC else timezone, "start": start, "end": end}
    options |= missed_option(missed, "for ticks of the clock on the wall")
    timetable = _Cron(_expression(expression), zone)
    return Stream(planned("cron", expression, timetable, zone, catch_up=missed is Missed.CATCH_UP, **options))


def _expression(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expression must be a text such as '*/5 * * * *', not {shown(value)}")
    if _cronsim is None:
        raise ImportError("cron() reads expressions with cronsim: install streamkit[cron]")
    try:
        _cronsim.CronSim(value, _ANY)
    except _cronsim.CronSimError as error:
        raise ValueError(
            f"expression must be a cron expression such as '*/5 * * * *', not {shown(value)}: {error}"
        ) from None
    return value


def _zone(value: object) -> tzinfo:
    if isinstance(value, tzinfo):
        return value
    if not isinstance(value, str):
        raise TypeError(f"timezone must be a tzinfo, or the name of a time zone, not {shown(value)}")
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"timezone must be one that is known here, not {shown(value)}") from None
