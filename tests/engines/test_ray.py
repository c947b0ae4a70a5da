"""Ray: workers that are its actors, on this machine."""

import asyncio
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

pytest.importorskip("ray")

import ray

from streamkit import PreparationError, Resume, Retry, Stream, WorkerCrashedError, WorkerError, ops
from streamkit.executors import Ray
from streamkit.executors.ray.cluster import check_version, cluster
from tests.engines.stranger import grpc_status, http_status
from tests.engines.work import (
    PATIENCE,
    Killer,
    Model,
    Notebook,
    lasts,
    not_prepared,
    noted,
    poisoned,
    slow_to_prepare,
)


@pytest.fixture(scope="module", autouse=True)
def started() -> Iterator[None]:
    """Ray runs for all of these tests, as it does for the pools of one program; that takes seconds."""
    before = {name: value for name, value in os.environ.items() if name.startswith("RAY_")}
    assert cluster.enter()
    yield
    cluster.leave()
    assert not ray.is_initialized()
    assert {name: value for name, value in os.environ.items() if name.startswith("RAY_")} == before


@pytest.fixture(autouse=True)
def nothing_left(started: None) -> Iterator[None]:
    yield
    until = time.monotonic() + 10.0
    while living() and time.monotonic() < until:
        time.sleep(0.01)
    assert not living()


def living() -> list[int]:
    """The processes of actors of this program: children of its raylet."""
    found = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 2) for line in found.splitlines()[1:]]
    parents = {int(pid): int(parent) for pid, parent, *_ in lines}
    return [
        int(pid)
        for pid, parent, *command in lines
        if "ray::_Actor" in "".join(command) and parents.get(int(parent)) == os.getpid()
    ]


OURS = 'raylet"', 'gcs_server"', '"ray::', f"pid={os.getpid()},"
"""How `ss` names the processes of a Ray that was started here."""
SERVED = {
    "gcs_server": "/ray.rpc.NodeInfoGcsService/GetAllNodeInfo",
    "raylet": "/ray.rpc.NodeManagerService/GetNodeStats",
    "worker": "/ray.rpc.CoreWorkerService/GetCoreWorkerStats",
}
"""By kind of server, a call that it knows."""

ELSEWHERE = "/no.Service/Call"


def ports() -> dict[int, str]:
    """Of each port that Ray listens on, the name of the process."""
    found = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in found.splitlines() if any(name in line for name in OURS)]
    addresses = [line[3] for line in lines]
    assert not [each for each in addresses if not each.startswith(("127.0.0.1", "[::ffff:127.0.0.1]"))]
    names = [line[-1].split('"')[1] for line in lines]
    return {int(each.rsplit(":", 1)[1]): name for each, name in zip(addresses, names, strict=True)}


def test_it_listens_on_loopback_only_and_asks_for_its_token() -> None:
    assert len(ports()) >= 4
    assert os.environ["RAY_AUTH_MODE"] == "token"
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 64


def test_whoever_has_not_its_token_is_refused_at_each_port(within: Any) -> None:
    """Each call is made without a token, with others, and with the right one, by which it is served."""
    right = os.environ["RAY_AUTH_TOKEN"]
    strangers = None, "0" * 64, right[:-1] + ("0" if right[-1] != "0" else "1")

    def answers() -> dict[str, list[str]]:
        told: dict[str, list[str]] = {}
        for port, name in ports().items():
            if grpc_status(port, ELSEWHERE, None) is None:
                path = "/get_or_create_runtime_env"
                refused = {http_status(port, path, token) for token in strangers}
                assert refused <= {401, 403}, (name, refused)
                assert http_status(port, path, right) not in {401, 403}, name
                told.setdefault("http", []).append(name)
                continue
            for kind, path in SERVED.items():
                statuses = [grpc_status(port, path, token) for token in (*strangers, right)]
                assert statuses in ([16, 16, 16, 0], [12] * 4), (name, path, statuses)
                if statuses[-1] == 0:
                    told.setdefault(kind, []).append(name)
        return told

    async def main() -> None:
        async with Ray(2) as pool:
            assert await (Stream([1]) | ops.map(str, on=pool) | ops.to_list()) == ["1"]
            told = await asyncio.to_thread(answers)
            assert told["gcs_server"] == ["gcs_server"]
            assert told["raylet"] == ["raylet"]
            assert told["worker"].count("ray::_Actor") == 2
            assert any("python" in name for name in told["worker"]), "this program, which has a port too"

    within(main())


def test_the_results_are_those_of_the_same_pipe_here(within: Any) -> None:
    async def main() -> None:
        async with Ray(2) as pool:
            assert pool.limit.value == 4
            roots = ops.map(math.sqrt, on=pool, chunk=64) | ops.to_list()
            assert await (Stream(range(1000)) | roots) == [*map(math.sqrt, range(1000))]
            piece = ops.on(pool, ops.filter(lambda number: number % 2), ops.map(str), chunk=4)
            assert await (Stream(range(10)) | piece | ops.to_list()) == ["1", "3", "5", "7", "9"]
            with pytest.raises(ZeroDivisionError) as raised:
                await (Stream([4, 0]) | ops.map(lambda number: 1 / number, on=pool) | ops.to_list())
            assert "in a worker" in str(raised.value.__cause__)
            told = await pool.broadcast(os.getpid)
            assert {*told} <= {*living()}
            assert told == [each.pid for each in pool.workers()]

    within(main())


def test_workers_are_prepared_once_with_their_arguments_and_closed(notebook: Notebook) -> None:
    pool = Ray(2, prepare=Model, each=[{"notebook": notebook}, {"notebook": notebook, "deadly": (99,)}])
    assert list(Stream(range(20)) | ops.map(on=pool, chunk=3)) == [*range(0, 40, 2)]
    lines = notebook.lines()
    prepared = {line.split()[1] for line in lines[:2]}
    assert [line.split()[0] for line in lines[:2]] == ["prepared"] * 2
    assert {*lines[-2:]} == {f"closed {pid}" for pid in prepared}


def test_a_preparation_that_fails_or_lasts_is_an_error_at_once(notebook: Notebook) -> None:
    with pytest.raises(ValueError, match="no model") as raised:
        list(Stream([1]) | ops.map(on=Ray(1, prepare=not_prepared)))
    assert "when worker 0 was prepared: not_prepared()" in raised.value.__notes__
    slow = Ray(1, prepare=partial(slow_to_prepare, notebook), prepare_timeout=0.5)
    with pytest.raises(PreparationError, match=r"within 0\.5 s"):
        list(Stream([1]) | ops.map(on=slow))


def test_workers_that_are_killed_lose_nothing(notebook: Notebook, within: Any) -> None:
    deadly = 7, 20, 33
    lost: list[object] = []

    def heard(event: object) -> None:
        if type(event).__name__ == "WorkerLost":
            lost.append(event)

    async def main() -> None:
        prepare = partial(Model, notebook, deadly)
        async with Ray(2, prepare=prepare, spare=1, on_event=heard) as pool:
            found = await (Stream(range(60)) | ops.map(on=pool) | ops.to_list())
            assert found == [*range(0, 120, 2)]

    within(main())
    items = [line for line in notebook.lines() if line.startswith("item")]
    assert len(lost) >= len(deadly)
    assert len(items) <= 60 + len(lost), "one call again for each that was lost"


def test_a_worker_killed_every_two_seconds_costs_one_call_each(notebook: Notebook, within: Any) -> None:
    async def main() -> None:
        async with Ray(2, on_crash=Retry(5)) as pool:
            with Killer(notebook, lambda: all(each.ready for each in pool.workers())) as killer:
                found = await (Stream(range(40)) | ops.map(partial(noted, notebook), on=pool) | ops.to_list())
            assert found == [*range(40)]
            assert killer.kills >= 2
            assert len(notebook.lines()) <= 40 + killer.kills

    within(main())


def test_an_item_that_kills_workers_is_found_alone() -> None:
    lost: list[tuple[int, Exception]] = []
    policy = Resume(lambda item, error: lost.append((item, error)))
    found = list(Stream(range(8)) | ops.map(poisoned, on=Ray(2), chunk=4, on_error=policy))
    assert found == [0, 1, 2, 3, 4, 6, 7]
    assert [(item, type(error)) for item, error in lost] == [(5, WorkerCrashedError)]
    assert "was lost at 5" in str(lost[0][1])


def test_a_worker_that_is_lost_with_nothing_to_do_is_replaced(within: Any, until: Any) -> None:
    async def main() -> None:
        async with Ray(1) as pool:
            pid = pool.workers()[0].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda: pool.workers()[0].ready and pool.workers()[0].pid != pid)
            assert await (Stream([1]) | ops.map(str, on=pool) | ops.to_list()) == ["1"]

    within(main())


def test_a_cancelled_run_stops_its_work(notebook: Notebook, within: Any, until: Any) -> None:
    async def main() -> None:
        async with Ray(2) as pool:
            running = asyncio.ensure_future(Stream([notebook] * 20) | ops.for_each(lasts, on=pool))
            await until(lambda: len(notebook.lines()) >= 2)
            working = {each.pid for each in pool.workers()}
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            await until(lambda: not working & {*living()})  # Ray takes a moment to kill them
            notebook.add("go")
            await asyncio.sleep(0.3)
            assert notebook.lines() == ["began", "began", "go"]

    within(main())


def test_a_ray_that_goes_away_is_an_error_and_no_hang() -> None:
    """Of a program: without its raylet no actor comes back; without its GCS, Ray itself ends the program."""
    sooner = {
        "RAY_health_check_initial_delay_ms": "5000",
        "RAY_health_check_period_ms": "1000",
        "RAY_health_check_timeout_ms": "10000",
        "RAY_health_check_failure_threshold": "3",
        "RAY_gcs_rpc_server_reconnect_timeout_s": "10",
    }
    apart = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | sooner
    command = [sys.executable, "-m", "tests.engines.away"]
    programs = {
        name: subprocess.Popen([*command, name], env=apart, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for name in ("raylet", "gcs_server")
    }
    said = {name: program.communicate(timeout=PATIENCE)[0].decode() for name, program in programs.items()}
    assert ["killed" in words for words in said.values()] == [True, True], said
    assert "WorkerError: Ray has no node any more that is alive" in said["raylet"]
    assert "GCS may have been killed" in said["gcs_server"]
    assert all(program.returncode for program in programs.values())


def test_a_version_that_it_does_not_know_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "__version__", "2.99.0")
    with pytest.raises(WorkerError, match=r"Ray 2\.99\.0 is not started here.* call ray\.init\(\) before"):
        check_version()


def test_bad_arguments(within: Any) -> None:
    wrong: list[tuple[Callable[[], object], type[Exception], str]] = [
        (lambda: Ray(0), ValueError, "count must be a whole number of at least 1"),
        (lambda: Ray(1, spare=-1), ValueError, "spare must be a whole number of at least 0"),
        (lambda: Ray(1, options=3), TypeError, "options must be a mapping"),
        (lambda: list(Stream([1]) | ops.map(str, on=Ray(1, options={"cpus": 1}))), ValueError, "cpus"),
    ]
    for make, kind, words in wrong:
        with pytest.raises(kind, match=words):
            make()
