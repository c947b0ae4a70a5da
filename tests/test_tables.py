"""docs/reference.md is what the code says now, and what its tables say of a kind is true of every sample."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pages import classes, families, tables
from streamkit import Behaviour, Channel, Contract, Lane, Run, ops
from streamkit._core.lazy import listed
from tests.files import over
from tests.laws.lab import Lab
from tests.samples import SAMPLES

ROOT = Path(__file__).parent.parent
COMMAND = "run: make pages"

LINKS = [(sample.name, link) for sample in SAMPLES for link in sample.make(Lab()).links]
every_link = over(LINKS, named=lambda each: each[0])


def test_the_committed_page_is_what_is_written_now(tmp_path: Path) -> None:
    script = [sys.executable, "-W", "error", "-m", "pages.tables", str(tmp_path / "reference.md")]
    done = subprocess.run(script, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    committed = tables.PAGE.read_text().splitlines()
    written = (tmp_path / "reference.md").read_text().splitlines()
    assert committed == written, f"docs/reference.md is stale; {COMMAND}"


def test_the_page_of_classes_is_what_is_written_now() -> None:
    assert classes.page() == classes.PAGE.read_text(), f"docs/api.md is stale; {COMMAND}"


def test_what_authors_are_told_of_the_engine_is_in_the_page() -> None:
    for name, kind in (("run", Run), ("channel", Channel), ("lane", Lane)):
        listed = {member for member, _ in classes.members(kind)}
        said = {*re.findall(rf"`(?:await )?{name}\.(\w+)", classes.GUIDE.read_text())}
        assert said <= listed, (
            f"docs/operators.md speaks of members of {kind.__name__} that have no docstring"
        )
        assert {"Run": "pump", "Channel": "choose", "Lane": "take"}[kind.__name__] in listed
        assert len(listed) <= 16, f"docs/api.md lists internals of {kind.__name__}"


def test_every_public_name_stands_in_a_page() -> None:
    pages = {path.name: path.read_text() for path in classes.PAGE.parent.glob("*.md")}
    for name in listed("streamkit"):
        found = [page for page, text in pages.items() if re.search(rf"\b{name}\b", text)]
        assert found, f"{name} stands in no page of docs/"


def test_the_page_is_the_same_where_operators_of_users_are_declared() -> None:
    assert tables.page() == tables.PAGE.read_text(), f"docs/reference.md is stale; {COMMAND}"


def test_every_operator_stands_in_both_tables_of_a_family() -> None:
    page, mark, rest = tables.page().partition("\n## sources: ")
    assert mark
    for names in families.sources().values():
        assert all(rest.count(f"\n| `{name}(") == 1 for name in names)
    for name in ops.__all__:
        assert page.count(f"\n| `{name}(") == 1, name
        assert f"\n| `{name}` " in page, name


def test_every_argument_of_every_operator_is_told_of() -> None:
    page = tables.page().splitlines()
    for name in ops.__all__:
        function = getattr(ops, name)
        told = tables.arguments(function)
        given = [each for each in inspect.signature(function).parameters if not each.startswith("_")]
        assert [*told] == given, name
        for argument, words in told.items():
            (row,) = [*tables.table([""] * 3, [[f"`{name}`", f"`{argument}`", words]])][2:]
            assert row in page


def test_every_argument_of_every_source_is_told_of() -> None:
    for names in families.sources().values():
        for name, function in names.items():
            told = tables.arguments(function)
            given = inspect.signature(function).parameters
            assert not told or [*told] == [*given], name


def test_all_rows_of_a_table_have_as_many_cells() -> None:
    for table in tables.page().split("\n\n"):
        rows = [row for row in table.splitlines() if row.startswith("|")]
        assert len({row.replace("\\|", "").count("|") for row in rows}) <= 1, rows[0]


def test_every_operator_says_when_it_ends() -> None:
    for name in ops.__all__:
        found = tables.sections(getattr(ops, name))
        assert found[""], name
        assert found["Completes"], name
        assert found["Closes"], name


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("0", "0"),
        ("size - 1", "`size - 1`"),
        ("concurrency + lookahead", "`concurrency + lookahead`"),
        ("'within each source'", "within each source"),
        ("strategy.loses", "what `strategy` loses"),
        ("a if b else 1 if c.waits else unbounded", "`a` if `b`, 1 if `c` waits, otherwise unbounded"),
        (
            "'nothing' if strict or fill is not ABSENT else 'all'",
            "nothing if `strict` or `fill` is given, otherwise all",
        ),
        ("1 if key is ABSENT else 2", "1 if `key` is not given, otherwise 2"),
        ("1 + sum(s.limit for s in _kept)", "1, plus the sum, for each `s` of `kept`, of (the limit of `s`)"),
        (
            "', '.join(s for s in x if s != 'no') or 'none'",
            "`s` for each `s` of `x` where `s` is not no; if there is none, none",
        ),
    ],
)
def test_a_formula_is_put_into_words(formula: str, words: str) -> None:
    assert tables.readable(formula) == words


@pytest.mark.parametrize(
    ("contract", "kinds"),
    [
        (Contract(), "pass-through"),
        (Contract(holds="size - 1"), "bounded"),
        (Contract(lookahead="1"), "bounded"),
        (Contract(holds="unbounded if limit is None else limit"), "bounded unbounded"),
        (Contract(holds="sum(0 if s is None else s.limit for s in all)"), "pass-through bounded"),
        (Contract(holds="1 + sum(s.limit for s in all)"), "bounded"),
        (Contract(holds="1", others_hold="unbounded"), "unbounded"),
        (Contract(others_lookahead="n"), "bounded"),
        (Contract(loses="'late items'"), "lossy"),
        (Contract(loses="'nothing' if strict else 'the rest'"), "pass-through lossy"),
        (Contract(holds="n", loses="strategy.loses"), "bounded lossy"),
    ],
)
def test_a_kind_is_derived_from_the_formulas(contract: Contract, kinds: str) -> None:
    assert tables.kinds(contract) == [Behaviour(kind) for kind in kinds.split()]


@every_link
def test_what_an_operator_comes_to_is_among_its_kinds(each: tuple[str, Any]) -> None:
    _, link = each
    contract = link.declaration.contract
    assert contract.behaviour(link.arguments) in tables.kinds(contract)


def test_a_contract_of_mixed_sources_and_one_that_waits_for_the_end_are_put_into_words() -> None:
    mixed = Contract(holds="1", others_hold="n", others_lookahead="unbounded", at_end=True)
    assert tables._contract(mixed)[:3] == [
        "1 of the first source, `n` of each other",
        "0 of the first source, unbounded of each other",
        "kept, at the end only",
    ]
