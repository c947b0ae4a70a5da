"""Items that can be followed: equal to what was given, and known wherever they are found."""

import copy
import gc
import pickle
import weakref
from dataclasses import dataclass
from typing import Any

import pytest

from streamkit import Next
from streamkit.testing.conformance.items import Item, followed, followed_kind, items_in, plain


@dataclass
class Record:
    name: str


GIVEN: list[Any] = [7, 1.5, "text", b"bytes", (1, 2), frozenset({1}), [1], {"a": 1}, {1}, Record("one")]


@pytest.mark.parametrize("value", GIVEN, ids=repr)
def test_what_is_followed_equals_what_was_given_and_keeps_its_item_alive(value: Any) -> None:
    item = Item(0)
    ref = weakref.ref(item)
    made = followed(value, item)
    assert made == value
    assert repr(made) == repr(value)
    assert made is not value
    assert [*items_in(made)] == [item]
    assert [*items_in([{"a": (made,)}, Next(made)])] == [item, item]
    assert followed_kind(value) == ""
    del item
    assert ref() is not None
    del made
    gc.collect(0)
    assert ref() is None


def test_what_is_followed_compares_as_itself_when_it_is_plain() -> None:
    assert type(plain(followed(7, Item(0)))) is int
    assert type(plain([followed((1, 2), Item(0))])[0]) is tuple
    assert plain(Item(3)) == 3
    assert plain({"a": Next(Item(3))}) == {"a": Next(3)}


def test_a_copy_in_another_process_is_of_the_type_that_was_given() -> None:
    found = pickle.loads(pickle.dumps(followed(7, Item(0))))
    assert type(found) is int
    assert type(copy.deepcopy(followed("text", Item(0)))) is str


@pytest.mark.parametrize("value", [None, True, len], ids=repr)
def test_what_cannot_be_followed_is_given_as_it_is(value: Any) -> None:
    assert followed(value, Item(0)) is value
    assert "cannot be followed" in followed_kind(value)
