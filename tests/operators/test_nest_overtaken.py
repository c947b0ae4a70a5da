"""Streams of flat_map that fail together: each error is told, and says where, whichever is the first."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import streamkit
from streamkit import Stream, attached, ops
from streamkit.testing import run
from tests.tiers import stride

NAMES = ("a", "b", "c")


class FailedError(Exception):
    """Of one stream."""


FORMS: dict[str, Callable[[Any, str], Any]] = {
    "generator": lambda source, name: source(name),
    "callable": lambda source, name: lambda: source(name),
    "steps": lambda source, name: Stream(source(name)) | ops.map(str.upper),
    "concat": lambda source, name: streamkit.concat([name], source(name)),
    "merge": lambda source, name: streamkit.merge(source(name), [name]),
}
OPERATORS: dict[str, Callable[[Any], Any]] = {
    "flat_map": lambda function: ops.flat_map(function, concurrency=3),
    "expand": lambda function: ops.expand(
        lambda item: function(item) if item in NAMES else [], concurrency=3
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_no_error_is_lost_that_was_overtaken_by_another(operator: str, form: str) -> None:
    async def main() -> None:
        raised = set[BaseException]()

        async def failing(name: str) -> AsyncIterator[str]:
            yield name
            await asyncio.sleep(0)
            raised.add(error := FailedError(name))
            raise error

        stream = Stream(NAMES) | OPERATORS[operator](lambda name: FORMS[form](failing, name))
        with pytest.raises(FailedError) as caught:
            await (stream | ops.drain())
        told = {caught.value, *attached(caught.value)}
        told.update(late for error in (*told,) for late in attached(error))
        assert told == raised
        for error in told:
            assert any(operator in note for note in error.__notes__ if note.startswith("in ")), (
                error.__notes__
            )

    run(main, schedules=40 // stride(2), seed=1)
