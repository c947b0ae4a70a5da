"""Guarded callbacks, called as operators call them: what takes the place of a result, and what is raised."""

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pytest

from streamkit import DROPPED, OnError, Replace, Resume, Retry, SourceConsumedError, guarded, ops
from streamkit._core.guarded import Dropped, Guarded, policy_among, protected, unguarded
from streamkit.testing import run


class RefusalError(Exception):
    """What the callbacks of these tests fail with."""


@dataclass
class Tally:
    dropped: int = 0


def refuse(*items: Any) -> Any:
    raise RefusalError(*items)


async def refuse_later(*items: Any) -> Any:
    await asyncio.sleep(1.0)
    raise RefusalError(*items)


def refuse_awaited(*items: Any) -> Any:
    """As a plain function that calls a coroutine function does."""
    return refuse_later(*items)


def refuse_future(*items: Any) -> Any:
    future: Future[Any] = Future()
    future.set_exception(RefusalError(*items))
    return future


def pair(item: Any, error: Exception) -> Any:
    return item, type(error)


async def pair_later(item: Any, error: Exception) -> Any:
    await asyncio.sleep(1.0)
    return item, type(error)


def pair_future(item: Any, error: Exception) -> Any:
    future: Future[Any] = Future()
    future.set_result((item, type(error)))
    return future


REFUSING = [refuse, refuse_later, refuse_awaited, refuse_future]
PAIRING = [pair, pair_later, pair_future]


def result(function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function` gives, as a stage takes it: awaited until there is nothing to await."""

    async def main() -> Any:
        made = function(*arguments)
        if isinstance(made, Future):
            return await asyncio.wrap_future(made)
        return await made if inspect.isawaitable(made) else made

    return run(main)


def chain(error: BaseException | None) -> list[str]:
    """An error and its causes, by their words."""
    return [] if error is None else [str(error), *chain(error.__cause__)]


class TestResults:
    def test_of_one_that_does_not_fail_are_its_own(self) -> None:
        async def later(*items: Any) -> Any:
            return items

        def awaited(*items: Any) -> Any:
            return later(*items)

        def future(*items: Any) -> Any:
            made: Future[Any] = Future()
            made.set_result(items)
            return made

        for function in (lambda *items: items, later, awaited, future):
            for policy in (Resume(), Replace(pair), Retry(2)):
                assert result(guarded("function", function, policy), 1, 2) == (1, 2)

    def test_are_awaited_only_where_they_are_awaitable(self) -> None:
        made = object()
        assert guarded("function", lambda: made, Resume())() is made
        assert inspect.iscoroutinefunction(type(guarded("function", refuse_later, Resume())).__call__)
        assert not inspect.iscoroutinefunction(type(guarded("function", refuse, Resume())).__call__)

    @pytest.mark.parametrize("function", REFUSING)
    @pytest.mark.parametrize("instead", PAIRING)
    def test_are_replaced_by_what_is_made_of_item_and_error(self, function: Any, instead: Any) -> None:
        for policy in (Replace(instead), Retry(2, then=Replace(instead))):
            assert result(guarded("function", function, policy), "state", "item") == ("item", RefusalError)
            spread = guarded("function", function, policy, spread=True)
            assert result(spread, "one", "two") == (("one", "two"), RefusalError)

    @pytest.mark.parametrize("function", REFUSING)
    def test_of_what_is_dropped_are_a_mark(self, function: Any) -> None:
        for policy in (Resume(), Resume(pair), Resume(pair_later), Retry(2, then=Resume())):
            assert result(guarded("function", function, policy), 1) is DROPPED

    @pytest.mark.parametrize("function", REFUSING)
    @pytest.mark.parametrize("policy", [Resume(), Resume(pair_later), Retry(2, then=Resume())], ids=repr)
    def test_what_is_dropped_is_counted_in_its_tally(self, function: Any, policy: OnError) -> None:
        made = guarded("function", function, policy)
        assert isinstance(made, Guarded)
        tally = Tally()
        counted = made.but(tally=tally)
        assert [result(counted, 1), result(counted, 2), tally.dropped] == [DROPPED, DROPPED, 2]
        raising = counted.but(raises=True)
        with pytest.raises(Dropped):
            result(raising, 3)
        assert tally.dropped == 3
        with pytest.raises(Dropped):
            result(made.but(raises=True), 4)
        assert tally.dropped == 3

    def test_that_replace_others_are_not_counted(self) -> None:
        made = guarded("function", refuse, Replace(pair))
        assert isinstance(made, Guarded)
        tally = Tally()
        assert result(made.but(tally=tally, raises=True), 1) == (1, RefusalError)
        assert tally.dropped == 0


@pytest.mark.parametrize("function", REFUSING)
class TestErrors:
    def test_of_another_type_are_raised_as_they_are(self, function: Any) -> None:
        for policy in (
            Resume(errors=OSError),
            Replace(pair, errors=OSError),
            Retry(None, errors=OSError),
            Retry(None, errors=OSError, then=Resume(errors=KeyError)),
        ):
            with pytest.raises(RefusalError) as caught:
                result(guarded("function", function, policy), "item")
            assert chain(caught.value) == ["item"]
            assert not hasattr(caught.value, "__notes__")

    def test_of_the_last_call_are_raised_as_they_are(self, function: Any) -> None:
        with pytest.raises(RefusalError) as caught:
            result(guarded("function", function, Retry(2)), "item")
        assert chain(caught.value) == ["item"]
        assert caught.value.__notes__ == ["this was attempt 2 of 2, after RefusalError: item"]

    @pytest.mark.parametrize("letters", [refuse, refuse_later, refuse_future])
    def test_of_what_is_done_about_them_have_them_as_cause(self, function: Any, letters: Any) -> None:
        def failing(_: Any, error: Exception) -> Any:
            return letters(f"about {error}")

        for policy in (Resume(failing), Replace(failing), Retry(2, then=Replace(failing))):
            with pytest.raises(RefusalError) as caught:
                result(guarded("function", function, policy), "item")
            assert chain(caught.value) == ["about item", "item"]

    def test_that_have_another_cause_keep_it(self, function: Any) -> None:
        def failing(_: Any, error: Exception) -> Any:
            raise RefusalError("later") from OSError("disk")

        async def failing_later(_: Any, error: Exception) -> Any:
            raise RefusalError("later") from OSError("disk")

        for instead in (failing, failing_later):
            with pytest.raises(RefusalError) as caught:
                result(guarded("function", function, Replace(instead)), "item")
            assert chain(caught.value) == ["later", "disk"]

    def test_that_are_raised_again_are_not_their_own_cause(self, function: Any) -> None:
        def again(_: Any, error: Exception) -> Any:
            raise error

        async def again_later(_: Any, error: Exception) -> Any:
            raise error

        for instead in (again, again_later):
            with pytest.raises(RefusalError) as caught:
                result(guarded("function", function, Replace(instead)), "item")
            assert chain(caught.value) == ["item"]


class TestErrorsOfTheProgram:
    @pytest.mark.parametrize("kind", [RecursionError, SourceConsumedError])
    @pytest.mark.parametrize(
        "policy", [Resume(), Replace(pair), Retry(None), Retry(3, then=Resume())], ids=repr
    )
    def test_are_raised_at_the_first_call(self, kind: type[Exception], policy: OnError) -> None:
        calls: list[int] = []

        def function(number: int) -> Any:
            calls.append(number)
            raise kind("x")

        async def function_later(number: int) -> Any:
            return function(number)

        for each in (function, function_later, lambda number: function_later(number)):
            with pytest.raises(kind, match=r"^x$"):
                result(guarded("function", each, policy), 1)
        assert calls == [1, 1, 1]


@pytest.mark.parametrize("policy", [Resume(), Replace(pair), Retry(None)], ids=repr)
@pytest.mark.parametrize("later", [False, True])
def test_an_error_in_place_of_a_cancellation_is_raised(policy: OnError, later: bool) -> None:
    async def function() -> None:
        try:
            await asyncio.sleep(9.0)
        finally:
            raise RefusalError("clean-up")

    async def main() -> None:
        task = asyncio.ensure_future(guarded("f", (lambda: function()) if later else function, policy)())
        await asyncio.sleep(1.0)
        task.cancel()
        with pytest.raises(RefusalError, match=r"^clean-up$"):
            await task

    run(main)


class TestRetry:
    @pytest.mark.parametrize("later", [False, True])
    def test_calls_with_the_same_arguments_and_waits_before_each(self, later: bool) -> None:
        calls: list[Any] = []

        def function(*arguments: Any, **named: Any) -> Any:
            calls.append((arguments, asyncio.get_running_loop().time()))
            if len(calls) < 3:
                raise RefusalError
            return asyncio.sleep(1.0, "done") if later else "done"

        assert result(guarded("function", function, Retry(None, 2.0)), "state", "item") == "done"
        assert calls == [(("state", "item"), 0.0), (("state", "item"), 2.0), (("state", "item"), 4.0)]

    def test_goes_on_after_errors_of_its_types_only(self) -> None:
        errors: list[Exception] = [
            OSError("first"),
            OSError("second"),
            RefusalError("third"),
            OSError("fourth"),
        ]

        def function() -> Any:
            raise errors.pop(0)

        with pytest.raises(RefusalError, match=r"^third$"):
            result(guarded("function", function, Retry(9, errors=OSError)))
        assert [str(error) for error in errors] == ["fourth"]

    def test_an_error_that_is_raised_again_and_again_gathers_no_frames(self) -> None:
        error = RefusalError("always the same")

        def function() -> Any:
            raise error

        with pytest.raises(RefusalError):
            result(guarded("function", function, Retry(3)))
        few = frames(error)
        with pytest.raises(RefusalError):
            result(guarded("function", function, Retry(50)))
        assert frames(error) <= few + 5


def frames(error: BaseException) -> int:
    trace, count = error.__traceback__, 0
    while trace is not None:
        trace, count = trace.tb_next, count + 1
    return count


class TestValues:
    def test_are_equal_if_they_are_written_alike(self) -> None:
        one = guarded("f", refuse, Resume())
        assert isinstance(one, Guarded)
        assert one == guarded("f", refuse, Resume()) == one.but(tally=Tally())
        others = [
            guarded("f", refuse_future, Resume()),
            guarded("f", refuse, Resume(pair)),
            guarded("f", refuse, Resume(), spread=True),
            one.but(raises=True),
            guarded("f", refuse_later, Resume()),
            refuse,
            None,
        ]
        assert [one == other for other in others] == [False] * len(others)

    def test_have_a_hash_also_where_their_callback_has_none(self) -> None:
        class Unhashable:
            __hash__ = None  # type: ignore[assignment]

            def __call__(self) -> None: ...

        function = Unhashable()
        one, other = (guarded("f", function, Resume()) for _ in range(2))
        assert (one == other, hash(one) == hash(other)) == (True, True)
        different = {
            hash(guarded("f", each, policy)) for each in (refuse, pair) for policy in (Resume(), Retry())
        }
        assert len(different) == 4

    def test_have_the_name_of_their_callback(self) -> None:
        assert guarded("f", refuse, Resume()).__name__ == "refuse"
        assert repr(ops.map(refuse, on_error=Resume())) == "map(refuse, on_error=Resume())"


class TestArguments:
    def test_without_a_policy_the_callback_is_as_it_was(self) -> None:
        assert guarded("f", refuse, None) is refuse

    def test_what_is_no_callback_or_no_policy_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"^key must be a callable, not 5$"):
            guarded("key", 5, Resume())  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"^key must be a callable, not 5$"):
            guarded("key", 5, None)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"^on_error must be .* or None, not 5$"):
            guarded("key", refuse, 5)  # type: ignore[arg-type]

    def test_a_policy_without_a_callback_is_refused(self) -> None:
        unguarded("key", None)
        with pytest.raises(
            ValueError, match=r"^on_error must be given together with key, not alone: Resume\(\)$"
        ):
            unguarded("key", Resume())
        with pytest.raises(TypeError, match=r"^on_error must be .* or None, not 5$"):
            unguarded("key", 5)  # type: ignore[arg-type]

    def test_the_policy_among_arguments_is_that_of_the_first_that_has_one(self) -> None:
        policy = Resume(pair)
        made = guarded("f", refuse, policy)
        assert policy_among([1, made, guarded("f", refuse, Retry())]) is policy
        assert policy_among([1, refuse]) is None
        assert policy_among([]) is None


def test_the_item_is_the_last_argument_unless_it_is_said_to_be_all() -> None:
    for more, item in (({}, 2), ({"spread": False}, 2), ({"spread": True}, (1, 2))):
        for made in (protected, guarded):
            assert result(made("function", refuse, Replace(pair), **more), 1, 2) == (item, RefusalError)


def test_what_a_callback_has_returned_is_let_go_of_with_the_call_that_nobody_awaits() -> None:
    for call in (
        lambda made: protected("function", lambda: made, Resume())(),
        lambda made: protected("function", refuse, Replace(lambda item, error: made))(1),
    ):
        made = refuse_later()
        call(made).close()
        assert inspect.getcoroutinestate(made) == inspect.CORO_CLOSED
