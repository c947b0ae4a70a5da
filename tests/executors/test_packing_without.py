"""What goes to workers where something is missing: cloudpickle, a figure of the system, our packing."""

import sys
from functools import partial
from io import BytesIO
from runpy import run_path

import pytest

from streamkit import PackingError
from streamkit._core.workers import NoResult, Outcomes
from streamkit.executors import cloudpickle, functions, memory
from streamkit.executors.packing import pack, unpack
from tests.executors.work import double


def test_without_cloudpickle_the_error_says_that_it_would_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    monkeypatch.setattr(functions, "by_value", run_path(cloudpickle.__file__)["by_value"])
    with pytest.raises(PackingError, match=r"install streamkit\[cloudpickle\]"):
        functions.pack_function(partial(double, (each for each in "ab")), "it")


def test_of_a_linux_that_does_not_say_the_peak_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(memory, "open", lambda *_: BytesIO(b"Name: it\n"), raising=False)
    look = memory.measure()
    assert look is not None
    assert look() == 0


def test_outcomes_may_be_pickled_as_they_are() -> None:
    found = unpack(pack(Outcomes([1, NoResult(ValueError("x"), 5)], 2.0)))
    assert (type(found), found[0], found.seconds) == (Outcomes, 1, 2.0)
    assert (str(found[1].error), found[1].item) == ("x", 5)
