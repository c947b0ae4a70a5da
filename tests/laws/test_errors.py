"""Law 4: the first error arrives as itself, after what is held; nothing is dropped, and it says where."""

import asyncio
import linecache
import re
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.testing.conformance import errors
from streamkit.testing.conformance.checks import of_lossless
from streamkit.testing.conformance.errors import read
from tests.laws.lab import STYLES, Boom, Case, Lab, Sample, play
from tests.samples import OPERATORS, SAMPLES

LONG = 60.0
CALLING = [each for each in SAMPLES if each.calls]
SEVERAL = [each for each in OPERATORS if each.name.partition("-")[0] in ("merge", "zip", "flat_map")]
AHEAD = [each for each in SEVERAL if not each.name.startswith("flat_map-one")]
"""Those that read on while their consumer does something else."""


def named(sample: Sample) -> str:
    return sample.name


# What is held comes first ---------------------------------------------------------------------------------


@pytest.mark.spread
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sample", [each for each in OPERATORS if not of_lossless(each)], ids=named)
def test_what_is_held_is_delivered_before_the_error_of_a_source(sample: Sample, style: str) -> None:
    errors.held_comes_first(sample, Case(style))


@pytest.mark.parametrize("sample", AHEAD, ids=named)
def test_an_error_ends_intake_at_once(sample: Sample) -> None:
    lab = Lab("clock", failing=("main",), hang=("other",), count=1)

    async def main() -> None:
        stream = sample.built(lab)
        with pytest.raises(Boom) as caught:
            async with stream.open() as items:
                async for _ in items:
                    await asyncio.sleep(LONG)
                    lab.check_finished()
        assert caught.value is lab.raised

    play(main)


def test_an_error_does_not_queue_behind_items_that_come_later() -> None:
    async def failing() -> Any:
        yield "a"
        await asyncio.sleep(1.0)
        raise Boom

    async def endless() -> Any:
        while True:
            await asyncio.sleep(0.3)
            yield "b"

    async def main() -> None:
        out = []
        with pytest.raises(Boom):
            async with (Stream(failing) | ops.merge(endless, lookahead=9)).open() as items:
                async for item in items:
                    out.append(item)
                    if item == "a":
                        await asyncio.sleep(LONG)
        assert out == ["a", "b", "b", "b"]

    play(main)


# Where it was ---------------------------------------------------------------------------------------------


@pytest.mark.spread
@pytest.mark.parametrize("kind", ["sync", "async", "object"])
@pytest.mark.parametrize("sample", CALLING, ids=named)
def test_the_note_of_a_callbacks_error_names_the_operator_and_its_place(sample: Sample, kind: str) -> None:
    lab = Lab("turn", kind, failing_call=1, failing=("main",) if sample.catches else ())

    async def main() -> None:
        with pytest.raises(Boom) as caught:
            await read(sample.built(lab), lab)
        assert caught.value is lab.raised
        notes = [each for each in caught.value.__notes__ if each.startswith("in ")]
        # of a pipe that workers run, one names the operator there, and one names `on`
        assert len(notes) == (2 if sample.name.split("-")[0] == "on" else 1), notes
        for note in notes:
            match = re.fullmatch(r"in (\w+)\(.*\) at (.+):(\d+)", note)
            assert match, note
            assert "tests/samples/" in match[2]
            line = linecache.getline(match[2], int(match[3]))
            assert re.search(rf"\b(ops|own|connect)\.({match[1]}|for_each)\(", line), (note, line)

    play(main)


@pytest.mark.spread(full=2)
@pytest.mark.parametrize("form", ["await", "for"])
@pytest.mark.parametrize("kind", ["sync", "async", "lambda"])
@pytest.mark.parametrize("sample", CALLING, ids=named)
def test_the_end_of_an_iterator_inside_a_callback_is_an_error(sample: Sample, kind: str, form: str) -> None:
    for style in ("plain", "ready"):
        errors.end_of_an_iterator(sample, Case(style, kind), form)


# Errors of clean-up ---------------------------------------------------------------------------------------


@pytest.mark.spread
@pytest.mark.parametrize("style", ["turn", "plain"])
@pytest.mark.parametrize("sample", [each for each in CALLING if not each.catches], ids=named)
def test_errors_of_clean_up_hang_on_the_first_error(sample: Sample, style: str) -> None:
    errors.clean_up_fails_after_a_callback(sample, Case(style))


@pytest.mark.parametrize("style", ["turn", "clock", "plain"])
@pytest.mark.parametrize("sample", SEVERAL, ids=named)
def test_errors_of_a_siblings_clean_up_hang_on_the_first_error(sample: Sample, style: str) -> None:
    lab = Lab(style, failing=("main",), dirty=("other",), count=3)

    async def main() -> None:
        try:
            await read(sample.built(lab), lab)
        except Boom as error:
            assert error is lab.raised
            lab.check_told(error)
        except OSError as error:
            assert error is lab.dirt[0]  # it came first
        else:
            assert not lab.dirt
            assert lab.raised is None

    play(main)


LEAVING: dict[str, Any] = {
    "come out of open": errors.clean_up_fails_after_a_break,
    "hang on the error of the consumer": errors.clean_up_fails_after_the_consumer,
    "hang on the cancellation": errors.clean_up_fails_after_a_cancellation,
}


@pytest.mark.spread(full=2)
@pytest.mark.parametrize("way", LEAVING)
@pytest.mark.parametrize("style", ["turn", "clock", "plain"])
@pytest.mark.parametrize("sample", OPERATORS, ids=named)
def test_errors_of_clean_up(sample: Sample, style: str, way: str) -> None:
    LEAVING[way](sample, Case(style))


# Errors flow downstream only ------------------------------------------------------------------------------


def test_catch_does_not_catch_what_its_consumer_raises() -> None:
    called: list[Exception] = []

    def fallback(error: Exception) -> list[int]:
        called.append(error)
        return [0]

    async def main() -> None:
        stream = Stream([1, 2, 3]) | ops.catch(fallback)
        with pytest.raises(Boom):
            async with stream.open() as items:
                async for _ in items:
                    raise Boom
        with pytest.raises(ZeroDivisionError):
            await (stream | ops.map(lambda item: item / 0) | ops.to_list())
        with pytest.raises(ZeroDivisionError):
            await (stream | ops.buffer(Suspend(1)) | ops.for_each(lambda item: item / 0))
        with pytest.raises(ZeroDivisionError):
            await (stream | ops.merge([1]) | ops.map(lambda item: item / 0) | ops.batch(2) | ops.to_list())

    play(main)
    with pytest.raises(Boom):
        for _ in Stream([1, 2, 3]) | ops.catch(fallback):
            raise Boom
    assert called == []


@pytest.mark.parametrize("sample", OPERATORS, ids=named)
def test_nothing_but_close_is_thrown_into_a_source(sample: Sample) -> None:
    errors.nothing_is_thrown_in(sample, Case("ready"))


@pytest.mark.spread
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_no_operator_swallows_a_recursion_error(sample: Sample, style: str) -> None:
    errors.recursion_error(sample, Case(style))
