"""Writes benchmarks/RESULTS.md, the chart and the lines in the README, from all that is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from benchmarks import memory
from benchmarks.chart import chart
from benchmarks.goals import digits, judged, more
from benchmarks.imports import FIRST
from benchmarks.store import LIBRARIES, Results, Row, stored
from benchmarks.workload import HAND, OURS, PEERS, WITHOUT, Workload
from benchmarks.workloads import FAMILIES, WORKLOADS
from benchmarks.workloads.row import ALONE

HERE = Path(__file__).parent
README = HERE.parent / "README.md"
BEGIN, END = "<!-- speed: written by make bench -->\n", "<!-- speed ends -->\n"
LINES = (
    ("chain over a range, to a list", 10),
    ("chain over an async generator, to a list", 10),
    ("concurrent map, one tick each, unordered", 64),
    ("merge", 1_000),
    ("flights example", 1),
)
"""What matters most, for the README."""
ABOUT = """# Results

Written by `make bench`, which replaces the figures of the Python it runs on.

All contenders of a row run in turns in one process, and a ratio is the median of the ratios of the rounds,
so that the drift of a noisy machine cancels; where nothing sleeps and no thread is needed, what is counted
is the time of the processor, in all threads. All give the same result, which is checked first. What is
compared is the time per item: slow peers run fewer items, and below each table stands how many; a peer
whose one run takes longer than all rounds should runs once. The garbage collector is off in a round, except
for what comes from RxPY. Where a difference of some nanoseconds is looked for (slots), what counts is the
fastest of some hundred rounds of some milliseconds, without what a run costs before its first item and
behind its last, and of all figures the median of five processes: the code lies elsewhere in each. *× by
hand* is the cost of streamkit over that of the code one would write by hand (for a chain a loop, not a
comprehension, which is a little faster); *12×* in the column of a peer says that it takes twelve times as
long as streamkit. What each one runs is in [`workloads/`](workloads).
"""
BREATHES = """\
The loop by hand never lets others run. Each of ours looks at the clock after 1,024 items, and lets the event
loop run every 5 ms: that is the nanosecond or two between them, much where a step does next to nothing.
What both execute for an item is counted in `tests/compile/test_opcodes_steps.py`.
"""


def time(seconds: float) -> str:
    """Three digits, in the unit that suits."""
    for unit, factor in (("ns", 1e9), ("µs", 1e6), ("ms", 1e3)):
        if seconds * factor < 1_000:
            return f"{digits(seconds * factor)} {unit}"
    return f"{digits(seconds)} s"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(header) + " |", "| --- " + "| ---: " * (len(header) - 1) + "|"]
    return [*lines, *("| " + " | ".join(row).replace("  ", " ") + " |" for row in rows), ""]


def by_hand(results: Results, workload: str, size: int) -> str:
    """How many times the cost by hand."""
    ratio = results.row(workload, size, HAND).get("ratio")
    return f"{1 / ratio:.2f}" if ratio else ""


def over(results: Results, workload: str, size: int) -> str:
    """How much more an item costs than without what the workload is about."""
    known = "ratio" in results.row(workload, size, WITHOUT)
    return f"{1e9 * more(results, workload, size, WITHOUT):.1f} ns" if known else "–"


def cell(row: Row, name: str) -> str:
    if "seconds" not in row:
        return "–"
    if name in (HAND, OURS) or "ratio" not in row:
        return time(row["seconds"])
    return f"{digits(row['ratio'])}× ({time(row['seconds'])})"


def section(workload: Workload, all_results: Sequence[Results]) -> Iterator[str]:
    """The table of one workload, and what is to be said of those without figures."""
    known = [results for results in all_results if workload.name in results.workloads]
    shown = [name for name in workload.names if name in workload.contenders]
    header = [workload.size, "Python", OURS, "× by hand", *(name for name in shown if name != OURS)]
    rows = [
        [
            f"{size:,}",
            results.short,
            cell(results.row(workload.name, size, OURS), OURS),
            by_hand(results, workload.name, size),
            *(cell(results.row(workload.name, size, name), name) for name in shown if name != OURS),
        ]
        for size in workload.sizes
        for results in known
    ]
    if workload.close:
        header.append(f"more than {WITHOUT}")
        for row, (size, results) in zip(rows, product(workload.sizes, known), strict=True):
            row.append(over(results, workload.name, size))
    yield f"### {workload.name}\n"
    yield from table(header, rows)
    yield from notes(workload, known)


def alone(workloads: Sequence[Workload], all_results: Sequence[Results]) -> Iterator[str]:
    """One table of steps, each of which is measured beside the loop by hand and nothing else."""
    versions = [results.short for results in all_results]
    rows: list[list[str]] = []
    for workload in workloads:
        row = [workload.name.removeprefix(ALONE)]
        for results in all_results:
            ours, ratio = results.row(workload.name, 1, OURS), by_hand(results, workload.name, 1)
            row += [cell(ours, OURS), ratio]
        rows.append(row)
    yield from table(["step", *(head for short in versions for head in (short, "× by hand"))], rows)
    yield BREATHES


def notes(workload: Workload, known: Sequence[Results]) -> Iterator[str]:
    """Who could not do it and why, and how many items the others ran."""
    items: dict[str, set[int]] = {}
    said: dict[str, list[str]] = {}
    for name in workload.names:
        for size in workload.sizes:
            rows = [(results.short, results.row(workload.name, size, name)) for results in known]
            items.setdefault(name, set()).update(row["items"] for _, row in rows if "items" in row)
            for short, row in rows:
                if "says" in row:
                    where = f" at {size:,} on {short}" if name in workload.contenders else ""
                    said.setdefault(row["says"], []).append(name + where)
    ran = [f"{name} {span(counts)}" for name, counts in items.items() if counts]
    told = [f"{', '.join(dict.fromkeys(names))}: {words}." for words, names in said.items()]
    if ran:
        yield f"Each {workload.item} counts; in a run: {', '.join(ran)}."
    yield from told
    yield ""


def span(counts: set[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def goals(all_results: Sequence[Results]) -> list[str]:
    """What must hold, and whether it does."""
    rows: dict[tuple[str, ...], dict[str, str]] = {}
    for results in all_results:
        for judgement in judged(results):
            rows.setdefault(judgement.what, {})[results.short] = judgement.shown
    versions = [results.short for results in all_results]
    lines = [
        [*what, *(found.get(short, "not measured") for short in versions)] for what, found in rows.items()
    ]
    return table(["workload", "size", "against", "goal", *versions], lines)


def start_up(all_results: Sequence[Results]) -> list[str]:
    shown = [
        [name, *(moment(results.imports.get(name)) for results in all_results)]
        for name in (OURS, FIRST, *PEERS)
    ]
    return table(["import, over asyncio", *(results.short for results in all_results)], shown)


def moment(found: Any) -> str:
    return time(found) if isinstance(found, float) else str(found or "not measured")


def held(all_results: Sequence[Results]) -> Iterator[str]:
    """Memory: while ten million items pass, and of every workload."""
    yield "The most that a whole process held, in MiB, while so many items passed:\n"
    header = ["streamkit", "Python", *(f"{count:,}" for count in memory.COUNTS)]
    names = [name for name, workload in WORKLOADS.items() if workload.flat is not None]
    grown = [(name, results) for name in names for results in all_results if name in results.growth]
    yield from table(header, [[name, each.short, *map(str, each.growth[name])] for name, each in grown])
    yield "And what one run of each workload added to it, its result included:\n"
    rows = [
        [
            name,
            f"{peak['size']:,}",
            f"{peak['items']:,}",
            each.short,
            *(str(peak.get(who, "–")) for who in (HAND, OURS)),
        ]
        for name in WORKLOADS
        for each in all_results
        if (peak := each.peaks.get(name))
    ]
    yield from table(["workload", "size", "items", "Python", HAND, OURS], rows)


def page(all_results: Sequence[Results]) -> str:
    """RESULTS.md."""
    lines = [ABOUT, "![Cost per item, by hand, in streamkit and in its peers](results.svg)\n"]
    versions = [[each.python, *(each.libraries.get(name, "") for name in LIBRARIES)] for each in all_results]
    lines += table(["Python", *LIBRARIES], versions)
    lines += ["## Goals\n", *goals(all_results)]
    for family, workloads in FAMILIES.items():
        lines.append(f"## {family}\n")
        if workloads[0].name.startswith(ALONE):
            lines += alone(workloads, all_results)
            continue
        for workload in workloads:
            lines += section(workload, all_results)
    lines += start_up(all_results)
    lines += ["## Memory\n", *held(all_results)]
    return "\n".join(lines).rstrip() + "\n"


def speed(results: Results) -> str:
    """What the README shows: five lines."""
    names = ("aiostream", "reactivex", "streamable")
    rows: list[list[str]] = []
    for name, size in LINES:
        peers = [cell(results.row(name, size, peer), peer).split(" (")[0] for peer in names]
        shown = name if size == 1 else f"{name}; {size:,} {WORKLOADS[name].size}"
        rows.append([shown, cell(results.row(name, size, OURS), OURS), by_hand(results, name, size), *peers])
    return "\n".join(table([f"Python {results.short}", "an item", "× by hand", *names], rows))


def readme(results: Results, old: str) -> str:
    """The README with its lines put in."""
    before, _, rest = old.partition(BEGIN)
    return before + BEGIN + "\n" + speed(results) + "\n" + END + rest.partition(END)[2]


def brief(workload: Workload, sizes: Sequence[int], results: Results) -> str:
    """One workload, for the screen."""
    lines = [workload.name]
    for size in sizes:
        ratio = by_hand(results, workload.name, size)
        shown = [f"× by hand {ratio}"] if ratio else []
        for name in workload.contenders:
            row = results.row(workload.name, size, name)
            shown.append(f"{name} {row.get('says') or cell(row, name)}")
        if workload.close:
            shown.append(f"{over(results, workload.name, size)} more than {WITHOUT}")
        lines.append(f"  {size:,} {workload.size}: " + ", ".join(shown))
    return "\n".join(lines)


def files() -> dict[Path, str]:
    """Everything that is written, by where it goes."""
    found = stored()
    return {
        HERE / "RESULTS.md": page(found),
        HERE / "results.svg": chart(found[-1]),
        README: readme(found[-1], README.read_text(encoding="utf-8")),
    }


def write() -> None:
    for path, text in files().items():
        path.write_text(text, encoding="utf-8", newline="\n")
