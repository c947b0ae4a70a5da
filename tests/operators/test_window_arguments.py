"""window: arguments that are refused, where they are written; and kinds of windows as values."""

import copy
import math
import pickle
from typing import Any

import pytest

from streamkit import Hopping, Session, Sliding, Stream, Tumbling, Until, ops

TENS = Tumbling(seconds=10)
COUNT = ops.count()


def same(item: Any) -> Any:
    return item


NO_NUMBERS: tuple[Any, ...] = ("1", None, True, [1], 1j)
NO_SECONDS = (0, -1, -0.5, math.nan, math.inf, -math.inf, 10**400)


@pytest.mark.parametrize("wrong", [*NO_NUMBERS, 1.0, math.nan])
def test_counts_of_the_wrong_type(wrong: Any) -> None:
    for make in (Tumbling, Sliding, lambda count: Hopping(count=count, every=1)):
        with pytest.raises(TypeError, match="count must be a whole number of at least 1, not"):
            make(count=wrong)
    with pytest.raises(TypeError, match="every must be a whole number of at least 1, not"):
        Hopping(count=3, every=wrong)
    with pytest.raises(TypeError, match="max_held must be a whole number of at least 1, not"):
        ops.window(Session(gap=1), COUNT, timestamp=same, lateness=1, max_held=wrong)


@pytest.mark.parametrize("wrong", [0, -1])
def test_counts_that_are_too_small(wrong: int) -> None:
    for make in (Tumbling, Sliding, lambda count: Hopping(count=count, every=1)):
        with pytest.raises(ValueError, match=f"count must be a whole number of at least 1, not {wrong}"):
            make(count=wrong)
    with pytest.raises(ValueError, match=f"every must be a whole number of at least 1, not {wrong}"):
        Hopping(count=3, every=wrong)
    with pytest.raises(ValueError, match=f"max_held must be a whole number of at least 1, not {wrong}"):
        ops.window(Session(gap=1), COUNT, timestamp=same, lateness=1, max_held=wrong)


@pytest.mark.parametrize("wrong", NO_NUMBERS)
def test_seconds_of_the_wrong_type(wrong: Any) -> None:
    for name, make in (
        ("seconds", lambda: Tumbling(seconds=wrong)),
        ("seconds", lambda: Sliding(seconds=wrong)),
        ("seconds", lambda: Hopping(seconds=wrong, every=1)),
        ("every", lambda: Hopping(seconds=1, every=wrong)),
        ("gap", lambda: Session(gap=wrong)),
        ("lateness", lambda: ops.window(TENS, COUNT, timestamp=same, lateness=wrong)),
        ("idle", lambda: ops.window(TENS, COUNT, timestamp=same, idle=wrong)),
    ):
        with pytest.raises(TypeError, match=f"{name} must be a finite number of seconds"):
            make()


@pytest.mark.parametrize("wrong", NO_SECONDS)
def test_seconds_that_are_none(wrong: Any) -> None:
    for name, make in (
        ("seconds", lambda: Tumbling(seconds=wrong)),
        ("seconds", lambda: Sliding(seconds=wrong)),
        ("seconds", lambda: Hopping(seconds=wrong, every=1)),
        ("every", lambda: Hopping(seconds=1, every=wrong)),
        ("gap", lambda: Session(gap=wrong)),
        ("idle", lambda: ops.window(TENS, COUNT, timestamp=same, idle=wrong)),
    ):
        with pytest.raises(ValueError, match=f"{name} must be a finite number of seconds above 0, not"):
            make()
    if wrong != 0:
        with pytest.raises(
            ValueError, match="lateness must be a finite number of seconds of at least 0, not"
        ):
            ops.window(TENS, COUNT, timestamp=same, lateness=wrong)


@pytest.mark.parametrize("wrong", [None, 1, "key", [], COUNT])
def test_callbacks_that_are_none(wrong: Any) -> None:
    for name, make in (
        ("predicate", lambda: Until(wrong)),
        ("timestamp", lambda: ops.window(TENS, COUNT, timestamp=wrong)),
        ("on_late", lambda: ops.window(TENS, COUNT, timestamp=same, on_late=wrong)),
    ):
        with pytest.raises(TypeError, match=f"{name} must be a callable, not"):
            make()


@pytest.mark.parametrize("make", [Tumbling, Sliding, lambda **given: Hopping(every=1, **given)])
def test_one_of_count_and_seconds(make: Any) -> None:
    with pytest.raises(ValueError, match=r"must have one of count= and seconds=, not neither"):
        make()
    with pytest.raises(ValueError, match=r"must have one of count= and seconds=, not count=1, seconds=2"):
        make(count=1, seconds=2)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            10,
            "windows such as Tumbling(seconds=60), not 10: "
            "write Tumbling(count=...) or Tumbling(seconds=...)",
        ),
        (None, "windows such as Tumbling(seconds=60), not None"),
        (Tumbling, "windows such as Tumbling(seconds=60), not the class Tumbling itself"),
        (Session, "windows such as Session(gap=30), not the class Session itself"),
    ],
)
def test_what_is_no_kind_of_windows(wrong: Any, words: str) -> None:
    with pytest.raises(TypeError) as caught:
        ops.window(wrong, COUNT)
    assert str(caught.value) == f"kind must be {words}"


@pytest.mark.parametrize("wrong", [None, print, Stream("a"), ops.count])
def test_what_is_no_pipe(wrong: Any) -> None:
    with pytest.raises(TypeError, match="pipe must be operators, or operators and a sink, not"):
        ops.window(TENS, wrong)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"lateness": 1}, "lateness must be given with timestamp= only, not 1.0 without it"),
        ({"idle": 1}, "idle must be given with timestamp= only, not 1.0 without it"),
        (
            {"on_late": print},
            "on_late must be given with timestamp= only, not <built-in function print> without it",
        ),
        (
            {"timestamp": same, "max_held": 3},
            "max_held must not be given, as 3 is, for Tumbling(seconds=10.0)",
        ),
    ],
)
def test_arguments_that_mean_nothing(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words follow
        ops.window(TENS, COUNT, **given)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    "kind",
    [Tumbling(count=2), Hopping(count=2, every=1), Sliding(count=2), Until(same)],
    ids=str,
)
def test_times_mean_nothing_where_items_are_counted(kind: Any) -> None:
    with pytest.raises(ValueError, match="timestamp must be given for windows by time only, not for"):
        ops.window(kind, COUNT, timestamp=same)


def test_windows_that_keep_items_need_a_bound() -> None:
    for make in (
        lambda: ops.window(Sliding(seconds=5), COUNT),
        lambda: ops.window(Sliding(seconds=5), COUNT, timestamp=same),
        lambda: ops.window(Session(gap=5), COUNT, timestamp=same, lateness=1),
    ):
        with pytest.raises(ValueError, match="max_held must be given for"):
            make()
    ops.window(Session(gap=5), COUNT, timestamp=same)


def test_no_item_may_have_to_go_into_more_windows_than_anyone_has() -> None:
    for kind, given in (
        (Hopping(count=100_001, every=1), {}),
        (Hopping(seconds=1e300, every=1e-300), {}),
        (Tumbling(seconds=1e-3), {"timestamp": same, "lateness": 1e6}),
    ):
        with pytest.raises(ValueError, match="window must have at most 100000 windows open at once"):
            ops.window(kind, COUNT, **given)


def test_what_a_call_does_not_take_is_answered() -> None:
    with pytest.raises(TypeError, match=r"window\(.*takes no size"):
        ops.window(TENS, COUNT, size=3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match=r"Tumbling\(.*"):
        Tumbling(3)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]


KINDS = (
    Tumbling(count=2),
    Tumbling(seconds=2),
    Hopping(count=3, every=2),
    Hopping(seconds=3, every=2),
    Sliding(count=2),
    Session(gap=5),
    Until(same),
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_kinds_and_operators_are_values(kind: Any) -> None:
    assert copy.deepcopy(kind) == kind
    assert pickle.loads(pickle.dumps(kind)) == kind
    assert len({kind, copy.copy(kind)}) == 1
    windows = ops.window(kind, COUNT)
    again = pickle.loads(pickle.dumps(windows))
    assert repr(again) == repr(windows)
    assert again == ops.window(kind, COUNT)
    with pytest.raises(AttributeError, match="cannot be changed"):
        kind.count = 3


@pytest.mark.parametrize("kind", KINDS[:5], ids=str)
def test_a_kind_is_shown_as_it_was_written(kind: Any) -> None:
    assert eval(repr(kind)) == kind
