"""Arguments of the family `recover`."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from streamkit import ops
from tests.laws.ways import (
    Way,
)

__all__ = ["ARGUMENTS"]

ARGUMENTS: dict[str, SearchStrategy[Way]] = {
    "catch": st.just(Way("catch", lambda lab: ops.catch(lab.callback(lambda _: lab.source())), catches=True)),
    "on_close": st.just(Way("on_close", lambda lab: ops.on_close(lambda: None))),
}
