"""Ray itself: what runs already, or one that is started on loopback, with a token, and stopped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex
from threading import Lock, Thread
from typing import Any, Final

from streamkit._core.errors import WorkerError
from streamkit.executors.hand import loop_hears

try:
    import ray  # type: ignore[import-not-found]
except ImportError as _missing:
    raise ImportError("streamkit.executors.Ray needs ray: pip install streamkit[ray]") from _missing

__all__ = ["Cluster", "apart", "check_version", "cluster", "engine"]

_LOOPBACK: Final = "127.0.0.1"
_TOKEN: Final = "RAY_AUTH_TOKEN"
_SETTINGS: Final = {
    "RAY_AUTH_MODE": "token",
    _TOKEN: "",
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""What stands in the environment while Ray runs that was started here."""

_KNOWN: Final = (2, 55), (2, 60)
"""The oldest and the newest Ray that is started here: nothing public starts it on loopback, with a token."""

engine: Any = ray
"""The package, of which type checkers know nothing."""


def check_version() -> None:
    """Refuse to start a Ray of which it is not known that nobody else reaches it then."""
    found = tuple([int(part) for part in engine.__version__.split(".")[:2]])
    if not _KNOWN[0] <= found <= _KNOWN[1]:
        oldest, newest = (".".join(map(str, each)) for each in _KNOWN)
        raise WorkerError(
            f"Ray {engine.__version__} is not started here, as only of {oldest} to {newest} it is known how "
            "to keep others out: call ray.init() before, or install one of those"
        )


class Cluster:
    """Ray in this program: what runs already, or what the first pool starts and the last one stops."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._keeper: ThreadPoolExecutor | None = None
        self._before: dict[str, str | None] | None = None
        """What stood in the environment before, if Ray was started here."""

    def enter(self) -> bool:
        """Have Ray run, for one more who uses it; whether it was started here. It may take seconds."""
        with self._lock:
            if not engine.is_initialized():
                # its processes end with the thread that has started them, which therefore waits
                self._keeper = ThreadPoolExecutor(1, "streamkit ray")
                self._keeper.submit(self._start).result()
            self._users += 1
            return self._before is not None

    def leave(self) -> None:
        """One who used it needs it no more."""
        with self._lock:
            self._users -= 1
            if not self._users and self._keeper is not None:
                self._keeper.submit(self._stop).result()
                self._keeper.shutdown()
                self._keeper = None

    def _stop(self) -> None:
        engine.shutdown()
        self._restore()

    def _start(self) -> None:
        check_version()
        self._before = self._before or {name: os.environ.get(name) for name in _SETTINGS}
        os.environ.update(_SETTINGS)
        os.environ[_TOKEN] = self._before[_TOKEN] or token_hex(32)
        _heed_environment()
        # Ray takes the address of the machine in the place of loopback, unless it is told to make no cluster
        constants = engine._private.ray_constants
        usual, constants.ENABLE_RAY_CLUSTER = constants.ENABLE_RAY_CLUSTER, False
        try:
            engine.init(
                address="local",
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
                _node_ip_address=_LOOPBACK,
            )
            if (found := engine.util.get_node_ip_address()) != _LOOPBACK:
                engine.shutdown()
                raise WorkerError(f"Ray has started on {found}, not on loopback: call ray.init() before")
        except BaseException:
            self._restore()
            raise
        finally:
            constants.ENABLE_RAY_CLUSTER = usual

    def _restore(self) -> None:
        before, self._before = self._before or {}, None
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        _heed_environment()


cluster: Final = Cluster()


def _heed_environment() -> None:
    """Have Ray read its settings again, and its token, which it does once, when it is imported."""
    engine._raylet.Config.initialize("")
    engine._raylet.AuthenticationTokenLoader.instance().reset_cache()


def apart(function: Callable[[], object]) -> asyncio.Future[None]:
    """Call `function` in a thread of its own, for which no program waits at its end; done when it is."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[None] = loop.create_future()

    def settle(error: Exception | None) -> None:
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

    def call() -> None:
        error: Exception | None = None
        try:
            function()
        except Exception as failed:
            error = failed
        loop_hears(loop, settle, error)

    Thread(target=call, name="streamkit ray", daemon=True).start()
    return future
