"""The tree of errors, and how errors that come later hang on the first."""

import asyncio
import builtins
import dataclasses
import pickle
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

import streamkit
from streamkit import Stream, ops
from streamkit._core import errors
from streamkit._core.errors import GraphError, StreamkitError, attach, attached, noted
from streamkit.testing import run

ERRORS = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, StreamkitError) and value is not StreamkitError
]


class TestTree:
    def test_is_drawn_in_the_docstring_as_it_is(self) -> None:
        drawn = re.findall(r"^ *(?:│   )?[├└]── (\w+) +\((\w+)\) +\S", errors.__doc__ or "", re.MULTILINE)
        assert dict(drawn) == {error.__name__: error.__bases__[1].__name__ for error in ERRORS}
        roots = [name for name, _ in drawn if getattr(errors, name).__bases__[0] is StreamkitError]
        assert roots == sorted(roots), "not in order of the alphabet"

    @pytest.mark.parametrize("error", ERRORS, ids=lambda each: each.__name__)
    def test_each_has_one_root_and_is_a_builtin_error_too(self, error: type[StreamkitError]) -> None:
        root, builtin = error.__bases__
        assert root is StreamkitError or root.__bases__[0] is StreamkitError
        assert getattr(builtins, builtin.__name__) is builtin
        assert issubclass(builtin, Exception)

    @pytest.mark.parametrize("error", [StreamkitError, *ERRORS], ids=lambda each: each.__name__)
    def test_each_is_at_the_front_door_and_named_as_errors_are(self, error: type[StreamkitError]) -> None:
        assert getattr(streamkit, error.__name__) is error
        assert error.__name__ in streamkit.__all__
        assert error.__name__.endswith("Error")
        assert error.__doc__

    @pytest.mark.parametrize("error", [StreamkitError, *ERRORS], ids=lambda each: each.__name__)
    def test_each_is_copied_by_pickle(self, error: type[StreamkitError]) -> None:
        copy = pickle.loads(pickle.dumps(error("what", 5)))
        assert (type(copy), copy.args) == (error, ("what", 5))


class TestAttached:
    @given(st.lists(st.sampled_from("abc"), max_size=5))
    def test_all_are_kept_in_the_order_they_came(self, names: list[str]) -> None:
        first = ValueError("first")
        later = [OSError(name) for name in names]
        for error in later:
            attach(first, error)
        assert attached(first) == tuple(later)

    def test_none(self) -> None:
        assert attached(ValueError()) == ()

    def test_an_error_does_not_hang_on_itself(self) -> None:
        error = ValueError()
        attach(error, error)
        assert attached(error) == ()

    def test_the_same_error_hangs_there_once_but_an_equal_one_is_another(self) -> None:
        first, second = ValueError("first"), OSError("second")
        attach(first, second)
        attach(first, second)
        attach(first, OSError("second"))
        assert len(attached(first)) == 2

    def test_each_leaves_a_note_that_a_traceback_shows(self) -> None:
        first = ValueError("first")
        attach(first, OSError("disk full"))
        attach(first, KeyError("name"))
        assert first.__notes__ == ["then failed too: OSError: disk full", "then failed too: KeyError: 'name'"]

    def test_what_is_no_exception_can_hang_and_be_hung_on(self) -> None:
        leaving = KeyboardInterrupt()
        attach(leaving, SystemExit(3))
        assert [type(error) for error in attached(leaving)] == [SystemExit]

    def test_what_is_returned_cannot_change_what_hangs_there(self) -> None:
        first = ValueError()
        attach(first, OSError())
        assert isinstance(attached(first), tuple)

    def test_what_hangs_on_one_error_does_not_hang_on_another(self) -> None:
        one, other = ValueError(), ValueError()
        attach(one, OSError())
        assert attached(other) == ()


@dataclasses.dataclass(frozen=True)
class FrozenError(Exception):
    what: str


class RefusingError(Exception):
    def _refuse(self, *arguments: object) -> Any:
        raise RuntimeError

    add_note = __setattr__ = __str__ = __repr__ = __eq__ = _refuse
    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


class TestNoted:
    @pytest.mark.parametrize("error", [ValueError("a"), FrozenError("a"), RefusingError("a")], ids=type)
    def test_each_note_once_whatever_the_error_takes(self, error: Exception) -> None:
        for note in ("one", "other", "one"):
            noted(error, note)
        attach(error, RefusingError())
        attach(error, FrozenError("late"))
        assert error.__notes__ == [
            "one",
            "other",
            "then failed too: RefusingError: <its __str__ failed with RuntimeError>",
            "then failed too: FrozenError: late",
        ]
        assert [type(late) for late in attached(error)] == [RefusingError, FrozenError]

    def test_of_a_size_that_can_be_read(self) -> None:
        error = ValueError()
        attach(error, OSError("x" * 10**6))
        assert len(error.__notes__[0]) < 400

    @pytest.mark.parametrize("notes", ["text", None, 5, (1, 2)])
    def test_what_a_user_has_set_there_stays(self, notes: Any) -> None:
        error = ValueError()
        error.__notes__ = notes
        noted(error, "one")
        assert error.__notes__ is notes

    def test_notes_of_any_kind_are_not_compared(self) -> None:
        error = ValueError()
        error.__notes__ = [RefusingError()]  # type: ignore[list-item]
        noted(error, "one")
        noted(error, "one")
        assert error.__notes__[1:] == ["one"]


class TestReplacedCancellations:
    """An error that a clean-up raises in place of a cancellation is none that an operator takes."""

    def test_one_behind_another_is_not_taken(self) -> None:
        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.sleep(99.0)
            finally:
                try:
                    raise KeyError("clean-up")
                except KeyError:
                    raise ConnectionError("of the clean-up of that")  # noqa: B904 - it has the other's context

        found: list[Any] = []

        async def read() -> None:
            async for item in Stream(source) | ops.catch(lambda _: "caught"):
                found.append(item)

        async def main() -> None:
            task = asyncio.create_task(read())
            await asyncio.sleep(1.0)
            task.cancel()
            with pytest.raises(ConnectionError, match="of the clean-up of that"):
                await task

        run(main)
        assert found == [1]

    def test_one_that_comes_when_a_cancellation_is_over_is_taken(self) -> None:
        def source() -> Iterator[int]:
            yield 1
            raise ConnectionError("refused")

        async def last_words() -> list[Any]:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(99.0)
            return [item async for item in Stream(source) | ops.catch(lambda _: ["caught"])]

        async def main() -> None:
            task = asyncio.create_task(last_words())
            await asyncio.sleep(1.0)
            task.cancel()
            assert await task == [1, "caught"]

        run(main)


def test_a_graph_says_its_mistakes_in_words_and_one_by_one() -> None:
    for error, mistakes in (GraphError("two"), ()), (GraphError("two", (1, 2)), (1, 2)):
        for each in error, pickle.loads(pickle.dumps(error)):
            assert (str(each), each.mistakes) == ("two", mistakes)
