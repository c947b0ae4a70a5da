"""Without the libraries of the extras: everything can be imported, and a call says which extra is missing."""

import subprocess
import sys
from textwrap import dedent


def test_a_call_names_the_extra_that_is_missing() -> None:
    code = """
        import sys
        for name in ("aiohttp", "websockets", "socketio"):
            sys.modules[name] = None
        from streamkit import DropOldest, connect
        assert not {"aiohttp", "websockets"} & {*filter(sys.modules.get, sys.modules)}
        for call in (
            lambda: connect.poll("http://x/", 1.0),
            lambda: connect.pages("http://x/", print),
            lambda: connect.events("http://x/"),
            lambda: connect.websocket("ws://x/"),
            lambda: connect.websocket_server("", 0, strategy=DropOldest(1)),
            lambda: connect.socketio_events("http://x/", strategy=DropOldest(1)),
        ):
            try:
                call()
            except ImportError as error:
                print(str(error).partition("install ")[2])
        print(connect.threaded(print, strategy=DropOldest(1)))
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    http, sockets, rooms = (f"streamkit[{name}]" for name in ("http", "websockets", "socketio"))
    *extras, threaded = done.stdout.splitlines()
    assert extras == [http, http, http, sockets, sockets, rooms]
    assert threaded.startswith("Stream(threaded(print, strategy=DropOldest(capacity=1")


def test_to_import_connectors_loads_no_library() -> None:
    code = "import sys, streamkit.connect; print({'aiohttp', 'websockets', 'socketio'} & {*sys.modules})"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
