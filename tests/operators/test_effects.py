"""tap."""

import asyncio
from typing import Any

import pytest

from streamkit import Stream, ops


class TestTap:
    def test_calls_and_passes_on(self) -> None:
        seen: list[int] = []
        assert list(Stream([1, 2]) | ops.tap(seen.append)) == [1, 2]
        assert seen == [1, 2]

    def test_what_it_returns_is_ignored(self) -> None:
        assert list(Stream([1, 2]) | ops.tap(str)) == [1, 2]

    @pytest.mark.parametrize("wrap", [lambda call: call, lambda call: lambda item: call(item)])
    def test_an_awaitable_is_awaited_before_the_item_passes(self, wrap: Any) -> None:
        seen: list[Any] = []

        async def see(item: int) -> None:
            await asyncio.sleep(0.0)
            seen.append(item)

        for item in Stream([1, 2]) | ops.tap(wrap(see)):
            seen.append(-item)
        assert seen == [1, -1, 2, -2]

    def test_empty(self) -> None:
        assert list(Stream([]) | ops.tap(print)) == []

    def test_bad_argument(self) -> None:
        with pytest.raises(TypeError, match="function must be a callable, not None"):
            ops.tap(None)  # type: ignore[arg-type]
