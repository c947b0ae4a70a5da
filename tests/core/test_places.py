"""Places in files, as messages show them: as short as can be clicked."""

import os
import subprocess
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from streamkit import Operator, ops
from streamkit._core.places import USERS, caller, line_of, looked_at, placed, written


def test_a_place_below_the_working_directory_is_shown_from_there() -> None:
    assert placed(os.path.join(os.getcwd(), "pipe.py"), 3) == "pipe.py:3"
    assert placed("/elsewhere/pipe.py", 3) == "/elsewhere/pipe.py:3"


def test_where_the_working_directory_was_deleted_a_place_is_shown_in_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone() -> str:
        raise FileNotFoundError

    path = os.path.join(os.getcwd(), "pipe.py")
    monkeypatch.setattr("streamkit._core.places.os.getcwd", gone)
    assert placed(path, 3) == f"{path}:3"


def frame_of(name: str | None, call: Callable[[], Any]) -> Any:
    """What `call` returns, called by code of the module `name`."""
    space: dict[str, Any] = {"call": call} if name is None else {"call": call, "__name__": name}
    exec(compile("\n\ndef inside():\n    return call()\n", f"{name}.py", "exec"), space)
    return space["inside"]()


class TestCaller:
    def test_code_of_a_user_is_where_it_is(self) -> None:
        here = sys._getframe()
        assert caller(here) is here
        assert written(here) == (__file__, here.f_lineno)

    def test_of_our_own_code_it_is_the_nearest_before_it_that_is_not(self) -> None:
        def found() -> FrameType:
            return caller(sys._getframe(1))

        user = frame_of("streamkit.ops", found)
        assert (user.f_code.co_name, user.f_globals["__name__"]) == ("frame_of", __name__)
        assert frame_of("streamkit.ops", lambda: written(sys._getframe(1)))[0] == __file__

    @pytest.mark.parametrize("name", ["streamkitty", "user.streamkit.ops", "__main__", None])
    def test_modules_of_other_names_are_a_users(self, name: str | None) -> None:
        there = frame_of(name, lambda: written(sys._getframe(1)))
        assert there == (f"{name}.py", 4)

    def test_where_all_is_ours_it_is_the_outermost(self) -> None:
        class Frame:
            """As far as `caller` looks at one."""

            def __init__(self, name: str, back: Any) -> None:
                self.f_globals, self.f_back = {"__name__": name}, back

        outermost: Any = Frame("streamkit.ops", None)
        assert caller(outermost) is outermost
        assert caller(Frame("streamkit.a", Frame("streamkit.b", outermost))) is outermost  # type: ignore[arg-type]


def test_names_of_modules_of_users_that_were_looked_at_last_are_known() -> None:
    def look() -> FrameType:
        return looked_at(sys._getframe(1))

    USERS.clear()
    for name, seen in (("streamkit.ops", "frame_of"), (None, "inside")):
        assert frame_of(name, look).f_code.co_name == seen
    assert set() == USERS
    names = [f"user{number}" for number in range(257)]
    for known in (names[:1], names[:256], names[256:]):
        for name in known:
            assert frame_of(name, look).f_globals["__name__"] == name
        assert {*known} == USERS


def test_each_instruction_has_the_line_it_was_written_in() -> None:
    code = compile("first\nsecond\nthird", "pipe.py", "exec")
    begins = {line: begin for begin, _, line in code.co_lines() if line}
    assert [line_of(code, begins[line]) for line in (1, 2, 3)] == [1, 2, 3]
    assert line_of(code, len(code.co_code)) == code.co_firstlineno  # of none


def made_of_map() -> Operator[Any, Any]:
    return Operator(ops.map, function=int)


def test_an_operator_of_a_users_own_is_where_it_is_called() -> None:
    line = sys._getframe().f_lineno + 1
    assert placed(__file__, line) in str(place_of(made_of_map()))


def test_it_may_be_made_where_nobody_has_called_anything() -> None:
    found: list[Any] = []
    exec(
        compile("made(ops.map(int))", "nameless.py", "exec"),
        {"made": found.append, "ops": ops, "__name__": None},
    )
    assert place_of(found[0]) == "nameless.py:1"
    alone = "from streamkit import Operator, ops; print(Operator(ops.map, function=str).links[0].place)"
    said = subprocess.run([sys.executable, "-c", alone], capture_output=True, text=True, check=True).stdout
    assert said == "<string>:1\n"


def place_of(operator: Any) -> str:
    place: str = operator.links[0].place
    return place
