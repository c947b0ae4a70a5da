"""Fixtures of tests in virtual time: async ones are made in the loop of the test, plain ones by pytest."""

import textwrap
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.testing.plugin.conftest import Room

ASYNC = textwrap.dedent("""
    told = []

    @pytest.fixture
    def plain():
        return "plain"

    @pytest.fixture
    async def connection(plain):
        await asyncio.sleep(1.0)
        told.append("opened")
        yield f"{plain} connection"
        await asyncio.sleep(1.0)
        told.append("closed")

    @pytest.fixture
    async def session(connection):
        return f"session of {connection}"
""")
SUITES = ("streamkit", "asyncio strict", "asyncio auto", "anyio auto", "trio mode")


@pytest.mark.parametrize("beside", SUITES)
def test_async_fixtures_are_made_in_the_loop_of_the_test(room: "Room", beside: str) -> None:
    """Also where another plugin makes those of all tests."""
    suite = textwrap.dedent("""
        @pytest.mark.streamkit
        async def test_of_a_session(session, plain, connection):
            assert (session, plain) == ("session of plain connection", "plain")
            assert told == ["opened"] and asyncio.get_running_loop().time() == 1.0

        def test_afterwards():
            assert told == ["opened", "closed"]
    """)
    room(ASYNC + suite, plugins=tuple({"streamkit": 1, beside: 1})).assert_outcomes(passed=2)


def test_autouse_and_methods(room: "Room") -> None:
    suite = textwrap.dedent("""
        @pytest.fixture(autouse=True)
        async def always():
            told.append("always")
            yield

        @pytest.mark.streamkit
        class TestIt:
            @pytest.fixture
            async def own(self, connection):
                yield self, connection

            async def test_it(self, own):
                assert own == (self, "plain connection") and told == ["always", "opened"]
    """)
    room(ASYNC + suite).assert_outcomes(passed=1)


def test_parameters_of_async_fixtures(room: "Room") -> None:
    suite = textwrap.dedent("""
        @pytest.fixture(params=[1, 2])
        async def number(request):
            return request.param

        @pytest.mark.streamkit
        async def test_it(number):
            assert number == 1
    """)
    room(ASYNC + suite).assert_outcomes(passed=1, failed=1)


def test_a_fixture_is_closed_after_a_failure(room: "Room") -> None:
    suite = textwrap.dedent("""
        @pytest.mark.streamkit
        async def test_it(connection):
            raise KeyError(connection)

        def test_afterwards():
            assert told == ["opened", "closed"]
    """)
    result = room(ASYNC + suite)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["E       KeyError: 'plain connection'"])


def test_two_yields_and_none_are_errors(room: "Room") -> None:
    suite = textwrap.dedent("""
        @pytest.fixture
        async def twice():
            yield 1
            yield 2

        @pytest.fixture
        async def never():
            if told:
                yield

        @pytest.mark.streamkit
        async def test_twice(twice): ...

        @pytest.mark.streamkit
        async def test_never(never): ...
    """)
    result = room(ASYNC + suite)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*the fixture twice has more than one yield", "*the fixture never did not yield*"]
    )


def test_a_plain_fixture_cannot_have_an_async_one(room: "Room") -> None:
    suite = textwrap.dedent("""
        @pytest.fixture
        def wrapped(session):
            return [session]

        @pytest.mark.streamkit
        async def test_it(wrapped): ...
    """)
    result = room(ASYNC + suite)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["the fixture 'wrapped' uses the async fixture 'session'*make 'wrapped' async, too"]
    )


def test_an_async_fixture_that_is_asked_for_too_late(room: "Room") -> None:
    suite = textwrap.dedent("""
        @pytest.mark.streamkit
        async def test_it(request):
            request.getfixturevalue("session")
    """)
    result = room(ASYNC + suite)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the async fixture 'connection' is asked for while the test runs*"])


def test_the_fixture_for_plain_tests(room: "Room") -> None:
    suite = textwrap.dedent("""
        async def main():
            await asyncio.sleep(3600.0)
            return asyncio.get_running_loop().time()

        def test_function(streamkit_run):
            assert streamkit_run(main) == 3600.0

        def test_coroutine(streamkit_run):
            assert streamkit_run(main()) == 3600.0

        def test_waiting(streamkit_run):
            async def waiting():
                time.sleep(1.0)
            with pytest.raises(RuntimeError, match="virtual time stands still"):
                streamkit_run(waiting)
    """)
    room(suite).assert_outcomes(passed=3)


def test_the_fixture_for_tests_of_hypothesis(room: "Room") -> None:
    """It stays the same for all inputs, so hypothesis takes it, without a health check that is suppressed."""
    suite = textwrap.dedent("""
        from hypothesis import given, settings, strategies

        runs = []

        @settings(max_examples=5, database=None)
        @given(strategies.integers(1, 3))
        def test_it(streamkit_run, seconds):
            async def main():
                await asyncio.sleep(seconds)
                return asyncio.get_running_loop().time()

            runs.append(streamkit_run(main, schedules=2))
            assert runs[-1] == seconds

        def test_it_ran():
            assert 1 <= len(runs) <= 5
    """)
    result = room(suite, plugins=("streamkit", "hypothesis"))
    result.assert_outcomes(passed=2)
