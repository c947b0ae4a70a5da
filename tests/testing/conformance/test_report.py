"""The report: what it says of a law that is broken, and how a case is run again."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streamkit import Stream, Suspend, ops
from streamkit.testing import Law, LawError, Report, check_operator, check_sink, check_source
from tests.files import over
from tests.testing.conformance import broken
from tests.tiers import stride

SWALLOWED = """\
swallows_errors breaks 1 of the 1 laws that were tested, in 27 cases

Law 4, Errors: What is held already is delivered, and then the first error comes as itself. Errors
of clean-up hang on it. An operator never catches its consumer's error.
  tried:    A source fails after its last item.
  case:     a plain iterable, 0 items
  expected: Boom('main')
  seen:     no error: it is swallowed
  again:    case='source_error/plain/sync/0'
"""


def found(operator: Any, **given: Any) -> Report:
    with pytest.raises(LawError) as caught:
        check_operator(operator, **given)
    assert caught.value.__cause__ is not None
    return caught.value.report


def test_a_finding_is_the_smallest_case_with_what_was_expected_and_seen() -> None:
    report = found(broken.swallows_errors, laws=Law.ERRORS, every=50)
    (finding,) = report.findings
    assert finding.case == "a plain iterable, 0 items"
    assert (finding.expected, finding.seen) == ("Boom('main')", "no error: it is swallowed")
    shown = str(report).splitlines()
    assert shown[0].startswith("swallows_errors breaks 1 of the 1 laws that were tested, in ")
    assert shown[1:8] == SWALLOWED.splitlines()[1:8]
    assert shown[9].startswith("  also:     held_comes_first, blocking")


def test_a_case_is_run_again_alone_and_raises_what_was_raised() -> None:
    report = found(broken.swallows_cancellation, laws=Law.CANCELLATION)
    (finding,) = report.findings
    assert finding.again.startswith("cancelled_at_every_step/turn/sync/0/")
    again = found(broken.swallows_cancellation, case=finding.again)
    assert again.runs == 1
    assert again.broken == (Law.CANCELLATION,)
    assert check_operator(broken.keeps_to_all, case=finding.again).broken == ()


def test_an_operator_that_keeps_to_all_says_what_was_not_tested() -> None:
    report = check_operator(broken.keeps_to_all, every=5 * stride(6))
    assert report.broken == ()
    assert {*report.tested, *report.untested} == {*Law}
    assert [*report.untested] == [Law.BOUND, Law.AWAITABLES, Law.VALIDATION]
    assert str(report) == (
        f"keeps_to_all keeps to all 9 laws that were tested, in {report.runs} cases\n\n"
        "Not tested:\n"
        "  Bound: it declares no bound: with @step or @stage, a contract does; otherwise say holds=\n"
        "  Awaitables: it is given no callbacks= to call\n"
        "  Validation: no refuses= says which arguments are bad"
    )


def test_all_laws_are_tested_of_one_of_which_all_is_said() -> None:
    report = check_operator(
        lambda function, other: ops.map(function, concurrency=2) | ops.merge(other),
        callbacks=[lambda item: item],
        others=1,
        refuses={"concurrency": lambda: ops.map(str, concurrency=0)},
        ordered=False,
        lossless=False,
        every=25 * stride(3),
    )
    assert report.tested == (*Law,)


def test_what_waits_is_not_read_by_a_plain_for_which_would_wait_in_real_time() -> None:
    async def slow(source: Stream[Any]) -> AsyncIterator[Any]:
        async with source.open() as items:
            async for item in items:
                await asyncio.sleep(3600.0)
                yield item

    report = check_operator(slow, laws=[Law.ONE_TASK, Law.CLOSE], every=60 * stride(2))
    assert report.broken == ()
    assert any("plain ``for``" in each for each in report.skipped)


def test_items_that_cannot_be_followed_leave_their_laws_untested() -> None:
    report = check_operator(
        lambda: ops.buffer(Suspend(1)), items=[None, True], laws=[Law.BOUND, Law.NOTHING_PINNED], every=9
    )
    assert "None cannot be followed" in report.untested[Law.BOUND]
    assert Law.BOUND not in report.tested


async def in_order(source: Stream[Any]) -> AsyncIterator[Any]:
    async with source.open() as items:
        found = [item async for item in items]
    for item in sorted(found, reverse=True):
        yield item


def test_what_passes_nothing_on_before_the_end_may_keep_all_until_then() -> None:
    report = check_operator(
        in_order, items=[1, 3, 2], expected=[3, 2, 1], lossless=False, every=9 * stride(4)
    )
    assert report.broken == ()
    assert Law.NOTHING_PINNED in report.tested  # what a run leaves behind is looked at all the same


async def sums(source: Stream[int]) -> AsyncIterator[int]:
    held: list[int] = []
    async with source.open() as items:
        async for item in items:
            held = [*held[-2:], item]
            yield sum(held)


def test_what_looks_back_at_its_items_is_told_what_to_say() -> None:
    with pytest.raises(LawError, match=r"2 items are still held(.|\n)*\blossless=False") as caught:
        check_operator(sums, holds=3, laws=Law.ERRORS)
    assert caught.value.report.broken == (Law.ERRORS,)
    right = check_operator(sums, holds=3, lossless=False, laws=[Law.BOUND, Law.ERRORS])
    assert (right.broken, right.tested) == ((), (Law.BOUND, Law.ERRORS))


def test_a_sink_is_checked_with_its_result() -> None:
    assert check_sink(ops.to_list, items="abc", expected=["a", "b", "c"], every=9 * stride(4)).broken == ()
    with pytest.raises(LawError, match=r"expected: \[4\]"):
        check_sink(ops.sum, items=[1, 2], expected=4, laws=Law.ACCOUNTING)
    swallowing = ops.catch(lambda _: [0]) | ops.to_list()
    with pytest.raises(LawError) as caught:
        check_sink(swallowing, laws=Law.ERRORS)
    assert caught.value.report.broken == (Law.ERRORS,)


def test_an_operator_is_run_in_other_orders_of_what_is_ready() -> None:
    assert check_operator(
        lambda: ops.buffer(Suspend(2)), laws=Law.CLOSE, schedules=3, seed=1, every=40 * stride(5)
    ).runs

    async def swallows(source: Stream[Any]) -> AsyncIterator[Any]:
        async for item in broken.swallows_cancellation(source):
            yield item

    report = found(swallows, laws=Law.CANCELLATION, schedules=3, seed=1, every=9)
    assert report.broken == (Law.CANCELLATION,)


async def letters() -> AsyncIterator[str]:
    for letter in "abc":
        await asyncio.sleep(0)
        yield letter


async def clings() -> AsyncIterator[int]:
    try:
        for number in range(3):
            await asyncio.sleep(0)
            yield number
    except asyncio.CancelledError:
        return


async def leaves_a_task() -> AsyncIterator[int]:
    asyncio.ensure_future(asyncio.sleep(1e6))  # noqa: RUF006 - this is what is wrong with it
    yield 0


_kept: list[Any] = []


class Block:
    """An item that can be followed."""


async def keeps_its_items() -> AsyncIterator[Block]:
    for _ in range(3):
        _kept.append(Block())
        yield _kept[-1]


async def fails() -> AsyncIterator[int]:
    yield 0
    raise OSError("gone")


_shared = iter(range(3))

BROKEN_SOURCES: dict[str, tuple[Law, Any, dict[str, Any]]] = {
    "swallows a cancellation": (Law.CANCELLATION, clings, {}),
    "leaves a task": (Law.CLOSE, leaves_a_task, {}),
    "keeps its items": (Law.NOTHING_PINNED, keeps_its_items, {}),
    "gives something else": (Law.ACCOUNTING, letters, {"expected": "abd"}),
    "can be run once": (Law.ACCOUNTING, lambda: _shared, {}),
    "fails with another error": (Law.ERRORS, fails, {"error": KeyError, "expected": [0]}),
}


@pytest.mark.parametrize("name", BROKEN_SOURCES)
def test_a_source_that_breaks_one_law_is_found_to_break_that_one(name: str) -> None:
    law, source, given = BROKEN_SOURCES[name]
    with pytest.raises(LawError) as caught:
        check_source(source, **given)
    assert caught.value.report.broken == (law,), str(caught.value.report)


def test_sources_that_keep_to_the_laws_pass() -> None:
    assert check_source(letters, expected="abc").broken == ()
    assert check_source([1, 2, 3]).broken == ()
    assert check_source(fails, error=OSError).broken == ()


def _any(value: Any) -> Any:
    """A value that type checkers would not let pass."""
    return value


CALLS: dict[str, tuple[type[Exception], str, Any]] = {
    "no operator": (TypeError, "operator must be an operator, a callable", lambda: check_operator(5)),  # type: ignore[arg-type]
    "a sink": (TypeError, "write check_sink", lambda: check_operator(ops.to_list())),
    "an operator as a sink": (TypeError, "write check_operator", lambda: check_sink(ops.take(1))),
    "no items": (
        ValueError,
        "1 to 1000 items, not none",
        lambda: check_operator(ops.take(1), items=[]),
    ),
    "too many items": (ValueError, "items must be", lambda: check_operator(ops.take(1), items=range(10**6))),
    "expected alone": (TypeError, "expected needs items", lambda: check_operator(ops.take(1), expected=[0])),
    "no law": (ValueError, "laws must name at least one", lambda: check_operator(ops.take(1), laws=[])),
    "a number": (TypeError, "laws must be of Law", lambda: check_operator(ops.take(1), laws=[3])),  # type: ignore[list-item]
    "every": (
        ValueError,
        "every must be a whole number of at least 1, not 0",
        lambda: check_operator(ops.take(1), every=0),
    ),
    "a callback of a value": (
        TypeError,
        "callable that makes it",
        lambda: check_operator(ops.take(1), callbacks=[str]),
    ),
    "others": (
        ValueError,
        "others must be a whole number of at least 0",
        lambda: check_operator(ops.take(1), others=-1),
    ),
    "a case": (ValueError, "case must be one that", lambda: check_operator(ops.take(1), case="exhaust")),
    "an iterator": (TypeError, "source must be a callable", lambda: check_source(iter([1]))),
    "ends": (TypeError, "expected is needed", lambda: check_source(letters, ends=False)),
    "an async generator": (TypeError, "source must be a callable", lambda: check_source(letters())),
    "no source": (TypeError, "source must be an iterable", lambda: check_source(3)),
    "items": (TypeError, "items must be an iterable", lambda: check_operator(ops.take(1), items=_any(3))),
    "expected": (
        TypeError,
        "expected must be an iterable",
        lambda: check_operator(ops.take(1), items="a", expected=_any(3)),
    ),
    "expected of a source": (
        TypeError,
        "expected must be an iterable",
        lambda: check_source("a", expected=_any(3)),
    ),
    "one callback": (TypeError, r"callbacks=\[pow\]", lambda: check_operator(ops.map, callbacks=_any(pow))),
    "no callback": (
        TypeError,
        "callbacks must be callables",
        lambda: check_operator(ops.map, callbacks=_any("a")),
    ),
    "a list of calls": (
        TypeError,
        "refuses must be a mapping",
        lambda: check_operator(ops.take(1), refuses=_any(["count"])),
    ),
    "an operator for a call": (
        TypeError,
        "refuses must have a call without arguments for 'count'",
        lambda: check_operator(ops.take(1), refuses=_any({"count": ops.take(1)})),
    ),
    "a law for a name": (
        TypeError,
        "names of arguments",
        lambda: check_sink(ops.sum, refuses=_any({Law.ERRORS: ops.sum})),
    ),
    "others in quotes": (
        TypeError,
        "others must be a whole number",
        lambda: check_operator(ops.take(1), others=_any("1")),
    ),
    "needs": (ValueError, "needs must be", lambda: check_operator(ops.take(1), needs=-1)),
    "needs of a sink": (TypeError, "needs must be", lambda: check_sink(ops.sum, needs=_any("1"))),
    "holds": (TypeError, "holds must be", lambda: check_operator(ops.take(1), holds=_any("1"))),
    "lookahead": (ValueError, "lookahead must be", lambda: check_operator(ops.take(1), lookahead=-1)),
    "timed": (TypeError, "timed must be True or False", lambda: check_operator(ops.take(1), timed=_any(1))),
    "on_empty": (
        TypeError,
        "on_empty must be a class of exceptions",
        lambda: check_sink(ops.sum, on_empty=_any(ValueError("x"))),
    ),
    "laws as a string": (TypeError, "not 'close'", lambda: check_operator(ops.take(1), laws=_any("close"))),
    "ends in words": (TypeError, "ends must be True or False", lambda: check_source("a", ends=_any("no"))),
    "error in words": (
        TypeError,
        "error must be a class of exceptions",
        lambda: check_source("a", error=_any("OSError")),
    ),
    "again": (TypeError, "again must be one of Again.SAME", lambda: check_source("a", again=_any("never"))),
    "keeps": (ValueError, "keeps must be", lambda: check_source("a", keeps=-1)),
    "threads": (TypeError, "threads must be True or False", lambda: check_source("a", threads=_any(2))),
    "every of a source": (TypeError, "every must be", lambda: check_source("a", every=_any("x"))),
    "an operator that is not made": (
        TypeError,
        r"write lambda: take\(\.\.\.\)",
        lambda: check_operator(_any(ops.take)),
    ),
    "items it cannot take": (TypeError, "argument", lambda: check_operator(lambda: ops.starmap(pow))),
}


@over(CALLS)
def test_a_bad_argument_is_refused(name: str) -> None:
    kind, words, call = CALLS[name]
    with pytest.raises(kind, match=words) as caught:
        call()
    if name == "items it cannot take":
        assert "give others with items=" in caught.value.__notes__[-1]


def test_what_was_expected_is_compared_with_all_items() -> None:
    """A case with fewer items is no smaller one: there less comes out of any operator."""
    with pytest.raises(LawError) as caught:
        check_operator(ops.take(2), items="abc", expected="abc")
    (finding,) = caught.value.report.findings
    assert (finding.expected, finding.seen) == ("['a', 'b', 'c']", "['a', 'b']")
    with pytest.raises(LawError, match=r"seen: +\['a', 'b'\]"):
        check_operator(ops.take(2), items="abc", expected="abc", case=finding.again)
    assert check_operator(ops.take(2), items="abc", expected="ab", case=finding.again).broken == ()


def test_a_refusal_names_the_argument_as_a_word() -> None:
    def fails() -> None:
        raise ValueError("nothing can be done")  # "n" stands in it, and is not named

    with pytest.raises(LawError, match="an error that names n"):
        check_operator(ops.take(1), refuses={"n": fails}, laws=Law.VALIDATION)

    def names() -> None:
        raise ValueError("n: too small")

    assert check_operator(ops.take(1), refuses={"n": names}, laws=Law.VALIDATION).broken == ()


async def spins(source: Stream[Any]) -> AsyncIterator[Any]:
    """Ends when its source does, and asks again and again whether that is so."""
    ended = asyncio.Event()

    async def wait() -> None:
        async with source.open() as items:
            async for _ in items:
                pass
        ended.set()

    task = asyncio.create_task(wait())
    try:
        while not ended.is_set():  # noqa: ASYNC110 - that is what is wrong with it
            await asyncio.sleep(0)
    finally:
        task.cancel()
    if False:
        yield


def test_of_what_does_not_end_little_else_is_told() -> None:
    """Dozens of checks are not tried then: a list of them would hide the one line that counts."""
    report = found(spins)
    assert Law.FAIRNESS in report.broken
    assert report.untested[Law.CANCELLATION] == "it does not end, so what else it does was not tried"
    assert all(report.untested.values()), "each law that was not tested has a reason"
    (words,) = report.skipped
    assert "other checks: it does not end, as law 7 says." in words


def test_a_function_that_is_called_with_a_stream_by_mistake_says_so() -> None:
    with pytest.raises(TypeError, match="has no items") as caught:
        check_operator(lambda other: ops.merge(other))
    assert "say callbacks= or others=" in caught.value.__notes__[-1]
    with pytest.raises(TypeError) as caught:
        check_operator(lambda: ops.starmap(pow))
    assert "others=" not in caught.value.__notes__[-1]
