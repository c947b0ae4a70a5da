"""Sources: the words of what is refused, how one is shown, and what copies of several share."""

import copy
import warnings
from typing import Any

import pytest

import streamkit
from streamkit import Replace, Stream

ALLOWED = "an iterable, an async iterable, or a callable that makes one"


class Observable:
    def subscribe(self, *_: Any) -> None: ...

    def __repr__(self) -> str:
        return "Observable()"


class Later:
    """Awaitable, and no coroutine."""

    def __await__(self) -> Any:
        yield

    def __repr__(self) -> str:
        return "Later()"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (
            Observable(),
            "the observable Observable(): use streamkit.rx.from_observable(observable, strategy=...), or, if "
            "it is a publisher of Reactive Streams, streamkit.reactive_streams.from_publisher(publisher)",
        ),
        (Later(), "the awaitable Later(): await it first"),
    ],
    ids=["observable", "awaitable"],
)
def test_what_is_refused_says_what_it_is(value: Any, words: str) -> None:
    with pytest.raises(TypeError) as caught:
        Stream(value)
    assert str(caught.value) == f"source must be {ALLOWED}, not {words}"


def test_a_coroutine_that_a_callable_makes_is_closed() -> None:
    async def work() -> None: ...

    made = list[Any]()

    def source() -> Any:
        made.append(work())
        return made[-1]

    with pytest.raises(TypeError, match=r"^the source source must return .*, not <coroutine object"):
        list(Stream(source))
    with warnings.catch_warnings(), pytest.raises(RuntimeError, match="cannot reuse already awaited"):
        warnings.simplefilter("ignore")
        made[0].send(None)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (streamkit.count(1, 2), "count(1, 2)"),
        (streamkit.repeat("a", 3), "repeat('a', 3)"),
        (streamkit.iterate(abs, -1), "iterate(abs, -1)"),
        (
            streamkit.iterate(abs, -1, on_error=Replace(lambda error: None)),
            "iterate(abs, -1, on_error=Replace(<lambda>))",
        ),
    ],
    ids=str,
)
def test_a_source_of_ours_is_shown_as_the_call_that_makes_it(source: Any, text: str) -> None:
    assert repr(source) == f"Stream({text})"


def test_streams_of_one_list_that_are_copied_together_read_one_copy() -> None:
    items = [[1], [2]]
    one, other = copy.deepcopy((Stream(items), Stream(items)))
    assert one.source.value is other.source.value is not items
    assert list(one) == items


def test_a_source_of_ours_is_shown_as_it_was_called() -> None:
    made: dict[str, Any] = {
        "interval(1.0)": streamkit.interval(1.0),
        "count(2, 3)": streamkit.count(2, 3),
        "repeat('a')": streamkit.repeat("a"),
        "repeat('a', 2)": streamkit.repeat("a", 2),
    }
    for text, stream in made.items():
        assert repr(stream) == f"Stream({text})"
        assert (stream.source.kind, stream.source.makes) == (text.partition("(")[0], True)
