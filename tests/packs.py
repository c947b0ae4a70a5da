"""Packs: the cases of one test, so many at a time, as one item of pytest. This is a plugin of it.

Most cases take less long than what pytest and xdist do around an item: to collect it in each worker, to set
it up, to send messages. So tests have packs, which run one case after the other. Each case gets fixtures and
an instance of its own, all of them run, and those that fail are named. `--apart` makes each case an item of
its own; so does who asks for one by its name, or by `-k`.

A test is left as it is if a fixture of it is none of ours, or is made by its class: pytest alone knows how to
make those. So is one of hypothesis, a case that bears a mark, and an `async def`.
"""

import inspect
import re
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

__all__ = ["MOST", "asked_by_name", "cases_of"]

MOST = 20
"""How many cases are in a pack at most: what one of them takes is time that no other worker can take over."""
_NAME = re.compile(r"\[\d+\.\.\d+\]$")
_REQUEST = "request"
_KNOWN = {"monkeypatch"}
"""Fixtures that are not ours, and that a pack makes anew for each case all the same."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--apart", action="store_true", help="each case of a test as a test of its own")


def asked_by_name(config: pytest.Config) -> bool:
    """Whether a case is asked for by its name."""
    return any("[" in argument and not _NAME.search(argument) for argument in config.args)


def cases_of(item: Any) -> Sequence[Any]:
    """The cases that `item` runs, as pytest has them: one, where it is no pack; none without parameters."""
    spec = getattr(item, "callspec", None)
    return () if spec is None else getattr(spec, "cases", (spec,))


# to collect ----------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_generate_tests(metafunc: Any) -> Generator[None]:
    """Put the calls of a test into packs, when all others have had their say of them."""
    yield
    calls, config = metafunc._calls, metafunc.config
    if config.getoption("--apart") or config.getoption("keyword") or asked_by_name(config):
        return
    together = [each for each in calls if not each.marks]
    if len(together) > 1 and _may_be_packed(metafunc, together[0]):
        size = -(-len(together) // -(-len(together) // MOST))  # so that they are alike
        packs = [_pack(together, start, size) for start in range(0, len(together), size)]
        calls[:] = packs + [each for each in calls if each.marks]


def _pack(calls: list[Any], start: int, size: int) -> Any:
    cases = calls[start : start + size]
    pack = replace(cases[0], _idlist=[f"{start + 1}..{start + len(cases)}"])
    object.__setattr__(pack, "cases", cases)  # it is frozen, and of a class of pytest's own
    return pack


def _may_be_packed(metafunc: Any, call: Any) -> bool:
    function = metafunc.function
    if inspect.iscoroutinefunction(function) or hasattr(function, "hypothesis"):
        return False
    if metafunc.definition.get_closest_marker("full"):
        return False  # of which a share takes some, by their names
    fixtures, info = metafunc._arg2fixturedefs, metafunc.definition._fixtureinfo
    names = {*metafunc.fixturenames} - ({_REQUEST} - {*info.argnames})
    return all(_can_be_made(name, fixtures.get(name), call) for name in names)


def _can_be_made(name: str, fixtures: Any, call: Any) -> bool:
    """Whether what a test asks for by `name` is a parameter, or can be made here."""
    if not fixtures:
        return False  # such as `request`, for the test itself
    last = fixtures[-1]
    if last.scope != "function":
        return name not in call.params
    if name in call.params and last.func.__module__ == "_pytest.python":  # which makes fixtures of parameters
        return True
    return name in _KNOWN or bool(
        last.baseid and "." not in last.func.__qualname__ and name not in last.argnames
    )


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: Any) -> None:
    """Leave to pytest, of the fixtures of a pack, those that outlive it."""
    if len(cases_of(item)) > 1:
        fixtures = item._fixtureinfo.name2fixturedefs
        names = [name for name in item.fixturenames if name in fixtures]
        item.fixturenames = [name for name in names if fixtures[name][-1].scope != "function"]
        item.user_properties.append(("cases", len(cases_of(item))))


# to run --------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: Any) -> bool | None:
    """Run all cases of a pack: one that fails is raised, with its name; several are raised together."""
    cases = cases_of(pyfuncitem)
    if len(cases) < 2:
        return None
    failed: list[BaseException] = []
    skipped: list[BaseException] = []
    for case in cases:
        try:
            _Case(pyfuncitem, case).run()
        except pytest.skip.Exception as skip:
            skipped.append(skip)
        except (Exception, pytest.fail.Exception) as error:
            error.add_note(f"in the case [{case.id}]")
            failed.append(error)
    if len(failed) > 1:
        raise BaseExceptionGroup(f"{len(failed)} of {len(cases)} cases", failed)
    if failed or len(skipped) == len(cases):
        raise (failed or skipped)[0]
    return True


class _Case:
    """One run of a test, with fixtures and an instance of its own."""

    def __init__(self, item: Any, case: Any) -> None:
        self._item = item
        self._case = case
        self._values = dict(item.funcargs)
        self._ends = ExitStack()

    def run(self) -> None:
        item, info = self._item, self._item._fixtureinfo
        with self._ends:
            for name in info.names_closure:
                if name != _REQUEST:
                    self._value(name)
            holder = item.parent.newinstance() if isinstance(item.parent, pytest.Class) else item.parent.obj
            test = getattr(holder, item.originalname)
            test(**{name: self._values[name] for name in info.argnames})

    def _value(self, name: str) -> Any:
        if name not in self._values:
            last = self._item._fixtureinfo.name2fixturedefs[name][-1]
            given = {each: self._value(each) for each in last.argnames if each != _REQUEST}
            if _REQUEST in last.argnames:
                given[_REQUEST] = SimpleNamespace(**self._asked(name))
            value = last.func(**given)
            if inspect.isgeneratorfunction(last.func):
                generator, value = value, next(value)
                self._ends.callback(next, generator, None)
            self._values[name] = value
        return self._values[name]

    def _asked(self, name: str) -> dict[str, Any]:
        """What our fixtures ask of a request."""
        found: dict[str, Any] = {"keywords": self._item.keywords}
        if name in self._case.params:
            found["param"] = self._case.params[name]
        return found


# to tell -------------------------------------------------------------------------------------------


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many cases the tests had that pytest counts below."""
    ran = [each for each in terminalreporter.getreports("passed") if each.when == "call"]
    more = sum(dict(each.user_properties).get("cases", 1) - 1 for each in ran)
    if more:
        terminalreporter.write_line(f"{len(ran) + more} cases in {len(ran)} tests that passed")
