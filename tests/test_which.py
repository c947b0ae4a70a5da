"""docs/which.md and the tables of docs/operators.md are what is there now, and leave no name out."""

from pages import families, parity, which
from streamkit import ops
from streamkit._core.lazy import listed
from streamkit._core.names import AIOSTREAM, RXPY

COMMAND = "run: make pages"
CLASSES = {"Adaptive", "Backoff", "Hub", "Limit", "RateLimit", "Replace", "Resume", "Retry", "Return"}
"""What answers a question, and is neither an operator nor a source."""


def asked() -> set[str]:
    """The names that answer a question."""
    rows = [names.split() for answers in which.QUESTIONS.values() for names in answers.values()]
    return {name for names in rows for name in names}


def test_every_operator_sink_and_source_answers_a_question() -> None:
    operators = {*listed(ops.__name__)}
    sources = {name for family in families.sources().values() for name in family} - operators
    assert operators | sources | CLASSES == asked()
    assert {*listed("streamkit")} >= CLASSES


def test_the_page_is_what_is_written_now() -> None:
    assert which.page() == which.PAGE.read_text(encoding="utf-8"), f"docs/which.md is stale; {COMMAND}"


def test_the_tables_are_what_is_written_now() -> None:
    assert parity.page() == parity.PAGE.read_text(encoding="utf-8"), f"docs/operators.md is stale; {COMMAND}"


def test_no_row_of_the_tables_is_empty() -> None:
    for table in (RXPY, AIOSTREAM):
        assert all(name and code for name, code, _ in parity.rows(table))
