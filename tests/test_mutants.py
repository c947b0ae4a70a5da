"""The table of mutants that do the same as the original can be read, and names what is there."""

import tomllib
from collections import Counter
from pathlib import Path
from pkgutil import resolve_name

from tests import mutation
from tests.mutation.known import Known

TABLE = Path(__file__).with_name("mutants.toml")


def test_each_stands_once_and_is_of_a_function_that_there_is() -> None:
    assert mutation.__doc__
    Known(TABLE)  # each has its reason
    entries = [
        (each["function"], each["before"], each["after"])
        for each in tomllib.loads(TABLE.read_text())["equivalent"]
    ]
    assert [each for each, count in Counter(entries).items() if count > 1] == []
    for function, before, _ in entries:
        assert resolve_name(function), (function, before)
