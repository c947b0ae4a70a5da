"""Everything that is measured, by family."""

from benchmarks.workload import Workload
from benchmarks.workloads import (
    buffers,
    chains,
    combining,
    executors,
    fanning,
    flat,
    flights,
    joins,
    live,
    maps,
    native,
    neighbours,
    nesting,
    rows,
    sharing,
    startup,
    steps,
    strategies,
    switching,
    timers,
    windows,
)

FAMILIES: dict[str, tuple[Workload, ...]] = {
    "Chains of synchronous operators": chains.WORKLOADS,
    "Steps, each alone": steps.WORKLOADS,
    "Async callbacks": maps.WORKLOADS,
    "Combining": (*combining.WORKLOADS, *flat.WORKLOADS, *rows.WORKLOADS),
    "Combining ranges and lists": native.WORKLOADS,
    "Combining by order and by time": joins.WORKLOADS,
    "Fanning out": fanning.WORKLOADS,
    "Streams in streams, and anew": (*switching.WORKLOADS, *nesting.WORKLOADS),
    "Shared, and parted": sharing.WORKLOADS,
    "Windows": windows.WORKLOADS,
    "Slots": live.WORKLOADS,
    "Buffers and time": (*buffers.WORKLOADS, *strategies.WORKLOADS, *timers.WORKLOADS),
    "Workers": executors.WORKLOADS,
    "RxPY in and out": neighbours.WORKLOADS,
    "A real job": flights.WORKLOADS,
    "Start-up": startup.WORKLOADS,
}
WORKLOADS = {workload.name: workload for family in FAMILIES.values() for workload in family}
