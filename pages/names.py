"""Writes the names of all operators, sinks and sources into README.md, between two marks.

python -m pages.names
"""

from pathlib import Path

from pages.families import families, sources
from streamkit import ops
from streamkit._core.catalogue import Declaration

PAGE = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- names: written by make pages -->\n", "<!-- names end -->\n"


def rows() -> dict[str, list[str]]:
    """The names of each kind; an operator that has a form of several kinds stands in each of their rows."""
    found: dict[str, list[str]] = {"steps, fused into one loop": [], "stages": [], "sinks": []}
    steps, stages, sinks = found.values()
    forms = {name: each for names in families().values() for name, each in names.items()}
    for name in vars(ops)["__all__"]:
        for form in forms[name]:
            if form.sink and _only_sinks(forms[name]):
                sinks.append(name)
            elif not form.sink:
                (stages if form.stage else steps).append(name)
        if not forms[name]:  # short for a stage, and declared by that
            stages.append(name)
    found["sources, of `streamkit` itself"] = [name for names in sources().values() for name in names]
    return {kind: sorted({*names}) for kind, names in found.items()}


def _only_sinks(forms: list[Declaration]) -> bool:
    return all(form.sink for form in forms)


def page() -> str:
    """README.md with the names that there are now."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    lines = ["| | |", "| --- | --- |"]
    lines += [f"| {kind} | {' '.join(f'`{name}`' for name in names)} |" for kind, names in rows().items()]
    return before + BEGIN + "\n" + "\n".join(lines) + "\n\n" + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
