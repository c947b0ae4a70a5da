"""Two tiers of one suite: `make test` runs a spread of the large matrices, `make test-full` runs all of them.

Most tests are in both. Of a test that runs over a product, by several marks of parameters or with the mark
`spread`, the default tier keeps so few cases that every value of every parameter still occurs, as the
diagonal of a table meets each row and each column. `spread(2)` keeps every pair of values, where that
matters. `spread(full=2)` keeps the pairs in the full tier, where parameters have little to do with each
other. A test that runs over samples gets a quarter of those of every second operator, others in another test.
Hypothesis tries fewer examples, and a long row inside a test is tried in strides. A test that takes seconds,
and fails with others that do not, bears the mark `full`. What is kept is the same on each run: a failure
comes again.

A share of the full tier is the default tier and, of the cases that only the full one has, one in so many:
those whose turn it is. Continuous integration takes another share with each commit, in the time that it has.

A case that failed once is no matter of luck: give it a mark of its own (`pytest.param(..., marks=kept)`), a
test of its own, or an `@example`, and both tiers run it.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any
from zlib import crc32

import pytest

from streamkit.testing.conformance.subject import Subject
from tests.packs import cases_of

__all__ = [
    "FEWER",
    "choose",
    "drawn",
    "examples",
    "fewer",
    "kept",
    "key",
    "shared",
    "spread",
    "stride",
    "thin",
]

FEWER = 7
"""By how much fewer examples hypothesis tries in the default tier."""
QUARTER = 4
"""Of how many samples of an operator a test of the default tier gets one."""
MANY = 20
"""A test of more operators than this gets every second one."""
EVERY = 9
"""The strength of a spread that leaves nothing out."""
LEAST = 2
"""Examples are not fewer than this, but where the full tier has fewer too."""

kept = pytest.mark.kept
"""The mark of a case that both tiers run."""

Case = Mapping[Any, object]
"""The parameters of one case of a test, by name."""

_tier = {"full": True}  # a test module that is imported without pytest gets all there is


def choose(*, full: bool) -> None:
    """Choose the tier, before test modules are imported."""
    _tier["full"] = full


def examples(count: int) -> int:
    """How many examples hypothesis tries in this tier, where the full one has `count`."""
    return count if _tier["full"] else min(count, max(LEAST, count // FEWER))


def stride(width: int) -> int:
    """How far apart the points of a long row are that a test tries; the full tier tries each of them."""
    return 1 if _tier["full"] else width


def spread(cases: Sequence[Case], strength: int = 1) -> list[int]:
    """The numbers of so few `cases` that each value of each parameter is in one of them.

    With a `strength` of 2, each pair of values of two parameters. Among several cases that would do, the one
    with the most that is new is taken, then the one whose values were taken least often: so the others turn
    through their values, and the choice is a diagonal, not a column.
    """
    if strength >= EVERY:
        return [*range(len(cases))]
    targets = [_targets(case, strength) for case in cases]
    having: dict[Hashable, list[int]] = {}
    for number, each in enumerate(targets):
        for target in each:
            having.setdefault(target, []).append(number)
    taken: set[int] = set()
    covered: set[Hashable] = set()
    used: Counter[Hashable] = Counter()
    values = [_targets(case, 1) for case in cases]
    for target, numbers in having.items():
        if target not in covered:
            best = min(
                numbers,
                key=lambda number: (
                    -sum(each not in covered for each in targets[number]),
                    sum(used[value] for value in values[number]),
                    number,
                ),
            )
            taken.add(best)
            covered.update(targets[best])
            used.update(values[best])
    return sorted(taken)


def _targets(case: Case, strength: int) -> list[Hashable]:
    """What `case` covers: its values, or so many of them together; in the order of the parameters."""
    named = [(name, key(value)) for name, value in case.items()]
    return [*combinations(named, min(strength, len(named)))]


def key(value: Any) -> Hashable:
    """What two equal values of a parameter have in common; True is not 1, and a list is itself only."""
    try:
        hash(value)
    except Exception:  # there are values that refuse everything, for tests of what is asked of them
        return id(value)
    return type(value), value


def thin(items: Iterable[pytest.Item]) -> tuple[list[tuple[str, Case]], list[tuple[str, Case]]]:
    """The tests and cases of `items`, of the full tier, that are in the default tier; and the others."""
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        tests.setdefault(of_test(item), []).append(item)
    stay, left = list[tuple[str, Case]](), list[tuple[str, Case]]()
    for name, each in tests.items():
        if each[0].get_closest_marker("full") is not None:
            continue
        calls = [call for item in each for call in cases_of(item)]
        chosen = {*map(id, fewer(each[0], calls))} if calls else set[int]()
        for call in calls:
            (stay if id(call) in chosen else left).append((name, call.params))
    return stay, left


def fewer(test: Any, calls: Sequence[Any], *, full: bool = False) -> list[Any]:
    """Those of the `calls` of the function `test` that the default or the full tier has."""
    mark = test.get_closest_marker("spread")
    cases = [each for each in calls if not each.marks]
    chosen = cases if full else _turned(of_test(test), cases)
    if mark is not None:
        strength = mark.kwargs.get("full", EVERY) if full else (*mark.args, 1)[0]
        chosen = [chosen[number] for number in spread([each.params for each in chosen], strength)]
    elif not full and chosen and len(chosen[0]._idlist) > 1:  # one for each mark: together a product
        chosen = [chosen[number] for number in spread([dict(enumerate(each._idlist)) for each in chosen])]
    left = {*map(id, cases)} - {*map(id, chosen)}
    return [each for each in calls if id(each) not in left]


def shared(test: Any, calls: Sequence[Any], of: int, turn: str) -> list[Any]:
    """Those of the `calls` of `test` that the default tier has, and a share of what only the full one has."""
    mine = {*map(id, fewer(test, calls))}
    name = of_test(test)
    return [
        each
        for each in fewer(test, calls, full=True)
        if id(each) in mine or drawn(f"{name}[{each.id}]", of, turn)
    ]


def drawn(name: str, of: int, turn: str) -> bool:
    """Whether it is the turn of a case, which comes once in `of` turns: over many, each case has its own."""
    return not crc32(f"{turn} {name}".encode()) % of


def of_test(item: Any) -> str:
    """Which test `item` is a case of, or is."""
    spec = getattr(item, "callspec", None)
    return str(item.nodeid if spec is None else item.nodeid.removesuffix(f"[{spec.id}]"))


def _turned(test: str, cases: list[Any]) -> list[Any]:
    """Of the samples of every second operator a quarter: the tests of all laws together meet each of them.

    A test of a few operators only runs over all of them.
    """
    samples: dict[str, dict[str, None]] = {}
    for each in cases:
        for name in _samples(each):
            samples.setdefault(name.partition("-")[0], {}).setdefault(name)
    chosen: set[str] = set()
    for operator, each in samples.items():
        turn = crc32(f"{test} {operator}".encode())
        if len(samples) > MANY and turn // len(each) % 2:
            continue
        start = turn % len(each)
        chosen.update(([*each] * 2)[start : start + -(-len(each) // QUARTER)])
    return [each for each in cases if {*_samples(each)} <= chosen]


def _samples(case: Any) -> list[str]:
    return [each.name for each in case.params.values() if isinstance(each, Subject)]
