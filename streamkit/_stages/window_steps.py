"""What ``window`` does with an item, for each kind of windows: steps, which run the pipe in their loop.

``window`` puts one to three links together (`streamkit/operators/window.py`), of which one is here:

    boxed       windows by count or predicate, one after the other
    tumbled     windows by time, one after the other
    several     windows that overlap, and sessions
    slid        a window for each item

Before it there may be a clock (`window_stages.clocked`) and `in_order`, both of which make pairs of time and
item; behind it, what counts late items, or runs pipes that have stages (`window_stages`). For the latter, the
pipe in the loop is `relayed`: what comes out are the items of each window, and its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from streamkit._core.contract import Contract
from streamkit._core.markers import ABSENT, EMPTY
from streamkit._core.windows import Windows
from streamkit._engine.face.step import step
from streamkit._engine.face.stream import Operator, Pipe
from streamkit._stages.panes import LATE, Pane, Sorter, Tick, Trail, bounds, moment, panes_of

__all__ = ["boxed", "in_order", "itself", "relayed", "several", "slid", "tumbled"]

_NEVER: Final = float("inf")
_LATE = "'nothing' if timestamp is ABSENT else 'late items'"


def itself(pane: Pane) -> Pane:
    """What stands beside the items of a window, for `_routed`."""
    return pane


@step(
    name="window",
    setup="""
        state = EMPTY
        taken = 0
        name = None
        over = True
    """,
    each="""
        if _predicate is ABSENT:
            last = False
        else:
            found = _predicate(item)
            last = True if found else False
        first = over
        if first:
            name = Pane(taken, taken + (kind.count or 0))
        taken += 1
        if _predicate is ABSENT:
            over = taken == name.end
        else:
            name.end = taken
            over = last
        if first:
            enter()
        else:
            resume()
        run()
        if over:
            end()
    """,
    finish="""
        if not over:
            name.end = taken
            end()
    """,
    contract=Contract(times="1"),
    groups=True,
)
def boxed(
    kind: Windows, pipe: Pipe, *, _predicate: Any = ABSENT, _label: Callable[[Pane], Any] = bounds
) -> Operator[Any, Any]:
    """`Tumbling` by count, and `Until`: a window ends with an item, and the next begins with the next one."""
    return Operator(boxed, kind=kind, pipe=pipe, _predicate=_predicate, _label=_label)


_END_ALL = """
    for name in panes.rest():
        state = groups[name]
        end()
"""


@step(
    name="window",
    setup="""
        panes = panes_of(kind, lateness)
        groups = {}
        find = groups.get
        name = None
        begin = NEVER
        until = latest = -NEVER
    """,
    # the first branch is the usual way: no window begins or ends, and nothing is called but the callbacks
    each="""
        if _pairs is ABSENT:
            stamp = timestamp(item)
        else:
            stamp = item[0]
        if (type(stamp) is float or type(stamp) is int) and begin <= stamp < until:
            if stamp > latest:
                latest = stamp
        else:
            stamp = moment(stamp)
            for name in panes.advance(stamp, latest):
                state = groups[name]
                end()
                groups.pop(name)
            name = panes.only(stamp)
            begin, until = panes.steady
        if name is not None:
            state = find(name)
            if state is None:
                enter()
            else:
                resume()
            if _pairs is ABSENT:
                run()
            else:
                run(item[1])
        elif timestamp is ABSENT:
            pass
        elif type(stamp) is not Tick:
            if on_late is ABSENT:
                emit(LATE)
            elif _pairs is ABSENT:
                on_late(item)
            else:
                on_late(item[1])
    """,
    finish=_END_ALL,
    uses=(panes_of, moment, Tick, {"NEVER": _NEVER, "LATE": LATE}),
    contract=Contract(times="_most", spreads=True, ordered="'within each window'", loses=_LATE),
    groups=True,
)
def tumbled(
    kind: Windows,
    pipe: Pipe,
    *,
    timestamp: Any = ABSENT,
    lateness: float = 0.0,
    on_late: Any = ABSENT,
    _most: int = 1,
    _pairs: Any = ABSENT,
    _label: Callable[[Pane], Any] = bounds,
) -> Operator[Any, Any]:
    """`Tumbling` by time: an item belongs to one window."""
    return Operator(
        tumbled,
        kind=kind,
        pipe=pipe,
        timestamp=timestamp,
        lateness=lateness,
        on_late=on_late,
        _most=_most,
        _pairs=_pairs,
        _label=_label,
    )


@step(
    name="window",
    setup="""
        panes = panes_of(kind, lateness)
        groups = {}
        find = groups.get
        names = ()
        begin = NEVER
        until = latest = -NEVER
    """,
    each="""
        if _timed is ABSENT:
            for name in panes.following():
                state = find(name)
                if state is None:
                    enter()
                else:
                    resume()
                run(item)
            for name in panes.full():
                state = groups[name]
                end()
                groups.pop(name)
        else:
            if _pairs is ABSENT:
                stamp = timestamp(item)
            else:
                stamp = item[0]
            if (type(stamp) is float or type(stamp) is int) and begin <= stamp < until:
                if stamp > latest:
                    latest = stamp
            else:
                stamp = moment(stamp)
                for name in panes.advance(stamp, latest):
                    state = groups[name]
                    end()
                    groups.pop(name)
                names = panes.at(stamp)
                begin, until = panes.steady
            if names:
                for name in names:
                    state = find(name)
                    if state is None:
                        enter()
                    else:
                        resume()
                    if _pairs is ABSENT:
                        run(item)
                    else:
                        run(item[1])
            elif timestamp is ABSENT:
                pass
            elif names is not None:
                if on_late is ABSENT:
                    emit(LATE)
                elif _pairs is ABSENT:
                    on_late(item)
                else:
                    on_late(item[1])
    """,
    finish=_END_ALL,
    uses=(panes_of, moment, {"NEVER": _NEVER, "LATE": LATE}),
    contract=Contract(times="_most", spreads=True, ordered="'within each window'", loses=_LATE),
    groups=True,
)
def several(
    kind: Windows,
    pipe: Pipe,
    *,
    timestamp: Any = ABSENT,
    lateness: float = 0.0,
    on_late: Any = ABSENT,
    _most: int = 1,
    _timed: Any = ABSENT,
    _pairs: Any = ABSENT,
    _label: Callable[[Pane], Any] = bounds,
) -> Operator[Any, Any]:
    """`Hopping`, where an item may belong to several windows; and `Session`, whose bounds move."""
    return Operator(
        several,
        kind=kind,
        pipe=pipe,
        timestamp=timestamp,
        lateness=lateness,
        on_late=on_late,
        _most=_most,
        _timed=_timed,
        _pairs=_pairs,
        _label=_label,
    )


@step(
    name="window",
    setup="trail = Trail(kind, max_held)\ngroups = {}\nstamp = 0.0",
    each="""
        if _timed is ABSENT:
            name = trail.counted(item)
        elif _pairs is ABSENT:
            stamp = moment(timestamp(item))
            name = trail.timed(stamp, item)
        else:
            stamp = item[0]
            name = trail.timed(stamp, item[1])
        if name is not None:
            enter()
            for held in trail.window:
                state = groups[name]
                resume()
                run(held)
            held = None
            trail.window.clear()
            state = groups[name]
            end()
            groups.clear()
        elif timestamp is ABSENT:
            pass
        elif type(stamp) is not Tick:
            if on_late is ABSENT:
                emit(LATE)
            elif _pairs is ABSENT:
                on_late(item)
            else:
                on_late(item[1])
    """,
    uses=(Trail, moment, Tick, {"LATE": LATE}),
    contract=Contract(holds="max_held if kind.count is None else kind.count - 1", spreads=True, loses=_LATE),
    groups=True,
)
def slid(
    kind: Windows,
    pipe: Pipe,
    *,
    timestamp: Any = ABSENT,
    on_late: Any = ABSENT,
    max_held: int | None = None,
    _timed: Any = ABSENT,
    _pairs: Any = ABSENT,
    _label: Callable[[Pane], Any] = bounds,
) -> Operator[Any, Any]:
    """`Sliding`: a window for each item, of it and those before it."""
    return Operator(
        slid,
        kind=kind,
        pipe=pipe,
        timestamp=timestamp,
        on_late=on_late,
        max_held=max_held,
        _timed=_timed,
        _pairs=_pairs,
        _label=_label,
    )


@step(
    name="window",
    setup="sorter = Sorter(lateness, max_held)",
    each="""
        if _pairs is ABSENT:
            stamp = moment(timestamp(item))
            found = sorter.take(stamp, item)
        else:
            stamp = item[0]
            found = sorter.take(stamp, item[1])
        for pair in found:
            emit(pair)
        pair = None
        sorter.ready.clear()
    """,
    finish="""
        for pair in sorter.rest():
            emit(pair)
    """,
    uses=(Sorter, moment),
    contract=Contract(holds="max_held", spreads=True, regroups=True),
)
def in_order(
    kind: Windows,
    *,
    timestamp: Any,
    lateness: float,
    max_held: int,
    _pairs: Any = ABSENT,
) -> Operator[Any, Any]:
    """Pairs of time and item, in the order of their times; ticks tell how far time has gone."""
    return Operator(
        in_order,
        kind=kind,
        timestamp=timestamp,
        lateness=lateness,
        max_held=max_held,
        _pairs=_pairs,
    )


@step(name="items", each="emit(item)", finish="emit(EMPTY)", uses={"EMPTY": EMPTY})
def relayed() -> Operator[Any, Any]:
    """The items of a window, and EMPTY at its end."""
    return Operator(relayed)
