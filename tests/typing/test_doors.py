"""Modules are typed, and there at run time, whichever way they are imported; run by pytest too."""

from typing import Any, assert_type

import pytest
import reactivex

import streamkit
import streamkit.aiostream
import streamkit.ops
import streamkit.reactive_streams
import streamkit.rx
import streamkit.testing
from streamkit import (
    Collect,
    DropOldest,
    Gap,
    Job,
    Stream,
    Suspend,
    aiostream,
    ops,
    reactive_streams,
    rx,
    testing,
)
from streamkit.rx import StreamObservable

# what is asserted here is the type: most jobs never run
pytestmark = pytest.mark.filterwarnings("ignore:.* was never awaited:RuntimeWarning")

NUMBERS: Stream[int] = Stream([1, 2, 3])


def test_modules() -> None:
    assert streamkit.ops is ops
    assert streamkit.rx is rx
    assert streamkit.aiostream is aiostream
    assert streamkit.reactive_streams is reactive_streams
    assert streamkit.testing is testing


def test_names_of_modules() -> None:
    assert_type(NUMBERS | streamkit.ops.to_list(), Job[list[int]])
    assert_type(streamkit.rx.to_observable(NUMBERS), StreamObservable[int])
    assert_type(rx.to_observable(NUMBERS), StreamObservable[int])
    assert_type(streamkit.reactive_streams.to_publisher(NUMBERS), reactive_streams.StreamPublisher[int])
    assert_type(aiostream.from_aiostream(streamkit.aiostream.to_aiostream(NUMBERS)), Stream[Any])
    assert_type(streamkit.testing.VirtualLoop, type[testing.VirtualLoop])


def test_observables() -> None:
    letters = reactivex.of("a", "b")
    assert_type(rx.from_observable(letters, strategy=Suspend(2)), Stream[str])
    assert_type(rx.from_observable(letters, strategy=DropOldest(2)), Stream[str])
    assert_type(rx.from_observable(letters, strategy=DropOldest(2, gaps=True)), Stream[str | Gap])
    assert_type(rx.from_observable(letters, strategy=Collect(2)), Stream[list[str]])
