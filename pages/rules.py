"""Writes docs/reactive-streams.md: what the adapter does, and the 43 rules, each with its test and verdict.

    python -m pages.rules

Each rule is checked while the page is written. The first part of the page, up to the mark, stays as it is.
"""

from pathlib import Path

from streamkit.testing import run
from streamkit.testing.reactive_streams import RULES, Rule
from tests.reactive_streams.conformance import CASES

PAGE = Path(__file__).parent.parent / "docs" / "reactive-streams.md"
TESTS = "tests/reactive_streams/test_rules.py"
SECTIONS = {"1": "Publisher", "2": "Subscriber", "3": "Subscription", "4": "Processor"}
MARK = "<!-- what follows is written by python -m pages.rules -->\n"


def verdict(rule: Rule) -> str:
    """What the check of `rule` says of us, now."""
    if rule.untested:
        return f"**untested**: {rule.untested}"
    try:
        run(rule.check(CASES[rule.case]()))
    except AssertionError as error:
        return f"**broken**: {error}"
    return "kept"


def table() -> str:
    """The rules by section, checked as they are written."""
    lines: list[str] = []
    section = ""
    for rule in RULES:
        if rule.number[0] != section:
            section = rule.number[0]
            lines += ["", f"### {section}. {SECTIONS[section]}", ""]
            lines += ["| rule | what it asks for | test | verdict |", "| --- | --- | --- | --- |"]
        test = "none" if rule.untested else f"`test_rule[{rule.number}]`"
        lines.append(f"| {rule.number} | {rule.text} | {test} | {verdict(rule)} |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """The whole page: its first part as it is, the tables anew."""
    untested = sum(rule.function is None for rule in RULES)
    counts = f"\n{len(RULES)} rules: {len(RULES) - untested} tested in `{TESTS}`, {untested} untested.\n"
    return PAGE.read_text().split(MARK)[0] + MARK + counts + table()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
