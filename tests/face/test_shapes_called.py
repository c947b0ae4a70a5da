"""Operators are functions of streams: called with one, each gives what the pipe gives, whatever its shape."""

from typing import Any

import pytest

from streamkit import Job, Stream, ops
from tests.laws.lab import Lab, Sample
from tests.samples import OPERATORS, SAMPLES, SINKS


@pytest.mark.parametrize("sample", OPERATORS, ids=repr)
def test_an_operator_called_with_a_stream_is_joined_to_it(sample: Sample) -> None:
    operator, stream = sample.make(Lab()), Stream([1])
    called: Any = operator(stream)
    assert isinstance(called, Stream)
    assert called.links == (stream | operator).links == operator.links
    assert called.source is stream.source


@pytest.mark.parametrize("sample", SINKS, ids=repr)
def test_a_sink_called_with_a_stream_is_a_job(sample: Sample) -> None:
    sink = sample.make(Lab())
    called, piped = sink(Stream([1])), Stream([1]) | sink
    assert type(called) is type(piped) is Job
    assert repr(called) == repr(piped)


def test_one_of_each_shape_is_called_and_joined_alike() -> None:
    """Each has a call of its own, so that type checkers know what comes of it."""
    pipes = [each.make(Lab()) for each in SAMPLES]
    for pipe in {type(pipe): pipe for pipe in pipes}.values():
        called, joined, piped = pipe(Stream([1])), [1] | pipe, Stream([1]) | pipe
        assert type(called) is type(joined) is type(piped)
        assert repr(called) == repr(joined) == repr(piped)


@pytest.mark.parametrize(
    ("sink", "result"), [(ops.to_set(), {("a", 1)}), (ops.to_dict(), {"a": 1}), (ops.to_list(), [("a", 1)])]
)
def test_a_sink_that_takes_items_of_any_type_is_called_like_the_others(sink: Any, result: Any) -> None:
    job: Any = sink(Stream([("a", 1)]))
    assert job.run() == result


ANY: Any = ops
STREAM: Any = Stream([1])
JOB: Any = STREAM | ops.to_list()


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (lambda: STREAM | ANY.group_by, r"write \| group_by\(\.\.\.\)"),
        (lambda: ANY.merge(ANY.take), r"the operator take is no source"),
        (lambda: STREAM + 5, "unsupported operand"),
        (lambda: JOB | 5, "unsupported operand"),
    ],
    ids=["no parentheses", "no source", "a sum", "behind a job"],
)
def test_what_is_no_operator_is_not_joined(write: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        write()


def test_an_operator_whose_shape_depends_on_an_argument_is_called_too() -> None:
    assert list(ops.filter(None)(Stream([0, 1, None, 2]))) == [1, 2]
