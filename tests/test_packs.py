"""Packs: what a pack runs is what pytest runs of its cases apart, and it says which of them failed."""

import pytest

from tests import packs
from tests.packs import MOST

SUITE = """
import pytest

log = []

@pytest.fixture(scope="module")
def once():
    log.append("once")

@pytest.fixture(autouse=True)
def around(request):
    log.append("begin")
    yield
    log.append("end")

@pytest.fixture
def twice(request, monkeypatch):
    return request.param * 2

class Test:
    @pytest.mark.parametrize("letter", "ab")
    @pytest.mark.parametrize("twice", [1, 2], indirect=True)
    def test_product(self, letter, twice, once):
        log.append(letter * twice)
        assert not hasattr(self, "seen")
        self.seen = letter

@pytest.mark.parametrize("number", range(50))
def test_many(number):
    log.append(number)

@pytest.mark.parametrize("number", [0, pytest.param(1, marks=pytest.mark.xfail(strict=True)), 2])
def test_marked(number):
    assert number != 1

@pytest.mark.parametrize("number", range(2))
def test_left_as_it_is(number, tmp_path):
    pass

def test_log():
    once, *found = log
    assert once == "once"
    ends = [at for at, word in enumerate(found) if word == "end"]
    cases = [found[at - 1] for at in ends if found[at - 2] == "begin"]
    assert sorted(cases[:4]) == ["aa", "aaaa", "bb", "bbbb"]
    assert cases[4:] == [*range(50)]
"""

FAILING = """
import pytest

@pytest.mark.parametrize("number", range(9))
def test_one(number):
    assert number != 3

@pytest.mark.parametrize("number", range(9))
def test_some(number):
    if number in (4, 5):
        pytest.fail("as it was told")
    if number == 6:
        pytest.skip("one of them")

@pytest.mark.parametrize("number", range(3))
def test_skipped(number):
    pytest.skip("all of them")

@pytest.fixture
def strict():
    yield
    assert False, "left something"

@pytest.mark.parametrize("number", range(2))
def test_clean_up(number, strict):
    pass
"""


def ran(pytester: pytest.Pytester, suite: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(test_it=suite)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options, plugins=[packs])


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # where CI is set, pytest repeats messages whole in its summary
    for name in ("PYTEST_ADDOPTS", "CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("options", [(), ("--apart",)], ids=["packed", "apart"])
def test_each_case_runs_once_with_its_own_fixtures(
    alone: None, pytester: pytest.Pytester, options: tuple[str, ...]
) -> None:
    result = ran(pytester, SUITE, *options)
    items = 1 + -(-50 // MOST) + 1 if not options else 4 + 50 + 2
    result.assert_outcomes(passed=items + 2 + 1, xfailed=1)
    told = f"{4 + 50 + 2 + 2 + 1} cases in {items + 3} tests that passed"
    assert (told in result.stdout.str()) == (not options)


@pytest.mark.parametrize("asked", [("test_it.py::test_many[7]",), ("-k", "test_many and 17")])
def test_who_asks_for_a_case_gets_it_alone(
    alone: None, pytester: pytest.Pytester, asked: tuple[str, ...]
) -> None:
    result = ran(pytester, SUITE, *asked)
    assert result.parseoutcomes()["passed"] == 1


def test_a_pack_can_be_asked_for_by_its_name(alone: None, pytester: pytest.Pytester) -> None:
    result = ran(pytester, SUITE, "test_it.py::test_many[1..17]")
    result.assert_outcomes(passed=1)
    assert "17 cases in 1 tests that passed" in result.stdout.str()


def test_those_that_fail_are_named(alone: None, pytester: pytest.Pytester) -> None:
    result = ran(pytester, FAILING)
    result.assert_outcomes(failed=3, skipped=1)
    said = result.stdout.str()
    assert said.count("in the case [3]") == 1
    assert said.count("in the case [4]") == said.count("in the case [5]") == 1
    assert "2 of 9 cases" in said
    assert "2 of 2 cases" in said
    assert said.count("left something") >= 2
