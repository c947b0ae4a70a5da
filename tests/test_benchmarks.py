"""benchmarks/: what is written is what was stored, every contender has a row, and all give the same."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parent.parent
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def benchmarks() -> Iterator[Any]:
    """The runner, which is no part of the package."""
    sys.path.insert(0, str(ROOT))
    try:
        from benchmarks import __main__, goals, measure, pages, store, watch, workload, workloads

        yield SimpleNamespace(
            main=__main__,
            goals=goals,
            measure=measure,
            pages=pages,
            store=store,
            watch=watch,
            workload=workload,
            workloads=workloads,
        )
    finally:
        sys.path.remove(str(ROOT))


def test_what_is_committed_is_what_was_measured(benchmarks: Any) -> None:
    for path, text in benchmarks.pages.files().items():
        stale = f"{path.relative_to(ROOT)} is stale; run: python -m benchmarks --write"
        assert path.read_text(encoding="utf-8") == text, stale


def test_every_workload_has_figures_of_every_stored_python(benchmarks: Any) -> None:
    for results in benchmarks.store.stored():
        assert {*results.workloads} == {*benchmarks.workloads.WORKLOADS}


def test_no_contender_is_left_out_in_silence(benchmarks: Any) -> None:
    for results in benchmarks.store.stored():
        for name, workload in benchmarks.workloads.WORKLOADS.items():
            for size in workload.sizes:
                for who in workload.names:
                    row = results.row(name, size, who)
                    assert row.get("says") or row["seconds"] > 0, (name, size, who)


def test_the_chart_is_readable_in_light_and_in_dark() -> None:
    text = (ROOT / "benchmarks" / "results.svg").read_text(encoding="utf-8")
    light, dark = text.split("<style>")[1].split("</style>")[0].split("@media(prefers-color-scheme:dark){")
    coloured = re.compile(r"([^{}]+)\{[^{}]*#[0-9a-f]{3}")
    of_light, of_dark = ({kind.strip() for kind in coloured.findall(style)} for style in (light, dark))
    assert of_light == of_dark
    root = ElementTree.fromstring(text)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for mark in root.iter(f"{SVG}text"):
        reach = 6.5 * len(mark.text or "")
        right = float(mark.attrib["x"]) + (0 if "e" in mark.attrib["class"].split() else reach)
        assert right <= width, mark.text
        assert float(mark.attrib["y"]) < height, mark.text


@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.full)])
def test_by_hand_and_streamkit_give_the_same(benchmarks: Any, processes: bool) -> None:
    hand, ours = benchmarks.workload.HAND, benchmarks.workload.OURS
    for name, workload in benchmarks.workloads.WORKLOADS.items():
        if name.startswith("processes") is not processes:
            continue
        size = workload.sizes[0]
        count = workload.fit(size, 50)
        if {hand, ours} <= {*workload.contenders} and count < 1_000 and not workload.missing:
            results = [asyncio.run(workload.contenders[who](size, count)) for who in (hand, ours)]
            assert results[0] == results[1], name


async def slowly(size: int, count: int) -> int:
    await asyncio.sleep(count * 1e-5)
    return count


async def wrongly(size: int, count: int) -> int:
    return count + 1


async def badly(size: int, count: int) -> int:
    raise TypeError("no such thing")


async def quickly(size: int, count: int) -> int:
    await asyncio.sleep(count * 2e-6)
    return count


def test_one_that_fails_or_differs_gets_a_row_that_says_so(benchmarks: Any) -> None:
    contenders: Any = {"by hand": quickly, "streamkit": slowly, "aiostream": wrongly, "streamz": badly}
    workload = benchmarks.workload.Workload("sleep", "sizes", (1,), contenders=contenders, waits=True)
    rows: dict[str, Any] = {}

    def tell(event: str, **said: Any) -> None:
        if event == "found":
            rows[said["name"]] = said["row"]

    asyncio.run(benchmarks.measure.contest(workload, 1, [*contenders], benchmarks.measure.FAST, tell))
    assert rows["aiostream"] == {"says": "gives another result"}
    assert rows["streamz"] == {"says": "fails: TypeError: no such thing"}
    assert rows["streamkit"]["ratio"] == 1
    assert rows["by hand"]["ratio"] < 0.9
    assert rows["by hand"]["items"] == rows["streamkit"]["items"]
    json.dumps(rows)


def test_what_a_peer_loads_is_no_part_of_its_figures(benchmarks: Any) -> None:
    loaded = list[int]()

    async def loads(size: int, count: int) -> int:
        if not loaded:
            await asyncio.sleep(0.5)
        loaded.append(count)
        return size

    measure = benchmarks.measure
    workload = benchmarks.workload.Workload("load", "sizes", (1,), contenders={"aiostream": loads})
    contender = measure.Contender("aiostream", loads)
    effort = measure.Effort(seconds=1e-9, least=9)  # it runs once: its first figure is its only one
    workload.waits = True
    asyncio.run(measure.prepare(workload, 1, contender, [], effort))
    assert loaded == [1, 9]
    assert contender.seconds < 0.1 / 9


def test_those_that_run_apart_run_as_many_items_too(benchmarks: Any) -> None:
    measure, merge = benchmarks.measure, benchmarks.workloads.WORKLOADS["merge"]
    assert measure.least(merge, 10, measure.ROUGH) == measure.least(merge, 10, measure.FULL) == merge.most


@pytest.mark.full
def test_one_that_hangs_is_told_from_the_rest(
    benchmarks: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    script = tmp_path / "hangs"
    said = [
        {"event": "begins", "name": "by hand", "items": 9},
        {"event": "found", "name": "by hand", "row": {"seconds": 1}},
        {"event": "begins", "name": "pypeln", "items": 9},
    ]
    lines = "\n".join(f"print({json.dumps(json.dumps(each))}, flush=True)" for each in said)
    script.write_text(f"#!{sys.executable}\nimport time\n{lines}\ntime.sleep(60)\n")
    script.chmod(0o755)
    monkeypatch.setattr(benchmarks.watch.sys, "executable", str(script))
    monkeypatch.setattr(benchmarks.watch, "LIMIT", 1.0)
    workload, rows = benchmarks.workload.Workload("x", "sizes", (1,)), dict[str, Any]()
    names = ["by hand", "pypeln"]
    ended = asyncio.run(benchmarks.watch.attempt(workload, 1, names, "FULL", rows))
    assert ended == ("slow or stuck: no result in 1 s of 9 items", "pypeln")
    assert rows == {"by hand": {"seconds": 1}}


def test_a_goal_is_hit_or_missed_by_what_was_measured(benchmarks: Any) -> None:
    rows = {
        "by hand": {"seconds": 1.0, "ratio": 0.5},
        "streamkit": {"seconds": 2.0, "ratio": 1.0},
        "without it": {"seconds": 1.6, "ratio": 0.8},
        "aiostream": {"seconds": 24.0, "ratio": 12.0},
        "reactivex": {"says": "gives another result"},
    }
    merges = {"10": rows, "1000": {**rows, "streamkit": {"seconds": 3.2, "ratio": 1.0}}}
    results = benchmarks.store.Results("3.99.0", workloads={"merge": merges})
    against = benchmarks.goals.against
    shown = [
        against(results, "merge", 10, who, goal).shown
        for who, goals in (("by hand", (2.0, 1.9)), ("without it", (1.25, 1.2)), ("aiostream", (12, 12.1)))
        for goal in goals
    ]
    assert shown == ["2.00 hit", "2.00 **miss**", "1.25 hit", "1.25 **miss**", "12× hit", "12× **miss**"]
    assert against(results, "merge", 10, "reactivex", 3).shown == "reactivex gives another result"
    mine = [against(results, "merge", 10, "streamkit", goal).shown for goal in (2.0, 1.9)]
    assert mine == ["2,000,000 µs hit", "2,000,000 µs **miss**"]
    assert [each.shown for each in benchmarks.goals.of_growing(results, "merge")] == ["1.60 **miss**"]
    shapes = {"build a chain": 1e-6, "run a chain over nothing": 8e-6}
    results.workloads = {name: {"3": {"streamkit": {"seconds": of}}} for name, of in shapes.items()}
    assert [each.shown for each in benchmarks.goals.of_seen_shapes(results)] == ["7.00 µs hit"]


def test_a_name_that_nothing_has_is_told(
    benchmarks: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmarks.main.sys, "argv", ["benchmarks", "--only", "no such"])
    with pytest.raises(SystemExit):
        benchmarks.main.main()
    assert "'no such'" in capsys.readouterr().err


def test_one_thread_is_enough_for_rxpy(benchmarks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what is measured is the start of a thread for every source, and items come in any order."""
    pytest.importorskip("reactivex")

    def start(thread: Any) -> None:
        raise AssertionError(f"{thread} is started")

    monkeypatch.setattr("threading.Thread.start", start)
    for name in (
        "chain over a range, to a list",
        "merge",
        "zip",
        "flat_map, streams of 10",
        "flatten lists of 10",
    ):
        workload = benchmarks.workloads.WORKLOADS[name]
        size = workload.sizes[1]
        count = workload.fit(size, 100)
        ours, theirs = (
            asyncio.run(workload.contenders[who](size, count)) for who in ("streamkit", "reactivex")
        )
        assert theirs == ours, name


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("peer", ["aiostream", "reactivex", "streamable", "streamz", "aioreactive"])
@pytest.mark.full
def test_a_peer_is_asked_for_the_same(benchmarks: Any, peer: str) -> None:
    """Else a fault of ours would be shown as one of theirs."""
    pytest.importorskip(peer)
    for name, workload in benchmarks.workloads.WORKLOADS.items():
        size, run = workload.sizes[0], workload.contenders.get(peer)
        if run is not None:
            count = workload.fit(size, 50)
            results = [asyncio.run(each(size, count)) for each in (workload.contenders["streamkit"], run)]
            assert results[0] == results[1], name
