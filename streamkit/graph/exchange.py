"""Exchanging nodes of a graph that runs: lanes that come and go, all between the same two items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping

from streamkit.graph.build import Assembly
from streamkit.graph.difference import Difference, Lineup
from streamkit.graph.inputs import Input
from streamkit.graph.lanes import Lane, Mark, Port
from streamkit.graph.nodes import Node
from streamkit.graph.trials import Heir
from streamkit.graph.unit import Unit

__all__ = ["Exchange"]


class Exchange:
    """Takes out of `units` what is not in the new graph, puts in what is `fresh`, and joins all anew."""

    def __init__(
        self,
        units: MutableMapping[str, Unit],
        assembly: Assembly,
        found: Difference,
        fresh: Mapping[str, Unit],
        room: int,
        told: Callable[[Port | Mark], object],
        lined: Mapping[Heir, Lineup],
    ) -> None:
        self.fresh = fresh
        self.marks: dict[str, Mark] = {}
        """By the name of a node, what leaves it with the change."""
        self._told = told
        """Called with each port at which it is done."""
        self.old: dict[str, Unit] = {name: units.pop(name) for name in (*found.removed, *found.replaced)}
        self._units = units
        self._ports: dict[Port, dict[Lane, bool]] = {}
        """Where a lane comes, if it is true, or goes."""
        self._added: list[tuple[Input, Lane]] = []
        """Lanes that are read by nodes which stay."""
        self._nodes: list[tuple[Unit, Node]] = [(unit, unit.node) for unit in units.values()]
        for unit in self.old.values():
            unit.leaves()
        for unit in self.old.values():
            for read in unit.inputs:
                self._leave(read, self._ports)
        units.update(fresh)
        self._join(assembly, room, lined)
        for port, lanes in self._ports.items():
            port.change(lanes.items(), told)
        for name, mark in self.marks.items():
            mark.arrive(units[name].port)
        for unit in units.values():
            if unit.done:
                self.ended(unit)
        for unit in self.old.values():
            if not unit.inputs:
                unit.port.leave()
        for name, unit in fresh.items():
            old = self.old.get(name)
            unit.before = old if old is not None and not old.done else None
            unit.begin()

    def ended(self, unit: Unit) -> None:
        """A node runs no more: no mark comes out of it."""
        for mark in self.marks.values():
            if unit.port in mark.changes:
                mark.arrive(unit.port)

    def _leave(self, read: Input, ports: dict[Port, dict[Lane, bool]]) -> None:
        """Nothing more comes by the last lane."""
        if read.lanes and (port := read.lanes[-1].port).stays:
            ports.setdefault(port, {})[read.lanes[-1]] = False

    def _lined(self, up: Lineup) -> dict[Port, dict[Lane, bool]]:
        """Where lanes come and go when the mark of `up` comes by."""
        mark = self.marks.setdefault(up.root, Mark(self._told))
        for name in up.below:
            mark.through |= {*self._units[name].inputs}
        mark.changes.setdefault(self._units[up.root].port, {})
        return mark.changes

    def _join(self, assembly: Assembly, least: int, lined: Mapping[Heir, Lineup]) -> None:
        nodes, units, fresh = assembly.wiring.nodes, self._units, self.fresh
        rooms = {name: max(least, assembly.room(node)) for name, node in nodes.items()}
        for name, unit in units.items():
            for place, edge in enumerate(nodes[name].edges):
                read, source, room = unit.inputs[place], units[edge.source], rooms[edge.source]
                stays = name not in fresh and edge.source not in fresh
                if stays and unit.node.edges[place].source == edge.source:
                    for lane in read.lanes:
                        lane.widen(room)
                elif not read.over:
                    up = lined.get((name, place))
                    ports = self._ports if up is None else self._lined(up)
                    self._leave(read, ports)
                    lane = Lane(source.port, room, f"{edge.source} -> {name}", place)
                    read.add(lane)
                    ports.setdefault(source.port, {})[lane] = True
                    if name not in fresh:
                        self._added.append((read, lane))
            unit.node = nodes[name]

    # taking it back ----------------------------------------------------------------------------

    @property
    def waits(self) -> bool:
        """Whether nothing of it has begun: an item is on its way out of each node that has other readers."""
        units = (*self.fresh.values(), *self.old.values())
        if self.marks or any(not unit.inputs for unit in units) or any(unit.done for unit in units):
            return False
        new = {unit.port for unit in self.fresh.values()}
        return all(port.waits(lanes) for port, lanes in self._ports.items() if port not in new)

    @property
    def left(self) -> set[Unit | Port | Mark]:
        """What has not ended yet, or has not gone over to its new readers."""
        ports = {port for port, lanes in self._ports.items() if port.waits(lanes)}
        marks = {mark for mark in self.marks.values() if not mark.over}
        return ports | marks | {unit for unit in self.old.values() if not unit.done}

    def withdraw(self) -> None:
        """Have all as it was before, where nothing has begun."""
        new = {unit.port for unit in self.fresh.values()}
        for port, lanes in self._ports.items():
            if port not in new:
                port.withdraw(lanes, self._told)
        for read, lane in self._added:
            read.lanes.remove(lane)
        for unit, node in self._nodes:
            unit.node = node
        for name, unit in self.fresh.items():
            del self._units[name]
            unit.stop()
        for name, unit in self.old.items():
            unit.returns()
            self._units[name] = unit
