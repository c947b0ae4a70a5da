"""Every operator and sink is a method of `Stream`, and the same operator; what checkers read is not stale."""

import ast
import inspect
import pickle
from typing import Any

import pytest

from pages import methods
from streamkit import Stream, Suspend, ops
from streamkit._core.lazy import listed
from streamkit._engine.face.methods import Methods, _Method
from streamkit.testing import run
from tests.files import over

NAMES = sorted(listed("streamkit.ops"))
NUMBERS: Any = Stream(range(6))
OTHER = Stream([1])


def double(number: int) -> int:
    return 2 * number


PAIRS = [
    (NUMBERS.map(double), NUMBERS | ops.map(double)),
    (NUMBERS.map(double, concurrency=2), NUMBERS | ops.map(double, concurrency=2)),
    (NUMBERS.filter(bool).take(2), NUMBERS | ops.filter(bool) | ops.take(2)),
    (NUMBERS.buffer(Suspend(3)).batch(2), NUMBERS | ops.buffer(Suspend(3)) | ops.batch(2)),
    (NUMBERS.merge(OTHER, lookahead=2), NUMBERS | ops.merge(OTHER, lookahead=2)),
    (NUMBERS.enumerate(start=1), NUMBERS | ops.enumerate(1)),
    (NUMBERS.take_while(bool, inclusive=True), NUMBERS | ops.take_while(bool, inclusive=True)),
]


@over(NAMES)
def test_it_is_the_operator_that_has_the_name(name: str) -> None:
    method = getattr(Stream, name)
    assert method.__wrapped__ is getattr(ops, name)
    assert inspect.getdoc(method) == inspect.getdoc(getattr(ops, name))
    assert method.__qualname__ == f"Stream.{getattr(ops, name).__name__}"


@pytest.mark.parametrize(("method", "piped"), PAIRS, ids=lambda stream: repr(stream)[14:])
def test_a_method_joins_the_same_operator(method: Any, piped: Any) -> None:
    assert method.links == piped.links
    assert repr(method) == repr(piped)
    assert str(method.explain()) == str(piped.explain())
    assert list(method) == list(piped)


@pytest.mark.parametrize(
    ("job", "result"),
    [
        (NUMBERS.to_list(), [0, 1, 2, 3, 4, 5]),
        (NUMBERS.map(double).fold(lambda total, number: total + number, 0), 30),
        (NUMBERS.skip(9).first(default="none"), "none"),
        (NUMBERS.broadcast(ops.count(), ops.last()), (6, 5)),
    ],
    ids=["to_list", "fold", "first", "broadcast"],
)
def test_a_sink_is_a_method_that_makes_a_job(job: Any, result: Any) -> None:
    assert job.run() == result


def test_an_error_names_the_line_of_the_method() -> None:
    frame = inspect.currentframe()
    assert frame is not None
    stream, line = NUMBERS.map(lambda number: 1 // number), frame.f_lineno
    with pytest.raises(ZeroDivisionError) as caught:
        list(stream)
    (note,) = caught.value.__notes__
    assert note.endswith(f"test_methods.py:{line}")


def test_a_wrong_argument_is_answered_as_by_the_operator() -> None:
    with pytest.raises(ValueError, match="count") as by_method:
        NUMBERS.take(-1)
    with pytest.raises(ValueError, match="count") as by_operator:
        ops.take(-1)
    assert str(by_method.value) == str(by_operator.value)
    with pytest.raises(TypeError, match=r"ops.take\(count\) takes no size"):
        NUMBERS.take(size=1)


def test_a_name_that_is_none_is_answered_as_before() -> None:
    with pytest.raises(AttributeError, match=r"write stream \| ops.batch\(size\)"):
        NUMBERS.chunks(2)


def test_streams_with_methods_are_copied_as_others() -> None:
    stream = Stream([1, 2]).map(double)
    assert list(pickle.loads(pickle.dumps(stream))) == [2, 4]
    assert not hasattr(stream, "__dict__")


def test_no_method_hides_what_a_stream_has_itself() -> None:
    own = {name for kind in Stream.__mro__ if kind is not Methods for name in vars(kind)}
    assert not own & {*NAMES}


def test_what_is_awaited_stays_what_it_was() -> None:
    async def main() -> list[int]:
        return await Stream([1]).map(double).to_list()

    assert run(main()) == [2]


def test_the_stub_is_what_is_written_now() -> None:
    written, committed = methods.page(), methods.PAGE.read_text()
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(committed)), (
        f"{methods.PAGE.name} is stale; run: make pages"
    )


def test_the_first_use_of_a_method_is_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("take_while", "to_list"):
        monkeypatch.setattr(Methods, name, _Method(name))
    for _ in range(2):
        assert NUMBERS.take_while(lambda item: item < 2, inclusive=True).to_list().run() == [0, 1, 2]
