"""Dask: workers of a cluster, which is on this machine here."""

import asyncio
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dask.distributed")

import dask
from dask import distributed

from streamkit import PreparationError, Resume, Stream, WorkerCrashedError, WorkerError, ops
from streamkit.executors import Dask
from tests.engines.work import (
    Killer,
    Model,
    Notebook,
    lasts,
    naps,
    not_prepared,
    noted,
    poisoned,
    slow_to_prepare,
)

LOCAL: Any = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "threads_per_worker": 1}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    # else a worker that happens to be down 15 s after another time is given up, and not started again
    patient = dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"})
    with patient, distributed.LocalCluster(n_workers=2, **LOCAL) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def client(cluster: Any) -> Iterator[Any]:
    with distributed.Client(cluster) as client:
        yield client


@pytest.fixture(autouse=True)
def nothing_left(cluster: Any, client: Any) -> Iterator[None]:
    """Each test leaves the cluster as it was: no tasks, and nothing prepared."""
    yield
    until = time.monotonic() + 10.0
    while cluster.scheduler.tasks and time.monotonic() < until:
        time.sleep(0.01)
    assert not cluster.scheduler.tasks
    client.wait_for_workers(2, timeout=30)
    found = client.run(lambda dask_worker: [name for name in dask_worker.plugins if "streamkit" in name])
    assert [*found.values()] == [[], []]


def test_the_results_are_those_of_the_same_pipe_here(client: Any) -> None:
    pool = Dask(client)
    assert pool.limit.value == 4, "two chunks for each thread"
    numbers = range(1000)
    assert list(Stream(numbers) | ops.map(math.sqrt, on=pool, chunk=64)) == [*map(math.sqrt, numbers)]
    piece = ops.on(pool, ops.filter(lambda number: number % 2), ops.map(str), chunk=4)
    assert list(Stream(range(10)) | piece) == ["1", "3", "5", "7", "9"]
    with pytest.raises(ZeroDivisionError) as raised:
        list(Stream([4, 0]) | ops.map(lambda number: 1 / number, on=pool))
    assert "in a worker" in str(raised.value.__cause__)


def test_workers_are_prepared_once_and_closed(client: Any, notebook: Notebook) -> None:
    pool = Dask(client, prepare=partial(Model, notebook))
    assert list(Stream(range(20)) | ops.map(on=pool, chunk=3)) == [*range(0, 40, 2)]
    lines = notebook.lines()
    prepared = {line.split()[1] for line in lines[:2]}
    assert [line.split()[0] for line in lines[:2]] == ["prepared"] * 2
    assert {*lines[-2:]} == {f"closed {pid}" for pid in prepared}


def test_a_preparation_that_fails_or_lasts_is_an_error_at_once(client: Any, notebook: Notebook) -> None:
    with pytest.raises(ValueError, match="no model") as raised:
        list(Stream([1]) | ops.map(on=Dask(client, prepare=not_prepared)))
    assert "when worker 0 was prepared: not_prepared()" in raised.value.__notes__
    slow = Dask(client, prepare=partial(slow_to_prepare, notebook), prepare_timeout=0.1)
    with pytest.raises(PreparationError, match=r"within 0\.1 s"):
        list(Stream([1]) | ops.map(on=slow))
    assert "prepared" not in notebook.lines()
    notebook.add("go")


def test_workers_that_are_killed_lose_nothing(client: Any, notebook: Notebook) -> None:
    deadly = 7, 20, 33
    pool = Dask(client, prepare=partial(Model, notebook, deadly))
    assert list(Stream(range(40)) | ops.map(on=pool)) == [*range(0, 80, 2)]
    lines = notebook.lines()
    assert sum(line.startswith("item") for line in lines) <= 40 + len(deadly), "one call again for each"
    assert sum(line.startswith("prepared") for line in lines) > 2, "those that come again are prepared again"


def test_a_worker_killed_every_two_seconds_costs_one_call_each(
    cluster: Any, client: Any, notebook: Notebook
) -> None:
    with Killer(notebook, lambda: len(cluster.scheduler.workers) == 2) as killer:
        found = list(Stream(range(40)) | ops.map(partial(noted, notebook), on=Dask(client)))
    assert found == [*range(40)]
    assert killer.kills >= 2
    assert len(notebook.lines()) <= 40 + killer.kills


def test_an_item_that_kills_workers_is_found_alone(cluster: Any, client: Any) -> None:
    allowed, cluster.scheduler.allowed_failures = cluster.scheduler.allowed_failures, 0
    lost: list[tuple[int, Exception]] = []
    policy = Resume(lambda item, error: lost.append((item, error)))
    try:
        found = list(Stream(range(8)) | ops.map(poisoned, on=Dask(client), chunk=2, on_error=policy))
    finally:
        cluster.scheduler.allowed_failures = allowed
    assert found == [0, 1, 2, 3, 4, 6, 7]
    assert [(item, type(error)) for item, error in lost] == [(5, WorkerCrashedError)]


def test_a_cancelled_run_leaves_nothing_there(
    cluster: Any, client: Any, notebook: Notebook, within: Any, until: Any
) -> None:
    async def main() -> None:
        pipe = Stream([notebook] * 20) | ops.for_each(lasts, on=Dask(client))
        running = asyncio.ensure_future(pipe)
        await until(lambda: len(notebook.lines()) >= 2)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: not cluster.scheduler.tasks)
        # and the workers have heard of it
        await until(lambda: not any(client.run(lambda dask_worker: len(dask_worker.state.ready)).values()))

    within(main())
    notebook.add("go")
    within(until(lambda: notebook.lines().count("ended") == 2))
    time.sleep(0.3)
    assert notebook.lines().count("began") == 2, "what had not begun never does"


def test_a_client_of_the_same_event_loop(cluster: Any, notebook: Notebook, within: Any) -> None:
    async def main() -> int:
        async with distributed.Client(cluster.scheduler_address, asynchronous=True) as client:
            with pytest.raises(ValueError, match="count must be given with an asynchronous client"):
                Dask(client)
            pool = Dask(client, 2, prepare=partial(Model, notebook))
            total: int = await (Stream(range(100)) | ops.map(on=pool, chunk=10) | ops.sum())
            return total

    assert within(main()) == 9900


def test_a_cluster_that_goes_away_is_an_error(notebook: Notebook, within: Any, until: Any) -> None:
    async def main() -> None:
        async with (
            distributed.LocalCluster(n_workers=1, asynchronous=True, **LOCAL) as cluster,
            distributed.Client(cluster, asynchronous=True) as client,
        ):
            pipe = Stream([notebook] * 20) | ops.for_each(lasts, on=Dask(client, 2))
            running = asyncio.ensure_future(pipe)
            await until(notebook.lines)
            await cluster.close()
            with pytest.raises(WorkerError, match="the cluster is gone, or has cancelled the call"):
                await running
            with pytest.raises(Exception, match=r"(?i)clos|running"):
                await (Stream([1]) | ops.for_each(str, on=Dask(client, 2)))

    within(main())


def test_a_cluster_without_workers_is_an_error_after_a_while(within: Any) -> None:
    async def main() -> None:
        async with (
            distributed.LocalCluster(n_workers=0, asynchronous=True, **LOCAL) as cluster,
            distributed.Client(cluster, asynchronous=True) as client,
        ):
            with pytest.raises(WorkerError, match=r"the cluster has had no worker for 0\.2 s"):
                await (Stream([1]) | ops.for_each(str, on=Dask(client, 2, prepare_timeout=0.2)))
            assert not cluster.scheduler.tasks

    within(main())


def test_a_scheduler_that_is_killed_is_an_error(tmp_path: Path, within: Any) -> None:
    address = tmp_path / "address"
    here = "--host", "127.0.0.1", "--scheduler-file", str(address)
    programs = [
        ("distributed.cli.dask_scheduler", "--port", "0", "--dashboard-address", "127.0.0.1:0"),
        ("distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", "--death-timeout", "60"),
    ]
    with ExitStack() as ends:
        processes: list[Any] = []
        for module, *arguments in programs:
            command = [sys.executable, "-m", module, *here, *arguments]
            process = ends.enter_context(subprocess.Popen(command, stderr=subprocess.DEVNULL))
            ends.callback(process.kill)
            processes.append(process)

        async def main(client: Any) -> None:
            working = asyncio.ensure_future(Stream(range(10_000)) | ops.for_each(naps, on=Dask(client, 2)))
            await asyncio.sleep(0.5)
            processes[0].kill()
            with pytest.raises(WorkerError, match="the cluster is gone, or has cancelled the call"):
                await working

        with distributed.Client(scheduler_file=str(address), timeout=100) as client:
            client.wait_for_workers(1, timeout=100)
            within(main(client))


def test_so_is_one_that_is_killed_while_it_answers(
    client: Any, within: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cut_off(_: Any) -> bytes:
        raise distributed.comm.core.CommClosedError("in an answer")

    async def main() -> None:
        with pytest.raises(WorkerError, match=r"the cluster is gone, .*: in an answer"):
            await (Stream([1]) | ops.for_each(str, on=Dask(client, 1)))

    monkeypatch.setattr("streamkit.executors.dask._result", cut_off)
    within(main())


def test_bad_arguments(client: Any, within: Any) -> None:
    wrong: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: Dask("tcp://127.0.0.1:1"), TypeError, "client must be a client of dask.distributed"),
        (lambda: Dask(client, 0), ValueError, "count must be a whole number of at least 1"),
        (lambda: Dask(client, prepare=3), TypeError, "prepare must be"),
        (lambda: within(Dask(client).broadcast(str)), TypeError, r"write client\.run\(function\)"),
    ]
    for make, kind, words in wrong:
        with pytest.raises(kind, match=words):
            make()
