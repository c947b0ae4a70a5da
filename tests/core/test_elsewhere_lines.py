"""Lines of the tables, run beside what they stand for: what comes out is the same."""

import asyncio
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import pytest
import reactivex
from reactivex import operators

import streamkit
from streamkit import Stream, ops
from streamkit._core.elsewhere import answer
from streamkit._core.names import RXPY

ITEMS = ["a", "b", "c", "d"]
STREAM: Any = Stream(ITEMS)
FRONT: Any = streamkit
of: Any = operators


class Twice:
    """A condition that is true two times; RxPY gives it the observable."""

    def __init__(self) -> None:
        self.answers = iter([True, True, False])

    def __call__(self, *_: Any) -> bool:
        return next(self.answers)


def is_early(pair: tuple[int, str]) -> bool:
    return pair[0] < 2


def came_early(_: str, number: int) -> bool:
    return number < 2


def so_often(number: int, item: str) -> str:
    return number * item


def written_there(item: str, number: int) -> str:
    return number * item


def five() -> int:
    return 5


def theirs(operator: Any) -> list[Any]:
    found: list[Any] = []
    reactivex.from_iterable(ITEMS).pipe(operator).subscribe(found.append)
    return found


def here(name: str, **words: Any) -> list[Any]:
    """What comes out of the line for `name`, with `words` in the places of its names."""
    code, _ = answer(RXPY[name])
    known = {
        "ops": ops,
        "streamkit": streamkit,
        "Stream": Stream,
        "itemgetter": itemgetter,
        "asyncio": asyncio,
    }
    made: Any = eval(code, {**known, "stream": Stream(ITEMS), **words})
    if not hasattr(made, "explain"):
        made = Stream(ITEMS) | made
    return list(made)


@pytest.mark.parametrize(
    ("name", "operator", "words"),
    [
        ("filter_indexed", of.filter_indexed(came_early), {"predicate": is_early}),
        ("take_while_indexed", of.take_while_indexed(came_early), {"predicate": is_early}),
        ("skip_while_indexed", of.skip_while_indexed(came_early), {"predicate": is_early}),
        ("map_indexed", of.map_indexed(written_there), {"function": so_often}),
        ("take_last_buffer", of.take_last_buffer(3), {"count": 3}),
        ("while_do", of.while_do(Twice()), {"condition": Twice()}),
        ("do_while", of.do_while(Twice()), {"condition": Twice()}),
        ("on_error_resume_next", of.on_error_resume_next(reactivex.of("z")), {"stream": streamkit.of("z")}),
    ],
)
def test_give_what_rxpy_gives(name: str, operator: Any, words: dict[str, Any]) -> None:
    assert here(name, **words) == theirs(operator)


def test_a_failed_stream_is_followed_too() -> None:
    broken: Stream[str] = streamkit.fail(ValueError("gone"))
    made: Any = eval(answer(RXPY["on_error_resume_next"])[0], {"ops": ops, "stream": ["z"]})
    assert list(broken | made) == ["z"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("from_callable", {"function": five}),
        ("start", {"function": five}),
        ("to_async", {"function": pow, "arguments": (5, 1)}),
    ],
)
def test_calls_give_their_result(name: str, words: dict[str, Any]) -> None:
    assert here(name, **words) == [5]


@pytest.mark.parametrize("name", ["dispose", "unsubscribe", "aclose"])
def test_a_run_is_ended_by_its_handle(name: str) -> None:
    async def main() -> None:
        handle = (Stream(ITEMS) | ops.to_list()).start()
        with pytest.raises(AttributeError, match=r"write await handle\.stop\(\)"):
            getattr(handle, name)
        await handle

    asyncio.run(main())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: STREAM.interval(1.0), "has no attribute 'interval': write streamkit.interval"),
        (lambda: STREAM.just(1), ": write streamkit.of"),
        (lambda: STREAM.do_while(bool), ": write stream | ops.concat(streamkit.defer("),
        (lambda: STREAM.to_iterable(), ": write list(stream)"),
        (lambda: STREAM.stream(), ": write async with stream.open() as items"),
        (lambda: STREAM.finally_(print), ": write stream | ops.on_close(function)"),
        (lambda: FRONT.BehaviorSubject(1), ": BehaviorSubject is push here"),
        (lambda: STREAM.to_list().just(1), ": write streamkit.of"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*was never awaited")
def test_a_name_from_elsewhere_is_answered_with_what_to_write(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(AttributeError) as caught:
        make()
    assert words in str(caught.value)
