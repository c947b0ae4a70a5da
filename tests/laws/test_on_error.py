"""`on_error=`: in every operator that has it, for each policy, whichever call of its callback fails."""

import asyncio
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeGuard, get_args, get_origin, get_overloads, get_type_hints
from unittest.mock import patch

import pytest

import streamkit
from streamkit import Replace, Resume, Retry, Stream, ops
from streamkit._core.catalogue import catalogue
from streamkit._core.guarded import Guarded
from streamkit._core.on_error import OnError
from streamkit._engine.plan.link import Link
from tests.files import over
from tests.laws.items import plain
from tests.laws.lab import Boom, Lab, Sample, play, trying
from tests.samples import SAMPLES

WITHOUT: dict[str, str] = {
    "catch(function)": "is called once, with an error",
    "conflate(function)": "answers at once, while an item is put in",
    "debounce(on_drop)": "answers at once: what it is told of is lost already",
    "defer(function)": "is called once, without an item",
    "fail(error)": "is called once, without an item",
    "fail_if_empty(error)": "is called once, without an item",
    "keep_alive(function)": "is called without an item",
    "on_close(function)": "is called once, without an item",
    "retry(on_retry)": "is called with an error",
    "retry(when)": "is called with an error",
    "stateful_map(finish)": "is called once, without an item",
    "stateful_map(setup)": "is called once, without an item",
    "through(delay)": "is called while an item is stored: what cannot be stored is not lost, but fails",
    "through(key)": "is called while an item is stored: what cannot be stored is not lost, but fails",
    "through(on_event)": "is told of what has happened",
    "timestamp(clock)": "is called without an item",
    "using(function)": "is called once, without an item",
    "using(resource)": "is called once, without an item",
    "window(on_late)": "is the last that hears of an item, as dead letters are",
} | {
    f"{name}(on_drop)": "answers at once: what it is told of is lost already"
    for name in ("audit", "exhaust_map", "sample", "throttle_first", "throttle_latest")
}
"""Callbacks of operators and sources that have no `on_error=`, and why."""

POLICY = "streamkit._core.guarded.on_error_argument"
UNCHECKED = "streamkit._core.guarded.CALLABLE"
"""The types of callbacks of which nothing is asked, unless there is an ``on_error=``."""
PAGE = Path("docs/retry.md")


def takes_it(name: str) -> bool:
    """Whether users can say what is done where the callback of the operator of this name fails."""
    return "on_error" in inspect.signature(getattr(ops, name)).parameters


def called(annotation: Any) -> bool:
    """Whether an argument of this type may be a callback."""
    return get_origin(annotation) is Callable or any(map(called, get_args(annotation)))


STREAMS = ("Into", "Iterable", "Signal", "Sink", "SourceLike", "Stream", "Until", "Awaitable[T]")
"""What stands in the type of a parameter for a stream, a pipe or a signal, which may be callables, too."""


def callbacks_of(function: Any) -> Iterator[str]:
    """The parameters of a function of ours that are callbacks, in any of its forms; no streams."""
    whole = inspect.unwrap(function)
    for form in (whole, *get_overloads(whole)):
        for name, annotation in get_type_hints(form, localns={"TypeIs": TypeGuard}).items():
            told = form.__annotations__[name]
            if name != "return" and called(annotation) and not any(word in told for word in STREAMS):
                yield name
    for each in catalogue():
        if each.name == whole.__name__ and each.function.__module__ == whole.__module__:
            yield from each.callbacks


@contextmanager
def given(policy: OnError) -> Generator[None, None, None]:
    """Have all that is written in the block be given ``on_error=policy``, also where it has none."""
    with ExitStack() as stack:
        stack.enter_context(patch(POLICY, lambda _: policy))
        stack.enter_context(patch(UNCHECKED, frozenset()))
        for each in catalogue():
            if each.plain is not None:  # a call that does not even ask
                stack.enter_context(patch.object(each, "plain", None))
        yield


def links_of(sample: Sample, policy: OnError | None = None) -> tuple[Link, ...]:
    with nullcontext() if policy is None else given(policy):
        links: tuple[Link, ...] = sample.make(Lab()).links
    return links


TAKING = [
    sample
    for sample in SAMPLES
    if sample.calls and not sample.name.startswith("own-")
    if all(hasattr(ops, link.declaration.name) for link in links_of(sample))
    if any(takes_it(link.declaration.name) for link in links_of(sample))
]


def with_policy(sample: Sample, lab: Lab, policy: OnError) -> Any:
    """The sample's stream or job, as if each of its operators had been given ``on_error=policy``."""
    with given(policy):
        return sample.built(lab)


TIMED = ("switch_map", "exhaust_map", "expand", "extrapolate")
"""What they pass on depends on when an item comes, and so on what was before it; or they pass it on first."""


async def result(built: Any, lab: Lab) -> Any:
    """What comes out, with the numbers of its items."""
    if not hasattr(built, "open"):
        return plain(await built)
    return [plain(item) async for item in built]


def ordered(sample: Sample, found: Any) -> Any:
    return sorted(found, key=repr) if isinstance(found, list) and not sample.ordered else found


class Without(Lab):
    """A lab whose first source leaves out the items of some numbers."""

    left_out: tuple[int, ...] = ()

    def source(self, shape: Callable[[Any], Any] = lambda item: item) -> Any:
        feed = super().source(shape)
        if self.feeds > 1:
            return feed

        async def rest() -> Any:
            items = feed()
            try:
                async for item in items:
                    if _number(item) not in self.left_out:
                        yield item
            finally:
                await items.aclose()

        return rest


def _number(item: Any) -> Any:
    return getattr(item[0] if isinstance(item, tuple) else item, "number", None)


CALLS = (1, 2, 4)


@pytest.mark.spread(full=2)
@pytest.mark.parametrize("style", ["turn", "ready", "plain"])
@pytest.mark.parametrize("kind", ["sync", "async", "lambda", "object"])
@pytest.mark.parametrize("sample", TAKING, ids=lambda each: each.name)
class TestPolicies:
    def test_resume_leaves_out_the_item_and_nothing_else(self, sample: Sample, kind: str, style: str) -> None:
        if sample.name.startswith(TIMED):
            return
        for call in CALLS:
            lost: list[Any] = []

            def note(item: Any, error: Exception, lost: list[Any] = lost) -> None:
                assert isinstance(error, Boom)
                lost.append(_number(item))

            lab = Lab(style, kind, failing_call=call)
            with trying(f"call {call}"):
                found = play(lambda lab=lab, note=note: result(with_policy(sample, lab, Resume(note)), lab))
                assert len(lost) == (lab.calls >= call)
                without = Without("turn", kind)
                without.left_out = tuple(lost)
                expected = play(lambda without=without: result(sample.built(without), without))
                assert ordered(sample, found) == ordered(sample, expected)
                lab.check_finished()

    def test_retry_calls_again_and_nothing_is_seen_of_it(self, sample: Sample, kind: str, style: str) -> None:
        if sample.name.startswith(("switch_map", "exhaust_map")):
            return  # a call that takes longer meets other items
        expected = play(lambda: result(sample.built(lab := Lab(style, kind)), lab))
        for call in CALLS:
            for policy in (Retry(2), Retry(2, 0.5), Retry(None, 1.0)):
                lab = Lab(style, kind, failing_call=call)
                with trying(f"call {call}", policy):
                    found = play(lambda lab=lab, policy=policy: result(with_policy(sample, lab, policy), lab))
                    assert ordered(sample, found) == ordered(sample, expected)
                    lab.check_finished()

    def test_retry_raises_the_last_error_as_itself(self, sample: Sample, kind: str, style: str) -> None:
        errors = [Boom(str(number)) for number in range(9)]
        raised = iter(errors)

        class Failing(Lab):
            def callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
                def fail(*_: object) -> Any:
                    self.calls += 1
                    raise next(raised)

                return super().callback(fail)

        lab = Failing(style, kind)

        async def main() -> None:
            with pytest.raises(Boom) as caught:
                await result(with_policy(sample, lab, Retry(3, 0.5)), lab)
            assert caught.value in errors
            assert any(
                note.startswith("this was attempt 3 of 3, after Boom:") for note in caught.value.__notes__
            )
            assert any(
                note.startswith("in ") and "on_error=Retry(" in note for note in caught.value.__notes__
            )

        play(main)
        lab.check_finished()

    def test_an_error_of_another_type_is_none_of_its(self, sample: Sample, kind: str, style: str) -> None:
        for policy in (Resume(errors=KeyError), Replace(abs, errors=KeyError), Retry(errors=KeyError)):
            lab = Lab(style, kind, failing_call=1)

            async def main(lab: Lab = lab, policy: OnError = policy) -> None:
                with pytest.raises(Boom) as caught:
                    await result(with_policy(sample, lab, policy), lab)
                assert caught.value is lab.raised

            play(main)
            lab.check_finished()

    def test_an_error_of_dead_letters_ends_the_stream(self, sample: Sample, kind: str, style: str) -> None:
        lab = Lab(style, kind, failing_call=1)

        async def main() -> None:
            with pytest.raises(ZeroDivisionError) as caught:
                await result(with_policy(sample, lab, Resume(lambda *_: 1 // 0)), lab)
            assert caught.value.__cause__ is lab.raised

        play(main)
        lab.check_finished()


@pytest.mark.parametrize("sample", TAKING, ids=lambda each: each.name)
def test_what_is_dropped_is_counted(sample: Sample) -> None:
    async def main() -> None:
        lab = Lab("turn", "async", failing_call=2)
        built = with_policy(sample, lab, Resume())
        handle = (built if hasattr(built, "start") else built | ops.drain()).start()
        await handle
        if lab.calls < 2 or sample.name.startswith(TIMED):
            return
        rows = [stats for stats in handle.buffers() if "on_error=Resume()" in stats.operator]
        tallies = [stats for stats in rows if stats.offered == stats.dropped > 0]
        assert [(stats.offered, stats.dropped) for stats in tallies] == [(1, 1)]

    play(main)


GUARDED = {
    f"{link.declaration.name}({name.lstrip('_')})"
    for sample in TAKING
    for link in links_of(sample, Resume())
    for name, value in link.arguments.items()
    if isinstance(value, Guarded)
}
"""The callbacks of operators that have it in some sample."""
CALLBACKS = {
    f"{name}({parameter})"
    for module in (ops, streamkit)
    for name in module.__all__
    if inspect.isfunction(function := getattr(module, name)) and name not in ("guarded", "stage", "step")
    for parameter in callbacks_of(function)
}


AS = {
    "for_each(key)": "map(key)",
    "iterate(function)": "map(function)",  # a source, which has tests of its own
    "partition(predicate)": "partition(key)",
}
"""Callbacks that the operator that runs calls by another name."""


@over(sorted(CALLBACKS))
def test_each_callback_for_items_has_it(callback: str) -> None:
    assert (AS.get(callback, callback) in GUARDED) is not (callback in WITHOUT)


def test_no_other_is_named_without_it() -> None:
    assert {*WITHOUT} <= CALLBACKS


@over(WITHOUT)
def test_the_page_says_which_have_none(callback: str) -> None:
    name, parameter = callback.rstrip(")").split("(")
    rest = PAGE.read_text(encoding="utf-8").partition("## Callbacks that have none")[2]
    assert f"`{parameter}`" in rest
    assert parameter == "on_drop" or f"`{name}`" in rest


def test_all_are_tried() -> None:
    tried = {link.declaration.name for sample in TAKING for link in links_of(sample)}
    assert {name for name in ops.__all__ if takes_it(name)} <= tried


def test_a_cancellation_is_none_of_its() -> None:
    async def hang(_: object) -> None:
        await asyncio.sleep(99.0)

    async def main() -> None:
        for policy in (Resume(), Replace(lambda *_: None), Retry(None)):
            for concurrency in (1, 2):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await (
                            Stream([1])
                            | ops.map(hang, concurrency=concurrency, on_error=policy)
                            | ops.drain()
                        )

    play(main)


def test_a_guarded_callback_is_named_as_the_callback_is() -> None:
    assert Guarded(len, Resume(), spread=False).__name__ == "len"
