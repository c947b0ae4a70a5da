"""Wrong arguments: the answer names what was called, lists what that takes, and says what was meant."""

import inspect
import pickle
import re
from collections.abc import Callable, Iterator
from inspect import Parameter, signature
from typing import Any

import pytest
import reactivex

import streamkit
from streamkit import (
    DropOldest,
    KeepLatest,
    Retry,
    Strategy,
    Suspend,
    aiostream,
    ops,
    reactive_streams,
    rx,
    testing,
)
from streamkit._core.argument_names import ARGUMENTS
from streamkit._core.lazy import listed
from tests.files import over

DOORS: dict[str, Any] = {
    "ops": ops,
    "streamkit": streamkit,
    "rx": rx,
    "aiostream": aiostream,
    "reactive_streams": reactive_streams,
    "testing": testing,
}


def public() -> Iterator[tuple[str, Any]]:
    """Every function of the doors, and every strategy that takes arguments, as users say them."""
    for said, door in DOORS.items():
        for name in listed(door.__name__) if door in (ops, streamkit) else door.__all__:
            value = getattr(door, name)
            if inspect.isfunction(value):
                alone = door is streamkit and name not in vars(ops)["__all__"]
                yield name if alone else f"{said}.{name}", value
            elif inspect.isclass(value) and issubclass(value, Strategy) and signature(value).parameters:
                yield name, value


PUBLIC = dict(public())


def answer(call: Callable[[], Any]) -> str:
    with pytest.raises(TypeError) as caught:
        call()
    assert caught.value.__context__ is None
    return str(caught.value)


class TestEverything:
    @over(PUBLIC)
    def test_names_itself_and_what_it_takes(self, name: str) -> None:
        words = answer(lambda: PUBLIC[name](nonsense=1))
        head, _, rest = words.partition(") takes no nonsense")
        assert head.startswith(f"{name}("), words
        taken = {found.strip("*") for found in re.findall(r"(\*?\w+)(?==|,|$|\))", head.partition("(")[2])}
        assert {*signature(PUBLIC[name]).parameters} <= taken
        assert rest == ""

    @over(PUBLIC)
    def test_knows_what_its_arguments_are_called_elsewhere(self, name: str) -> None:
        own = [each.name for each in signature(PUBLIC[name]).parameters.values() if each.kind in NAMED]
        for argument in own:
            for word in ARGUMENTS.get(argument, "").split():
                if word not in own:
                    meant = re.search(r": write (\w+)=7$", answer(lambda w=word: PUBLIC[name](**{w: 7})))  # type: ignore[misc]
                    assert meant is not None
                    assert word in ARGUMENTS[meant[1]].split()

    @over(PUBLIC)
    def test_is_where_it_says(self, name: str) -> None:
        assert pickle.loads(pickle.dumps(PUBLIC[name])) is PUBLIC[name]


NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)

of: Any = ops
front: Any = streamkit
MAP = (
    "ops.map(function=..., *, concurrency=1, ordered=True, key=..., lookahead=0, on=None, chunk=1, "
    "on_error=None)"
)
OBSERVED: Any = rx.from_observable
CALLS: dict[str, tuple[Callable[[], Any], str]] = {
    "as elsewhere": (
        lambda: of.map(str, max_concurrent=3),
        f"{MAP} takes no max_concurrent: write concurrency=3",
    ),
    "two": (
        lambda: of.map(str, workers=3, in_order=True),
        "takes no workers and no in_order: write concurrency=3, ordered=True",
    ),
    "misspelt": (lambda: front.DropOldest(3, gasp=True), "takes no gasp: write gaps=True"),
    "of a base": (
        lambda: front.DropOldest(),
        "DropOldest(capacity, *, on_drop=None, gaps=False) needs capacity",
    ),
    "by position": (
        lambda: of.map(str, 3),
        f"{MAP} takes 1 argument by position, not 2: write concurrency=3",
    ),
    "of its type": (lambda: of.map(str, False), "write ordered=False"),
    "of no type": (lambda: front.KeepLatest(3), "takes no arguments by position, not 1"),
    "without a default": (lambda: of.batch_within(2, 1.5), "not 2: write seconds=1.5"),
    "twice": (lambda: of.map(str, function=str), "was given function twice, by position and by name"),
    "missing": (lambda: of.flat_map(str), "needs concurrency (inner streams read at once at most)"),
    "several": (lambda: of.group_by(str), "sink, that each group runs for itself) and max_groups (groups"),
    "strategy": (
        lambda: of.buffer(),
        "write ops.buffer(Suspend(16)), or DropOldest(16) for what cannot wait",
    ),
    "strategy by name": (
        lambda: OBSERVED(reactivex.of(1)),
        "write rx.from_observable(..., strategy=Suspend(16)), or DropOldest(16) for what cannot wait",
    ),
    "strategy by position": (
        lambda: OBSERVED(reactivex.of(1), Suspend(1)),
        "takes 1 argument by position, not 2: write strategy=Suspend(capacity=1)",
    ),
    "enum": (
        lambda: of.group_by(no=1),
        "on_full=OnFull.FAIL, idle=..., reopen=False, on_error=None) takes no no",
    ),
    "wait": (lambda: of.retry(3, delay=1.0), "takes no delay: write backoff=1.0"),
    "types": (lambda: of.retry(3, errors=OSError), "takes no errors: write when=OSError"),
    "last resort": (lambda: of.timeout(1.0, default=[2]), "takes no default: write fallback=[2]"),
    "after that": (lambda: front.Retry(3, on_error=None), "takes no on_error: write then=None"),
    "first value": (lambda: of.reduce(max, 0), "to begin with a value, write ops.fold(function, initial)"),
    "rate": (lambda: front.RateLimit(), "RateLimit(rate, *, burst=1, burst_seconds=...) needs rate"),
    "limit": (lambda: front.Limit(), "Limit(value, *, most=None) needs value"),
    "adaptive": (lambda: front.Adaptive(1), "latency=None, errors=None) needs most"),
    "bare decorator": (lambda: front.step(str), "is written with parentheses: write @step(...)"),
}


@pytest.mark.parametrize("name", CALLS)
def test_says_what_to_write(name: str) -> None:
    call, words = CALLS[name]
    assert answer(call).endswith(words) or (name == "several" and words in answer(call))


def test_the_table_has_names_of_arguments_only() -> None:
    taken = {name for value in [*PUBLIC.values(), Retry] for name in signature(value).parameters}
    assert {*ARGUMENTS} <= taken


def test_errors_from_inside_are_left_alone() -> None:
    def fails(item: Any) -> Any:
        return item + 1

    with pytest.raises(TypeError, match="function must be a callable, not 5"):
        ops.map(5)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="can only concatenate"):
        testing.run(lambda: fails("a"))


def test_a_strategy_of_a_user_answers_for_itself() -> None:
    class Mine(DropOldest[Any]):
        def __init__(self, capacity: int, *, name: str = "mine") -> None:
            super().__init__(capacity)

    assert Mine(3).capacity == 3
    assert answer(lambda: Mine(3, nam="x")) == "Mine(capacity, *, name='mine') takes no nam: write name='x'"  # type: ignore[call-arg]
    assert repr(KeepLatest()) == "KeepLatest()"
