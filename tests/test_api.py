"""The front door and the vocabulary are complete, sorted, and documented in one form."""

import inspect
from typing import Any

import pytest

import streamkit
from streamkit import ops
from streamkit._core.catalogue import Declaration, catalogue
from tests.files import over

OWN = [
    each
    for each in catalogue()
    if each.function.__module__.startswith(("streamkit.operators.", "streamkit.sinks"))
]
SENTENCES = ("Emits when:", "Waits when:", "Completes when:", "Closes when:")


def named(declaration: Declaration) -> str:
    return f"{declaration.name}-{declaration.function.__name__}"


@pytest.mark.parametrize("module", [streamkit, ops], ids=lambda module: module.__name__)
def test_all_is_sorted_and_true(module: Any) -> None:
    assert list(module.__all__) == sorted(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)


@over(ops.__all__)
def test_every_operator_is_documented(name: str) -> None:
    function = getattr(ops, name)
    text = inspect.getdoc(function) or ""
    summary = text.split("\n")[0]
    assert summary.endswith((".", ":")), f"{name} has no summary line"
    assert ">>>" in text, f"{name} has no example"
    sink = any(each.sink for each in OWN if each.name == name) and name != "broadcast"
    for sentence in SENTENCES[2:] if sink else SENTENCES:
        assert sentence in text, f"{name} does not say {sentence!r}"
    if not sink:
        assert "--" in text, f"{name} has no marble diagram"


@over(OWN, named=named)
def test_arguments_after_the_first_are_keyword_only_or_few(declaration: Declaration) -> None:
    positional = [
        parameter
        for parameter in inspect.signature(getattr(ops, declaration.name)).parameters.values()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    few = ([], ["initial"], ["pipe"], ["function"], ["routes"], ["true", "false"])
    assert [p.name for p in positional][1:] in few
