"""Law 4, of words: what names an operator, an argument or an item replaces no error, and asks nothing of it.

Items, arguments, callbacks and errors here refuse whatever naming and comparing could do with them.
"""

import copy
import dataclasses
import functools
from collections.abc import Callable
from typing import Any, NoReturn

import pytest

from streamkit import Job, Keep, Operator, Stream, Suspend, attached, ops, step
from streamkit.testing import run
from tests.laws.items import Item
from tests.laws.lab import Lab, Sample, play
from tests.laws.test_errors import named, read
from tests.samples import SAMPLES
from tests.samples.callbacks import newest

CALLING = [each for each in SAMPLES if each.calls]
COMPARING = {"distinct_until_changed", "distinct", "filter-none"}
"""Operators whose work it is to compare items, or to ask whether they are true."""


class RefusedError(Exception):
    """Something was done with an object that nobody may do anything with."""


def refuse(*arguments: Any) -> NoReturn:
    raise RefusedError


class Wild:
    """An argument, such as an array, that cannot be compared, hashed, printed or asked whether it is true."""

    __repr__ = __str__ = __format__ = __bool__ = __len__ = __getattr__ = refuse  # type: ignore[assignment]
    __eq__ = __hash__ = refuse  # type: ignore[assignment]


class WildItem(Item):
    __slots__ = ()
    __repr__ = __str__ = __format__ = __bool__ = refuse  # type: ignore[assignment]
    __eq__ = __hash__ = refuse  # type: ignore[assignment]


class WildCall(Wild):
    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)


class WildAsyncCall(WildCall):
    async def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)


class WildLab(Lab):
    """A lab whose items and callbacks are wild; it follows none of them."""

    def item(self, number: int) -> Item:
        return WildItem(number)

    def drop(self, item: Any, _: object = None) -> None: ...

    def callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
        call = super().callback(function)
        return WildAsyncCall(call) if self.style == "clock" else WildCall(call)


@pytest.mark.spread
@pytest.mark.parametrize("style", ["ready", "clock", "plain"])
@pytest.mark.parametrize("sample", [each for each in SAMPLES if each.name not in COMPARING], ids=named)
def test_nothing_is_asked_of_an_item_or_a_callback(sample: Sample, style: str) -> None:
    lab = WildLab(style)

    async def main() -> None:
        await read(sample.built(lab), lab)

    play(main)


@pytest.mark.spread
@pytest.mark.parametrize("style", ["ready", "clock"])
@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_every_pipe_can_be_named_and_explained(sample: Sample, style: str) -> None:
    built = sample.built(WildLab(style))
    assert type(repr(built)) is type(str(built.explain(code=True))) is str
    pipe = sample.make(WildLab(style))
    assert pipe == copy.copy(pipe)
    assert hash(pipe) == hash(copy.copy(pipe))
    assert (pipe == sample.make(WildLab(style))) in {True, False}


# Errors that take nothing -----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    what: object


@dataclasses.dataclass(frozen=True, slots=True)
class SlottedError(Exception):
    what: object


class WordlessError(Exception):
    __str__ = __repr__ = refuse  # type: ignore[assignment]


class UnnotedError(Exception):
    add_note = refuse  # type: ignore[assignment]
    __setattr__ = refuse  # type: ignore[assignment]


class AnsweringError(Exception):
    def __getattr__(self, name: str) -> str:
        return f"something for {name}"


class EqualError(Exception):
    __eq__ = refuse  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


ERRORS = [FrozenError, SlottedError, WordlessError, UnnotedError, AnsweringError, EqualError]


@pytest.mark.spread
@pytest.mark.parametrize("error", ERRORS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("sample", CALLING, ids=named)
def test_an_error_arrives_as_itself_and_names_the_operator(sample: Sample, error: type[Exception]) -> None:
    lab = WildLab("ready", failing_call=1, error=error, dirty=("main",))

    async def main() -> None:
        try:
            await read(sample.built(lab), lab)
        except Exception as caught:
            assert caught is lab.raised
            assert any("samples/" in note for note in caught.__notes__)
            assert {*map(id, lab.dirt)} >= {*map(id, attached(caught))}
        else:
            raise AssertionError("no error came")
        assert all(visit.cleaned == 1 for visit in lab.visits)

    play(main)


@pytest.mark.spread
@pytest.mark.parametrize("first", ERRORS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("later", ERRORS, ids=lambda each: each.__name__)
def test_what_fails_later_hangs_on_what_failed_first(first: Any, later: Any) -> None:
    error, late = first("first"), later("later")

    async def source() -> Any:
        try:
            yield 1
        finally:
            raise late

    def fail(_: int) -> None:
        raise error

    async def main() -> None:
        try:
            await (Stream(source) | ops.map(fail) | ops.drain())
        except Exception as caught:
            assert caught is error
        assert [id(each) for each in attached(error)] == [id(late)]

    run(main)


# Arguments of any kind --------------------------------------------------------------------------------------


@step(setup="kept = value", each="emit(item)")
def keep(value: object, other: object = None, *more: object, word: object = "word") -> Keep:
    return Keep(keep, value=value, other=other, more=more, word=word)


def fail(*_: object) -> NoReturn:
    raise KeyError("the user's error")


WILD = Wild()
OTHER = Stream([1])
HUGE = 10**5000
VALUES = [WILD, HUGE, b"\0" * 3_000_000, [WILD], {"key": WILD}, functools.partial(WildCall(newest), WILD)]
WAYS: list[Callable[[Any], Any]] = [
    lambda value: ops.fold(fail, value),
    lambda value: ops.scan(fail, value) | ops.to_list(),
    lambda value: keep(value, value, value, word=value) | ops.map(fail) | ops.first(default=value),
    lambda value: ops.zip(OTHER, fill=value) | ops.map(fail) | ops.last(default=value),
    lambda value: ops.buffer(Suspend(1)) | ops.merge(OTHER) | ops.fold(fail, value),
    lambda value: ops.broadcast(ops.fold(fail, value), ops.count()),
]


@pytest.mark.parametrize("way", range(len(WAYS)))
@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_of_any_argument(value: Any, way: int) -> None:
    make = WAYS[way]
    assert make(value) == make(value)
    assert hash(make(value)) == hash(make(value))
    assert make(value) != make(0)
    job: Job[Any] = Stream([1, 2]) | make(value)
    assert len(repr(job)) < 1_000
    assert len(str(job.explain())) < 2_000

    async def main() -> None:
        for run_of in (job, job.start()):
            with pytest.raises(KeyError) as caught:
                await run_of
            assert sum(map(len, caught.value.__notes__)) < 1_000

    run(main)


def test_a_source_may_be_wild() -> None:
    stream = Stream(WildCall(lambda: [1, 2])) | ops.map(str)
    assert list(stream) == ["1", "2"]
    assert len(repr(stream)) < 200
    assert len(str(stream.explain())) < 400


class Rows(list[int]):
    __repr__ = __str__ = refuse  # type: ignore[assignment]


@pytest.mark.parametrize("source", [Rows([1]), [*range(1_000)], (1,), [WILD]], ids=lambda each: type(each))
def test_a_started_job_is_not_named_by_the_values_of_its_source(source: Any) -> None:
    async def main() -> None:
        handle = (Stream(source) | ops.count()).start()
        state = "done" if handle.done else "running"  # an eager task may have ended
        assert repr(handle) == f"<Handle {state} Job({type(source).__name__} | count())>"
        assert await handle == len(source)

    run(main)


def test_an_operator_of_wild_callbacks_is_equal_to_itself_alone() -> None:
    one, other = ops.map(WildCall(newest)), ops.map(WildCall(newest))
    assert one == copy.copy(one)
    assert one != other
    assert isinstance(one, Operator)


def test_a_pipe_of_any_size_is_named_in_few_words() -> None:
    tree = long = deep = Stream([1])
    for _ in range(40):
        tree = Stream([1]) | ops.concat(tree, tree)  # of 2**40 leaves
    for _ in range(2_000):
        long, deep = long | ops.map(str), Stream([1]) | ops.concat(deep)
    wide = Stream([1]) | ops.merge(*[[1]] * 2_000)
    for stream in (tree, long, deep, wide):
        assert len(repr(stream)) < 500
        assert len(repr(stream | ops.count())) < 500
