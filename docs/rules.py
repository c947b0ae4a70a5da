"""Writes docs/reactive-streams.md: what the adapter does, and the 43 rules, each with its test and verdict.

Run `python docs/rules.py` after a change of the rules or of the adapter; a test tells when it is due.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # the tests, where our cases are, belong to no package that is installed

from streamkit.testing import run  # noqa: E402
from streamkit.testing.reactive_streams import RULES, Rule  # noqa: E402
from tests.reactive_streams.conformance import CASES  # noqa: E402

PAGE = ROOT / "docs" / "reactive-streams.md"
TESTS = "tests/reactive_streams/test_rules.py"
SECTIONS = {"1": "Publisher", "2": "Subscriber", "3": "Subscription", "4": "Processor"}
MARK = "<!-- what follows is written by docs/rules.py -->\n"


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
    PAGE.write_text(page())
