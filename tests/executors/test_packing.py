"""What goes to workers and back, as bytes: in this process."""

import sys
from functools import partial
from pickle import dumps
from typing import Any

import pytest

from streamkit import PackingError, WorkerError
from streamkit._core.workers import Calls, NoResult, Outcomes
from streamkit.executors import RemoteTraceback, functions, memory
from streamkit.executors.chunks import answered, done_elsewhere
from streamkit.executors.packing import (
    Unread,
    pack,
    pack_error,
    pack_far,
    pack_outcomes,
    unpack,
    unpack_error,
    unpack_outcomes,
)
from tests.executors.work import Ends, Stubborn, Unreadable, double, ends, fails_at_three


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as found:
        return found


class TestErrors:
    def test_one_that_can_be_read_comes_as_itself_with_its_traceback(self) -> None:
        error = raised(OSError(2, "gone"))
        error.add_note("a note")
        found = unpack_error(pack_error(error))
        assert (type(found), found.args, found.__notes__) == (FileNotFoundError, (2, "gone"), ["a note"])
        assert isinstance(found.__cause__, RemoteTraceback)
        assert str(found.__cause__).startswith("in a worker:\nTraceback")
        assert "in raised" in found.__cause__.text

    @pytest.mark.parametrize(
        ("error", "words"),
        [
            (Stubborn("a", 2), "Stubborn: a and 2"),
            (ValueError(lambda: None), "ValueError: <function"),
            (SystemExit(3), "SystemExit: 3"),
            (Ends("where it is read"), "Ends: where it is read"),
        ],
    )
    def test_another_comes_as_text(self, error: Any, words: str) -> None:
        found = unpack_error(pack_error(error))
        assert isinstance(found, WorkerError)
        assert str(found).startswith(words)

    def test_one_that_can_be_read_in_the_worker_only_comes_as_text(self) -> None:
        found = unpack_error(dumps((dumps(Unreadable()), "Odd: words", "text")))
        assert isinstance(found, WorkerError)
        assert str(found) == "Odd: words"
        assert found.__notes__ == ["it could not be read here: LookupError: nobody can read this"]


class TestOutcomes:
    def test_what_cannot_be_sent_back_is_the_error_of_its_item(self) -> None:
        def local() -> None: ...

        found = [1, local, NoResult(ValueError("x"), local), NoResult(ValueError("y"), 5)]
        good, result, item, error = unpack_outcomes(pack_outcomes(Outcomes(found)), 0.0)
        assert good == 1
        assert isinstance(result.error, PackingError)
        assert isinstance(item.error, PackingError)
        assert (str(error.error), error.item) == ("y", 5)
        with pytest.raises(Unread) as unread:
            unpack_outcomes(pack_outcomes(Outcomes([Ends()])), 0.0)
        assert "told to end by SystemExit" in str(unread.value.error)

    def test_what_the_script_defines_goes_along_and_comes_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        script = type(sys)("__main__")
        exec("class Item:\n    number = 5", script.__dict__)
        item = vars(script)["Item"]()
        monkeypatch.setitem(sys.modules, "__main__", script)
        packed = pack_far([item])
        monkeypatch.setitem(sys.modules, "__main__", type(sys)("__main__"))  # as a worker elsewhere has it
        [there] = unpack(packed)
        assert there.number == 5
        back, text = unpack_outcomes(pack_outcomes(Outcomes([there, "__main__"])), 0.0)
        assert (type(back), text) == (type(item), "__main__")


class TestFunctions:
    def test_what_is_typed_in_goes_by_what_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "__main__", type(sys)("__main__"))
        assert unpack(functions.pack_function(double, "it"))(2) == 4

    def test_what_cannot_be_sent_at_all_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stuck = partial(double, (each for each in "ab"))
        with pytest.raises(PackingError, match=r"it cannot be sent to a worker: TypeError: cannot pickle"):
            functions.pack_function(stuck, "it")
        monkeypatch.setattr(functions, "by_value", None)
        with pytest.raises(PackingError, match=r"install streamkit\[cloudpickle\]"):
            functions.pack_function(stuck, "it")


class TestElsewhere:
    def test_a_chunk_comes_back_as_outcomes_or_raises_what_went_wrong(self) -> None:
        work = pack(Calls(fails_at_three))
        one, three = answered(done_elsewhere("elsewhere", work, pack([1, 3])))
        assert (one, str(three.error)) == (1, "no 3")
        with pytest.raises(Unread):
            answered(done_elsewhere("elsewhere", work, pack([Unreadable()])))
        with pytest.raises(Unread):  # of a result, here
            answered(done_elsewhere("results", pack(Calls(ends)), pack(["unreadable"])))
        with pytest.raises(LookupError, match="nobody can read this"):
            answered(done_elsewhere("other", pack(Unreadable()), pack([1])))

    def test_the_work_of_so_many_runs_is_kept(self) -> None:
        for number in range(40):
            assert answered(done_elsewhere(f"run {number}", pack(Calls(double)), pack([number]))) == [
                2 * number
            ]


class TestMemory:
    @pytest.mark.parametrize("platform", ["linux", "darwin", "freebsd"])
    def test_the_peak_is_known(self, platform: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "platform", platform)
        look = memory.measure()
        assert look is not None
        assert look() > 10_000
        assert memory.Peak().bytes() > 1_000_000

    def test_or_not(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "platform", "win32")
        monkeypatch.setitem(sys.modules, "resource", None)
        assert memory.measure() is None
