"""Following: which lines a loop has more where its source is durable, for its deliveries."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Any

import pytest

from streamkit import Job, Stream, Suspend, ops
from tests.run.ledger import Trial


def f(item: Any) -> Any:
    return item


_AHEAD: Any = ops.buffer(Suspend(1)) | ops.drain()
_CONCERNS = re.compile(r"token|pair\b|kept_|\bcount_\d_|\bresult\b|settle")
_SETTLES = re.compile(r"(\w+)\.count -= 1\n\s*if not \1\.count:\n\s*\1\.ledger\.closed\(\1\)")
"""As the lines below say it: settle."""

LOOPS: dict[str, tuple[Any, str]] = {
    "all is left out": (
        ops.filter(f) | ops.drain(),
        """
        token, item = item
        settle token
        del item; token = got = None
        """,
    ),
    "one for one": (
        ops.map(f) | _AHEAD,
        """
        token, item = item
        pair = (token, item)
        yield pair
        del item; token = pair = None
        """,
    ),
    "on one way through the turn": (
        ops.filter(f) | _AHEAD,
        """
        token, item = item
        pair = (token, item)
        token = None
        yield pair
        if token is not None:
        settle token
        del item; token = got = pair = None
        """,
    ),
    "several of one": (
        ops.flatten() | _AHEAD,
        """
        token, item = item
        token.count += 1
        pair = (token, each_0)
        yield pair
        settle token
        del item; token = each_0 = part_0_0_ = rest_0_0_ = pair = None
        """,
    ),
    "a stream for each": (
        ops.concat_map(f) | _AHEAD,
        """
        token, item = item
        token.count += 1
        pair = (token, item_0_)
        yield pair
        item_0_ = pair = None
        token.count += 1
        pair = (token, item_0_)
        yield pair
        settle token
        del item; token = stream_0_ = item_0_ = pair = rest_0_0_ = None
        """,
    ),
    "the end by itself": (
        ops.filter(f) | ops.take(3) | ops.drain(),
        """
        token, item = item
        settle token
        token = None
        if token is not None:
        settle token
        del item; token = got = None
        """,
    ),
    "the end by an item": (
        ops.take_while(f) | _AHEAD,
        """
        token, item = item
        pair = (token, item)
        token = None
        yield pair
        if token is not None:
        settle token
        token = None
        pair = (token, item)
        yield pair
        del item; token = got = pair = None
        """,
    ),
    "what nothing was handed out for": (
        ops.start_with(1) | ops.intersperse(2) | ops.end_with(3) | _AHEAD,
        """
        pair = (NO_DELIVERY, separator_1)
        yield pair
        pair = (NO_DELIVERY, each_0)
        yield pair
        token, item = item
        token.count += 1
        pair = (token, separator_1)
        yield pair
        pair = (token, item)
        yield pair
        del item; token = pair = None
        pair = (NO_DELIVERY, each_2)
        yield pair
        """,
    ),
    "a state": (
        ops.stateful_map(f, f) | _AHEAD,
        """
        token, item = item
        pair = (token, value_0)
        yield pair
        del item; token = value_0 = got = pair = None
        """,
    ),
    "one of several": (
        ops.batch(3) | _AHEAD,
        """
        kept_0_ = []
        token, item = item
        kept_0_.append(token)
        token_0_ = together(kept_0_, len(held_0))
        pair = (token_0_, full_0)
        yield pair
        del item; token = full_0 = token_0_ = pair = None
        token_0_ = together(kept_0_, 0)
        pair = (token_0_, rest_0)
        yield pair
        settled(kept_0_)
        """,
    ),
    "some left out": (
        ops.sliding(2, step=3) | ops.map(f) | ops.drain(),
        """
        kept_0_ = []
        token, item = item
        kept_0_.append(token)
        token_0_ = together(kept_0_, len(held_0))
        settle token_0_
        if len(kept_0_) > len(held_0):
        trimmed(kept_0_, len(held_0))
        del item; token = full_0 = token_0_ = None
        settled(kept_0_)
        """,
    ),
    "several of several": (
        ops.pairwise() | ops.batch(2) | ops.drain(),
        """
        kept_1_ = []
        kept_0_ = []
        token, item = item
        kept_0_.append(token)
        token_0_ = together(kept_0_, 1)
        kept_1_.append(token_0_)
        token_1_ = together(kept_1_, len(held_1))
        settle token_1_
        if len(kept_0_) > 1:
        trimmed(kept_0_, 1)
        del item; token = item_1 = token_0_ = full_1 = token_1_ = None
        settled(kept_0_)
        token_1_ = together(kept_1_, 0)
        settle token_1_
        settled(kept_1_)
        """,
    ),
    "what is made at the end": (
        ops.take_last(2) | ops.flatten() | _AHEAD,
        """
        kept_0_ = []
        token, item = item
        kept_0_.append(token)
        if len(kept_0_) > len(held_0):
        trimmed(kept_0_, len(held_0))
        del item; token = None
        token_0_ = together(kept_0_, len(held_0))
        token_0_.count += 1
        pair = (token_0_, each_1)
        yield pair
        settle token_0_
        settled(kept_0_)
        """,
    ),
    "a result of all": (
        ops.flatten() | ops.to_list(),
        """
        kept_1_ = []
        count_1_ = open_1_.most
        token, item = item
        token.count += 1
        kept_1_.append(token)
        if token.several:
        count_1_ = 0
        settle token
        if len(kept_1_) >= count_1_:
        count_1_ = open_1_.counted(kept_1_)
        del item; token = each_0 = part_0_0_ = rest_0_0_ = None
        result = items_1
        settled(kept_1_)
        return result
        """,
    ),
    "a result without any": (
        ops.map(f) | ops.count(),
        """
        token, item = item
        settle token
        del item; token = None
        """,
    ),
    "a result before the end": (
        ops.batch(2) | ops.take(3) | ops.last(),
        """
        kept_2_ = []
        count_2_ = open_2_.most
        result = found_2
        settled(kept_2_)
        return result
        kept_0_ = []
        token, item = item
        kept_0_.append(token)
        if token.several:
        count_2_ = 0
        token_0_ = together(kept_0_, len(held_0))
        kept_2_.append(token_0_)
        if token_0_.several:
        count_2_ = 0
        result = found_2
        settled(kept_2_)
        return result
        if len(kept_2_) + len(kept_0_) >= count_2_:
        count_2_ = open_2_.counted(kept_2_, kept_0_)
        del item; token = full_0 = token_0_ = None
        token_0_ = together(kept_0_, 0)
        kept_2_.append(token_0_)
        if token_0_.several:
        count_2_ = 0
        result = found_2
        settled(kept_2_)
        return result
        settled(kept_0_)
        result = found_2
        settled(kept_2_)
        return result
        """,
    ),
    "two branches": (
        ops.broadcast(ops.map(f), ops.batch(2)) | _AHEAD,
        """
        kept_2_ = []
        token, item = item
        token.count += 1
        pair = (token, item_2)
        yield pair
        kept_2_.append(token)
        token_2_ = together(kept_2_, len(held_2))
        pair = (token_2_, full_2)
        yield pair
        del item; token = item_2 = pair = full_2 = token_2_ = None
        token_2_ = together(kept_2_, 0)
        pair = (token_2_, rest_2)
        yield pair
        settled(kept_2_)
        """,
    ),
    "two results": (
        ops.broadcast(ops.count(), ops.to_list()),
        """
        kept_2_ = []
        count_2_ = open_2_.most
        token, item = item
        kept_2_.append(token)
        if token.several:
        count_2_ = 0
        if len(kept_2_) >= count_2_:
        count_2_ = open_2_.counted(kept_2_)
        del item; token = None
        result = (number_1, items_2,)
        settled(kept_2_)
        return result
        """,
    ),
    "a pipe for each key": (
        ops.group_by(f, ops.pairwise(), max_groups=3) | ops.drain(),
        """
        token, item = item
        kept_2_ = []
        state_0 = groups_0[name_0] = [last_2, kept_2_]
        [last_2, kept_2_] = state_0
        kept_2_.append(token)
        token_2_ = together(kept_2_, 1)
        settle token_2_
        if len(kept_2_) > 1:
        trimmed(kept_2_, 1)
        del item; token = state_0 = got = item_3 = token_2_ = pair_0_out = None
        [last_2, kept_2_] = state_0
        settled(kept_2_)
        last_2 = kept_2_ = state_0 = None
        """,
    ),
    "a result for each key": (
        ops.group_by(f, ops.count(), max_groups=3) | _AHEAD,
        """
        token, item = item
        kept_1_ = []
        state_0 = groups_0[name_0] = [number_1, kept_1_]
        [number_1, kept_1_] = state_0
        kept_1_.append(token)
        del item; token = state_0 = got = None
        [number_1, kept_1_] = state_0
        token_1_ = together(kept_1_, 0)
        pair = (token_1_, pair_0_out)
        yield pair
        number_1 = kept_1_ = state_0 = None
        """,
    ),
}
"""Pipes, and the lines of their first loop that concern deliveries."""


def code(stream: Stream[Any] | Job[Any]) -> str:
    return stream.explain(code=True).code[0]


@pytest.mark.parametrize("name", LOOPS)
def test_what_becomes_of_a_delivery(name: str) -> None:
    pipe, lines = LOOPS[name]
    text = _SETTLES.sub(r"settle \1", code(Trial().stream() | pipe))
    assert [line.strip() for line in text.splitlines() if _CONCERNS.search(line)] == dedent(lines).split(
        "\n"
    )[1:-1]


def test_a_loop_over_what_is_not_durable_has_none_of_them() -> None:
    for pipe, _ in LOOPS.values():
        assert not re.search(r"token|kept_|settle|together", code(Stream([1]) | pipe))
